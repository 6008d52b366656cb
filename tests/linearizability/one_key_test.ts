/**
 * A hundred clients of three servers on one key.
 *
 * `SKEIN_ONE_KEY_SECONDS=n` is how long, default 3.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { Connection } from "../support/linearizability/connection.ts";
import { History, type Request } from "../support/linearizability/history.ts";
import { Judge, judgedTest } from "../support/linearizability/judge.ts";
import { operate } from "../support/linearizability/operations.ts";
import { Cluster, type Server } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { loopback } from "../support/loopback.ts";

const hosts = [loopback(), loopback(), loopback()];

const CLIENTS = 100;
const DURATION_MS = 1_000 * Number(Deno.env.get("SKEIN_ONE_KEY_SECONDS") ?? 3);
const KEY = "k";

/** What a client does next: every value is written once. */
function requestOf(process: number, round: number): Request {
  if (round % 2 === 0) return { action: "GET", key: KEY };
  return { action: "SET", key: KEY, value: JSON.stringify(`${process}.${round}`) };
}

judgedTest("what a hundred clients see of one key is linearizable, and nothing fails", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_one_key_" });
  try {
    await using judge = await Judge.build();
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const path = join(folder, "history.jsonl");
    using history = new History(path);
    const end = performance.now() + DURATION_MS;
    await Promise.all(Array.from({ length: CLIENTS }, async (_, process) => {
      using connection = new Connection();
      const { place } = cluster.servers[process % cluster.servers.length] as Server;
      assert.ok(await connection.open(place));
      for (let round = 0; performance.now() < end; round++) {
        await operate(connection, process, requestOf(process, round), history);
      }
    }));
    history.flush();
    const { counts } = history;
    console.log(`  ${JSON.stringify(counts)}`);
    assert.deepEqual([counts.never, counts.unknown, counts.refused], [0, 0, 0]);
    assert.ok(counts.done > 10 * CLIENTS);
    const { word, text } = await judge.judge(path);
    assert.equal(word, "ok", text);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
