/**
 * Watches and subscriptions that are given up while they come about, or begun when it is too late.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ConnectionClosedError, KvClient } from "../../../client/mod.ts";
import { AgentKv } from "../../../server/kv/local/local.ts";
import { serve } from "../../support/kv/stage.ts";
import { type Script, startScriptedPort } from "../../support/kv/scripted_port.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();
const WATCHED = '{"status":"ok","result":{"watch":1,"rev":0}}\n';
const SUBSCRIBED = '{"status":"ok","result":["k"]}\n';

/** What has a connection of its own. */
const STREAMS = {
  watch: (client: KvClient, signal?: AbortSignal) => client.watch("k", { ...signal && { signal } }),
  subscribe: (client: KvClient, signal?: AbortSignal) => {
    return client.subscribe("k", { ...signal && { signal } });
  },
} as const;

const answer: Script = ({ action }) => {
  if (action === "WATCH") return WATCHED;
  return action === "SUBSCRIBE" ? SUBSCRIBED : undefined;
};

/** Serves, but owes the answer to WATCH and SUBSCRIBE, or to HELLO but for the first one; `reached` waits until it owes it. */
function serveSilently(silence: "hello" | "answer") {
  let hellos = 0;
  let isReached = false;
  const port = startScriptedPort(HOST, (request) => {
    const isHello = request["action"] === "HELLO";
    if (isHello && ++hellos === 1) return undefined;
    if (isHello !== (silence === "hello")) return answer(request);
    isReached = true;
    return "";
  });
  return { port, reached: () => until(() => isReached) };
}

for (const [name, open] of Object.entries(STREAMS)) {
  for (const silence of ["hello", "answer"] as const) {
    Deno.test(`${name}: a signal ends it at once while the agent owes the ${silence}`, async () => {
      const { port, reached } = serveSilently(silence);
      await using _port = port;
      // The next agent would answer.
      await using other = startScriptedPort(HOST, answer);
      await using client = await KvClient.connect({
        address: `${port.address},${other.address}`,
        timeoutMs: 60_000,
      });
      const abort = new AbortController();
      const opening = open(client, abort.signal);
      await reached();
      abort.abort(new Error("Enough"));
      await assert.rejects(opening, /Enough/);
      await assert.rejects(open(client, abort.signal), /Enough/);
    });

    Deno.test(`${name}: the client's end ends it at once while the agent owes the ${silence}`, async () => {
      const { port, reached } = serveSilently(silence);
      await using _port = port;
      const client = await KvClient.connect({ address: port.address, timeoutMs: 60_000 });
      const opening = assert.rejects(open(client), ConnectionClosedError);
      await reached();
      await client.close();
      await opening;
      await assert.rejects(open(client), ConnectionClosedError);
    });
  }

  Deno.test(`${name}: the signal that was for the connection of the client is not for this`, async () => {
    await using willing = startScriptedPort(HOST, answer);
    const abort = new AbortController();
    await using client = await KvClient.connect({
      address: willing.address,
      signal: abort.signal,
    });
    abort.abort(new Error("Too late"));
    await using _stream = await open(client);
  });
}

Deno.test("an agent that has ended tells that, and lets nobody wait for what does not come", async () => {
  await using stage = serve(HOST);
  const kv = new AgentKv(stage.state, stage.pubsub);
  const feed = kv.subscribe("k")[Symbol.asyncIterator]();
  const watch = kv.watch("k")[Symbol.asyncIterator]();
  kv.close();
  assert.deepEqual([(await feed.next()).done, (await watch.next()).done], [true, true]);
  const ended = { name: "KvError", reason: "SHUTTING_DOWN" };
  assert.throws(() => kv.subscribe("k"), ended);
  assert.throws(() => kv.watch("k"), ended);
  assert.throws(() => kv.publish("k", 1), ended);
});
