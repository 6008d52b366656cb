/** Mistakes of programs whose compiler does not find them: each is one line, and nothing is sent. */

import assert from "node:assert/strict";
import { RpcClient } from "../../../client/mod.ts";
import { startFakeAgent } from "../../support/fake_agent.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

Deno.test("an argument or option that a call does not take is told, and nothing is sent", async () => {
  await using agent = startFakeAgent(HOST);
  await using client = await RpcClient.connect({ address: agent.address });
  // deno-lint-ignore no-explicit-any
  const untyped: any = client;
  const calls: [call: () => Promise<unknown>, message: string][] = [
    [
      () => untyped.event("x", null, false),
      "Invalid options of event: expected an object, got boolean false",
    ],
    [
      () => untyped.event("x", 5),
      "Invalid payload: expected a string, a Uint8Array or null, got number 5",
    ],
    [() => untyped.event(null), "Invalid name of an event: expected a string, got null"],
    [
      () => untyped.query("x", null, { filterTags: {} }),
      "Unknown option 'filterTags' of query: expected signal, timeoutMs, bufferSize, nodes, tags, " +
      "requestAck, relayFactor, acceptTimeoutMs",
    ],
    [
      () => untyped.members({ status: ["alive"] }),
      "Invalid option 'status' of members: expected a string, got an array",
    ],
    [
      () => untyped.stats({ timeout: 5 }),
      "Unknown option 'timeout' of stats: expected signal, timeoutMs",
    ],
    [
      () => untyped.stats({ signal: 5 }),
      "Invalid option 'signal' of stats: expected an AbortSignal, got number 5",
    ],
    [
      () => untyped.updateTags({ role: "web" }),
      "Unknown option 'role' of updateTags: expected set, delete",
    ],
    [
      () => untyped.join(agent.address),
      `Invalid addresses of join: expected an array of strings, got string "${agent.address}"`,
    ],
    [
      () => untyped.forceLeave("a", { prun: true }),
      "Unknown option 'prun' of force-leave: expected signal, timeoutMs, prune",
    ],
    [() => untyped.useKey(1234), "Invalid key: expected a string, got a number"],
    [
      () => untyped.stream(["user"]),
      "Invalid filter of a stream: expected a string, got an array",
    ],
    [
      () => untyped.monitor("info", { bufferSize: "1" }),
      `Invalid option 'bufferSize' of monitor: expected a number, got string "1"`,
    ],
    [
      () => untyped.coordinate(undefined),
      "Invalid name of a node: expected a string, got undefined",
    ],
  ];
  for (const [call, message] of calls) {
    await assert.rejects(call(), { name: "TypeError", message });
  }
  assert.deepEqual(agent.requests.map(({ command }) => command), ["handshake"]);
});

Deno.test("an option of a client that does not exist is told, and no secret shown", async () => {
  const cases: [options: unknown, message: string][] = [
    ["127.0.0.1", 'Invalid options of connect: expected an object, got string "127.0.0.1"'],
    [
      { host: "x" },
      "Unknown option 'host' of connect: expected signal, timeoutMs, address, authKey, reconnect",
    ],
    [{ authKey: 1234 }, "Invalid option 'authKey' of connect: expected a string, got a number"],
    [{ reconnect: 5 }, "Invalid options of reconnect: expected an object, got number 5"],
    [
      { reconnect: { onStatus: "x" } },
      `Invalid option 'onStatus' of reconnect: expected a function, got string "x"`,
    ],
  ];
  for (const [options, message] of cases) {
    const connecting = RpcClient.connect(options as Parameters<typeof RpcClient.connect>[0]);
    await assert.rejects(connecting, { name: "TypeError", message });
  }
});
