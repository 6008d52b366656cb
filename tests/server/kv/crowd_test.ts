/**
 * As many idle clients of the key-value port as it has room for, and one more.
 *
 * @module
 */

import assert from "node:assert/strict";
import { alone } from "../../support/alone.ts";
import { brief, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { IDLE_CLIENTS, IdleClients } from "../../support/net/idle.ts";
import { until } from "../../support/rpc/peer.ts";

/** They look at the memory of the process. */
const test = alone(import.meta.url);

const HOST = loopback();

const text = (line: string): Uint8Array => new TextEncoder().encode(`${line}\n`);
const PING = [text('{"action":"PING"}'), text('{"status":"ok","result":"PONG"}')] as const;

test("idle connections up to the limit hold and answer, and one more is told and closed", async () => {
  await using stage = serve(HOST, { maxConnections: IDLE_CLIENTS });
  await using clients = await IdleClients.open(stage.port.address, PING, PING, 28);
  assert.equal(stage.port.size, IDLE_CLIENTS);
  using more = await stage.client();
  assert.deepEqual((await more.rest()).map(brief), ["429 TOO_MANY_CONNECTIONS"]);
  await clients.ask();
  assert.equal(stage.port.size, IDLE_CLIENTS);
  await clients.close();
  await until(() => stage.port.size === 0);
});
