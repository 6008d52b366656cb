/**
 * Mistakes of programs whose compiler does not find them: each is one line, before anything has happened.
 *
 * @module
 */

import assert from "node:assert/strict";
import { loadPatterns, PatternError } from "../../../cluster/serf/mod.ts";
import { Agent, type AgentSettings } from "../../../server/agent/agent.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

function start(settings: AgentSettings): Promise<Agent> {
  return Agent.start({ bind: `${HOST}:0`, profile: "local", ...settings });
}

Deno.test("a setting of a wrong type stops the start", async () => {
  const cases: [settings: unknown, message: string][] = [
    ["alpha", 'Invalid settings: expected an object, got string "alpha"'],
    [{ nodeName: 5 }, "Invalid setting 'nodeName': expected a string, got number 5"],
    [{ tags: ["web"] }, "Invalid setting 'tags': expected an object of strings, got an array"],
    [{ tags: { a: 1 } }, "Invalid setting 'tags': expected an object of strings, got an object"],
    [
      { startJoin: HOST },
      `Invalid setting 'startJoin': expected an array of strings, got string "${HOST}"`,
    ],
    [
      { retryIntervalMs: "30s" },
      `Invalid setting 'retryIntervalMs': expected a number of milliseconds, got string "30s"`,
    ],
    [
      { compression: "no" },
      `Invalid setting 'compression': expected true or false, got string "no"`,
    ],
    [{ rpcAuth: 1234 }, "Invalid setting 'rpcAuth': expected a string, got a number"],
    [{ encryptKey: 1234n }, "Invalid setting 'encryptKey': expected a string, got a bigint"],
    [{ mdns: true }, "Invalid setting 'mdns': expected an object, got boolean true"],
    [
      { mdns: { disableIPv4: true } },
      "Unknown setting 'mdns.disableIPv4', did you mean 'mdns.disableIpv4'?",
    ],
    [{ node_name: "a" }, "Unknown setting 'node_name', did you mean 'nodeName'?"],
    [{ zzz: "a" }, "Unknown setting 'zzz'"],
    [
      { handlers: { "user:x": "echo" } },
      `Invalid handler 'user:x': expected a function, got string "echo"`,
    ],
    [{ handlers: () => {} }, "Invalid setting 'handlers': expected an object, got a function"],
    [{ onError: null }, "Invalid setting 'onError': expected a function, got null"],
  ];
  for (const [settings, message] of cases) {
    await assert.rejects(Agent.start(settings as AgentSettings), { name: "ConfigError", message });
  }
});

Deno.test("an argument or option that a call does not take is told", async () => {
  await using agent = await start({ nodeName: "a" });
  // deno-lint-ignore no-explicit-any
  const untyped: any = agent;
  const calls: [call: () => unknown, message: string][] = [
    [
      () => untyped.event("x", null, false),
      "Invalid options of event: expected an object, got boolean false",
    ],
    [() => untyped.event(5), "Invalid name of an event: expected a string, got number 5"],
    [
      () => untyped.event("x", { a: 1 }),
      "Invalid payload: expected a string, a Uint8Array or null, got an object",
    ],
    [
      () => untyped.event("x", null, { coalesc: false }),
      "Unknown option 'coalesc' of event: expected coalesce",
    ],
    [
      () => untyped.query("x", null, { filterNodes: ["a"] }),
      "Unknown option 'filterNodes' of query: expected nodes, tags, requestAck, relayFactor, timeoutMs",
    ],
    [
      () => untyped.query("x", null, { nodes: "a" }),
      `Invalid option 'nodes' of query: expected an array of strings, got string "a"`,
    ],
    [
      () => untyped.members("web"),
      `Invalid options of members: expected an object, got string "web"`,
    ],
    [
      () => untyped.members({ role: "web" }),
      "Unknown option 'role' of members: expected tags, status, name",
    ],
    [
      () => untyped.updateTags({ role: "web" }),
      "Unknown option 'role' of updateTags: expected set, delete",
    ],
    [
      () => untyped.join(HOST),
      `Invalid addresses of a join: expected an array of strings, got string "${HOST}"`,
    ],
    [
      () => untyped.forceLeave("a", true),
      "Invalid options of forceLeave: expected an object, got boolean true",
    ],
    [() => untyped.installKey(1234), "Invalid key: expected a string, got a number"],
  ];
  for (const [call, message] of calls) {
    // A call that gives a promise rejects, others throw.
    await assert.rejects(async () => await call(), { name: "TypeError", message });
  }
});

Deno.test("members are listed by patterns of name, status and tags", async () => {
  await loadPatterns();
  await using a = await start({ nodeName: "web-1", tags: { role: "web", dc: "east" } });
  await using b = await start({
    nodeName: "db-1",
    tags: { role: "db" },
    startJoin: [`${HOST}:${a.address.port}`],
  });
  await until(() => a.members().length === 2);
  const names = (filter: Parameters<Agent["members"]>[0]) =>
    a.members(filter).map(({ name }) => name).sort();
  assert.deepEqual(names({}), ["db-1", "web-1"]);
  assert.deepEqual(names({ tags: { role: "(web|db)" }, status: "alive" }), ["db-1", "web-1"]);
  assert.deepEqual(names({ tags: { role: "w" } }), []);
  assert.deepEqual(names({ tags: { dc: "" } }), ["db-1"]);
  assert.deepEqual(names({ name: "web-.*" }), ["web-1"]);
  await b.leave();
  await until(() => names({ status: "left" }).length === 1);
  assert.throws(() => a.members({ name: "[" }), PatternError);
});
