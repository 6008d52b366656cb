/**
 * Random and bent frames on the topics port, most of them with a right checksum, from clients that read, do not read, stop in the
 * middle or just vanish: the port goes on serving others, forgets every client, and its memory stays bounded.
 *
 * SKEIN_SEED repeats the bytes of a run, SKEIN_FUZZ_MS makes it longer (5,000 by default).
 *
 * @module
 */

import assert from "node:assert/strict";
import { KINDS } from "../../protocol/topics/layouts.ts";
import { FLAG, type RequestKind } from "../../protocol/topics/mod.ts";
import { within } from "../../server/net/deadline.ts";
import { heldMiB } from "../support/held_memory.ts";
import { eventually } from "../support/agents.ts";
import { loopback } from "../support/loopback.ts";
import { mutated } from "../support/mutate.ts";
import { below } from "../support/random_value.ts";
import { folder, Servers } from "../support/replica/agents.ts";
import { concat } from "../support/rpc/peer.ts";
import { SeededRandom } from "../support/simulation/random.ts";
import { sealed } from "../support/topics/frames.ts";
import {
  fetching,
  frameOf,
  isRefused,
  producing,
  RawTopics,
} from "../support/topics/raw_client.ts";
import { sampleOf } from "../support/topics/samples.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const DURATION_MS = Number(Deno.env.get("SKEIN_FUZZ_MS") ?? 5_000);
const CLIENTS = 8;
/** What memory may grow by, however long a run is. */
const MAX_GROWTH_MIB = 32;

const HOST = loopback();
const KIND_NAMES = Object.keys(KINDS) as RequestKind[];

Deno.test("the topics port survives random and bent frames and clients of every temper", async () => {
  await using dir = await folder();
  await using servers = new Servers(dir.path, { bootstrapExpect: 1, bind: `${HOST}:0` });
  const agent = await servers.start("a");
  const address = agent.state?.addresses.topicsAddr ?? "";
  using witness = await RawTopics.open(address);
  await eventually("it leads", async () => {
    return !isRefused(await witness.ask("produce", producing("witness", ["a"])));
  });
  const before = heldMiB();
  const end = performance.now() + DURATION_MS;
  const counts = await Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => badClients(address, new SeededRandom(SEED, i), end)),
  );
  const growth = heldMiB() - before;
  const total = counts.reduce((sum, count) => sum + count, 0);
  console.log(`topics: seed ${SEED}, ${total} clients, ${growth.toFixed(1)} MiB more`);
  assert.ok(growth < MAX_GROWTH_MIB, `Memory grew by ${growth} MiB`);
  assert.deepEqual(agent.log.lines("ERR"), []);
  assert.equal((await witness.done("produce", producing("witness", ["b"]))).baseOffset, 1);
  using other = await RawTopics.open(address);
  assert.equal((await other.done("fetch", fetching("witness", 0))).messages.count, 2);
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
  return concat(Array.from({ length: 1 + below(random, 40) }, () => frame(random)));
}

function frame(random: SeededRandom): Uint8Array {
  const kind = KIND_NAMES[below(random, KIND_NAMES.length)] as RequestKind;
  const flags = [0, 0, FLAG.async, FLAG.anyServer][below(random, 4)] ?? 0;
  const version = below(random, 3) === 0 && KINDS[kind].versions[0] !== undefined ? 1 : 2;
  const sample = frameOf(below(random, 1_000), kind, sampleOf(kind), { flags, version });
  const choice = below(random, 4);
  if (choice === 0) return mutated(random, sample);
  if (choice === 1) return sample;
  // The length stays, and the checksum is right, so that what is behind them is met.
  const bent = sample.slice();
  for (let left = 1 + below(random, 3); left > 0; left--) {
    bent[12 + below(random, bent.length - 16)] = [0, 1, 0xff, random.uint32()][below(random, 4)] ??
      0;
  }
  return sealed(bent);
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
