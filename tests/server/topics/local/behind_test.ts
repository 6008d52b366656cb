/**
 * The topics of an agent whose server is behind the leader, or gets no answer from it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { OutcomeUnknownError, TopicError, type TopicMessage } from "../../../../mod.ts";
import type { Result } from "../../../../cluster/machine/mod.ts";
import { NO_LEADER, OUTCOME_UNKNOWN, OVERLOADED } from "../../../../server/replica/service.ts";
import { AgentTopics } from "../../../../server/topics/local/local.ts";
import { until } from "../../../support/rpc/peer.ts";
import { MemoryTopics } from "../../../support/topics/memory_topics.ts";

/** A server, and the one that leads. */
class Pair {
  readonly leader = new MemoryTopics();
  readonly follower = new MemoryTopics();
  readonly topics: AgentTopics;
  /** What is said of the next commands in place of what came of them, and whether they are done. */
  readonly instead: { readonly result: Result; readonly isDone: boolean }[] = [];
  /** Whether nothing that is asked is answered. */
  isSilent = false;
  readonly #log: Uint8Array[] = [];
  readonly #limits: number[] = [];

  constructor() {
    const { leader, follower } = this;
    this.topics = new AgentTopics({
      state: {
        askHere: (kind, bytes, timeoutMs, done) => {
          if (this.isSilent) return void this.#limits.push(timeoutMs);
          if (kind === "question") return leader.askHere(kind, bytes, timeoutMs, done);
          const { result, isDone } = this.instead.shift() ?? { result: undefined, isDone: true };
          if (!isDone) return queueMicrotask(() => done(result));
          this.#log.push(bytes.slice());
          leader.askHere(kind, bytes, timeoutMs, (own) => done(result ?? own));
        },
        heard: (member) => leader.heard(member),
        peek: (question) => follower.peek(question),
      },
      messages: follower,
      cluster: leader,
      autoCreate: true,
    });
  }

  /** How long each may take that was not answered. */
  get limits(): readonly number[] {
    return this.#limits;
  }

  /** The follower gets what the leader has, or some of it. */
  catchUp(count = Infinity): void {
    for (const command of this.#log.splice(0, count)) this.follower.apply(command);
  }
}

const offsetsOf = (messages: readonly TopicMessage[]): number[] =>
  messages.map(({ offset }) => offset);

const unknown = (isDone: boolean) => ({ result: OUTCOME_UNKNOWN, isDone });

Deno.test("a consumer waits for a server that is behind: it reads nothing twice, and takes nothing for gone", async () => {
  for (const onOutOfRange of ["earliest", "latest", "error"] as const) {
    const pair = new Pair();
    await pair.topics.createTopic("t");
    const producer = pair.topics.producer();
    for (let i = 0; i < 10; i++) await producer.send("t", { value: `${i}` });
    // The topic itself has not come here.
    await using consumer = pair.topics.consumer("t", { start: 7, onOutOfRange });
    assert.deepEqual(await consumer.fetch({ timeoutMs: 120 }), []);
    pair.catchUp(4);
    assert.deepEqual(await consumer.fetch({ timeoutMs: 120 }), []);
    pair.catchUp(5);
    const first = await consumer.fetch();
    assert.deepEqual(offsetsOf(first), [7]);
    pair.catchUp();
    const rest = [await consumer.fetchOne(), await consumer.fetchOne()];
    assert.deepEqual(rest.map((one) => one?.offset), [8, 9]);
    await pair.topics.deleteTopic("t");
    pair.catchUp();
    await assert.rejects(consumer.fetch(), { reason: "TOPIC_NOT_FOUND" });
    await producer.close();
  }
});

Deno.test("with an identity a batch whose answer was lost is sent again, and is there once", async () => {
  const pair = new Pair();
  await pair.topics.createTopic("t");
  const producer = pair.topics.producer({ idempotent: true });
  assert.equal((await producer.send("t", { value: "a" })).offset, 0);
  pair.instead.push(unknown(true), unknown(false), { result: NO_LEADER, isDone: false });
  assert.equal((await producer.send("t", { value: "b" })).offset, 1);
  assert.equal((await producer.send("t", { value: "c" })).offset, 2);
  assert.deepEqual(await pair.topics.offsets("t", 0), { start: 0, end: 3 });
  assert.equal(producer.statistics.retries, 3);
  await producer.close();
});

Deno.test("without one only what was certainly not done is sent again", async () => {
  const pair = new Pair();
  await pair.topics.createTopic("t");
  const producer = pair.topics.producer();
  pair.instead.push(
    { result: NO_LEADER, isDone: false },
    { result: OVERLOADED, isDone: false },
    unknown(true),
  );
  await assert.rejects(producer.send("t", { value: "a" }), OutcomeUnknownError);
  assert.equal((await producer.send("t", { value: "b" })).offset, 1);
  assert.deepEqual(await pair.topics.offsets("t", 0), { start: 0, end: 2 });
  await producer.close();
});

Deno.test("what stays unknown is told so, and what follows comes under another id", async () => {
  const pair = new Pair();
  await pair.topics.createTopic("t");
  const producer = pair.topics.producer({ idempotent: true, timeoutMs: 120 });
  assert.equal((await producer.send("t", { value: "a" })).offset, 0);
  pair.instead.push(...Array.from({ length: 9 }, () => unknown(false)));
  const lost = producer.send("t", { value: "b" });
  await assert.rejects(lost, OutcomeUnknownError);
  pair.instead.length = 0;
  assert.equal((await producer.send("t", { value: "c" })).offset, 1);
  pair.leader.leader = "nobody here";
  await assert.rejects(producer.send("t", { value: "d" }), (error) => {
    return error instanceof TopicError && error.message === "There is no leader";
  });
  await producer.close();
});

Deno.test("what was open once stays so, and what follows is no repetition of it", async () => {
  const pair = new Pair();
  await pair.topics.createTopic("t");
  const producer = pair.topics.producer({ idempotent: true, timeoutMs: 120 });
  await producer.send("t", { value: "a" });
  // It is done, and nobody is told.
  pair.instead.push(unknown(true));
  pair.instead.push(...Array.from({ length: 9 }, () => ({ result: NO_LEADER, isDone: false })));
  await assert.rejects(producer.send("t", { value: "b" }), OutcomeUnknownError);
  pair.instead.length = 0;
  assert.equal((await producer.send("t", { value: "c" })).offset, 2);
  await producer.close();
});

Deno.test("reads that overlap give each message once", async () => {
  const pair = new Pair();
  await pair.topics.createTopic("t", { partitions: 2 });
  const producer = pair.topics.producer();
  for (let i = 0; i < 40; i++) await producer.send("t", { value: `${i}`, partition: i % 2 });
  pair.catchUp();
  let reads = 0;
  // The first of two comes back after the second.
  pair.follower.beforeRead = async () => {
    for (let left = ++reads % 3 === 1 ? 40 : 0; left > 0; left--) await Promise.resolve();
  };
  await using consumer = pair.topics.consumer("t", { start: "latest", maxBytes: 100 });
  for (let round = 0; round < 5; round++) {
    const waiting = consumer.fetchOne();
    await Promise.all([consumer.seek(0, 0), consumer.seek(1, 0)]);
    const offsets: number[][] = [[], []];
    let left = 40;
    for (let one = await waiting; one;) {
      offsets[one.partition]?.push(one.offset);
      one = await consumer.fetchOne({ timeoutMs: --left > 0 ? 5_000 : 30 });
    }
    const all = Array.from({ length: 20 }, (_, i) => i);
    assert.deepEqual(offsets, [all, all]);
  }
  await producer.close();
});

Deno.test("a change whose answer was lost is told so, a question is not", async () => {
  const pair = new Pair();
  pair.instead.push(unknown(true));
  await assert.rejects(pair.topics.createTopic("t"), OutcomeUnknownError);
  assert.deepEqual(await pair.topics.listTopics(), [{ name: "t", partitions: 1 }]);
});

Deno.test("without a majority nothing takes longer than it may: a read, an id of a producer, and the end of the agent", async () => {
  const pair = new Pair();
  await pair.topics.createTopic("t");
  const reader = pair.topics.consumer("t", { group: "g", autoCommitMs: 1 });
  pair.catchUp();
  assert.equal(await reader.fetchOne({ timeoutMs: 20 }), undefined);
  pair.isSilent = true;
  const consumer = pair.topics.consumer("t");
  assert.equal(await consumer.fetchOne({ timeoutMs: 20 }), undefined);
  assert.deepEqual(await consumer.fetch({ timeoutMs: 20 }), []);
  const producer = pair.topics.producer({ idempotent: true, timeoutMs: 700 });
  const before = pair.limits.length;
  producer.send("t", { value: "a", partition: 0 }).catch(() => {});
  await until(() => pair.limits.length > before);
  assert.ok(pair.limits.slice(before).every((ms) => ms <= 700), `${pair.limits}`);
  const started = performance.now();
  await pair.topics.close();
  const tookMs = performance.now() - started;
  assert.ok(tookMs < 10_000, `It took ${tookMs} ms`);
});
