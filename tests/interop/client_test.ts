/**
 * skein's client library says the same of a Go agent and of a skein agent.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ConnectionClosedError, RpcClient, RpcError } from "../../client/mod.ts";
import { eventually, freePort, type Program, skein, startAgent } from "../support/agents.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOSTS = [loopback(), loopback()] as const;

goTest("the client library works the same against both kinds of agents", async (go) => {
  const ports = [await freePort(...HOSTS), await freePort(...HOSTS)];
  const [expected, got] = await Promise.all(
    [go, skein].map((program, i) => run(program, HOSTS[i] ?? "", ports)),
  );
  assert.deepEqual(got, expected);
});

/** One call of everything; what came back, with the address taken out. */
async function run(program: Program, host: string, ports: number[]): Promise<unknown[]> {
  const [bindPort = 0, rpcPort = 0] = ports;
  await using agent = await startAgent(program, {
    name: "one",
    host,
    bindPort,
    rpcPort,
    flags: ["-tag=dc=east", "-profile=local"],
  });
  await using client = await RpcClient.connect({ address: agent.rpc });
  const said: unknown[] = [];
  const say = (value: unknown) => {
    const text = JSON.stringify(value).replaceAll(host, "HOST")
      // 0.9.4 wrote "Failed to join HOST:", its successors and skein write "failed to join HOST:PORT:".
      .replace(/[Ff]ailed to join HOST(?::\d+)?:/g, "failed to join HOST:");
    said.push(JSON.parse(text));
  };
  const sayError = async (call: Promise<unknown>) => {
    const error = await call.then(() => undefined, (error) => error);
    assert.ok(error instanceof RpcError);
    say([error.command, error.message]);
  };

  say(await client.members());
  say(await client.members({ tags: { dc: "ea.*" }, status: "alive", name: "o.e" }));
  say(await client.members({ name: "nobody" }));
  say(await client.join([agent.gossip, agent.gossip]));
  await sayError(client.join([`${host}:1`]));
  await client.forceLeave("nobody");

  const lines: string[] = [];
  const events: unknown[] = [];
  const log = await client.monitor("debug");
  const stream = await client.stream("user:deploy,member-update");
  const reading = Promise.all([
    (async () => {
      for await (const line of log) lines.push(line.slice("2026/11/21 01:33:39 ".length));
    })(),
    (async () => {
      for await (const event of stream) events.push(event);
    })(),
  ]);
  await sayError(client.monitor("info"));
  await sayError(client.stream("member-joined"));
  await client.event("deploy", Uint8Array.from([0, 255, 128]), { coalesce: false });
  await client.event("deploy", null, { coalesce: false });
  await client.event("unheard", "x", { coalesce: false });
  await sayError(client.event("deploy", "x".repeat(506)));
  await sayError(client.event("deploy", "x".repeat(507)));
  await client.updateTags({ set: { build: "7" }, delete: ["dc", "none"] });
  await sayError(client.updateTags({ set: { big: "x".repeat(512) } }));
  await eventually("the events have come", () => events.length >= 3);
  await eventually("the log line has come", () => lines.some((line) => /deploy/.test(line)));
  await log.stop();
  await stream.stop();
  await reading;
  say([...events].map((event) => JSON.stringify(event, bigintAsText)));
  say(lines.filter((line) => /EventMember|Received event|joining|force|Force/i.test(line)).sort());

  const { agent: name, tags, serf, event_handlers } = await client.stats();
  say([name, tags, event_handlers, serf?.["members"], serf?.["encrypted"]]);

  await client.leave();
  const closed = await client.closed;
  assert.ok(closed instanceof ConnectionClosedError);
  say(await agent.exited);
  return said;
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}
