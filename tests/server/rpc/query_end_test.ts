/**
 * The end of a query that everybody has answered, as a client sees it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Agent } from "../../../server/agent/agent.ts";
import { loopback } from "../../support/loopback.ts";
import { Peer } from "../../support/rpc/peer.ts";

const HOST = loopback();

const HOUR_NS = 3_600_000_000_000;

async function answered(end: (peer: Peer) => void | Promise<void>): Promise<void> {
  await using agent = await Agent.start({
    nodeName: "a",
    bind: `${HOST}:0`,
    handlers: { "query:load": () => "fine" },
  });
  const server = agent.listenRpc(`${HOST}:0`);
  using peer = await Peer.ready(server.address);
  await peer.request("query", { Name: "load", RequestAck: true, Timeout: HOUR_NS });
  const [, , first, , second] = await peer.take(5);
  const types = [first, second].map((record) => (record as { Type: string }).Type);
  assert.deepEqual(types.sort(), ["ack", "response"]);
  await end(peer);
}

Deno.test("done comes long before the deadline, but not on the heels of the last answer", async () => {
  await answered(async (peer) => {
    // Serf's command line loses answers that it has not yet taken when the end comes.
    const last = performance.now();
    const [, done] = await peer.take(2);
    assert.deepEqual(done, { Type: "done", From: "", Payload: null });
    const after = performance.now() - last;
    assert.ok(after > 60 && after < 5_000, `${after} ms after the last answer`);
  });
});

Deno.test("a client that goes away while done is due leaves nothing behind", async () => {
  await answered(() => {});
});
