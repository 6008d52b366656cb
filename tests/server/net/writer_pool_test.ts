/**
 * Which buffers are kept for the next connection.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Writer } from "../../../protocol/msgpack/mod.ts";
import { MAX_IDLE_BYTES, WriterPool } from "../../../server/net/writer_pool.ts";

Deno.test("a writer that comes back is given again, empty", () => {
  const writers = new WriterPool(() => new Writer("rpc", 64));
  const writer = writers.take();
  writer.raw(Uint8Array.of(1, 2, 3));
  assert.notEqual(writers.take(), writer, "it is in use");
  writers.give(writer);
  assert.equal(writers.take(), writer);
  assert.equal(writer.length, 0);
});

Deno.test("idle writers hold bounded memory", () => {
  const writers = new WriterPool(() => new Writer("rpc", 64));
  const large = Array.from({ length: 3 }, () => new Writer("rpc", MAX_IDLE_BYTES / 2));
  for (const writer of large) writers.give(writer);
  const kept = large.map(() => writers.take()).filter((writer) => large.includes(writer));
  assert.equal(kept.length, 2);
  for (const writer of kept) writers.give(writer);
  assert.ok(large.includes(writers.take()), "what was taken makes room");
});
