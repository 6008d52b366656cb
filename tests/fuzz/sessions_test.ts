/**
 * Random and bent messages on the session port, from clients that read, do not read, stop in the middle or just vanish: the port
 * goes on serving others, forgets every client, and its memory stays bounded.
 *
 * SKEIN_SEED repeats the bytes of a run, SKEIN_FUZZ_MS makes it longer (5,000 by default).
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  clientFrame,
  type ClientMessage,
  type ServerMessage,
} from "../../protocol/sessions/mod.ts";
import { within } from "../../server/net/deadline.ts";
import { heldMiB } from "../support/held_memory.ts";
import { mutated } from "../support/mutate.ts";
import { below } from "../support/random_value.ts";
import { concat } from "../support/rpc/peer.ts";
import { EXTENDED, queryOf, RawClient, requestOf } from "../support/sessions/raw_client.ts";
import { oneServer } from "../support/sessions/server.ts";
import { SeededRandom } from "../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const DURATION_MS = Number(Deno.env.get("SKEIN_FUZZ_MS") ?? 5_000);
const CLIENTS = 8;
/** What memory may grow by, however long a run is. */
const MAX_GROWTH_MIB = 32;

const SAMPLES: readonly ClientMessage[] = [
  { kind: "createSession", capabilities: EXTENDED, nonce: 7n },
  { kind: "createSession", capabilities: [["client-id", "x"], ["a", "b"]], nonce: -1n },
  { kind: "continueSession", sessionId: "00".repeat(16), nonce: 8n },
  { kind: "continueSession", sessionId: "", nonce: 8n },
  { kind: "keepAlive", time: 1 },
  { kind: "serverRequestAck", requestId: 3 },
  { kind: "closeSession", reason: 1 },
  { kind: "connectionClosed" },
  { kind: "hello", token: "", flags: 0 },
  { kind: "hello", token: "app-token", flags: 65_535 },
  requestOf(1, { action: "INCR", key: "n" }, 1),
  requestOf(2, { action: "WATCH", key: "^k", tree: true, initial: true }, 1),
  requestOf(3, { action: "TXN", then: [{ action: "SET", key: "k", value: "w" }] }, 1),
  requestOf(Number.MAX_SAFE_INTEGER, { action: "GET", key: "n" }, Number.MAX_SAFE_INTEGER),
  requestOf(4, { action: "SET", key: ["a", "b"], value: [[[[]]]], ttl_ms: 20 }, 2),
  requestOf(5, new Uint8Array([0x7b, 0xff]), 0),
  queryOf({ action: "KEYS", limit: 5 }, "q"),
  queryOf({ action: "GET", key: "n", consistency: "stale" }, "é"),
];

Deno.test("the session port survives random and bent messages and clients of every temper", async () => {
  await using server = await oneServer({ sessions: { timeoutMs: 5_000 } });
  const address = server.agent.state?.addresses.sessionAddr ?? "";
  const witness = await server.open();
  await witness.create();
  const living = setInterval(() => {
    witness.send({ kind: "keepAlive", time: 1 }).catch(() => {});
  }, 1_000);
  const before = heldMiB();
  const end = performance.now() + DURATION_MS;
  const counts = await Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => badClients(address, new SeededRandom(SEED, i), end)),
  );
  clearInterval(living);
  const growth = heldMiB() - before;
  const total = counts.reduce((sum, count) => sum + count, 0);
  console.log(`sessions: seed ${SEED}, ${total} clients, ${growth.toFixed(1)} MiB more`);
  assert.ok(growth < MAX_GROWTH_MIB, `Memory grew by ${growth} MiB`);
  await witness.send({ kind: "keepAlive", time: 5 });
  let sign: ServerMessage;
  do sign = await witness.next("keepAliveResponse", "sessionClosed"); while (
    sign.kind === "keepAliveResponse" && sign.time !== 5
  );
  assert.equal(sign.kind, "keepAliveResponse");
  await using other = await RawClient.open(address);
  await other.create();
  assert.match(await other.command(1, { action: "SET", key: "last", value: 1 }), /"ok"/);
});

/** One bad client after the other until `end`; gives how many. */
async function badClients(address: string, random: SeededRandom, end: number): Promise<number> {
  const [hostname = "", port] = address.split(":");
  let count = 0;
  for (; performance.now() < end; count++) {
    using conn = await Deno.connect({ hostname, port: Number(port) });
    try {
      const bytes = noise(random);
      const piece = below(random, 3) === 0 ? 1 + below(random, 50) : bytes.length;
      // A client that does not read may find no room for what it sends.
      const sent = sendAll(conn, bytes, piece).catch(() => {});
      if (below(random, 2) === 0) await within(below(random, 30), readAll(conn));
      await within(below(random, 30), sent);
    } catch { /* The port has closed it. */ }
  }
  return count;
}

function noise(random: SeededRandom): Uint8Array {
  if (below(random, 20) === 0) return Uint8Array.of(0xff, 0xff, 0xff, 0xff);
  if (below(random, 20) === 0) return concat([Uint8Array.of(0, 16, 0, 0), random.bytes(900_000)]);
  if (below(random, 8) === 0) return random.bytes(1 + below(random, 3_000));
  const messages = Array.from({ length: 1 + below(random, 40) }, () => {
    const sample = clientFrame(SAMPLES[below(random, SAMPLES.length)] as ClientMessage);
    return below(random, 4) > 0 ? sample : mutated(random, sample);
  });
  // Most need a session first.
  const first = SAMPLES[0] as ClientMessage;
  return below(random, 3) > 0 ? concat([clientFrame(first), ...messages]) : concat(messages);
}

async function sendAll(conn: Deno.Conn, bytes: Uint8Array, pieceBytes: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at, at + pieceBytes));
  }
}

async function readAll(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4_096);
  while (await conn.read(buffer).catch(() => null) !== null);
}
