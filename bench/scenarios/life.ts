/**
 * What it costs to start an agent and to let it be, how fast agents find each other and how fast a death is noticed.
 *
 * @module
 */

import { join as joinPath } from "node:path";
import { eventually, freePort, type Program } from "../../tests/support/agents.ts";
import {
  type BenchCluster,
  HOST,
  join,
  rest,
  showsAlive,
  start,
  startSingles,
} from "../cluster.ts";
import type { Metric, Sample, Who } from "../measure.ts";
import { cpuMs, residentMiB } from "../process.ts";

/** How skein is started: from its modules, or as the bundle that the single binary holds. */
export type Form = "modules" | "bundle";

function startMetrics(form: Form): Record<"start" | "memory", Metric> {
  const suffix = form === "bundle" ? ", bundle" : "";
  const metric = (name: string, unit: string, bound: number): Metric => ({
    name: `${name}${suffix}`,
    unit,
    more: false,
    goal: { of: "skein", bound },
  });
  return {
    start: metric("start to first answer", "ms", 90),
    memory: metric("resident memory, one idle agent", "MiB", 64),
  };
}

/** After what time at rest memory is read, in milliseconds. */
const REST_MS = 2_000;

/** Starts one agent, lets it rest, and ends it. */
export async function measureStart(
  who: Who,
  program: Program,
  form: Form = "modules",
): Promise<Sample[]> {
  await using agent = await start(program, "alone");
  await rest(REST_MS);
  const metrics = startMetrics(form);
  return [
    { metric: metrics.start, who, value: agent.readyMs },
    { metric: metrics.memory, who, value: residentMiB(agent.pid) },
  ];
}

/** Bundles skein into `folder` as `deno task bundle` does. */
export async function bundled(folder: string): Promise<Program> {
  const root = joinPath(import.meta.dirname ?? ".", "..", "..");
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--code-splitting", "--outdir", folder, "cli.ts"],
    cwd: root,
  }).output();
  if (!success) throw new Error("deno bundle has failed");
  return {
    label: "skein, bundled",
    command: [Deno.execPath(), "run", "-A", joinPath(folder, "cli.js")],
    startLimitMs: 20_000,
  };
}

/** {@linkcode measureStart} for a program that only listens. */
export async function measureBareStart(): Promise<Sample[]> {
  const port = await freePort(HOST);
  const started = performance.now();
  const script = joinPath(import.meta.dirname ?? ".", "..", "bare_listener.ts");
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, HOST, `${port}`],
    stdin: "null",
  }).spawn();
  try {
    await eventually("the bare listener answers", async () => {
      using connection = await Deno.connect({ hostname: HOST, port });
      return await connection.read(new Uint8Array(1)) === 1;
    });
    const readyMs = performance.now() - started;
    await rest(REST_MS);
    const metrics = startMetrics("modules");
    return [
      { metric: metrics.start, who: "deno", value: readyMs },
      { metric: metrics.memory, who: "deno", value: residentMiB(process.pid) },
    ];
  } finally {
    process.kill("SIGKILL");
    await process.status;
  }
}

/** How long the CPU of an idle cluster is watched, in milliseconds. */
const IDLE_MS = 60_000;

/**
 * CPU of each member of a cluster that nobody uses: in the minute after it was made, in which news of the joins still goes round
 * and functions are compiled, and in the next one.
 */
export async function measureIdle(who: Who, { agents }: BenchCluster): Promise<Sample[]> {
  const of = `of a member, ${agents.length} agents`;
  const metrics: Metric[] = [
    { name: `CPU in the first minute ${of}`, unit: "%", more: false },
    { name: `idle CPU ${of}`, unit: "%", more: false, goal: { of: "skein / serf", bound: 1 } },
  ];
  const samples: Sample[] = [];
  for (const metric of metrics) {
    const before = agents.map(({ pid }) => cpuMs(pid));
    await rest(IDLE_MS);
    const used = agents.map(({ pid }, i) => cpuMs(pid) - before[i]!);
    const value = used.reduce((sum, ms) => sum + ms, 0) / agents.length / IDLE_MS * 100;
    samples.push({ metric, who, value });
  }
  return samples;
}

/** After this time a join counts as incomplete, in milliseconds. */
const LATE_MS = 5_000;

/**
 * Starts agents apart, then lets all join the first at the same moment. Their figures are asked for again and again, not
 * their lists, which would cost the machine as much as the joins do.
 */
export async function measureJoin(who: Who, program: Program, size: number): Promise<Sample[]> {
  const name = `${size} agents join at once`;
  await using cluster = await startSingles(program, size);
  const [first] = cluster.agents;
  const started = performance.now();
  const done = cluster.rpcs.map(async (rpc, i) => {
    if (i > 0) await join(rpc, first!);
    const all = async () => Number((await rpc.must("stats")).serf.members) === size;
    await eventually("every agent is counted", all, LATE_MS);
    const tookMs = performance.now() - started;
    await showsAlive(rpc, size, LATE_MS);
    return tookMs;
  });
  const settled = await Promise.allSettled(done);
  const times = settled.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
  const missing = size - times.length;
  const time: Metric = {
    name: `${name}: until all list all`,
    unit: "ms",
    more: false,
    // With 10 agents the machine's cores are not yet what all wait for.
    ...size >= 30 ? { goal: { of: "skein / serf", bound: 1 } } : {},
  };
  const late: Metric = {
    name: `${name}: agents without a full list after 5 s`,
    unit: "agents",
    more: false,
    goal: { of: "skein", bound: 0 },
  };
  return [
    { metric: time, who, value: missing === 0 ? Math.max(...times) : LATE_MS },
    { metric: late, who, value: missing },
  ];
}

/** Kills the last agent of a cluster and waits until the others list it failed. Spoils the cluster. */
export async function measureFailure(who: Who, cluster: BenchCluster): Promise<Sample[]> {
  const victim = cluster.agents.at(-1)!;
  const others = cluster.rpcs.slice(0, -1);
  victim.kill("SIGKILL");
  const killed = performance.now();
  const times = await Promise.all(others.map(async (rpc) => {
    await eventually("the death is noticed", async () => {
      const members = await rpc.members();
      return members.some(({ Name, Status }) => Name === victim.name && Status === "failed");
    }, 90_000);
    return performance.now() - killed;
  }));
  const metric: Metric = {
    name: `SIGKILL until all list it failed, ${cluster.agents.length} agents`,
    unit: "s",
    more: false,
    goal: { of: "skein / serf", bound: 1 },
  };
  return [{ metric, who, value: Math.max(...times) / 1000 }];
}
