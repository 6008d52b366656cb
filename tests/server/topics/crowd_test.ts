/**
 * As many idle clients of the topics port as it has room for, and one more.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FrameWriter, writeError } from "../../../protocol/topics/mod.ts";
import { alone } from "../../support/alone.ts";
import { loopback } from "../../support/loopback.ts";
import { IDLE_CLIENTS, IdleClients } from "../../support/net/idle.ts";
import { until } from "../../support/rpc/peer.ts";
import { frameOf } from "../../support/topics/raw_client.ts";
import { serveTopics } from "../../support/topics/stage.ts";

/** They look at the memory of the process. */
const test = alone(import.meta.url);

const HOST = loopback();

/** A request whose answer is always the same. */
function exchange(): readonly [request: Uint8Array, answer: Uint8Array] {
  const writer = new FrameWriter();
  writeError(writer, 7, 8, "There is no such topic");
  return [frameOf(7, "deleteTopic", { topic: "t" }), writer.finish()];
}

test("idle connections up to the limit hold and answer, and one more is told and closed", async () => {
  await using stage = serveTopics(HOST, { maxConnections: IDLE_CLIENTS });
  await using clients = await IdleClients.open(stage.port.address, exchange(), exchange(), 28);
  assert.equal(stage.port.size, IDLE_CLIENTS);
  using more = await stage.client();
  await more.post("healthCheck", {});
  assert.deepEqual((await more.end()).map(({ code }) => code), [101]);
  await clients.ask();
  assert.equal(stage.port.size, IDLE_CLIENTS);
  await clients.close();
  await until(() => stage.port.size === 0);
});
