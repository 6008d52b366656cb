/**
 * The writer of a connection: order, batches, bounds, and what a broken connection does.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Writer } from "../../../protocol/msgpack/mod.ts";
import { Outbox, RecordCounter, type Sink } from "../../../server/net/outbox.ts";
import { WriterPool } from "../../../server/net/writer_pool.ts";
import { SlowSink, turn } from "../../support/net/slow_sink.ts";

const LIMITS = { backlogBytes: 200_000, waitingRecords: 100, waitingBytes: 1_000_000 };
const HEADER = Uint8Array.of(1);
const BODY = Uint8Array.of(2);

function writerPool(): WriterPool<Writer> {
  return new WriterPool(() => new Writer("rpc", 16));
}

function outboxTo(sink: Sink, onBroken: () => void = neverBroken): Outbox<Writer> {
  return new Outbox(sink, writerPool(), LIMITS, onBroken);
}

function neverBroken(): never {
  assert.fail("reported as broken");
}

function hexOf(chunks: readonly Uint8Array[]): string {
  return chunks.map((chunk) => chunk.toHex()).join("");
}

Deno.test("everything of one turn leaves in one write, in order, large messages too", async () => {
  const sink = new SlowSink();
  const outbox = outboxTo(sink);
  const large = new Uint8Array(20_000).fill(9);
  outbox.append(Uint8Array.of(1));
  outbox.open()?.byte(2);
  outbox.append(large);
  outbox.record(new RecordCounter(), HEADER, BODY);
  outbox.open()?.byte(3);
  await turn();
  assert.equal(sink.writes.length, 1);
  assert.equal(outbox.backlog, sink.writes[0]?.length);
  await sink.take();
  assert.equal(outbox.backlog, 0);
  assert.equal(hexOf(sink.taken), "0102" + "09".repeat(20_000) + "010203");
});

Deno.test("what comes during a write leaves in the next one; partial writes go on where they stopped", async () => {
  const sink = new SlowSink();
  const outbox = outboxTo(sink);
  outbox.append(Uint8Array.of(1, 2, 3, 4, 5, 6));
  await turn();
  outbox.append(Uint8Array.of(7));
  outbox.append(Uint8Array.of(8));
  await turn();
  assert.equal(sink.writes.length, 1);
  await sink.take(5);
  await sink.take();
  await sink.take();
  assert.equal(sink.writes.length, 3);
  assert.equal(hexOf(sink.taken), "0102030405060708");
});

Deno.test("much leaves piece by piece, and whoever gave it hears when it is sent, and not before", async () => {
  const sink = new SlowSink();
  const outbox = outboxTo(sink);
  const sent: string[] = [];
  const large = ["a", "b"].map((name) => ({ name, bytes: new Uint8Array(300_000).fill(9) }));
  outbox.append(Uint8Array.of(1), () => sent.push("small"));
  assert.deepEqual(sent, ["small"], "it was copied");
  for (const { name, bytes } of large) outbox.append(bytes, () => sent.push(name));
  outbox.append(Uint8Array.of(2));
  await turn();
  await sink.take();
  await sink.take(299_999);
  assert.deepEqual(sent, ["small"]);
  assert.equal(outbox.backlog, 300_002);
  await sink.take();
  assert.deepEqual(sent, ["small", "a"]);
  for (let writes = 0; writes < 2; writes++) await sink.take();
  assert.deepEqual(sent, ["small", "a", "b"]);
  assert.equal(outbox.backlog, 0);
  assert.equal(hexOf(sink.taken), "01" + "09".repeat(600_000) + "02");
  assert.deepEqual(sink.writes.map(({ length }) => length), [1, 300_000, 1, 300_000, 1]);
});

Deno.test("whose bytes are not sent when the connection ends hears nothing", async () => {
  const sink = new SlowSink();
  const outbox = outboxTo(sink);
  outbox.append(new Uint8Array(300_000), () => assert.fail("it was not sent"));
  await turn();
  outbox.close();
  await sink.take();
});

Deno.test("records of one stream are dropped beyond the bound, others and answers are not", async () => {
  const sink = new SlowSink();
  const outbox = outboxTo(sink);
  const [first, second] = [new RecordCounter(), new RecordCounter()];
  outbox.append(BODY);
  await turn();
  let taken = 0;
  while (outbox.record(first, HEADER, BODY)) taken++;
  assert.equal(taken, LIMITS.waitingRecords);
  assert.ok(!outbox.record(first, HEADER, BODY));
  assert.equal(first.dropped, 2);
  assert.ok(outbox.record(second, HEADER, BODY));
  const before = outbox.backlog;
  outbox.append(BODY);
  assert.equal(outbox.backlog, before + BODY.length);
  await sink.take();
  assert.ok(outbox.record(first, HEADER, BODY), "there is room again");
  await sink.take();
  await sink.take();
  assert.equal(second.dropped, 0);
});

Deno.test("records are dropped beyond a number of bytes, too", async () => {
  const sink = new SlowSink();
  const outbox = outboxTo(sink);
  const counter = new RecordCounter();
  const body = new Uint8Array(100_000);
  while (outbox.record(counter, HEADER, body));
  assert.ok(counter.count < LIMITS.waitingRecords);
  assert.ok(outbox.backlog <= LIMITS.waitingBytes + body.length + HEADER.length);
  await turn();
  await sink.take();
});

Deno.test("drained() waits for the peer, and close() ends the wait", async () => {
  const sink = new SlowSink();
  const outbox = outboxTo(sink);
  const resolved: string[] = [];
  outbox.append(new Uint8Array(300_000));
  assert.ok(outbox.congested);
  void outbox.drained().then(() => resolved.push("half"));
  void outbox.drained(0).then(() => resolved.push("all"));
  await turn();
  assert.deepEqual(resolved, []);
  await sink.take(200_000);
  assert.deepEqual(resolved, ["half"]);
  assert.ok(!outbox.congested);
  outbox.close();
  await turn();
  assert.deepEqual(resolved, ["half", "all"]);
  outbox.append(BODY);
  assert.equal(outbox.open(), undefined);
  assert.equal(outbox.backlog, 0);
  await sink.take(1);
  assert.equal(sink.writes.length, 2, "nothing is written after the close");
});

Deno.test("a failed write is reported once", async () => {
  const sink = new SlowSink();
  let broken = 0;
  const outbox = outboxTo(sink, () => broken++);
  outbox.append(BODY);
  await turn();
  await sink.fail();
  outbox.append(BODY);
  await turn();
  assert.equal(broken, 1);
  assert.equal(sink.writes.length, 1);
});

Deno.test("stalledFor() counts from the first question since a byte was taken", async () => {
  const sink = new SlowSink();
  const outbox = outboxTo(sink);
  assert.equal(outbox.stalledFor(1_000), 0);
  outbox.append(new Uint8Array(10));
  await turn();
  assert.equal(outbox.stalledFor(2_000), 0);
  assert.equal(outbox.stalledFor(5_000), 3_000);
  await sink.take(3);
  assert.equal(outbox.stalledFor(6_000), 0);
  assert.equal(outbox.stalledFor(7_000), 1_000);
  await sink.take();
  assert.equal(outbox.stalledFor(9_000), 0);
});

Deno.test("what comes during a write does not change what is being written", async () => {
  const writers = writerPool();
  const seen: string[] = [];
  const gates: (() => void)[] = [];
  async function write(bytes: Uint8Array): Promise<number> {
    await new Promise<void>((resolve) => gates.push(resolve));
    seen.push(bytes.toHex());
    return bytes.length;
  }
  const outbox = new Outbox({ write }, writers, LIMITS, neverBroken);
  outbox.sureRecord(HEADER, BODY);
  await turn();
  const quick: Sink = { write: (bytes) => Promise.resolve(bytes.length) };
  const other = new Outbox(quick, writers, LIMITS, neverBroken);
  for (const each of [outbox, other]) each.sureRecord(BODY, BODY);
  await turn();
  for (let i = 0; i < 2; i++) {
    gates[i]?.();
    await turn();
  }
  assert.deepEqual(seen, ["0102", "0202"]);
});
