/**
 * Replays what HashiCorp's command line 0.9.4 printed against a cluster: with a real `serf` agent, and with skein's.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type AgentProcess,
  eventually,
  freePort,
  type Program,
  skein,
  startAgent,
} from "../support/agents.ts";
import { run, type RunOptions } from "../support/e2e/cli.ts";
import { moved, OTHERWISE, replay, type Sample, samplesOf, title } from "../support/e2e/samples.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

goTest("samples against serf's agent", (serf) => replayCluster(serf, HOST));
Deno.test("samples against skein's agent", () => replayCluster(skein, HOST));
goTest("samples of members that go, against serf's agent", (serf) => replayLate(serf, HOST));
Deno.test("samples of members that go, against skein's agent", () => replayLate(skein, HOST));

/** From here on the captured cluster had a member that left. */
const FIRST_WITH_LEFT = "reachability";

/** Runs the samples in their order against a cluster like the captured one. */
async function replayCluster(program: Program, host: string): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const withAuth = `${folder}/auth.json`;
    await Deno.writeTextFile(withAuth, JSON.stringify({ rpc_auth: "s3cret" }));
    const start = (name: string, ...flags: string[]) =>
      startAgent(program, { name, host, flags: ["-profile=local", ...flags] });
    await using a = await start(
      "a",
      "-tag=role=web",
      "-tag=dc=east",
      "-event-handler=query:load=echo load-ok",
    );
    await using b = await start("b", "-tag=role=web-server", `-join=${a.gossip}`);
    await using c = await start("c", `-join=${a.gossip}`);
    await using d = await start("d", `-config-file=${withAuth}`);
    const refused = `${host}:${await freePort(host)}`;
    const addresses = new Map([
      ["127.0.0.1:19373", a.rpc],
      ["127.0.0.1:19376", d.rpc],
      ["127.0.0.1:19946", a.gossip],
      ["127.0.0.1:19947", b.gossip],
      ["127.0.0.1:19948", c.gossip],
      ["127.0.0.1:19949", d.gossip],
      ["127.0.0.1:19999", refused],
      ['"port": 19946', `"port": ${a.gossip.split(":")[1]}`],
    ]);
    await shows(a, /^(?:.* alive .*\n){2}.* alive\n$/);
    await knows(a, "b");
    const watches: Readonly<Record<string, RunOptions["watch"]>> = {
      "SIGINT during query": whenAnswered((kill) => kill("SIGINT")),
      "SIGTERM during query": whenAnswered((kill) => kill("SIGTERM")),
      "agent killed during query": (stdout) => {
        if (!stdout.includes("Ack from 'd'")) return false;
        d.kill("SIGKILL");
        return true;
      },
    };
    const failures: string[] = [];
    for (const sample of samplesOf("cluster")) {
      if (Object.hasOwn(OTHERWISE, sample.args.join(" "))) continue;
      if (sample.args[0] === FIRST_WITH_LEFT && sample.rc === 0) {
        await using t = await start("t", `-join=${a.gossip}`);
        await leave(t, a);
      }
      const failure = await attempt(
        sample,
        () => replay(moved(sample, addresses), program, watches[sample.note]),
      );
      if (failure !== undefined) failures.push(failure);
    }
    assert.deepEqual(failures, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Gossip that a Go agent sends four times misses a member now and then, and a query is asked only once. */
const QUERY_ATTEMPTS = 3;

/** Replays a sample; gives what was wrong the last time. */
async function attempt(sample: Sample, run: () => Promise<void>): Promise<string | undefined> {
  const attempts = sample.args[0] === "query" ? QUERY_ATTEMPTS : 1;
  for (let tried = 1;; tried++) {
    try {
      await run();
      return undefined;
    } catch (error) {
      if (tried === attempts) return `${title(sample)}: ${(error as Error).message}`;
    }
  }
}

/** What a query of three members prints of which one answers: that it was sent, three acks, the answer. */
const LINES_OF_QUERY = 5;

/** Acts once all three have acknowledged and one has answered. */
function whenAnswered(act: (kill: (signal: Deno.Signal) => void) => void): RunOptions["watch"] {
  return (stdout, kill) => {
    if (stdout.split("\n").length <= LINES_OF_QUERY) return false;
    act(kill);
    return true;
  };
}

/** Runs the samples that were captured when one member had left and another was about to fail. */
async function replayLate(program: Program, host: string): Promise<void> {
  const start = (name: string, ...flags: string[]) =>
    startAgent(program, { name, host, flags: ["-profile=local", ...flags] });
  await using a = await start("a", "-tag=role=web", "-tag=u=1");
  const join = `-join=${a.gossip}`;
  await using b = await start("b", "-tag=role=web-server", join);
  await using c = await start("c", "-tag=m=2", join);
  await using t = await start("t", join);
  await leave(t, a);
  const bindPort = Number(t.gossip.split(":")[1]);
  await using s = await startAgent(program, {
    name: "s",
    host,
    bindPort,
    flags: ["-profile=local", "-tag=role=db", join],
  });
  await knows(a, "s");
  const addresses = new Map([
    ["127.0.0.1:19373", a.rpc],
    ["127.0.0.1:19946", a.gossip],
    ["127.0.0.1:19947", b.gossip],
    ["127.0.0.1:19948", c.gossip],
    ["127.0.0.1:19960", s.gossip],
  ]);
  const before: Readonly<Record<string, () => Promise<void>>> = {
    "s failed": async () => {
      s.kill("SIGKILL");
      await shows(a, /^s .* failed/m);
    },
    "after force-leave": async () => {
      assert.equal((await run(["force-leave", `-rpc-addr=${a.rpc}`, "s"])).code, 0);
      await shows(a, /^s .* left/m);
    },
  };
  for (const sample of samplesOf("late")) {
    await before[sample.note]?.();
    await replay(moved(sample, addresses), program);
  }
}

/** Lets an agent leave a cluster after its start, and waits until the other knows. */
async function leave(agent: AgentProcess, other: AgentProcess): Promise<void> {
  await shows(other, new RegExp(`^${agent.name} .* alive`, "m"));
  assert.equal((await run(["leave", `-rpc-addr=${agent.rpc}`])).code, 0);
  await agent.exited;
  await shows(other, new RegExp(`^${agent.name} .* left`, "m"));
}

async function shows(agent: AgentProcess, what: RegExp): Promise<void> {
  await eventually(`members of ${agent.name} match ${what}`, async () => {
    return what.test((await run(["members", `-rpc-addr=${agent.rpc}`])).stdout);
  }, 30_000);
}

/** Waits until an agent has measured the way to a node. */
async function knows(agent: AgentProcess, node: string): Promise<void> {
  await eventually(`${agent.name} has a coordinate of ${node}`, async () => {
    return (await run(["rtt", `-rpc-addr=${agent.rpc}`, node])).code === 0;
  }, 30_000);
}
