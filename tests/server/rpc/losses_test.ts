/**
 * What is told of records that a slow client lost.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Writer } from "../../../protocol/msgpack/mod.ts";
import { AgentLog } from "../../../server/logging/log.ts";
import { Outbox } from "../../../server/net/outbox.ts";
import { WriterPool } from "../../../server/net/writer_pool.ts";
import { loggedLosses } from "../../../server/rpc/losses.ts";
import { until } from "../../support/rpc/peer.ts";

/** A client that reads when it is told to. */
function slowClient() {
  const read = Promise.withResolvers<void>();
  const write = async (bytes: Uint8Array): Promise<number> => {
    await read.promise;
    return bytes.length;
  };
  const limits = { backlogBytes: 1_000, waitingRecords: 1, waitingBytes: 1_000 };
  const outbox = new Outbox({ write }, new WriterPool(() => new Writer("rpc")), limits, () => {});
  outbox.append(Uint8Array.of(1));
  return { name: "127.0.0.1:5000", outbox, read: () => read.resolve() };
}

function texts(log: AgentLog): string[] {
  return log.lines().map((line) => line.slice(20));
}

const FIRST = "[WARN] agent.ipc: Dropping event to ipc.client: 127.0.0.1:5000";

Deno.test("losses are told at the first one, and in sum when the client has read", async () => {
  const log = new AgentLog("x");
  const losses = loggedLosses(log, "event", "events");
  const slow = slowClient();
  const count = { total: 0, told: 0 };
  for (let i = 0; i < 5; i++) losses.count(slow, count, undefined);
  await Promise.resolve();
  assert.deepEqual(texts(log), [FIRST]);
  slow.read();
  await until(() => texts(log).length > 1);
  const sum = (lost: number) =>
    `[WARN] agent.ipc: Dropped ${lost} events to ipc.client: 127.0.0.1:5000, which read too slowly`;
  assert.deepEqual(texts(log), [FIRST, sum(5)]);
  losses.count(slow, count, undefined);
  await until(() => texts(log).length > 2);
  assert.deepEqual(texts(log), [FIRST, sum(5), sum(1)], "each loss is told once");
  assert.equal(losses.total, 6);
  assert.deepEqual(count, { total: 6, told: 6 });
});

Deno.test("losses of a client that goes without reading are told, too", async () => {
  const log = new AgentLog("x");
  const slow = slowClient();
  loggedLosses(log, "event", "events").count(slow, { total: 0, told: 0 }, undefined);
  slow.outbox.close();
  await until(() => texts(log).length > 1);
  assert.match(texts(log)[1] ?? "", /^\[WARN\] agent\.ipc: Dropped 1 events /);
});

Deno.test("a monitor that lost lines hears of the sum, but not of each loss", async () => {
  const log = new AgentLog("x");
  const seen: string[] = [];
  const monitor = log.monitor("WARN", (line) => void seen.push(line.slice(20)));
  const slow = slowClient();
  loggedLosses(log, "logs", "log lines").count(slow, { total: 0, told: 0 }, monitor);
  slow.read();
  await until(() => seen.length > 0);
  assert.deepEqual(seen, [
    "[WARN] agent.ipc: Dropped 1 log lines to ipc.client: 127.0.0.1:5000, which read too slowly",
  ]);
  monitor.stop();
});
