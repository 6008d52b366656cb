/**
 * skein's replicated state beside etcd and Redis: all run on this machine in the same minutes, at equal durability, are
 * measured in turn by one load program, and are printed beside goals that are ratios.
 *
 * `deno task bench:state [--quick] [--runs 3] [--only one,restart] [--peers skein,etcd,redis] [--seconds 60] [--dir FOLDER] [--out FOLDER]`
 *
 * `--seconds` is for how long many sessions work, 10 by itself.
 *
 * Needs Linux and Go, which builds the load program. `etcd` and `redis-server` are those on PATH, or `SKEIN_ETCD` and
 * `SKEIN_REDIS`; who is missing is skipped. Data go below `--dir`, by default the folder for temporary files, which has
 * to be on a disk. A whole run writes its result and a chart under `bench/results/`, any other one only where `--out`
 * says. `deno task bench:pages` then puts it into the page.
 *
 * @module
 */

import { join } from "node:path";
import { hasGo } from "../tests/support/interop/raft_oracle.ts";
import { loopback } from "../tests/support/loopback.ts";
import { readOptions } from "./command_line/options.ts";
import { machine } from "./process.ts";
import { measureConnections } from "./state/connections.ts";
import { measureFailover, measureLargeRestart, measureRestart } from "./state/failures.ts";
import { type Sample, type StatePart, summarise } from "./state/figures.ts";
import { measurePublish, measureWatch } from "./state/fanout.ts";
import { Ground } from "./state/ground.ts";
import { measureIdle } from "./state/idle.ts";
import { measureLevers } from "./state/levers.ts";
import { Load } from "./state/load.ts";
import { etcdPeer, type Peer, redisPeer, skeinPeer } from "./state/peers.ts";
import { measureRate } from "./state/rate.ts";
import { measureRequests } from "./state/requests.ts";
import { stateChart, statePage, type StateResult } from "./state/result.ts";
import { HOSTS, type Scene, type Sizes } from "./state/scene.ts";
import { measureSessions } from "./state/sessions.ts";

const options = readOptions(
  "deno task bench:state [--quick] [--runs 3] [--only one,restart] " +
    "[--peers skein,etcd,redis] [--seconds 60] [--dir FOLDER] [--out FOLDER]",
  {
    quick: { type: "boolean", default: false },
    runs: { type: "string" },
    only: { type: "string", default: "" },
    peers: { type: "string", default: "skein,etcd,redis" },
    seconds: { type: "string" },
    dir: { type: "string" },
    out: { type: "string" },
  },
);

/** The parts of the benchmark by name, in the order in which they run. */
const PARTS: Record<
  string,
  readonly [title: string, run: (scene: Scene) => AsyncGenerator<Sample[]>]
> = {
  one: ["Requests, one server", (scene) => measureRequests(scene, 1)],
  three: ["Requests, three servers", (scene) => measureRequests(scene, 3)],
  rate: ["10,000 SET a second, three servers", measureRate],
  watch: ["A change, to all who watch it", measureWatch],
  publish: ["A message, to all who have subscribed", measurePublish],
  sessions: ["Sessions", measureSessions],
  connections: ["Idle connections, one server", measureConnections],
  failover: ["The leader dies, three servers", measureFailover],
  restart: ["Start anew, one server", measureRestart],
  million: ["Start anew with very many keys, one server", measureLargeRestart],
  idle: ["At rest", measureIdle],
  levers: ["What each optimisation brings, after and before", measureLevers],
};

/** How the peers are found. */
const FINDERS: Record<string, readonly [find: () => Peer | undefined, hint: string]> = {
  skein: [() => skeinPeer, ""],
  etcd: [etcdPeer, "apt install etcd-server, or name one with SKEIN_ETCD"],
  redis: [redisPeer, "apt install redis-server, or name one with SKEIN_REDIS"],
};

const QUICK: Sizes = {
  runs: 1,
  requestsMs: 200,
  rateMs: 1_000,
  keys: 2_000,
  manyKeys: 20_000,
  connections: 200,
  sessions: 50,
  sessionsMs: 1_000,
  idleSessions: 200,
  idleMs: 1_000,
};
const WHOLE: Sizes = {
  runs: 3,
  requestsMs: 1_500,
  rateMs: 10_000,
  keys: 100_000,
  manyKeys: 1_000_000,
  connections: 10_000,
  sessions: 1_000,
  sessionsMs: 10_000,
  idleSessions: 10_000,
  idleMs: 10_000,
};

const plan = options.quick ? QUICK : WHOLE;
const sizes = {
  ...plan,
  ...options.runs !== undefined && { runs: wholeNumber("runs", options.runs) },
  ...options.seconds !== undefined &&
    { sessionsMs: 1_000 * wholeNumber("seconds", options.seconds) },
};
const chosen = namesOf("only", options.only || Object.keys(PARTS).join(","), PARTS);
const asked = namesOf("peers", options.peers, FINDERS);
if (!hasGo()) {
  console.error(
    "\n!!! SKIPPED, no Go on this machine (https://go.dev/dl/): it builds the load program\n",
  );
  Deno.exit(1);
}
const peers = asked.flatMap((name) => {
  const [find, hint] = FINDERS[name]!;
  const peer = find();
  if (peer === undefined) console.error(`\n!!! SKIPPED, no ${name} on this machine (${hint})\n`);
  return peer ?? [];
});
const isWhole = !options.quick && options.only === "" && options.seconds === undefined &&
  peers.length === Object.keys(FINDERS).length;
const out = options.out ?? (isWhole ? join(import.meta.dirname ?? ".", "results") : undefined);

const stopped = Promise.withResolvers<"stopped">();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => stopped.resolve("stopped"));
}
const ground = await Ground.make(options.dir).catch((error: Error) => {
  console.error(error.message);
  Deno.exit(1);
});
let outcome: "done" | "stopped";
try {
  outcome = await Promise.race([measureAll(), stopped.promise]);
} finally {
  await ground[Symbol.asyncDispose]();
}
Deno.exit(outcome === "done" ? 0 : 130);

async function measureAll(): Promise<"done"> {
  const hosts = Array.from({ length: HOSTS }, loopback);
  const scene: Scene = { ground, load: await Load.build(ground), peers, hosts, sizes };
  const where = await machineLines();
  const resultOf = (parts: readonly StatePart[]): StateResult => ({
    when: new Date().toISOString(),
    machine: where,
    sizes,
    parts,
  });
  const parts: StatePart[] = [];
  for (const name of chosen) {
    const [title, run] = PARTS[name]!;
    const samples: Sample[] = [];
    const began = performance.now();
    for await (const found of run(scene)) samples.push(...found);
    parts.push({ name, title, rows: summarise(samples) });
    // After each part, so that a run which fails late loses nothing.
    if (out !== undefined) await write(out, resultOf(parts));
    console.error(`${name}: ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  }
  console.log(statePage(resultOf(parts)));
  if (out !== undefined) console.log(`\nWritten to ${out}`);
  return "done";
}

async function machineLines(): Promise<StateResult["machine"]> {
  const { cpu, cores, os, deno } = machine();
  const { total } = Deno.systemMemoryInfo();
  return {
    CPU: `${cpu}, ${cores} cores`,
    Memory: `${(total / 2 ** 30).toFixed(1)} GiB`,
    Kernel: `Linux ${os}`,
    Disk: await ground.describeDisk(),
    Programs: [`Deno ${deno}`, ...peers.map(({ label }) => label)].join(", "),
  };
}

async function write(folder: string, result: StateResult): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "state.json"), JSON.stringify(result, null, 2) + "\n");
  await Deno.writeTextFile(join(folder, "state.svg"), stateChart(result));
}

function namesOf(flag: string, text: string, known: Readonly<Record<string, unknown>>): string[] {
  const names = text.split(",");
  const unknown = names.find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return names;
  console.error(`--${flag} knows ${Object.keys(known).join(", ")}, not '${unknown}'`);
  Deno.exit(1);
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`--${flag} must be a whole number over 0, not '${text}'`);
  Deno.exit(1);
}
