import assert from "node:assert/strict";
import { AgentMetrics } from "../../../server/metrics/agent_metrics.ts";
import { INTERVAL_MS, KEPT_INTERVALS, MAX_NAMES } from "../../../server/metrics/intervals.ts";

const START = Date.UTC(2026, 10, 21, 1, 48, 30);

/** Figures with a clock of their own; what is known of the process is left out of the dump. */
function stage(host?: string) {
  let now = START;
  const metrics = new AgentMetrics({ ...(host !== undefined && { host }), now: () => now });
  const dump = (): string[] =>
    metrics.dump().split("\n").filter((line) => line !== "" && !line.includes("runtime."));
  return { metrics, dump, at: (ms: number) => void (now = START + ms) };
}

Deno.test("a dump has the completed intervals in Serf's form", () => {
  const { metrics, dump, at } = stage();
  metrics.gauge("memberlist.health.score", 1);
  metrics.gauge("memberlist.health.score", 2);
  at(1_500);
  metrics.count("memberlist.msg.alive");
  metrics.count("memberlist.msg.alive");
  metrics.count("serf.events", 3);
  metrics.count("serf.events", 1);
  at(2_000);
  for (const ms of [1, 2, 6]) metrics.sample("serf.queue.Event", ms);
  assert.deepEqual(dump(), [], "the first interval is not over");
  at(INTERVAL_MS);
  const time = "[2026-11-21 01:48:30 +0000 UTC]";
  const later = "2026-11-21 01:48:31.5 +0000 UTC";
  assert.deepEqual(dump(), [
    `${time}[G] 'serf-agent.memberlist.health.score': 2.000`,
    `${time}[C] 'serf-agent.memberlist.msg.alive': Count: 2 Sum: 2.000 LastUpdated: ${later}`,
    `${time}[C] 'serf-agent.serf.events': Count: 2 Min: 1.000 Mean: 2.000 Max: 3.000 ` +
    `Stddev: 1.414 Sum: 4.000 LastUpdated: ${later}`,
    `${time}[S] 'serf-agent.serf.queue.Event': Count: 3 Min: 1.000 Mean: 3.000 Max: 6.000 ` +
    "Stddev: 2.646 Sum: 9.000 LastUpdated: 2026-11-21 01:48:32 +0000 UTC",
  ]);
});

Deno.test("a minute of intervals is kept", () => {
  const { metrics, dump, at } = stage();
  for (let i = 0; i < 20; i++) {
    at(i * INTERVAL_MS + 3_000);
    metrics.count("serf.events", i);
  }
  const sums = dump().map((line) => Number(/Sum: (\d+)/.exec(line)?.[1]));
  assert.deepEqual(sums, [13, 14, 15, 16, 17, 18]);
  assert.equal(sums.length, KEPT_INTERVALS);
  assert.match(dump()[0] ?? "", /^\[2026-11-21 01:50:40 \+0000 UTC\]/);
});

Deno.test("a clock that goes back changes nothing", () => {
  const { metrics, dump, at } = stage();
  at(25_000);
  metrics.count("a");
  at(-60_000);
  metrics.count("a");
  at(35_000);
  assert.equal(dump().length, 1);
  assert.match(dump()[0] ?? "", /^\[2026-11-21 01:48:50 .* Count: 2 /);
});

Deno.test("with a host's name gauges carry it, nothing else does", () => {
  const { metrics, dump, at } = stage("box 1");
  metrics.gauge("g", 1);
  metrics.count("c");
  metrics.sample("s", 1);
  at(INTERVAL_MS);
  const names = dump().map((line) => /'(.*)'/.exec(line)?.[1]);
  assert.deepEqual(names, ["serf-agent.box_1.g", "serf-agent.c", "serf-agent.s"]);
});

Deno.test("the memory of the process is told once per interval", () => {
  let now = START;
  const metrics = new AgentMetrics({ now: () => now });
  metrics.count("a");
  metrics.count("a");
  now += INTERVAL_MS;
  const lines = metrics.dump().split("\n").filter((line) => line.includes("runtime."));
  assert.deepEqual(lines.map((line) => /'(.*)'/.exec(line)?.[1]), [
    "serf-agent.runtime.alloc_bytes",
    "serf-agent.runtime.sys_bytes",
  ]);
});

Deno.test("every figure goes to every sink as a line", () => {
  const { metrics } = stage("box");
  metrics.count("before");
  const lines: string[] = [];
  const sink = { push: (line: string) => void lines.push(line) };
  metrics.add(sink);
  metrics.count("serf.events.de ploy:eu|c\nforged:1", 2);
  metrics.gauge("g", 0.1);
  metrics.sample("s", 1234.56789123);
  metrics.remove(sink);
  metrics.count("after");
  assert.deepEqual(lines, [
    "serf-agent.serf.events.de_ploy_eu_c_forged_1:2.000000|c\n",
    "serf-agent.box.g:0.100000|g\n",
    "serf-agent.s:1234.567891|ms\n",
  ]);
});

Deno.test("names from the network cannot fill the memory", () => {
  const { metrics, dump, at } = stage();
  for (let i = 0; i < 2 * MAX_NAMES; i++) {
    metrics.count(`serf.events.${i}`);
    metrics.sample(`s${i}`, 1);
    metrics.gauge(`g${i}`, 1);
  }
  metrics.count(`serf.events.0`);
  metrics.count("x".repeat(9_000));
  at(INTERVAL_MS);
  const lines = dump();
  assert.equal(lines.filter((line) => line.includes("][C]")).length, MAX_NAMES);
  assert.equal(lines.filter((line) => line.includes("][S]")).length, MAX_NAMES);
  assert.equal(lines.filter((line) => line.includes("][G]")).length, MAX_NAMES - 2);
  assert.ok(lines.some((line) => line.includes("'serf-agent.serf.events.0': Count: 2 ")));
  assert.ok(lines.every((line) => line.length < 500));
});
