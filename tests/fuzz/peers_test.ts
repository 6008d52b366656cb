/**
 * Random and mutated bytes on the port for other servers: it goes on serving the one that it knows, nothing unexpected
 * happens, no connection stays, and its log does not become the next problem.
 *
 * SKEIN_SEED repeats the bytes of a run, SKEIN_FUZZ_MS makes it longer (3,000 by default).
 *
 * @module
 */

import assert from "node:assert/strict";
import { encodeMessage } from "../../cluster/raft/wire/message_codec.ts";
import { within } from "../../server/net/deadline.ts";
import { frameOf, requestFrame } from "../../server/replica/peers/frames.ts";
import { loopback } from "../support/loopback.ts";
import { mutated } from "../support/mutate.ts";
import { randomMessage } from "../support/raft/random_message.ts";
import { below } from "../support/random_value.ts";
import { LinkServer } from "../support/replica/link_server.ts";
import { helloFrame, PREAMBLE, Stranger } from "../support/replica/stranger.ts";
import { concat, until } from "../support/rpc/peer.ts";
import { SeededRandom } from "../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const DURATION_MS = Number(Deno.env.get("SKEIN_FUZZ_MS") ?? 3_000);
const CONNECTIONS = 6;
/** Connections that are looked at by their lines. */
const MAX_LINES_PER_SECOND = 3;

const HOST = loopback();

Deno.test("a server survives random and mutated bytes on its port for others", async () => {
  await using target = await LinkServer.start(HOST, "a");
  await using friend = await LinkServer.start(HOST, "b");
  friend.knows(target);
  await friend.reach(target);
  const end = performance.now() + DURATION_MS;
  const counts = await Promise.all(
    Array.from(
      { length: CONNECTIONS },
      (_, i) => attack(target, new SeededRandom(SEED, i), i, end),
    ),
  );
  await friend.reach(target, 2);
  const answer = await friend.links.request(target.id, Uint8Array.of(1), 5_000);
  assert.deepEqual(answer, Uint8Array.of(1));
  await until(() => target.links.status().length === 1);
  const { refused } = target.links.counts;
  console.log(`peers: seed ${SEED}, ${counts} connections, ${refused} refused`);
  assert.deepEqual(target.unexpected, [], `seed ${SEED}`);
  assert.ok(refused > 0);
  assert.ok(target.lines.length <= MAX_LINES_PER_SECOND * (DURATION_MS / 1_000 + 3));
});

/** Opens one connection after the other until `end`; gives how many. */
async function attack(target: LinkServer, random: SeededRandom, i: number, end: number) {
  let opened = 0;
  const id = String(i).repeat(32);
  while (performance.now() < end) {
    using stranger = await Stranger.connect(target.address);
    opened++;
    try {
      const hello = helloFrame(target.id, { id, lane: below(random, 2) === 0 ? "talk" : "bulk" });
      const start = concat([PREAMBLE, hello]);
      await stranger.send(below(random, 3) === 0 ? mutated(random, start) : start);
      for (let left = below(random, 20); left > 0; left--) await stranger.send(something(random));
      // The read ends with the connection.
      await within(below(random, 30), stranger.rest().catch(() => undefined));
    } catch { /* It was closed. */ }
  }
  return opened;
}

function something(random: SeededRandom): Uint8Array {
  if (below(random, 8) === 0) return random.bytes(1 + below(random, 2_000));
  const frame = below(random, 3) === 0
    ? requestFrame(below(random, 100), random.bytes(below(random, 100)))
    : frameOf(4, encodeMessage(randomMessage(random)));
  return below(random, 2) === 0 ? frame : mutated(random, frame);
}
