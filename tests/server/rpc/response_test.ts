/**
 * Responses as bytes: whole or not at all.
 *
 * @module
 */

import assert from "node:assert/strict";
import { decodeValue, Splitter, Writer } from "../../../protocol/msgpack/mod.ts";
import { Outbox } from "../../../server/net/outbox.ts";
import { WriterPool } from "../../../server/net/writer_pool.ts";
import { respond } from "../../../server/rpc/response.ts";
import { turn } from "../../support/net/slow_sink.ts";
import { plain } from "../../support/rpc/peer.ts";

/** An outbox, and the values that it has sent. */
function outboxAndValues(): [Outbox<Writer>, unknown[]] {
  const values: unknown[] = [];
  const splitter = new Splitter((value) => values.push(plain(decodeValue(value))));
  const write = (bytes: Uint8Array): Promise<number> => {
    splitter.push(bytes);
    return Promise.resolve(bytes.length);
  };
  const limits = { backlogBytes: 1_000, waitingRecords: 1, waitingBytes: 1_000 };
  const writers = new WriterPool(() => new Writer("rpc"));
  return [new Outbox({ write }, writers, limits, () => {}), values];
}

Deno.test("responses have a header, and a body when there is one", async () => {
  const [outbox, values] = outboxAndValues();
  const large = new Uint8Array(20_000);
  large.set([0xc5, 0x4e, 0x1d]); // bin of 19,997 bytes
  respond(outbox, 1, "");
  respond(outbox, 2, "text");
  respond(outbox, 3, "", large);
  respond(outbox, 2n ** 64n - 1n, "", (writer) => writer.str("body"));
  await turn();
  assert.deepEqual(values, [
    { Error: "", Seq: 1 },
    { Error: "text", Seq: 2 },
    { Error: "", Seq: 3 },
    new Uint8Array(19_997),
    { Error: "", Seq: 2n ** 64n - 1n },
    "body",
  ]);
});

Deno.test("a response that cannot be written leaves nothing behind", async () => {
  const [outbox, values] = outboxAndValues();
  respond(outbox, 1, "", (writer) => writer.str("one"));
  const broken = (writer: Writer): void => {
    writer.str("half");
    throw new RangeError("no such number");
  };
  assert.throws(() => respond(outbox, 2, "", broken), RangeError);
  assert.throws(() => respond(outbox, -1, ""), RangeError);
  respond(outbox, 2, "sorry");
  await turn();
  assert.deepEqual(values, [{ Error: "", Seq: 1 }, "one", { Error: "sorry", Seq: 2 }]);
});
