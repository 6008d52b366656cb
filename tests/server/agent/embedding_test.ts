/**
 * Agents inside a program: handlers, iterables, queries, keys, coordinates, joins at the start.
 *
 * @module
 */

import assert from "node:assert/strict";
import { JoinError } from "../../../cluster/memberlist/mod.ts";
import type { SerfEvent } from "../../../cluster/serf/mod.ts";
import { ownPayload } from "../../../protocol/payload.ts";
import { Agent, type AgentSettings } from "../../../server/agent/agent.ts";
import { ConfigError } from "../../../server/config/load.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

/** An agent on a free port of loopback, with the fastest timing. */
function start(nodeName: string, settings: AgentSettings = {}): Promise<Agent> {
  return Agent.start({ nodeName, bind: `${HOST}:0`, profile: "local", ...settings });
}

function addressOf({ address }: Agent): string {
  return `${address.host}:${address.port}`;
}

function textOf(payload: Uint8Array | null): string {
  return new TextDecoder().decode(payload ?? undefined);
}

function lines(agent: Agent): string[] {
  return agent.log.lines().map((line) => line.slice(20));
}

Deno.test("handlers get the events they name, and what a query handler returns is the answer", async () => {
  const seen: string[] = [];
  await using a = await start("a", {
    handlers: {
      "*": (event) => void seen.push(`* ${event.type}`),
      "user:deploy": ({ name, payload }) => void seen.push(`${name} ${textOf(payload)}`),
      user: ({ name }) => void seen.push(`user ${name}`),
      "query:text": () => "text",
      "query:bytes": () => Promise.resolve(Uint8Array.of(1, 2)),
      "query:empty": () => null,
      "query:self": (query) => query.respond(Uint8Array.of(9)),
      "query:late": (query) => void setTimeout(() => query.respond("text later"), 1),
      "query:none": () => {},
    },
  });
  await using b = await start("b", { startJoin: [addressOf(a)] });
  b.event("deploy", "v1", { coalesce: false });
  b.event("other", null, { coalesce: false });
  await until(() => seen.includes("user other"));
  assert.deepEqual(seen.filter((line) => line !== "* member-join"), [
    "* user",
    "deploy v1",
    "user deploy",
    "* user",
    "user other",
  ]);
  const answers = async (name: string) => {
    const query = b.query(name, null, { nodes: ["a"], timeoutMs: 200 });
    return (await Array.fromAsync(query)).map(({ from, payload }) => [from, payload]);
  };
  assert.deepEqual(await answers("text"), [["a", ownPayload(new TextEncoder().encode("text"))]]);
  assert.deepEqual(await answers("bytes"), [["a", ownPayload(Uint8Array.of(1, 2))]]);
  assert.deepEqual(await answers("empty"), [["a", null]]);
  assert.deepEqual(await answers("self"), [["a", ownPayload(Uint8Array.of(9))]]);
  assert.deepEqual(await answers("late"), [[
    "a",
    ownPayload(new TextEncoder().encode("text later")),
  ]]);
  assert.deepEqual(await answers("none"), []);
});

Deno.test("a handler that hangs misses events above its limit, with one line in the log", async () => {
  const release = Promise.withResolvers<void>();
  let calls = 0;
  await using agent = await start("a", {
    handlers: { "user:slow": () => (calls++, release.promise) },
  });
  for (let i = 0; i < 1_030; i++) agent.event("slow", null, { coalesce: false });
  assert.equal(calls, 1_024);
  const warnings = lines(agent).filter((line) => line.includes("is busy with 1024 calls"));
  assert.equal(warnings.length, 1);
  release.resolve();
  await release.promise;
  await until(() => {
    agent.event("slow", null, { coalesce: false });
    return calls > 1_024;
  });
});

Deno.test("a handler for what is no event stops the start", async () => {
  for (const name of ["", "nonsense", "member-joined", "user:x,nonsense"]) {
    const handlers = { [name]: () => {} } as AgentSettings["handlers"] & object;
    await assert.rejects(start("a", { handlers }), (error) => {
      assert(error instanceof ConfigError);
      assert.equal(
        error.message,
        `Invalid handler '${name}': expected an event, such as 'member-join'`,
      );
      return true;
    });
  }
});

Deno.test("an unknown setting stops the start, and an undefined one counts as left out", async () => {
  await assert.rejects(start("a", { binds: "x" } as AgentSettings), {
    name: "ConfigError",
    message: "Unknown setting 'binds', did you mean 'bind'?",
  });
  const settings = { tags: undefined, rpcAddr: undefined } as unknown as AgentSettings;
  await using agent = await start("a", settings);
  assert.deepEqual([agent.config.tags, agent.config.rpcAddr], [{}, "127.0.0.1:7373"]);
});

Deno.test("feeds deliver typed events from the moment they are opened until the agent ends", async () => {
  const a = await start("a");
  await using b = await start("b");
  const all = a.events();
  const members = a.memberEvents();
  const deploys = a.userEvents("deploy");
  const users = a.userEvents();
  const loads = a.queries("load");
  const some = a.events("user:x,query");
  await b.join([addressOf(a)]);
  a.event("x", null, { coalesce: false });
  a.event("deploy", "v2", { coalesce: false });
  a.query("load", "?", { timeoutMs: 1 });
  a.query("other", null, { timeoutMs: 1 });
  await until(() => a.members().length === 2);
  await a.shutdown();
  const joins = await Array.fromAsync(members);
  assert.deepEqual(joins.flatMap((event) => event.members.map(({ name }) => name)).sort(), [
    "a",
    "b",
  ]);
  assert.deepEqual((await Array.fromAsync(deploys)).map(({ payload }) => textOf(payload)), ["v2"]);
  assert.deepEqual((await Array.fromAsync(users)).map(({ name }) => name), ["x", "deploy"]);
  assert.deepEqual(
    (await Array.fromAsync(loads)).map(({ name, sourceNode }) => [name, sourceNode]),
    [
      ["load", "a"],
    ],
  );
  const nameOf = (event: SerfEvent) => "name" in event ? event.name : event.type;
  assert.deepEqual((await Array.fromAsync(some)).map(nameOf), ["x", "load", "other"]);
  const names = (await Array.fromAsync(all)).map(nameOf).filter((name) => name !== "member-join");
  assert.deepEqual(names, ["x", "deploy", "load", "other"]);
  assert.throws(() => a.events("nonsense"), ConfigError);
});

Deno.test("a feed that nobody reads holds its bound, and tells how much it lost", async () => {
  await using agent = await start("a");
  using feed = agent.userEvents(undefined, { bufferSize: 3 });
  for (let i = 0; i < 10; i++) agent.event(`e${i}`, null, { coalesce: false });
  assert.equal(feed.dropped, 7);
  const names: string[] = [];
  for await (const { name } of feed) {
    names.push(name);
    if (names.length === 3) feed.close();
  }
  assert.deepEqual(names, ["e0", "e1", "e2"]);
  agent.event("after", null, { coalesce: false });
  assert.equal(feed.dropped, 7, "a closed feed takes nothing");
  assert.throws(() => agent.events("*", { bufferSize: 0 }), RangeError);
});

Deno.test("leaving the loop over a feed closes it", async () => {
  await using agent = await start("a");
  const feed = agent.userEvents();
  agent.event("one", null, { coalesce: false });
  agent.event("two", null, { coalesce: false });
  for await (const { name } of feed) {
    assert.equal(name, "one");
    break;
  }
  assert.deepEqual(await Array.fromAsync(feed), [{
    type: "user",
    ltime: 2n,
    name: "two",
    payload: null,
    coalesce: false,
  }]);
});

Deno.test("a query yields answers as they come and tells who stayed silent", async () => {
  await using a = await start("a", { handlers: { "query:load": () => "0.5" } });
  await using b = await start("b", { startJoin: [addressOf(a)] });
  await until(() => a.members().length === 2);
  const query = b.query("load", null, { requestAck: true, timeoutMs: 300 });
  assert.equal(query.expected, 2);
  const answers = await Array.fromAsync(query);
  assert.deepEqual(answers.map(({ from, payload }) => `${from} ${textOf(payload)}`), ["a 0.5"]);
  assert.deepEqual((await Array.fromAsync(query.acks)).sort(), ["a", "b"]);
  assert.deepEqual(await query.finished, {
    reason: "deadline",
    responded: 1,
    acked: 2,
    silent: ["b"],
    unacked: [],
  });
  const left = b.query("load", null, { timeoutMs: 60_000 });
  for await (const { from } of left) {
    assert.equal(from, "a");
    break;
  }
  assert.equal(left.closed, true);
  assert.equal((await left.finished).reason, "closed");
});

Deno.test("keys are rotated, and coordinates and round trips told", async () => {
  const key = "R/eWMl3d9KV0NTbuLGxgO5JbmPOU8uUCJwd4WJutwWg=";
  const other = "fr8k1mf3k+C6xQoJU+GC0w==";
  await using a = await start("a", { encryptKey: key });
  await using b = await start("b", { encryptKey: key, startJoin: [addressOf(a)] });
  await until(() => a.members().length === 2);
  const progress: number[] = [];
  await a.installKey(other, { onProgress: ({ responded }) => void progress.push(responded) });
  assert.deepEqual(progress, [1, 2]);
  await b.useKey(other);
  await a.removeKey(key);
  assert.deepEqual((await b.listKeys()).keys, { [other]: 2 });
  assert.ok(lines(a).includes("[INFO] agent: Initiating key installation"));
  assert.ok(lines(b).includes("[INFO] agent: Initiating primary key change"));
  assert.equal(a.coordinate()?.vec.length, 8);
  assert.equal(a.coordinate("nobody"), undefined);
  assert.equal(a.rtt("nobody"), undefined);
  await until(() => a.rtt("b") !== undefined);
  const rtt = a.rtt("b") ?? NaN;
  assert.ok(rtt > 0 && rtt < 1_000, String(rtt));
  assert.equal(a.rtt("b", "a"), rtt);
  await using off = await start("off", { coordinates: false });
  assert.equal(off.coordinate(), undefined);
});

Deno.test("startJoin that reaches nobody fails the start and leaves nothing running", async () => {
  await assert.rejects(start("a", { startJoin: [`${HOST}:1`] }), JoinError);
});

Deno.test("retryJoin joins in the background, and the agent ends when it may try no more", async () => {
  await using a = await start("a");
  await using b = await start("b", { retryJoin: [addressOf(a)] });
  await until(() => b.members().length === 2);
  await using hopeless = await start("h", {
    retryJoin: [`${HOST}:1`],
    retryMaxAttempts: 1,
    retryIntervalMs: 1,
  });
  await hopeless.closed;
  assert.ok(lines(hopeless).includes("[ERR] agent: maximum retry join attempts made, exiting"));
  await using leaver = await start("l", { retryJoin: [`${HOST}:1`], retryIntervalMs: 1 });
  await leaver.leave();
  assert.deepEqual(lines(leaver).filter((line) => line.includes("Serf can't Join")), []);
  await using patient = await start("p", { retryJoin: [`${HOST}:1`], retryIntervalMs: 60_000 });
  await patient.shutdown();
});

Deno.test("a silent address holds up no other join, and a leave or its own signal ends one", async () => {
  using silent = Deno.listen({ hostname: HOST, port: 0 });
  const nobody = `${HOST}:${silent.addr.port}`;
  await using a = await start("a");
  await using b = await start("b", { startJoin: [addressOf(a)], retryJoin: [nobody, nobody] });
  assert.equal(b.members().length, 2);
  const slow = b.join([nobody, nobody]);
  assert.equal(await b.join([addressOf(a)]), 1);
  const cancel = new AbortController();
  const cancelled = b.join([nobody], { signal: cancel.signal });
  cancel.abort(new Error("enough"));
  await assert.rejects(cancelled, { message: "enough" });
  const ended = assert.rejects(slow, { name: "SerfStateError" });
  await b.leave();
  await ended;
  assert.deepEqual(lines(b).filter((line) => line.includes("error joining")), []);
});
