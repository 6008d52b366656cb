/**
 * Jobs while the servers that lead are killed, and one of those who do them is gone.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type KvError, SessionClient } from "../../client/mod.ts";
import { eventually, runSkeinCli } from "../support/agents.ts";
import { Cluster } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { loopback } from "../support/loopback.ts";

const hosts = [loopback(), loopback(), loopback()] as const;
const ADDRESS = hosts.map((host) => `${host}:7375`).join();
const JOBS = 150;
const LIMIT_MS = 60_000;

Deno.test("each job is done once by those who live, though leaders are killed and one that has some is gone", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_jobs_" });
  try {
    const settings = { sessions: { timeout: "8s" } };
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder, settings);
    const done = new Map<unknown, number>();
    const work = async (session: SessionClient): Promise<void> => {
      for await (const job of session.jobs) {
        done.set(job.payload, (done.get(job.payload) ?? 0) + 1);
        job.done();
      }
    };
    await using caller = new SessionClient({ address: ADDRESS, timeoutMs: 20_000 });
    const workers = [1, 2, 3].map(() =>
      new SessionClient({ address: ADDRESS, capabilities: { work: "1" } })
    );
    await Promise.all([caller, ...workers].map((session) => session.connect()));
    const [lazy, ...others] = workers as [SessionClient, ...SessionClient[]];
    const working = others.map(work);
    const refused = new Set<string>();
    for (let i = 1; i <= JOBS; i++) {
      await eventually(`job ${i} is handed out`, async () => {
        const told = await caller.kv.dispatch("work", i).catch((error: KvError) => error.reason);
        if (typeof told === "string") refused.add(told);
        return typeof told === "number";
      }, LIMIT_MS);
      if (i === 60) await lazy.close({ keep: true });
      if (i % 50 !== 0) continue;
      const leader = await eventually("somebody leads", () => cluster.leader());
      await cluster.kill(leader);
      await cluster.start(leader);
    }
    assert.ok(done.size < JOBS, "what the lazy one has nobody else does while it lives");
    await eventually("all are done", () => done.size === JOBS, LIMIT_MS);
    const rpc = cluster.servers[0]?.rpc ?? "";
    await eventually("all are acknowledged", async () => {
      const { stdout } = await runSkeinCli(["session", "list", "-format=json"], rpc);
      const sessions = JSON.parse(stdout) as { pending: number }[];
      return sessions.length === 3 && sessions.every(({ pending }) => pending === 0);
    });
    assert.deepEqual([...done.values()].filter((times) => times !== 1), []);
    assert.deepEqual([...refused].filter((reason) => reason !== "NO_WORKER"), []);
    await Promise.all(others.map((session) => session.close()));
    await Promise.all(working);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
