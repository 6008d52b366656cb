/** The client against HashiCorp's own agents. */

import assert from "node:assert/strict";
import { ConnectionClosedError, RpcClient, type StreamEvent } from "../../client/mod.ts";
import { ownPayload } from "../../protocol/payload.ts";
import { eventually, type Program, startAgent } from "../support/agents.ts";
import { goTest, newestGoTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";
import { VERSIONS } from "../support/versions.ts";

const HOST = loopback();

function everyGoTest(name: string, body: (serf: Program) => Promise<void>): void {
  goTest(name, body);
  newestGoTest(name, body);
}

everyGoTest("every method of the client works against a Go agent", async (serf) => {
  await using agent = await startAgent(serf, {
    name: "go",
    host: HOST,
    flags: ["-tag", "role=web", "-log-level=debug"],
  });
  await using client = await RpcClient.connect({ address: agent.rpc });

  const [member] = await client.members();
  assert(member);
  const { port, ...rest } = member;
  assert.equal(`${HOST}:${port}`, agent.gossip);
  assert.deepEqual(rest, {
    name: "go",
    addr: HOST,
    tags: { role: "web" },
    status: "alive",
    ...VERSIONS,
  });
  assert.equal(
    (await client.members({ tags: { role: "w.b" }, status: "alive" })).length,
    1,
  );
  assert.deepEqual(await client.members({ name: "other" }), []);

  await using events = await client.stream("user,member-update");
  const reader = events[Symbol.asyncIterator]();
  const payload = Uint8Array.of(0, 1, 254, 255);
  await client.event("deploy", payload, { coalesce: false });
  const fired = (await reader.next()).value as StreamEvent;
  assert(fired.type === "user");
  assert.deepEqual([fired.name, fired.payload, fired.coalesce], [
    "deploy",
    ownPayload(payload),
    false,
  ]);
  await client.updateTags({ set: { dc: "east" }, delete: ["role"] });
  const updated = (await reader.next()).value as StreamEvent;
  assert(updated.type === "member-update");
  assert.deepEqual(updated.members[0]?.tags, { dc: "east" });

  const stats = await client.stats();
  assert.equal(stats["agent"]?.["name"], "go");
  assert.deepEqual(stats["tags"], { dc: "east" });
  assert.equal(stats["serf"]?.["members"], "1");

  assert.equal(await client.join([]), 0);
  assert.equal(await client.join([agent.gossip]), 1);
  await assert.rejects(client.join([`${HOST}:1`]), { name: "RpcError", message: /refused/ });
  await client.forceLeave("nobody");
  await client.forceLeave("nobody", { prune: true });
  await assert.rejects(client.event("big", "x".repeat(600)), { message: /limit of 512 bytes/ });
  await assert.rejects(client.stream("nonsense"), { message: "Invalid event filter" });
});

everyGoTest("monitor() delivers a Go agent's log until it is stopped", async (serf) => {
  await using agent = await startAgent(serf, { name: "go", host: HOST });
  await using client = await RpcClient.connect({ address: agent.rpc });
  const log = await client.monitor("debug");
  await client.event("ping");
  for await (const line of log) {
    if (line.includes("Requesting user event send: ping")) break;
  }
  await using again = await client.monitor("info");
  await again.stop();
  assert.equal((await client.members()).length, 1);
});

everyGoTest("a thousand overlapping calls to a Go agent all come back", async (serf) => {
  await using agent = await startAgent(serf, { name: "go", host: HOST });
  await using client = await RpcClient.connect({ address: agent.rpc });
  const answers = await Promise.all(
    Array.from(
      { length: 1000 },
      (_, i) => i % 2 === 0 ? client.members().then((m) => m.length) : client.join([]),
    ),
  );
  assert.deepEqual(answers, Array.from({ length: 1000 }, (_, i) => i % 2 === 0 ? 1 : 0));
});

everyGoTest("a Go agent's token is asked for", async (serf) => {
  const config = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(config, JSON.stringify({ rpc_auth: "s3cret" }));
  const flags = [`-config-file=${config}`];
  await using agent = await startAgent(serf, { name: "go", host: HOST, flags })
    .finally(() => Deno.remove(config));
  const address = agent.rpc;
  await assert.rejects(RpcClient.connect({ address, authKey: "wrong" }), {
    message: "Invalid authentication token",
  });
  await using stranger = await RpcClient.connect({ address });
  await assert.rejects(stranger.members(), { message: "Authentication required" });
  await assert.rejects(stranger.event("x"), { message: "Authentication required" });
  await assert.rejects(stranger.join(["x"]), { message: "Authentication required" });
  await using client = await RpcClient.connect({ address, authKey: "s3cret" });
  assert.equal((await client.members()).length, 1);
});

everyGoTest("leave() ends a Go agent, and the client sees it go", async (serf) => {
  await using agent = await startAgent(serf, { name: "go", host: HOST });
  await using client = await RpcClient.connect({ address: agent.rpc });
  await using events = await client.stream();
  await client.leave();
  assert((await client.closed) instanceof ConnectionClosedError);
  await assert.rejects(async () => {
    for await (const event of events) assert(event.type);
  }, ConnectionClosedError);
  assert.equal(await agent.exited, 0);
});

everyGoTest("a killed Go agent ends calls and streams", async (serf) => {
  await using agent = await startAgent(serf, { name: "go", host: HOST });
  await using client = await RpcClient.connect({ address: agent.rpc });
  agent.kill("SIGKILL");
  assert((await client.closed) instanceof ConnectionClosedError);
  await assert.rejects(client.members(), ConnectionClosedError);
});

everyGoTest("a pattern that a Go agent cannot read ends the connection", async (serf) => {
  await using agent = await startAgent(serf, { name: "go", host: HOST });
  await using client = await RpcClient.connect({ address: agent.rpc });
  await assert.rejects(client.members({ name: "[a" }), ConnectionClosedError);
});

everyGoTest("members of a Go cluster are seen to join and fail", async (serf) => {
  await using first = await startAgent(serf, {
    name: "one",
    host: HOST,
    flags: ["-profile=local"],
  });
  await using client = await RpcClient.connect({ address: first.rpc });
  await using events = await client.stream("member-join,member-failed");
  const second = await startAgent(serf, { name: "two", host: HOST, flags: ["-profile=local"] });
  try {
    await client.join([second.gossip]);
    await eventually(
      "two to be alive",
      async () => (await client.members()).filter(({ status }) => status === "alive").length === 2,
    );
  } finally {
    await second.stop();
  }
  for await (const event of events) {
    assert(event.type === "member-join" || event.type === "member-failed");
    const names = event.members.map(({ name }) => name);
    if (event.type === "member-failed") {
      assert.deepEqual(names, ["two"]);
      break;
    }
  }
});
