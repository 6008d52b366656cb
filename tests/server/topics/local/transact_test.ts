/**
 * Transactions of the program around an agent, when their answers are late.
 *
 * @module
 */

import assert from "node:assert/strict";
import { OutcomeUnknownError } from "../../../../protocol/kv/errors.ts";
import { CODE, TopicError } from "../../../../protocol/topics/mod.ts";
import { AgentTopics } from "../../../../server/topics/local/local.ts";
import { until } from "../../../support/rpc/peer.ts";
import { MemoryTopics } from "../../../support/topics/memory_topics.ts";

/** Topics of a program around an agent. */
function newStage(): { readonly memory: MemoryTopics; readonly topics: AgentTopics } {
  const memory = new MemoryTopics();
  const parts = { state: memory, messages: memory, cluster: memory, autoCreate: true };
  return { memory, topics: new AgentTopics(parts) };
}

Deno.test("a transaction whose answer is late may be done, and the next one is no repeat of it", async () => {
  const { memory, topics } = newStage();
  await using producer = topics.producer();
  await producer.transact({ messages: [{ topic: "t", value: "first" }] });
  memory.hold();
  await assert.rejects(
    producer.transact({ messages: [{ topic: "t", value: "late" }] }, { timeoutMs: 50 }),
    OutcomeUnknownError,
  );
  memory.release();
  await producer.transact({ messages: [{ topic: "t", value: "next" }] });
  await using consumer = topics.consumer("t");
  const texts = (await consumer.fetch()).map(({ value }) => value?.text());
  assert.deepEqual(texts, ["first", "late", "next"]);
});

Deno.test("a transaction that was given up before its turn is not done", async () => {
  const { memory, topics } = newStage();
  await using producer = topics.producer();
  const messages = [{ topic: "t", value: "x" }];
  await producer.transact({ messages });
  const commands = memory.commands;
  const giveUp = new AbortController();
  const first = producer.transact({ messages });
  const second = producer.transact({ messages }, { signal: giveUp.signal });
  giveUp.abort(new Error("Given up"));
  await first;
  await assert.rejects(second, /Given up/);
  assert.equal(memory.commands, commands + 1);
  assert.equal((await topics.offsets("t", 0)).end, 2);
});

Deno.test("a producer is closed, and has flushed, once its transactions are done", async () => {
  const { memory, topics } = newStage();
  const producer = topics.producer();
  memory.hold();
  let done = 0;
  const messages = [{ topic: "t", value: "x" }];
  const all = [1, 2].map(() => producer.transact({ messages }).then(() => done++));
  const flushed = producer.flush().then(() => done);
  const closed = producer.close().then(() => done);
  await new Promise((resolve) => setTimeout(resolve));
  memory.release();
  assert.deepEqual(await Promise.all([flushed, closed]), [2, 2]);
  await Promise.all(all);
});

Deno.test("a transaction that is given up on its way may be done, whatever it is given up for", async () => {
  const { memory, topics } = newStage();
  await using producer = topics.producer();
  await producer.transact({ messages: [{ topic: "t", value: "first" }] });
  memory.hold();
  const giveUp = new AbortController();
  const given = producer.transact({ messages: [{ topic: "t", value: "given up" }] }, {
    signal: giveUp.signal,
  });
  await until(() => memory.held > 0);
  const reason = new TopicError(CODE.TOPIC_NOT_FOUND, "Another one has failed");
  giveUp.abort(reason);
  await assert.rejects(given, reason);
  memory.release();
  await producer.transact({ messages: [{ topic: "t", value: "next" }] });
  await using consumer = topics.consumer("t");
  const texts = (await consumer.fetch()).map(({ value }) => value?.text());
  assert.deepEqual(texts, ["first", "given up", "next"]);
});

Deno.test("what a transaction consists of is taken at once, and may change then", async () => {
  const { topics } = newStage();
  await using producer = topics.producer();
  const value = new TextEncoder().encode("as it was");
  const messages = [{ topic: "t", value }];
  const both = [producer.transact({ messages }), producer.transact({ messages })];
  value.fill(0x78);
  messages.length = 0;
  await Promise.all(both);
  await using consumer = topics.consumer("t");
  const texts = (await consumer.fetch()).map(({ value }) => value?.text());
  assert.deepEqual(texts, ["as it was", "as it was"]);
});
