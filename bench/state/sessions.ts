/**
 * Sessions: what each step of their life takes, how many live and work at a time, and what those cost that rest.
 *
 * @module
 */

import { join } from "node:path";
import type { Goal, Row, Sample, Who } from "./figures.ts";
import type { LoadFlags, Target } from "./load.ts";
import type { Peer, Servers } from "./peers.ts";
import { goTime, type Scene, serversOf, startSide } from "./scene.ts";

/** Port of sessions. */
const PORT = 7375;

/** Requests a second, of all sessions together. */
const RATE = 1_000;

/** How long a session of skein lives without a sign of its client here, as a lease of the others does. */
const TIMEOUT = "10s";

/** A figure of the load program. */
interface Figure {
  /** As the load program names it. */
  readonly of: string;
  readonly name: string;
  readonly unit: "ms" | "1/s" | "us" | "MiB" | "%" | "beats";
  readonly goals?: readonly Goal[];
}

/** What one session does, one thing at a time. */
interface Step {
  readonly title: string;
  readonly measure: string;
  readonly figures: readonly Figure[];
}

const p50 = (...goals: Goal[]): Figure => ({ of: "p50_us", name: "p50", unit: "ms", goals });
const p99 = (...goals: Goal[]): Figure => ({ of: "p99_us", name: "p99", unit: "ms", goals });
const p999 = (...goals: Goal[]): Figure => ({ of: "p999_us", name: "p99.9", unit: "ms", goals });
const perSecond = (...goals: Goal[]): Figure => ({
  of: "ops_s",
  name: "answers",
  unit: "1/s",
  goals,
});
const cpuEach: Figure = { of: "servers_cpu_us", name: "CPU of all servers, each", unit: "us" };

const STEPS: readonly Step[] = [
  { title: "create, dialling included", measure: "create", figures: [p50(), p99({ bound: 100 })] },
  {
    title: "continue, dialling included",
    measure: "continue",
    figures: [p50(), p99({ bound: 50 })],
  },
  { title: "command", measure: "set", figures: [p50({ bound: 5 }), p99({ bound: 50 })] },
  { title: "query", measure: "get", figures: [p50({ bound: 3 }), p99()] },
];

const REDIRECT: Step = {
  title: "redirect, dialling included",
  measure: "redirect",
  figures: [p50(), p99({ bound: 10 })],
};

/** Of skein, and where others have the like, of them. */
export async function* measureSessions(scene: Scene): AsyncGenerator<Sample[]> {
  const configuration = join(scene.ground.folder, "sessions.json");
  await Deno.writeTextFile(configuration, JSON.stringify({ sessions: { timeout: TIMEOUT } }));
  const peers = scene.peers.map((peer): Peer =>
    peer.who !== "skein" ? peer : {
      ...peer,
      command: (...about) => [...peer.command(...about), `-config-file=${configuration}`],
    }
  );
  for (const size of [1, 3]) {
    await using side = await startSide(scene, peers, size);
    for (let run = 0; run < scene.sizes.runs; run++) {
      for (const servers of side.all) {
        yield await leases(scene, servers, size);
        if (servers.peer.who !== "skein") continue;
        for await (const found of measureSkein(scene, servers, size)) yield found;
      }
    }
  }
  yield* await measureResting(scene);
}

/** Made one after the other; then each shows once a second that its client lives. */
async function leases(
  { load, sizes: { sessions, requestsMs } }: Scene,
  servers: Servers,
  size: number,
): Promise<Sample[]> {
  const found = await load.run(sessionsOf(servers), "beats", {
    clients: sessions,
    time: goTime(2 * requestsMs),
    "warm-up": "1s",
  });
  const title = `${serversOf(size)}, ${sessions.toLocaleString("en-US")} with keep-alive`;
  return samples(title, servers.peer.who, found, [
    {
      of: "made_ms",
      name: "until all are made",
      unit: "ms",
      goals: [{ over: "etcd", bound: 0.5 }],
    },
    { of: "p50_us", name: "beat p50", unit: "ms" },
    { of: "p99_us", name: "beat p99", unit: "ms", goals: [{ bound: 5 }] },
    { of: "failures", name: "refused", unit: "beats", goals: [{ bound: 0 }] },
    { ...cpuEach, name: "CPU of all servers, each beat" },
  ]);
}

async function* measureSkein(
  { load, sizes: { requestsMs, sessions, sessionsMs } }: Scene,
  servers: Servers,
  size: number,
): AsyncGenerator<Sample[]> {
  const target = sessionsOf(servers);
  const run = async (step: Step, flags: LoadFlags): Promise<Sample[]> =>
    samples(
      `${serversOf(size)}, ${step.title}`,
      "skein",
      await load.run(target, step.measure, flags),
      step.figures,
    );
  for (const step of size === 1 ? STEPS : [...STEPS, REDIRECT]) {
    yield await run(step, { time: goTime(requestsMs) });
  }
  const least: readonly Goal[] = size === 1 ? [] : [{ bound: 10_000 }];
  const most: readonly Goal[] = size === 1 ? [] : [{ bound: 50 }];
  yield await run({
    title: "commands of 256 B, 256 under way in one session",
    measure: "set-pipelined",
    figures: [perSecond(...least), p99(...most), cpuEach],
  }, { depth: 256, time: goTime(requestsMs) });
  if (size === 1) return;
  const title = `${sessions.toLocaleString("en-US")} with keep-alive and ` +
    `${RATE.toLocaleString("en-US")} commands a second`;
  yield await run({
    title,
    measure: "sessions",
    figures: [
      p50(),
      p99({ bound: 50 }),
      p999({ bound: 50 }),
      { of: "beat_p99_us", name: "beat p99", unit: "ms", goals: [{ bound: 5 }] },
    ],
  }, {
    clients: sessions,
    rate: RATE,
    time: goTime(sessionsMs),
    limit: goTime(60_000 + sessionsMs),
  });
}

/** Once, as it takes long to make them; with the time that sessions live by themselves, and the beats of clients. */
async function measureResting(scene: Scene): Promise<Sample[][]> {
  const { load, sizes: { idleSessions, idleMs } } = scene;
  await using side = await startSide(scene, scene.peers.filter(({ who }) => who === "skein"), 3);
  return await Promise.all(side.all.map(async (servers) => {
    const found = await load.run(sessionsOf(servers), "idle-sessions", {
      clients: idleSessions,
      time: goTime(idleMs),
      limit: "3m",
    });
    const title = `${serversOf(3)}, ${idleSessions.toLocaleString("en-US")} at rest`;
    return samples(title, servers.peer.who, found, [
      { of: "growth_mib", name: "memory of a server more", unit: "MiB", goals: [{ bound: 100 }] },
      { of: "cpu_pct", name: "CPU of a server", unit: "%", goals: [{ bound: 25 }] },
    ]);
  }));
}

/** Where servers have sessions. */
function sessionsOf({ target, hosts, peer: { who } }: Servers): Target {
  if (who !== "skein") return target;
  return { ...target, kind: "sessions", addresses: hosts.map((host) => `${host}:${PORT}`) };
}

function samples(
  title: string,
  who: Who,
  found: Readonly<Record<string, number>>,
  figures: readonly Figure[],
): Sample[] {
  return figures.map(({ of, name, unit, goals = [] }) => {
    const row: Row = { name: `${title}: ${name}`, unit, more: unit === "1/s", goals };
    const value = found[of] as number;
    return { row, who, value: unit === "ms" && of.endsWith("_us") ? value / 1_000 : value };
  });
}
