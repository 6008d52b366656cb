/**
 * `-format=json` of every command, the commands that go on until Ctrl-C, and what only a terminal shows, against
 * skein's agents.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type AgentProcess, eventually, skein, startAgent } from "../support/agents.ts";
import { run } from "../support/e2e/cli.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

/** Starts a cluster of two; the first answers the query `load` with a line and ` bin` with two bytes that are no text. */
async function pair(host: string): Promise<[AgentProcess, AgentProcess]> {
  const flags = [
    "-profile=local",
    "-tag=role=web",
    "-event-handler=query:load=echo load-ok",
    "-event-handler=query:bin=printf '\\377\\001'",
  ];
  const one = await startAgent(skein, { name: "one", host, flags });
  const two = await startAgent(skein, {
    name: "two",
    host,
    flags: ["-profile=local", `-join=${one.gossip}`],
  });
  await eventually("both see each other", async () => {
    const { stdout } = await run(["members", `-rpc-addr=${one.rpc}`, "-status=alive"]);
    return stdout.trim().split("\n").length === 2;
  });
  await eventually("one has a coordinate of two", async () => {
    return (await run(["rtt", `-rpc-addr=${one.rpc}`, "two"])).code === 0;
  });
  return [one, two];
}

Deno.test("every command answers in JSON", async () => {
  const [one, two] = await pair(HOST);
  await using _one = one;
  await using _two = two;
  const env = { SERF_RPC_ADDR: one.rpc };
  const json = async (command: string, ...args: string[]) => {
    const { code, stdout, stderr } = await run([command, "-format=json", ...args], { env });
    assert.equal(stderr, "", command);
    return [code, JSON.parse(stdout)];
  };
  assert.deepEqual(await json("event", "-coalesce=false", "x", "y"), [0, {
    event: "x",
    coalesce: false,
  }]);
  assert.deepEqual(await json("join", two.gossip), [0, { joined: 1 }]);
  assert.deepEqual(await json("tags", "-set=a=b", "-delete=c"), [0, {
    set: { a: "b" },
    deleted: ["c"],
  }]);
  const nobody = await run(["force-leave", "-format=json", "nobody"], { env });
  assert.deepEqual(JSON.parse(nobody.stdout), { node: "nobody", prune: false });
  assert.deepEqual([nobody.code, nobody.stderr], [0, "No member is called 'nobody'\n"]);
  assert.deepEqual(await json("completion", "-members"), [0, ["one", "two"]]);
  assert.equal((await json("info"))[1].agent.name, "one");
  const [queried, { Acks, Responses }] = await json("query", "-timeout=2s", "load");
  assert.deepEqual([queried, Acks.sort(), Responses], [0, ["one", "two"], { one: "load-ok\n" }]);
  assert.deepEqual((await json("query", "-no-ack", "-node=one", "bin"))[1], {
    Acks: null,
    Responses: { one: "\ufffd\u0001" },
  });

  const [code, reached] = await json("reachability");
  const { query_seconds, last_ack_seconds, acks, ...rest } = reached;
  assert.deepEqual([code, acks, rest], [0, ["one", "two"], {
    members: 2,
    live: 2,
    missing: [],
    unexpected: [],
    duplicates: [],
  }]);
  assert(0 < last_ack_seconds && last_ack_seconds <= query_seconds && query_seconds < 3);

  const [, rtt] = await json("rtt", "two");
  assert.deepEqual(rtt.nodes, ["two", "one"]);
  assert(rtt.rtt_ms > 0 && rtt.rtt_ms < 1000);
  assert.equal(rtt.coordinates.two.vec.length, 8);
  const text = (await run(["rtt", "two", "one"], { env })).stdout;
  assert.match(text, /^Estimated two <-> one rtt: \d+\.\d{3} ms\n$/);

  const [failed, keys] = await json("keys", "-list");
  assert.deepEqual([failed, keys], [1, {
    error: "Failed to gather member keys: 2/2 nodes reported failure",
    nodes: 2,
    responses: 2,
    failures: 2,
    messages: {
      one: "Keyring is empty (encryption not enabled)",
      two: "Keyring is empty (encryption not enabled)",
    },
    keys: {},
  }]);
  assert.deepEqual(await json("rtt", "nosuch"), [1, {
    error: 'Could not find a coordinate for node "nosuch"',
  }]);
  assert.deepEqual(await json("leave"), [0, { left: true }]);
});

Deno.test("members -watch shows changes, as lines and as JSON, until Ctrl-C or the agent's end", async () => {
  const [one, two] = await pair(HOST);
  await using _one = one;
  await using _two = two;
  const env = { SERF_RPC_ADDR: one.rpc };
  let [text, json] = ["", ""];
  const asText = run(["members", "-watch"], {
    env,
    watch: (stdout, kill) => {
      text = stdout;
      if (!stdout.includes("build=7")) return false;
      kill("SIGINT");
      return true;
    },
  });
  const asJson = run(["members", "-watch", "-format=json", "-status=alive"], {
    env,
    watch: (stdout) => {
      json = stdout;
      return false;
    },
  });
  await eventually("both show the members", () => text.includes("two") && json.includes('"two"'));
  assert.equal((await run(["tags", "-set=build=7", `-rpc-addr=${two.rpc}`])).code, 0);
  const { code, stdout, stderr } = await asText;
  assert.deepEqual([code, stderr], [0, ""]);
  const lines = stdout.split("\n");
  assert.deepEqual(lines.slice(0, 2), [
    `one  ${one.gossip}  alive  role=web`,
    `two  ${two.gossip}  alive`,
  ]);
  assert.equal(
    lines.slice(2).join("\n").replace(/^\S+Z/, "TIME"),
    `TIME  two  ${two.gossip}  alive  build=7\n`,
  );

  two.kill("SIGKILL");
  await eventually("the failed member no longer matches", () => json.includes('"removed"'));
  await one.stop();
  const ended = await asJson;
  assert.deepEqual([ended.code, ended.stderr], [1, ""]);
  const objects = ended.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(
    objects.slice(0, -1).map(({ change, member }) => [change, member.name, member.status]),
    [["present", "one", "alive"], ["present", "two", "alive"], ["changed", "two", "alive"], [
      "removed",
      "two",
      "alive",
    ]],
  );
  assert.match(objects.at(-1).error, /^Remote side ended the stream! /);
});

Deno.test("monitor as JSON has logs, events and queries, one object per line", async () => {
  const [one, two] = await pair(HOST);
  await using _one = one;
  await using _two = two;
  const env = { SERF_RPC_ADDR: one.rpc };
  let shown = "";
  const monitor = run(["monitor", "-format=json"], {
    env,
    watch: (stdout, kill) => {
      shown = stdout;
      if (!stdout.includes('"query"') || !stdout.includes('"user"')) return false;
      kill("SIGINT");
      return true;
    },
  });
  await eventually("the monitor shows the log", () => shown.includes("agent starting"));
  assert.equal((await run(["event", "deploy", "v1"], { env })).code, 0);
  assert.equal((await run(["query", "-timeout=100ms", "nothing", "ä"], { env })).code, 0);
  const { code, stdout } = await monitor;
  assert.equal(code, 0);
  const objects = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const { time: _, ltime, ...user } = objects.find(({ type }) => type === "user");
  assert.deepEqual(user, { type: "user", name: "deploy", payload: "v1", coalesce: true });
  assert.equal(typeof ltime, "number");
  const query = objects.find(({ type }) => type === "query");
  assert.deepEqual([query.name, query.payload, typeof query.id], ["nothing", "ä", "number"]);
  assert(objects.some(({ type, level }) => type === "log" && level === "INFO"));
});
