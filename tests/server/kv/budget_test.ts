/**
 * Answers that are more than all connections of a port together may have waiting.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../../cluster/machine/mod.ts";
import { LineWriter } from "../../../protocol/kv/mod.ts";
import { Answers, Pending } from "../../../server/kv/answers.ts";
import { FAIR_BYTES, Outbox, SharedBacklog } from "../../../server/net/outbox.ts";
import { WriterPool } from "../../../server/net/writer_pool.ts";
import { NO_ROOM } from "../../../server/replica/service.ts";
import { serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { SlowSink, turn } from "../../support/net/slow_sink.ts";

const HOST = loopback();
const MOST = 2_000_000;
const VALUE = new TextEncoder().encode(`"${"x".repeat(400_000)}"`);
const LIMITS = { backlogBytes: 1_000_000, waitingRecords: 0, waitingBytes: 0 };

function unexpected(fault: unknown): never {
  throw fault;
}

/** A connection that asks for large values and reads when a test lets it. */
class Asking {
  readonly sink = new SlowSink();
  readonly outbox: Outbox<LineWriter>;
  readonly answers: Answers;
  /** Values that were read of the state. */
  read = 0;

  constructor(shared: SharedBacklog, count: number) {
    const writers = new WriterPool(() => new LineWriter(64));
    this.outbox = new Outbox(this.sink, writers, { ...LIMITS, shared }, unexpected);
    this.answers = new Answers(this.outbox, shared, () => {}, unexpected);
    for (let id = 0; id < count; id++) this.#ask(id);
  }

  /** Takes all that comes, and gives the ids of the answers. */
  async takeAll(): Promise<unknown[]> {
    while (this.outbox.backlog > 0 || this.answers.size > 0) {
      await turn();
      if (this.outbox.backlog > 0) await this.sink.take();
    }
    const text = new TextDecoder().decode(
      Uint8Array.from(this.sink.taken.flatMap((it) => [...it])),
    );
    return text.trimEnd().split("\n").map((line) => JSON.parse(line).id);
  }

  close(): void {
    this.outbox.close();
    this.answers.close();
  }

  #ask(id: number): void {
    const pending = new Pending(id, 10);
    pending.touch = "reads";
    this.answers.add(pending);
    pending.ask = () =>
      queueMicrotask(() => {
        const hasRoom = this.answers.hasRoom(pending);
        if (hasRoom) this.read++;
        const result: Result = hasRoom ? { ok: true, rev: 1, body: VALUE } : NO_ROOM;
        this.answers.settle(pending, result);
      });
    pending.ask();
  }
}

Deno.test("connections that do not read have no more answers in memory than all may, but for the next one of each", async () => {
  const shared = new SharedBacklog(MOST);
  const all = Array.from({ length: 10 }, () => new Asking(shared, 8));
  await turn();
  const most = MOST + 11 * (VALUE.length + FAIR_BYTES);
  assert.ok(shared.bytes <= most, `${shared.bytes} bytes of ${most} wait`);
  const read = all.reduce((sum, one) => sum + one.read, 0);
  assert.ok(read * VALUE.length <= most, `${read} values were read`);
  assert.ok(all.every((one) => one.read > 0), "each has its turn");

  // Nobody waits for what another one does.
  const late = new Asking(shared, 8);
  assert.deepEqual(await late.takeAll(), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.ok(shared.isFull);

  const gone = all.splice(0, 5);
  for (const one of gone) one.close();
  for (const one of all) assert.deepEqual(await one.takeAll(), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(shared.bytes, 0, "all is given back");
});

Deno.test("reads that are asked again have room all at once, as far as there is any, and those behind them none", async () => {
  const shared = new SharedBacklog(Infinity);
  const sink = new SlowSink();
  const writers = new WriterPool(() => new LineWriter(64));
  const outbox = new Outbox(sink, writers, { ...LIMITS, shared }, unexpected);
  const answers = new Answers(outbox, shared, () => {}, unexpected);
  const asked: Pending[] = [];
  const all = Array.from({ length: 40 }, (_, id) => {
    const pending = new Pending(id, 10);
    pending.touch = "reads";
    pending.ask = () => asked.push(pending);
    answers.add(pending);
    return pending;
  });
  for (const pending of all) {
    const result: Result = { ok: true, rev: 1, body: VALUE };
    answers.settle(pending, answers.hasRoom(pending) ? result : NO_ROOM);
  }
  while (asked.length === 0) {
    await turn();
    await sink.take();
  }
  assert.ok(asked.length > 1);
  assert.ok(asked.every((pending) => answers.hasRoom(pending)));
  const behind = all.slice(all.indexOf(asked.at(-1) as Pending) + 1);
  assert.ok(behind.length > 0 && !behind.some((pending) => answers.hasRoom(pending)));
  // When one of them is put off after all, so is what follows it.
  answers.settle(asked[1] as Pending, NO_ROOM);
  assert.deepEqual(asked.map((pending) => answers.hasRoom(pending)), asked.map((_, i) => i === 0));
  outbox.close();
  answers.close();
});

Deno.test("clients that do not read keep no other from its answers, of any kind", async () => {
  await using stage = serve(HOST, { maxWaitingBytes: 100_000 });
  using other = await stage.client();
  const value = "x".repeat(400_000);
  await other.ask({ action: "SET", key: "large", value });
  const requests = [
    { action: "GET", key: "large" },
    { action: "ECHO", value },
    { action: "KEYS", values: true },
    { action: "PING" },
    { action: "INCR", key: "n" },
  ];
  const answers = ["GET", "ECHO", "KEYS", "PING", "INCR"].length;
  const silent = await Promise.all(Array.from({ length: 5 }, () => stage.client()));
  const lines = requests.map((request) => `${JSON.stringify(request)}\n`).join("");
  const sent = silent.map((client) => client.send(lines.repeat(20)));
  for (let i = 0; i < 10; i++) {
    const replies = await other.all(requests);
    assert.ok(
      replies.every(({ status }) => status === "ok"),
      JSON.stringify(replies).slice(0, 200),
    );
  }
  for (const [i, client] of silent.entries()) {
    const replies = await client.replies(20 * answers);
    await sent[i];
    assert.ok(replies.every(({ status }) => status === "ok"));
    client[Symbol.dispose]();
  }
  assert.deepEqual(stage.unexpected, []);
});
