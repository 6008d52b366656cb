/**
 * The writer of a connection: order, batches, bounds, and what a broken connection does.
 *
 * @module
 */

import assert from "node:assert/strict";
import { decodeValue, Splitter, type Writer } from "../../../protocol/msgpack/mod.ts";
import { MAX_WAITING_BYTES, MAX_WAITING_RECORDS } from "../../../server/rpc/limits.ts";
import { Output, RecordCounter, type Sink } from "../../../server/rpc/output.ts";
import { plain } from "../../support/rpc/peer.ts";

/** A connection whose writes end when the test says so, with as many bytes as it says. */
class SlowSink implements Sink {
  readonly writes: Uint8Array[] = [];
  readonly taken: Uint8Array[] = [];
  #pending: { resolve: (written: number) => void; reject: (error: Error) => void } | undefined;

  write(bytes: Uint8Array): Promise<number> {
    assert.equal(this.#pending, undefined, "two writes at a time");
    this.writes.push(bytes.slice());
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#pending = { resolve, reject };
    return promise;
  }

  async take(count = this.writes.at(-1)?.length ?? 0): Promise<void> {
    const last = this.writes.at(-1) ?? assert.fail("nothing was written");
    this.taken.push(last.subarray(0, count));
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.resolve(count);
    await turn();
  }

  async fail(): Promise<void> {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(new Error("broken"));
    await turn();
  }

  values(): unknown[] {
    const values: unknown[] = [];
    const splitter = new Splitter((value) => values.push(plain(decodeValue(value))));
    for (const bytes of this.taken) splitter.push(bytes);
    return values;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function neverBroken(): never {
  assert.fail("reported as broken");
}

const HEADER = new Uint8Array([1]);
const BODY = new Uint8Array([2]);

Deno.test("everything of one turn leaves in one write, in order, large bodies too", async () => {
  const sink = new SlowSink();
  const output = new Output(sink, neverBroken);
  const large = new Uint8Array(3_000);
  large.set([0xc5, 0x0b, 0xb5]); // bin of 2,997 bytes
  output.respond(1, "");
  output.respond(2, "text");
  output.respond(3, "", large);
  output.record(new RecordCounter(), HEADER, BODY);
  output.respond(2n ** 64n - 1n, "");
  await turn();
  assert.equal(sink.writes.length, 1);
  assert.equal(output.backlog, sink.writes[0]?.length);
  await sink.take();
  assert.equal(output.backlog, 0);
  assert.deepEqual(sink.values(), [
    { Error: "", Seq: 1 },
    { Error: "text", Seq: 2 },
    { Error: "", Seq: 3 },
    new Uint8Array(2_997),
    1,
    2,
    { Error: "", Seq: 2n ** 64n - 1n },
  ]);
});

Deno.test("what comes during a write leaves in the next one; partial writes go on where they stopped", async () => {
  const sink = new SlowSink();
  const output = new Output(sink, neverBroken);
  output.respond(1, "");
  await turn();
  output.respond(2, "");
  output.respond(3, "");
  await turn();
  assert.equal(sink.writes.length, 1);
  await sink.take(5);
  await sink.take();
  await sink.take();
  assert.equal(sink.writes.length, 3);
  const seqs = sink.values().map((value) => (value as { Seq: number }).Seq);
  assert.deepEqual(seqs, [1, 2, 3]);
});

Deno.test("records of one stream are dropped beyond the bound, others and answers are not", async () => {
  const sink = new SlowSink();
  const output = new Output(sink, neverBroken);
  const [first, second] = [new RecordCounter(), new RecordCounter()];
  output.respond(1, "");
  await turn();
  let taken = 0;
  while (output.record(first, HEADER, BODY)) taken++;
  assert.equal(taken, MAX_WAITING_RECORDS);
  assert.ok(!output.record(first, HEADER, BODY));
  assert.equal(first.dropped, 2);
  assert.ok(output.record(second, HEADER, BODY));
  output.respond(2, "");
  await sink.take();
  assert.ok(output.record(first, HEADER, BODY), "there is room again");
  await sink.take();
  await sink.take();
  assert.equal(second.dropped, 0);
});

Deno.test("records are dropped beyond a number of bytes, too", async () => {
  const sink = new SlowSink();
  const output = new Output(sink, neverBroken);
  const counter = new RecordCounter();
  const body = new Uint8Array(100_000);
  while (output.record(counter, HEADER, body));
  assert.ok(output.backlog <= MAX_WAITING_BYTES + body.length + 2);
  await turn();
  await sink.take();
});

Deno.test("drained() waits for the client, and close() ends the wait", async () => {
  const sink = new SlowSink();
  const output = new Output(sink, neverBroken);
  const resolved: string[] = [];
  output.respond(1, "", new Uint8Array(300_000));
  assert.ok(output.congested);
  void output.drained().then(() => resolved.push("half"));
  void output.drained(0).then(() => resolved.push("all"));
  await turn();
  assert.deepEqual(resolved, []);
  await sink.take(200_000);
  assert.deepEqual(resolved, ["half"]);
  output.close();
  await turn();
  assert.deepEqual(resolved, ["half", "all"]);
  output.respond(2, "");
  assert.equal(output.backlog, 0);
  await sink.take(1);
  assert.equal(sink.writes.length, 2, "nothing is written after the close");
});

Deno.test("a failed write is reported once", async () => {
  const sink = new SlowSink();
  let broken = 0;
  const output = new Output(sink, () => broken++);
  output.respond(1, "");
  await turn();
  await sink.fail();
  output.respond(2, "");
  await turn();
  assert.equal(broken, 1);
  assert.equal(sink.writes.length, 1);
});

Deno.test("stalledFor() counts from the first question since a byte was taken", async () => {
  const sink = new SlowSink();
  const output = new Output(sink, neverBroken);
  assert.equal(output.stalledFor(1_000), 0);
  output.respond(1, "");
  await turn();
  assert.equal(output.stalledFor(2_000), 0);
  assert.equal(output.stalledFor(5_000), 3_000);
  await sink.take(3);
  assert.equal(output.stalledFor(6_000), 0);
  assert.equal(output.stalledFor(7_000), 1_000);
  await sink.take();
  assert.equal(output.stalledFor(9_000), 0);
});

Deno.test("a body that cannot be written leaves nothing behind", async () => {
  const sink = new SlowSink();
  const output = new Output(sink, neverBroken);
  output.respond(1, "", (writer) => writer.str("one"));
  const broken = (writer: Writer): void => {
    writer.str("half");
    throw new RangeError("no such number");
  };
  assert.throws(() => output.respond(2, "", broken), RangeError);
  output.respond(2, "sorry");
  await turn();
  await sink.take();
  assert.deepEqual(sink.values(), [{ Error: "", Seq: 1 }, "one", { Error: "sorry", Seq: 2 }]);
});

Deno.test("what comes during a write does not change what is being written", async () => {
  const output = new Output({ write }, neverBroken);
  const seen: string[] = [];
  const gates: (() => void)[] = [];
  async function write(bytes: Uint8Array): Promise<number> {
    await new Promise<void>((resolve) => gates.push(resolve));
    seen.push(bytes.toHex());
    return bytes.length;
  }
  output.sureRecord(HEADER, BODY);
  await turn();
  const other = new Output({ write: (bytes) => Promise.resolve(bytes.length) }, neverBroken);
  for (const each of [output, other]) each.sureRecord(BODY, BODY);
  await turn();
  for (let i = 0; i < 2; i++) {
    gates[i]?.();
    await turn();
  }
  assert.deepEqual(seen, ["0102", "0202"]);
});
