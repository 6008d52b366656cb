/**
 * How much a stranger may have waiting, where a real network would hide it in its buffers.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Writer } from "../../../protocol/msgpack/mod.ts";
import { Admission } from "../../../server/net/admission.ts";
import { Connection } from "../../../server/net/connection.ts";
import type { Peer } from "../../../server/net/conversation.ts";
import { FIRST_READ_BYTES, MAX_READ_BYTES } from "../../../server/net/limits.ts";
import { WriterPool } from "../../../server/net/writer_pool.ts";
import { turn } from "../../support/net/slow_sink.ts";

const LIMITS = { backlogBytes: 10_000, waitingRecords: 1, waitingBytes: 1, strangerBytes: 1_000 };

/** A peer that sends for ever and reads nothing. */
class Flood {
  readonly remoteAddr = { transport: "tcp", hostname: "10.0.0.1", port: 1 };
  readonly readSizes: number[] = [];
  #writing: PromiseWithResolvers<number> | undefined;

  async read(buffer: Uint8Array): Promise<number> {
    this.readSizes.push(buffer.length);
    await turn();
    return buffer.length;
  }

  write(): Promise<number> {
    this.#writing = Promise.withResolvers();
    return this.#writing.promise;
  }

  close(): void {
    this.#writing?.reject(new Deno.errors.BadResource("closed"));
  }
}

/** A connection to a flood: each byte is a message and is answered with 100 bytes. */
function flooded(onTake: (peer: Peer<Writer>) => void) {
  const conn = new Flood();
  const everything = Number.MAX_SAFE_INTEGER;
  const caps = { connections: everything, perSource: everything, strangers: everything };
  const admission = { ...caps, strangersPerSource: everything, strangerMs: 60_000 };
  let taken = 0;
  const connection = new Connection(conn as unknown as Deno.Conn, {
    writers: new WriterPool(() => new Writer("rpc")),
    limits: LIMITS,
    admission: new Admission(admission, () => {}),
    onUnexpected: (error) => assert.fail(String(error)),
    open: (peer, deliver) => ({
      parser: { pending: 0, push: (bytes) => bytes.forEach(() => deliver(bytes)) },
      ended: false,
      take: () => {
        taken++;
        onTake(peer);
        peer.outbox.append(new Uint8Array(100));
        return undefined;
      },
      fail: assert.fail,
      finish: () => {},
      close: () => {},
    }),
  });
  return { conn, connection, taken: () => taken };
}

/** Lets a connection work until it waits. */
async function settled(taken: () => number): Promise<number> {
  for (let last = -1; last !== taken(); await turn()) last = taken();
  return taken();
}

Deno.test("messages of a stranger that does not read its answers wait soon, of others later", async () => {
  const stranger = flooded(() => {});
  const known = flooded((peer) => peer.know());
  const served = [stranger, known].map(({ connection }) => connection.serve(() => {}));
  assert.equal(await settled(stranger.taken), LIMITS.strangerBytes / 100 + 1);
  assert.equal(await settled(known.taken), LIMITS.backlogBytes / 100 + 1);
  for (const { connection } of [stranger, known]) connection.close();
  await Promise.all(served);
});

Deno.test("the read buffer of a stranger does not grow, that of others does, to a bound", async () => {
  for (const isKnown of [false, true]) {
    const { conn, connection } = flooded((peer) => isKnown && peer.know());
    const served = connection.serve(() => {});
    Object.assign(conn, { write: (bytes: Uint8Array) => Promise.resolve(bytes.length) });
    while (conn.readSizes.length < 12) await turn();
    connection.close();
    await served;
    const largest = isKnown ? MAX_READ_BYTES : FIRST_READ_BYTES;
    assert.equal(Math.max(...conn.readSizes), largest);
    assert.equal(conn.readSizes[0], FIRST_READ_BYTES);
  }
});
