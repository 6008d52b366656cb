/**
 * skein beside HashiCorp's `serf`: both run on this machine in the same minutes, are measured in turn, and are
 * printed as ratios, because absolute figures move from machine to machine.
 *
 * `deno task bench:serf [--rounds 5] [--seconds 1] [--members 30] [--joins 5] [--connections 10000]
 * [--only rpc,join] [--out FOLDER]`
 *
 * The result is also written as JSON and as a chart, under `bench/results/` unless `--out` says otherwise; a run of
 * some parts only with `--out`. `deno task bench:pages` then puts it into the pages. Linux only (it reads /proc).
 *
 * @module
 */

import { join as joinPath } from "node:path";
import { type AgentProcess, type Program, serf, skein } from "../tests/support/agents.ts";
import { Rpc } from "../tests/support/interop/rpc.ts";
import { withBareServer } from "./bare.ts";
import { join, showsAlive, start, startCluster } from "./cluster.ts";
import { type Sample, summarise } from "./measure.ts";
import { readOptions } from "./command_line/options.ts";
import { machine } from "./process.ts";
import { serfChart, type SerfResult } from "./report.ts";
import { measureCodec, measureOneConnection } from "./scenarios/codec.ts";
import { measureConnections } from "./scenarios/connections.ts";
import {
  bundled,
  measureBareStart,
  measureFailure,
  measureIdle,
  measureJoin,
  measureStart,
} from "./scenarios/life.ts";
import { callsFor, measureCall } from "./scenarios/rpc.ts";
import { measureSpread } from "./scenarios/spread.ts";
import { measureSubscribers } from "./scenarios/subscribers.ts";
import { goalTables, type Part } from "./table.ts";

const options = readOptions(
  "deno task bench:serf [--rounds 5] [--seconds 1] [--members 30] [--joins 5] " +
    "[--connections 10000] [--only rpc,join] [--out FOLDER]",
  {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1" },
    members: { type: "string", default: "30" },
    joins: { type: "string", default: "5" },
    connections: { type: "string", default: "10000" },
    only: { type: "string", default: "" },
    out: { type: "string" },
  },
);
const rounds = positive("rounds", options.rounds);
const durationMs = positive("seconds", options.seconds) * 1000;
const members = positive("members", options.members);
const joins = positive("joins", options.joins);
const connections = positive("connections", options.connections);

if (serf === undefined) {
  console.error("No serf program on this machine (apt install serf)");
  Deno.exit(1);
}
const programs = [["serf", serf], ["skein", skein]] as const;

/** The parts of the benchmark by name, in the order in which they run. */
const PARTS: Record<string, readonly [title: string, run: () => AsyncGenerator<Sample[]>]> = {
  start: ["Start and rest", startPart],
  rpc: ["RPC calls", rpcPart],
  subscribers: ["Event streams", subscribersPart],
  connections: ["Idle RPC connections", connectionsPart],
  join: ["Agents that join at the same moment", joinPart],
  cluster: ["A whole cluster", clusterPart],
  codec: ["The codec and one connection, by themselves", codecPart],
};

const chosen = options.only === "" ? Object.keys(PARTS) : options.only.split(",");
const out = options.out ??
  (options.only === "" ? joinPath(import.meta.dirname ?? ".", "results") : undefined);
const parts: Part[] = [];
for (const name of chosen) {
  const part = PARTS[name];
  if (part === undefined) {
    console.error(`--only knows ${Object.keys(PARTS).join(", ")}, not '${name}'`);
    Deno.exit(1);
  }
  const [title, run] = part;
  const samples: Sample[] = [];
  const began = performance.now();
  for await (const found of run()) samples.push(...found);
  parts.push({ name, title, measures: summarise(samples) });
  // After each part, so that a run which fails late loses nothing.
  if (out !== undefined) await write(out);
  console.error(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
}
console.log(goalTables(parts));
if (out !== undefined) console.log(`\nWritten to ${out}`);

async function* startPart(): AsyncGenerator<Sample[]> {
  const folder = await Deno.makeTempDir({ prefix: "skein-bundle-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const bundle = await bundled(folder);
  for (let round = 0; round < rounds; round++) {
    for (const [who, program] of programs) yield await measureStart(who, program);
    yield await measureStart("skein", bundle, "bundle");
    yield await measureBareStart();
  }
}

/** Both agents are members of one cluster, so that they list the same; the other members are serf's. */
async function* rpcPart(): AsyncGenerator<Sample[]> {
  for (const size of [1, 3, members]) {
    await using stack = new AsyncDisposableStack();
    const targets: Record<"serf" | "skein", AgentProcess> = {
      serf: stack.use(await start(serf!, "target-a")),
      skein: stack.use(await start(skein, "target-b")),
    };
    if (size > 1) {
      const rest: AgentProcess[] = [];
      for (let i = 2; i < size; i++) rest.push(stack.use(await start(serf!, `member-${i}`)));
      for (const agent of [...rest, targets.skein]) {
        await using rpc = await Rpc.connect(agent.rpc);
        await join(rpc, targets.serf);
      }
      for (const { rpc: address } of Object.values(targets)) {
        await using rpc = await Rpc.connect(address);
        await showsAlive(rpc, size);
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (const call of callsFor(size)) {
        for (const [who] of inTurn(round)) {
          yield await measureCall(who, targets[who], size, call, durationMs);
        }
        if (call.way !== "one at a time") continue;
        yield await withBareServer(
          targets.skein,
          call,
          (bare) => measureCall("deno", bare, size, call, durationMs),
        );
      }
    }
  }
}

async function* subscribersPart(): AsyncGenerator<Sample[]> {
  await using serfAgent = await start(serf!, "loud-a");
  await using skeinAgent = await start(skein, "loud-b");
  const targets = { serf: serfAgent, skein: skeinAgent };
  for (let round = 0; round < rounds; round++) {
    for (const [who] of inTurn(round)) {
      yield await measureSubscribers(who, targets[who]);
    }
  }
}

async function* connectionsPart(): AsyncGenerator<Sample[]> {
  for (let round = 0; round < Math.min(rounds, 3); round++) {
    for (const [who, program] of inTurn(round)) {
      yield await measureConnections(who, program, connections);
    }
  }
}

/** Both, in every second round the other one first: what comes second finds a warmer machine and load generator. */
function inTurn(round: number): readonly (typeof programs)[number][] {
  return round % 2 === 0 ? programs : programs.toReversed();
}

async function* joinPart(): AsyncGenerator<Sample[]> {
  for (let round = 0; round < joins; round++) {
    for (const size of [10, 30, 50]) {
      for (const [who, program] of programs) yield await measureJoin(who, program, size);
    }
  }
}

async function* codecPart(): AsyncGenerator<Sample[]> {
  await using agent = await start(skein, "one");
  for (let round = 0; round < rounds; round++) {
    yield measureCodec();
    yield await measureOneConnection(agent, durationMs);
  }
}

/** What needs a whole cluster of each kind: they take turns. */
async function* clusterPart(): AsyncGenerator<Sample[]> {
  for (let turn = 0; turn < 2; turn++) {
    for (const [who, program] of programs) {
      await using cluster = await startCluster(program as Program, members);
      yield await measureIdle(who, cluster);
      yield await measureSpread(who, cluster);
      yield await measureFailure(who, cluster);
    }
  }
}

async function write(folder: string): Promise<void> {
  const result: SerfResult = {
    when: new Date().toISOString(),
    machine: machine(),
    serf: serf!.label,
    options: { rounds, seconds: durationMs / 1000, members, joins, connections },
    parts,
  };
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(joinPath(folder, "serf.json"), JSON.stringify(result, null, 2) + "\n");
  await Deno.writeTextFile(joinPath(folder, "serf.svg"), serfChart(result));
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  console.error(`--${name} must be a number over 0, not '${text}'`);
  Deno.exit(1);
}
