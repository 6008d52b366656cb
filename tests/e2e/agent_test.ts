/**
 * The life of an agent as its console shows it, beside what HashiCorp's agent 0.9.4 printed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually, freePort, skein, startAgent } from "../support/agents.ts";
import { launchArguments, run } from "../support/e2e/cli.ts";
import { agentOutput, moved, type Sample, samplesOf } from "../support/e2e/samples.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

/** How a sample of a running agent was made. */
interface Life {
  /** The signal that ends it; none for an agent that ends by itself. */
  readonly signal?: Deno.Signal;
  /** The last line before the signal. Default: the agent has seen itself join. */
  readonly until?: RegExp;
  /** Whether it binds to the address of the interface `lo`, instead of one that this file has to itself. */
  readonly onLo?: true;
}

const LIVES: Readonly<Record<string, Life>> = {
  "SIGTERM default": { signal: "SIGTERM" },
  "SIGINT with cluster": { signal: "SIGINT" },
  "warnings": { signal: "SIGINT" },
  "advertise": { signal: "SIGINT" },
  "partial join [stopped by the capture harness]": { signal: "SIGKILL" },
  "retry join fail": {},
  "retry join ok": { signal: "SIGINT", until: /Join completed/ },
  "iface lo with 0.0.0.0": { signal: "SIGINT", onLo: true },
  "iface lo with matching bind": { signal: "SIGINT", onLo: true },
};

for (const sample of samplesOf("life")) {
  Deno.test(`an agent from its banner to its end: ${sample.note}`, () => live(sample));
}

/** Runs an agent as the sample's was run, beside a cluster of three, and compares what its console shows. */
async function live(sample: Sample): Promise<void> {
  const { signal, until = /Received event: member-join/, onLo } = LIVES[sample.note] ??
    assert.fail(`Nobody knows how '${sample.note}' was made`);
  const host = onLo ? "127.0.0.1" : HOST;
  await using cluster = new AsyncDisposableStack();
  const gossip: string[] = [];
  const joins = sample.args.some((arg) => arg.endsWith("join=127.0.0.1:19946"));
  for (const name of joins ? ["a", "b", "c"] : []) {
    const flags = gossip.map((address) => `-join=${address}`);
    const member = cluster.use(await startAgent(skein, { name, host: HOST, flags }));
    gossip.push(member.gossip);
  }
  const [bindPort, rpcPort, refused] = [
    await freePort(host),
    await freePort(host),
    `${HOST}:${await freePort(HOST)}`,
  ];
  const addresses = new Map([
    ["127.0.0.1:19946", gossip[0] ?? "no cluster"],
    [
      "Failed to join 127.0.0.1: dial tcp 127.0.0.1:19999",
      `failed to join ${refused}: dial tcp ${refused}`,
    ],
    ["127.0.0.1:19999", refused],
    ["0.0.0.0:19960", `0.0.0.0:${bindPort}`],
    ["127.0.0.1:19960", `${host}:${bindPort}`],
    ["127.0.0.1:19390", `${host}:${rpcPort}`],
    ["127.0.0.1", host],
  ]);
  const { args, rc, ...rest } = moved(sample, addresses);
  const stdout = agentOutput({ args, rc, ...rest });
  const got = await run(args, {
    watch: (output, kill) => {
      if (signal === undefined || !until.test(output)) return false;
      kill(signal);
      return true;
    },
  });
  assert.deepEqual([got.code, got.stderr], [rc < 0 ? 128 - rc : rc, ""], got.stdout);
  assert.deepEqual(comparable(got.stdout), comparable(stdout));
}

/**
 * The console before the log in its order, and the log without its times, sorted, without what depends on how fast
 * things happened and on what the captured agents had done before: events that were shown in time, refutations of the
 * agent that had the same name before.
 */
function comparable(text: string): string[] {
  const lines = text.replace(/^ {4}\d{4}(?:\/\d\d){2} \d\d(?::\d\d){2} /gm, "    TIME ").split("\n")
    .filter((line) => !/agent: Received event|memberlist: Refuting/.test(line));
  const start = lines.findIndex((line) => line.includes("Log data will now stream"));
  return [...lines.slice(0, start), ...lines.slice(start).sort()];
}

Deno.test("an agent outlives the reader of its output and keeps its exit code", async () => {
  const [bind, rpc] = [`${HOST}:${await freePort(HOST)}`, `${HOST}:${await freePort(HOST)}`];
  const agent = new Deno.Command(Deno.execPath(), {
    args: [...launchArguments(), "agent", "-node=unread", `-bind=${bind}`, `-rpc-addr=${rpc}`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  try {
    await agent.stdout.cancel();
    const env = { SERF_RPC_ADDR: rpc };
    await eventually("the agent answers", async () => {
      return (await run(["members"], { env })).stdout === `unread  ${bind}  alive\n`;
    });
    assert.deepEqual(await run(["leave"], { env }), {
      code: 0,
      stdout: "Graceful leave complete\n",
      stderr: "",
    });
    assert.equal(await new Response(agent.stderr).text(), "");
    assert.equal((await agent.status).code, 0);
  } finally {
    try {
      agent.kill("SIGKILL");
    } catch { /* It has ended. */ }
    await agent.status;
  }
});

Deno.test("an agent whose working directory is gone goes on", async () => {
  const folder = await Deno.makeTempDir();
  const [bind, rpc] = [`${HOST}:${await freePort(HOST)}`, `${HOST}:${await freePort(HOST)}`];
  const agent = new Deno.Command(Deno.execPath(), {
    args: [
      ...launchArguments(),
      "agent",
      "-node=homeless",
      "-tag=role=web",
      `-bind=${bind}`,
      `-rpc-addr=${rpc}`,
      "-event-handler=query:q=echo answer 2>/dev/null",
    ],
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const env = { SERF_RPC_ADDR: rpc };
    await eventually("the agent answers", async () => (await run(["info"], { env })).code === 0);
    await Deno.remove(folder);
    const members = await run(["members", "-name=home.*", "-tag", "role=w.b"], { env });
    assert.deepEqual(members.stdout, `homeless  ${bind}  alive  role=web\n`, members.stderr);
    const query = await run(["query", "-tag", "role=w.b", "q"], { env });
    assert.match(query.stdout, /answer\n.*\nTotal Responses: 1/s);
    assert.equal((await run(["leave"], { env })).code, 0);
    assert.equal((await agent.status).code, 0);
  } finally {
    try {
      agent.kill("SIGKILL");
    } catch { /* It has ended. */ }
    await agent.status;
  }
});

Deno.test("SIGUSR1, on which Deno starts a debugger, leaves none open", async () => {
  await using agent = await startAgent(skein, { name: "figures", host: HOST });
  const [, id] = await eventually("Deno has tried to start its debugger", () => {
    agent.kill("SIGUSR1");
    return /Debugger listening on ws:\S+\/(\S+)|Failed to start inspector/.exec(agent.output()) ??
      undefined;
  });
  // Another process has the port when it failed.
  if (id === undefined) return;
  await eventually("the debugger is closed", async () => !(await debuggers()).includes(id));
});

Deno.test("an agent that may not close the debugger says so", async () => {
  const [deno = "", , , cli = ""] = skein.command;
  const program = { ...skein, command: [deno, "run", "--no-prompt", "--allow-net", cli] };
  await using agent = await startAgent(program, { name: "narrow", host: HOST });
  await eventually("it says that it cannot", () => {
    agent.kill("SIGUSR1");
    return agent.output().includes("Without --allow-sys the debugger");
  });
});

/** What the debuggers of this machine say of themselves; nothing when there is none. */
async function debuggers(): Promise<string> {
  try {
    return await (await fetch("http://127.0.0.1:9229/json/list")).text();
  } catch {
    return "";
  }
}
