/**
 * A hundred sessions of several processes at real servers, while servers are killed and stopped, connections are cut, answers get
 * lost, and processes are killed and others go on with their sessions.
 *
 * `SKEIN_SESSION_KILLS=n` makes it as long as n kills of servers take, `SKEIN_SEED=n` repeats what chance decided. A failure names
 * the folder of the history and of what the servers said.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/agents.ts";
import { Connection } from "../support/linearizability/connection.ts";
import { History } from "../support/linearizability/history.ts";
import { Judge, judgedTest } from "../support/linearizability/judge.ts";
import { operate } from "../support/linearizability/operations.ts";
import { Cluster, type Server } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import {
  dice,
  leaderOf,
  type Nemesis,
  pause,
  type Scene,
  shuffled,
} from "../support/linearizability/real/nemesis.ts";
import { killAll, killAnyone, killLeader } from "../support/linearizability/real/processes.ts";
import { Crew } from "../support/linearizability/sessions/crew.ts";
import { Ledger } from "../support/linearizability/sessions/ledger.ts";
import { SessionProxy } from "../support/linearizability/sessions/proxy.ts";
import { loopback } from "../support/loopback.ts";
import { SeededRandom } from "../support/simulation/random.ts";

const hosts = [loopback(), loopback(), loopback()] as const;
const proxyHosts = [loopback(), loopback(), loopback()] as const;

const KILLS = Number(Deno.env.get("SKEIN_SESSION_KILLS") ?? 2);
const SESSIONS = 100;
const PROCESSES = 4;
const PORT = 7375;
const STOPPED_MS = 2_000;

/** How long the sessions are given to begin, and what was asked for to be done in the end, in milliseconds. */
const LIMIT_MS = 60_000;

judgedTest(
  "what a hundred sessions ask for is done once and answered alike, and they miss nothing, whatever is killed",
  async () => {
    const seed = Number(
      Deno.env.get("SKEIN_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0],
    );
    const folder = await Deno.makeTempDir({ prefix: "skein_sessions_" });
    let cluster: Cluster | undefined;
    try {
      await using judge = await Judge.build();
      cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
      const path = join(folder, "history.jsonl");
      using history = new History(path);
      const ledger = new Ledger();
      await using stack = new AsyncDisposableStack();
      const instead = (address: string): string => {
        const i = hosts.findIndex((host) => address === `${host}:${PORT}`);
        // Where a server is that is away is not always known.
        if (i < 0 && address !== "") ledger.faults.push(`nobody is at ${address}`);
        return i < 0 ? "" : `${proxyHosts[i]}:${PORT}`;
      };
      const proxies = hosts.map((hostname, i) => {
        const at = { hostname: proxyHosts[i] as string, port: PORT };
        return stack.use(new SessionProxy(at, { hostname, port: PORT }, { ledger, instead }));
      });
      const addresses = proxyHosts.map((host) => `${host}:${PORT}`).join(",");
      const crew = stack.use(new Crew(addresses, PROCESSES, SESSIONS, history));
      await eventually("all sessions have begun", () => crew.sessions === SESSIONS, LIMIT_MS);

      const random = new SeededRandom(seed);
      const scene = { cluster, random, signal: new AbortController().signal, tell: () => {} };
      const killClients: Nemesis = () => crew.kill(dice(random, PROCESSES));
      const cut: Nemesis = async () => {
        for (const proxy of proxies) proxy.cut(0.5);
        await pause(200, scene.signal);
      };
      const nemeses = [killLeader, killClients, killAnyone, cut, stopLeader, killClients];
      if (KILLS > 2) nemeses.push(killAll, killLeader, killAnyone);
      await Promise.race([crew.failed, disturb(scene, nemeses)]);
      await crew.end();

      assert.deepEqual(ledger.close(), []);
      await lookAtCounters(cluster, crew);
      await readAll(cluster, crew, history);
      history.flush();
      const { word, text } = await judge.judge(path);
      assert.equal(word, "ok", text);
      const { acknowledged, unknown } = crew.counts.get("total") ?? assert.fail("nobody counted");
      console.log(
        `  seed ${seed}: ${cluster.kills} kills of servers, ${crew.kills} of clients; ${ledger.answers} answers, ` +
          `${ledger.told} server requests, ${ledger.repeated} came again; counted ${acknowledged} times ` +
          `and perhaps ${unknown}; ${JSON.stringify(history.counts)}`,
      );
      assert.ok(ledger.repeated > 20 && crew.kills > 0, "nothing was put to the test");
    } catch (error) {
      for (const [server, text] of Object.entries(cluster?.logs ?? {})) {
        await Deno.writeTextFile(join(folder, `${server}.log`), text);
      }
      throw new Error(`Seed ${seed}: ${(error as Error).message}\nSee ${folder}`, { cause: error });
    } finally {
      await cluster?.[Symbol.asyncDispose]();
    }
    await Deno.remove(folder, { recursive: true });
  },
);

/** All of it, in rounds, until so many servers were killed. */
async function disturb(scene: Scene, nemeses: readonly Nemesis[]): Promise<void> {
  const { cluster, random, signal } = scene;
  do {
    for (const nemesis of shuffled(nemeses, random)) {
      await pause(random.float() * 500, signal);
      await nemesis(scene);
      await cluster.settle();
    }
  } while (cluster.kills < KILLS);
}

/** Stops the leader: the others elect one, and it does not know. */
async function stopLeader(scene: Scene): Promise<void> {
  const leader = await leaderOf(scene);
  leader.agent?.kill("SIGSTOP");
  try {
    await pause(STOPPED_MS, scene.signal);
  } finally {
    leader.agent?.kill("SIGCONT");
  }
}

/** Each counter is what was acknowledged, and at most what nobody knows of besides; no sum was told twice. */
async function lookAtCounters(cluster: Cluster, crew: Crew): Promise<void> {
  using connection = new Connection();
  assert.ok(await connection.open((cluster.servers[0] as Server).place));
  assert.equal(crew.counts.size, SESSIONS + 1);
  for (const [key, { acknowledged, unknown, seen }] of crew.counts) {
    assert.equal(seen.size, acknowledged, `a sum of '${key}' was told twice`);
    const reply = await connection.ask({ action: "GET", key });
    const value = Number(reply?.result);
    const isRight = value >= acknowledged && value <= acknowledged + unknown;
    assert.ok(isRight, `'${key}' is ${value}, acknowledged ${acknowledged}, unknown ${unknown}`);
  }
}

/** Reads every key once more, so that the judge knows whether what was acknowledged is there. */
async function readAll(cluster: Cluster, crew: Crew, history: History): Promise<void> {
  using connection = new Connection();
  assert.ok(await connection.open((cluster.servers[1] as Server).place));
  for (const [key, group] of crew.keys) {
    const { outcome } = await operate(
      connection,
      0,
      { action: "GET", key, ...group !== undefined && { group } },
      history,
    );
    assert.ok(outcome === "done" || outcome === "missing", `'${key}' cannot be read`);
  }
}
