/** The client's queries, answers, keys, coordinates and reconnecting against skein's agent and HashiCorp's. */

import assert from "node:assert/strict";
import { KeyError, RpcClient, rttBetween } from "../../client/mod.ts";
import { ownPayload } from "../../protocol/payload.ts";
import { type Program, skein, startAgent } from "../support/agents.ts";
import { goTest, newestGoTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();
const KEY = "R/eWMl3d9KV0NTbuLGxgO5JbmPOU8uUCJwd4WJutwWg=";
const OTHER_KEY = "fr8k1mf3k+C6xQoJU+GC0w==";
const LOCAL = ["-profile=local"];

function everyAgentTest(name: string, body: (program: Program) => Promise<void>): void {
  Deno.test(`${name} [${skein.label}]`, () => body(skein));
  goTest(name, body);
  newestGoTest(name, body);
}

everyAgentTest("a query is answered through its own event stream", async (program) => {
  await using agent = await startAgent(program, { name: "one", host: HOST, flags: LOCAL });
  await using client = await RpcClient.connect({ address: agent.rpc });
  await using events = await client.stream("query:load");
  const answering = (async () => {
    for await (const event of events) {
      assert(event.type === "query");
      await event.respond(`${event.payload?.text()}: 0.5`);
      await assert.rejects(event.respond("again"), { code: "already-answered" });
      await assert.rejects(client.respond(99, "x"), { code: "unknown-query" });
      break;
    }
  })();
  const query = await client.query("load", "1m", {
    requestAck: true,
    nodes: ["one"],
    timeoutMs: 500,
  });
  const records = await Array.fromAsync(query);
  await answering;
  // Go's agent picks by chance which of the two it tells first.
  records.sort((a, b) => a.type < b.type ? -1 : 1);
  assert.deepEqual(records, [
    { type: "ack", from: "one" },
    { type: "response", from: "one", payload: ownPayload(new TextEncoder().encode("1m: 0.5")) },
  ]);
  await assert.rejects(client.query("_serf_x"), { code: "reserved-name" });
  await assert.rejects(client.query("q", "x".repeat(1_100)), { code: "too-large" });
  assert.deepEqual(await Array.fromAsync(await client.query("q", null, { timeoutMs: -1 })), []);
});

everyAgentTest(
  "keys are listed and rotated, and errors carry the report",
  async (program) => {
    const flags = [...LOCAL, `-encrypt=${KEY}`];
    await using agent = await startAgent(program, { name: "one", host: HOST, flags });
    await using client = await RpcClient.connect({ address: agent.rpc });
    const counts = { numNodes: 1, numResp: 1, numErr: 0 };
    assert.deepEqual(await client.installKey(OTHER_KEY), { messages: {}, keys: {}, ...counts });
    assert.deepEqual((await client.listKeys()).keys, { [KEY]: 1, [OTHER_KEY]: 1 });
    await assert.rejects(client.removeKey(KEY), (error) => {
      assert(error instanceof KeyError && error.code === "keys-failed");
      assert.match(error.report.messages["one"] ?? "", /removing the primary key is not allowed/i);
      assert.equal(error.report.numErr, 1);
      return true;
    });
    await client.useKey(OTHER_KEY);
    await client.removeKey(KEY);
    assert.deepEqual((await client.listKeys()).keys, { [OTHER_KEY]: 1 });
    await assert.rejects(client.installKey("!"), (error) => {
      assert(error instanceof KeyError && error.code === "invalid-key");
      assert.equal(error.report.numNodes, 0);
      return true;
    });
  },
);

everyAgentTest("an agent tells its own coordinate, and none of a stranger", async (program) => {
  await using agent = await startAgent(program, { name: "one", host: HOST, flags: LOCAL });
  await using client = await RpcClient.connect({ address: agent.rpc });
  const own = await client.coordinate("one");
  assert(own);
  assert.equal(own.vec.length, 8);
  assert.equal(rttBetween(own, own), 0.02);
  assert.equal(await client.coordinate("nobody"), undefined);
});

everyAgentTest(
  "a client finds its agent again after a restart, and its streams go on",
  async (program) => {
    const options = { name: "one", host: HOST, flags: LOCAL };
    await using first = await startAgent(program, options);
    await using client = await RpcClient.connect({
      address: first.rpc,
      reconnect: { minDelayMs: 20, maxDelayMs: 100 },
    });
    await using events = await client.stream("user");
    await first.stop();
    const members = client.members();
    const rpcPort = Number(first.rpc.split(":")[1]);
    await using _second = await startAgent(program, { ...options, rpcPort });
    assert.deepEqual((await members.catch(() => client.members())).map(({ name }) => name), [
      "one",
    ]);
    const reading = events[Symbol.asyncIterator]().next();
    while (events.reopened === 0) await client.members();
    await client.event("back");
    const { value } = await reading;
    assert(value.type === "user");
    assert.equal(value.name, "back");
  },
);
