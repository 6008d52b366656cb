/**
 * What `network_test.ts` runs in a namespace whose network is `veth0` with 10.15.0.1 to 10.15.0.3 and fd15::1.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Member } from "../../../cluster/serf/mod.ts";
import { Agent, AgentStartError } from "../../../server/agent/agent.ts";
import type { AgentConfig } from "../../../server/config/load.ts";
import { AgentLog } from "../../../server/logging/log.ts";
import { Discovery, type DiscoveryOptions } from "../../../server/mdns/mod.ts";
import { Responder } from "../../../server/mdns/responder.ts";
import { search } from "../../../server/mdns/search.ts";
import { eventually, startAgent } from "../agents.ts";
import { goTest, newestGoTest } from "../interop/go.ts";

const hasNothingElse = Deno.networkInterfaces().every(({ name }) => /^(lo|veth\d)$/.test(name));
assert.ok(hasNothingElse, "to be run by network_test.ts");

function start(name: string, settings: Partial<AgentConfig>): Promise<Agent> {
  return Agent.start({ nodeName: name, bind: "10.15.0.2:0", profile: "local", ...settings });
}

function names(agent: Agent): string[] {
  return agent.members().filter(({ status }) => status === "alive").map(({ name }) => name).sort();
}

function lines(agent: Agent, pattern: RegExp): string[] {
  return agent.log.lines().map((line) => line.slice(20)).filter((line) => pattern.test(line));
}

Deno.test("a second agent finds the first and joins it, and neither joins itself", async () => {
  const settings = { discover: "pair" };
  await using a = await start("a", settings);
  await using b = await start("b", { ...settings, bind: "10.15.0.3:0" });
  await using other = await start("other", { discover: "else" });
  await eventually("a cluster of two", () => names(a).length === 2 && names(b).length === 2);
  await eventually("the line about it", () => lines(b, /mdns: Joined 1 hosts/).length === 1);
  assert.deepEqual(lines(b, /joining/), [
    `[INFO] agent: joining: [10.15.0.2:${a.address.port}] replay: false`,
  ]);
  const itself = `10.15.0.2:${a.address.port}`;
  assert.ok(!lines(a, /joining/).some((line) => line.includes(itself)));
  assert.deepEqual(names(other), ["other"]);
});

Deno.test("agents find each other on a chosen interface, over IPv6 alone", async () => {
  const settings = {
    discover: "six",
    bind: "[fd15::1]:0",
    mdns: { interface: "veth0", disableIpv4: true, disableIpv6: false },
  };
  await using a = await start("a", settings);
  await using b = await start("b", settings);
  await eventually("a cluster of two", () => names(a).length === 2 && names(b).length === 2);
  assert.deepEqual(lines(b, /mDNS/), ["[INFO] agent: Starting mDNS listener on interface veth0"]);
  assert.match(lines(b, /joining/)[0] ?? "", /joining: \[\[fd15::1\]:\d+\] replay: false/);
});

Deno.test("an interface that cannot be used ends the start, and so does an unusable name", async () => {
  const service = serviceOf("x", memberAt("me", 1, 7946, "alive"));
  await assert.rejects(Responder.start(service, "none0", new AgentLog("me")), (error: Error) => {
    assert.equal(error.message, "no multicast listeners could be started");
    assert.match(String((error.cause as AggregateError).errors[0]), /'none0' has no IPv4 address/);
    return true;
  });
  await assert.rejects(start("a", { discover: "a..b" }), (error) => {
    assert.ok(error instanceof AgentStartError);
    assert.equal(
      error.message,
      "Error starting mDNS listener: Cluster name 'a..b' does not fit a DNS name",
    );
    return true;
  });
});

function memberAt(name: string, host: number, port: number, status: Member["status"]): Member {
  const versions = { protocolMin: 1, protocolMax: 5, protocolCur: 2 };
  const delegate = { delegateMin: 2, delegateMax: 5, delegateCur: 5 };
  const addr = new Uint8Array([10, 15, 0, host]);
  return { name, addr, port, tags: {}, status, ...versions, ...delegate };
}

function serviceOf(cluster: string, { name, addr, port }: Member) {
  return { cluster, node: name, hostname: "box", addr, port };
}

/** Discovery of a node `me` with a join of the test's own. */
function discoveryWith(
  cluster: string,
  rest: Pick<DiscoveryOptions, "members" | "join"> & Partial<DiscoveryOptions>,
  log = new AgentLog("me"),
): Promise<Discovery> {
  const own = memberAt("me", 1, 7946, "alive");
  const switches = { interface: "veth0", disableIpv4: false, disableIpv6: false };
  const isActive = () => true;
  return Discovery.start({ cluster, own, log, pollMs: 150, isActive, ...switches, ...rest });
}

Deno.test("an agent that could not be joined is tried again, one that is a member is not", async () => {
  const there = memberAt("there", 2, 4_711, "alive");
  using _responder = await Responder.start(serviceOf("retry", there), "veth0", new AgentLog("me"));
  const log = new AgentLog("me");
  const tries: string[][] = [];
  let members = [memberAt("me", 1, 7946, "alive")];
  using _discovery = await discoveryWith("retry", {
    members: () => members,
    join: (addresses) => {
      tries.push([...addresses]);
      if (tries.length < 3) return Promise.reject(new Error("connection refused"));
      members = [...members, there];
      return Promise.resolve(1);
    },
  }, log);
  await eventually("three tries", () => tries.length === 3);
  assert.deepEqual(tries, Array(3).fill(["10.15.0.2:4711"]));
  let answers = 0;
  const options = {
    cluster: "retry",
    interface: "veth0",
    families: ["IPv4"] as const,
    log: new AgentLog("me"),
  };
  await search({ ...options, signal: new AbortController().signal }, () => answers++);
  assert.equal(answers, 2, "both answer, and were asked several times within this second");
  assert.equal(tries.length, 3);
  members = [...members.slice(0, 1), { ...there, status: "failed" }];
  await eventually("a try to join the failed member", () => tries.length === 4);
  const words = log.lines().map((line) => line.slice(20));
  assert.deepEqual(words.slice(1, 4), [
    "[ERR] agent.mdns: Failed to join: connection refused",
    "[ERR] agent.mdns: Failed to join: connection refused",
    "[INFO] agent.mdns: Joined 1 hosts",
  ]);
});

Deno.test("agents that are found within a tenth of a second are joined together", async () => {
  using stack = new DisposableStack();
  const found = [4_001, 4_002, 4_003];
  for (const port of found) {
    const service = serviceOf("many", memberAt(`n${port}`, 3, port, "alive"));
    stack.use(await Responder.start(service, "veth0", new AgentLog("me")));
  }
  const joined = Promise.withResolvers<readonly string[]>();
  using _discovery = await discoveryWith("many", {
    members: () => [memberAt("me", 1, 7946, "alive")],
    join: (addresses) => {
      joined.resolve(addresses);
      return Promise.resolve(addresses.length);
    },
  });
  assert.deepEqual([...await joined.promise].sort(), found.map((port) => `10.15.0.3:${port}`));
});

Deno.test("an agent that leaves neither answers nor looks for others", async () => {
  using _other = await Responder.start(
    serviceOf("leaving", memberAt("there", 2, 4_711, "alive")),
    "veth0",
    new AgentLog("me"),
  );
  let isActive = false;
  const tries: string[][] = [];
  using _discovery = await discoveryWith("leaving", {
    members: () => [],
    isActive: () => isActive,
    join: (addresses) => Promise.resolve(tries.push([...addresses])),
  });
  const found: number[] = [];
  const options = {
    cluster: "leaving",
    interface: "veth0",
    families: ["IPv4"] as const,
    log: new AgentLog("me"),
  };
  const { signal } = new AbortController();
  await search({ ...options, signal }, ({ port }) => found.push(port));
  assert.deepEqual([found, tries], [[4_711], []]);
  isActive = true;
  await eventually("a try to join both", () => tries.length > 0);
  assert.deepEqual(tries[0]?.sort(), ["10.15.0.1:7946", "10.15.0.2:4711"]);
});

Deno.test("a flood of questions is answered up to a bound", async () => {
  const cluster = "flood";
  using _responder = await Responder.start(
    serviceOf(cluster, memberAt("there", 2, 4_711, "alive")),
    "veth0",
    new AgentLog("me"),
  );
  const stop = new AbortController();
  let answers = 0;
  const options = {
    cluster,
    interface: "veth0",
    families: ["IPv4"] as const,
    log: new AgentLog("me"),
    signal: stop.signal,
  };
  const searches = Array.from({ length: 500 }, () => search(options, () => answers++));
  await eventually("answers", () => answers >= 200);
  stop.abort();
  await Promise.all(searches);
  assert.ok(answers >= 200 && answers <= 420, `${answers} answers in one or two seconds`);
});

for (const register of [goTest, newestGoTest]) {
  register("skein finds a Go agent", async (serf) => {
    const flags = ["-discover=mixed-a", "-profile=local"];
    await using go = await startAgent(serf, { name: "go", host: "10.15.0.1", flags });
    await using skein = await start("skein", { discover: "mixed-a" });
    await eventually("a cluster of two", () => names(skein).length === 2);
    assert.deepEqual(lines(skein, /joining/), [
      `[INFO] agent: joining: [${go.gossip}] replay: false`,
    ]);
    await eventually("the line about it", () => lines(skein, /mdns: Joined 1 hosts/).length === 1);
  });

  register("a Go agent finds skein", async (serf) => {
    await using skein = await start("skein", { discover: "mixed-b" });
    const flags = ["-discover=mixed-b", "-profile=local"];
    await using go = await startAgent(serf, { name: "go", host: "10.15.0.1", flags });
    await eventually("a cluster of two", () => names(skein).length === 2);
    assert.deepEqual(lines(skein, /joining/), []);
    const { port } = skein.address;
    assert.match(go.output(), new RegExp(`joining: \\[.*10\\.15\\.0\\.2:${port}.*\\] replay`));
  });
}
