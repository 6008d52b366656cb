/**
 * Values that expire while the server that leads is killed, and comes back.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually } from "../support/agents.ts";
import { Connection, type Place } from "../support/linearizability/connection.ts";
import { Cluster, type Server } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { loopback } from "../support/loopback.ts";

const hosts = [loopback(), loopback(), loopback()];

/** Lives of the values, in milliseconds: the first ones end while nobody leads. */
const LIVES = Array.from({ length: 24 }, (_, i) => 250 * (i + 1));

const KEYS = LIVES.map((life) => `k${life}`);

/** A value may be there so long after it was due, in milliseconds. */
const LATE_MS = 250;

/** What a server says of all values: which of them are there; `undefined` when it does not know. */
async function there(
  connection: Connection,
  place: Place,
  consistency?: string,
): Promise<boolean[] | undefined> {
  if (!connection.isOpen && !await connection.open(place)) return undefined;
  const reply = await connection.ask({ action: "MGET", keys: KEYS, consistency });
  if (reply?.status !== "ok") return undefined;
  return (reply.result as unknown[]).map((value) => value !== null);
}

/** Asks a server until nothing is there; tells when each value was found gone, and since when the server knows. */
async function watch({ place, name }: Server): Promise<{ gone: number[]; since: number }> {
  using connection = new Connection();
  const gone: number[] = [];
  const back: string[] = [];
  let since = Infinity;
  await eventually(`nothing is there at ${name}`, async () => {
    const values = await there(connection, place);
    if (values === undefined) return false;
    const now = Date.now();
    since = Math.min(since, now);
    for (const [i, isThere] of values.entries()) {
      if (!isThere) gone[i] ??= now;
      else if (gone[i] !== undefined) back.push(KEYS[i] as string);
    }
    return values.every((isThere) => !isThere);
  }, 30_000);
  assert.deepEqual(back, [], `Values are back at ${name}`);
  return { gone, since };
}

Deno.test("a leader that is killed ends no life early, and brings nothing back", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_expiry_" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const leader = await cluster.leader() as Server;
    using connection = new Connection();
    assert.ok(await connection.open(leader.place));
    const begin = Date.now();
    const items = LIVES.map((life) => ({ key: `k${life}`, value: life, ttl_ms: life }));
    const reply = await connection.ask({ action: "MSET", items });
    const end = Date.now();
    assert.equal(reply?.status, "ok");
    await cluster.kill(leader);
    const others = cluster.servers.filter((server) => server !== leader);
    const [found] = await Promise.all([
      Promise.all(others.map(watch)),
      cluster.start(leader),
    ]);
    for (const { gone, since } of found) {
      const late = LIVES.flatMap((life, i) => {
        const at = gone[i] as number;
        assert.ok(at >= begin + life, `A life of ${life} ms has ended after ${at - begin} ms`);
        // While nobody leads nothing ends.
        return end + life > since ? [at - end - life] : [];
      }).sort((a, b) => a - b);
      assert.ok(late.length > LIVES.length / 4, `Recovered after ${since - end} ms`);
      assert.ok(late[Math.floor(late.length / 2)] as number <= LATE_MS, `Late by ${late} ms`);
    }
    for (const { name, place } of cluster.servers) {
      using connection = new Connection();
      await eventually(`${name} itself has nothing`, async () => {
        return (await there(connection, place, "stale"))?.every((isThere) => !isThere) ?? false;
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
