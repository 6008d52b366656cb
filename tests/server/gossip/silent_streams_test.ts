/**
 * Silent connections to the gossip port keep no agent out.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Agent } from "../../../server/agent/agent.ts";
import { ACCEPT_LIMITS } from "../../../server/gossip/transport.ts";
import { loopback } from "../../support/loopback.ts";

const ALPHA = loopback();
const BETA = loopback();

Deno.test("an agent is joined although as many silent connections as it takes are open", async () => {
  await using alpha = await Agent.start({ nodeName: "alpha", bind: `${ALPHA}:0` });
  await using beta = await Agent.start({ nodeName: "beta", bind: `${BETA}:0` });
  const { host: hostname, port } = alpha.address;
  await using cleanup = new AsyncDisposableStack();
  for (let i = 0; i < ACCEPT_LIMITS.connections; i++) {
    cleanup.adopt(await Deno.connect({ hostname, port }), (conn) => conn.close());
  }
  assert.equal(await beta.join([`${hostname}:${port}`]), 1);
  assert.ok(
    alpha.log.lines("WARN").some((line) => line.includes("Closed a silent TCP connection")),
  );
});
