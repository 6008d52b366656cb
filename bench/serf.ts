/**
 * skein beside HashiCorp's `serf`: both run on this machine in the same minutes, are measured in turn, and are
 * printed as ratios, because absolute figures move from machine to machine.
 *
 * `deno task bench:serf [--runs 5] [--seconds 1] [--members 30] [--out FILE]`
 *
 * The cluster is real: both agents are members of it, the others are `serf` agents. The result is also written
 * as JSON, by default to `bench/results/serf.json`. Linux only (it reads /proc).
 *
 * @module
 */

import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import {
  type AgentProcess,
  eventually,
  freePort,
  type Program,
  serf,
  skein,
  startAgent,
} from "../tests/agents.ts";
import { Rpc } from "../tests/interop/rpc.ts";
import { load, type LoadOptions, quantile } from "./load.ts";
import { cpuMs, machine, residentMiB } from "./process.ts";

/** One line of the result. */
interface Measure {
  name: string;
  unit: string;
  /** Whether more is better. */
  more: boolean;
  /** Medians. */
  serf: number;
  skein: number;
  /** skein / serf. */
  ratio: number;
  /** The bare Deno program, where it says something. */
  deno?: number;
}

/** A figure of one run. */
interface Sample {
  name: string;
  unit: string;
  more: boolean;
  who: "serf" | "skein" | "deno";
  value: number;
}

const HOST = "127.0.8.71";

/** After what time at rest memory is read, in milliseconds. */
const REST_MS = 2_000;

const MODES: [string, Pick<LoadOptions, "command" | "connections" | "window">][] = [
  ["members, 64 under way", { command: "members", connections: 1, window: 64 }],
  ["members, one at a time", { command: "members", connections: 1, window: 1 }],
  ["members, 50 connections", { command: "members", connections: 50, window: 1 }],
  ["stats, 64 under way", { command: "stats", connections: 1, window: 64 }],
  ["stats, one at a time", { command: "stats", connections: 1, window: 1 }],
];

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    runs: { type: "string", default: "5" },
    seconds: { type: "string", default: "1" },
    members: { type: "string", default: "30" },
    out: { type: "string", default: join(import.meta.dirname ?? ".", "results", "serf.json") },
  },
});
const runs = positive("runs", options.runs);
const durationMs = positive("seconds", options.seconds) * 1000;
const members = positive("members", options.members);

if (serf === undefined) {
  console.error("No serf program on this machine (apt install serf)");
  Deno.exit(1);
}
const samples = [
  ...await measureStart(serf, runs),
  ...await measureLoad(serf, runs, durationMs, members),
];
const measures = summary(samples);
print(measures);
const result = {
  when: new Date().toISOString(),
  machine: machine(),
  serf: serf.label,
  runs,
  seconds: durationMs / 1000,
  members,
  measures,
};
Deno.mkdirSync(dirname(options.out), { recursive: true });
Deno.writeTextFileSync(options.out, JSON.stringify(result, null, 2) + "\n");
console.log(`\nWritten to ${options.out}`);

/** Starts each program `times` times, in turn: time to the first answer, and memory at rest. */
async function measureStart(serf: Program, times: number): Promise<Sample[]> {
  const found: Sample[] = [];
  const add = (who: Sample["who"], readyMs: number, restMiB: number) => {
    found.push({ name: "start to first answer", unit: "ms", more: false, who, value: readyMs });
    found.push({ name: "memory at rest", unit: "MiB", more: false, who, value: restMiB });
  };
  for (let i = 0; i < times; i++) {
    for (const [who, program] of [["serf", serf], ["skein", skein]] as const) {
      await using agent = await startAgent(program, { name: who, host: HOST });
      await rest();
      add(who, agent.readyMs, residentMiB(agent.pid));
    }
    const bare = await startBare();
    try {
      await rest();
      add("deno", bare.readyMs, residentMiB(bare.process.pid));
    } finally {
      bare.process.kill("SIGKILL");
      await bare.process.status;
    }
  }
  return found;
}

async function startBare(): Promise<{ process: Deno.ChildProcess; readyMs: number }> {
  const port = await freePort(HOST);
  const started = performance.now();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", join(import.meta.dirname ?? ".", "bare_listener.ts"), HOST, `${port}`],
    stdin: "null",
  }).spawn();
  await eventually("the bare listener answers", async () => {
    using connection = await Deno.connect({ hostname: HOST, port });
    return await connection.read(new Uint8Array(1)) === 1;
  });
  return { process, readyMs: performance.now() - started };
}

/** Puts every load on both agents of one cluster, in turn. */
async function measureLoad(
  serf: Program,
  times: number,
  durationMs: number,
  members: number,
): Promise<Sample[]> {
  await using cluster = new AsyncDisposableStack();
  const flags = ["-log-level=err", "-tag=role=web", "-tag=dc=east"];
  const start = async (program: Program, name: string) => {
    return cluster.use(await startAgent(program, { name, host: HOST, flags }));
  };
  const targets = {
    serf: await start(serf, "target-a"),
    skein: await start(skein, "target-b"),
  };
  for (let i = 2; i < members; i++) {
    await joinCluster(await start(serf, `member-${i}`), targets.serf);
  }
  await joinCluster(targets.skein, targets.serf);
  for (const target of Object.values(targets)) await showsAlive(target, members);

  const found: Sample[] = [];
  for (let i = 0; i < times; i++) {
    for (const [name, mode] of MODES) {
      for (const who of ["serf", "skein"] as const) {
        const { rpc, pid } = targets[who];
        const before = cpuMs(pid);
        const { perSecond, p50Ms, p99Ms } = await load({ ...mode, rpc, durationMs });
        const cpu = (cpuMs(pid) - before) * 1000 / (perSecond * durationMs / 1000);
        const add = (what: string, unit: string, more: boolean, value: number) => {
          found.push({ name: `${name}: ${what}`, unit, more, who, value });
        };
        add("answers", "1/s", true, perSecond);
        add("agent CPU", "us each", false, cpu);
        if (mode.window === 1) {
          add("p50", "ms", false, p50Ms);
          add("p99", "ms", false, p99Ms);
        }
      }
    }
    console.error(`run ${i + 1} of ${times}`);
  }
  return found;
}

async function joinCluster(agent: AgentProcess, target: AgentProcess): Promise<void> {
  await using rpc = await Rpc.connect(agent.rpc);
  await rpc.must("join", { Existing: [target.gossip], Replay: false });
}

async function showsAlive({ rpc: address, name }: AgentProcess, count: number): Promise<void> {
  await using rpc = await Rpc.connect(address);
  await eventually(`${name} shows ${count} alive members`, async () => {
    return (await rpc.members()).filter(({ Status }) => Status === "alive").length === count;
  }, 90_000);
}

function summary(samples: Sample[]): Measure[] {
  const names = [...new Set(samples.map(({ name }) => name))];
  return names.map((name) => {
    const of = (who: Sample["who"]) => {
      const values = samples.filter((s) => s.name === name && s.who === who).map((s) => s.value);
      return values.length > 0 ? quantile(values.sort((a, b) => a - b), 0.5) : undefined;
    };
    const { unit = "", more = false } = samples.find((sample) => sample.name === name) ?? {};
    const [serf = NaN, skein = NaN, deno] = [of("serf"), of("skein"), of("deno")].map(round);
    const bare = deno === undefined ? {} : { deno };
    return { name, unit, more, serf, skein, ratio: round(skein / serf) ?? NaN, ...bare };
  });
}

function print(measures: Measure[]): void {
  const row = (...cells: string[]) =>
    cells.map((cell, i) => i === 0 ? cell.padEnd(38) : cell.padStart(11)).join("");
  console.log(row("", "serf", "skein", "ratio", "", "bare Deno"));
  for (const { name, unit, more, serf, skein, ratio, deno } of measures) {
    const verdict = (more ? ratio >= 1 : ratio <= 1) ? "better" : "worse";
    const bare = deno === undefined ? "" : `${deno}`;
    console.log(row(`${name} (${unit})`, `${serf}`, `${skein}`, `${ratio}x`, verdict, bare));
  }
}

function round(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value.toPrecision(3));
}

function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, REST_MS));
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  console.error(`--${name} must be a number over 0, not '${text}'`);
  Deno.exit(1);
}
