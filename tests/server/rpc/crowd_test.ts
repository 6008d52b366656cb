/**
 * Many clients and slow ones: who reads loses nothing, who does not read loses its own and is told how many.
 *
 * @module
 */

import assert from "node:assert/strict";
import { RpcServer } from "../../../server/rpc/server.ts";
import { alone } from "../../support/alone.ts";
import { loopback } from "../../support/loopback.ts";
import { IDLE_CLIENTS, IdleClients } from "../../support/net/idle.ts";
import { FakeBackend } from "../../support/rpc/backend.ts";
import { Peer, type Plain, request, until } from "../../support/rpc/peer.ts";
import { success } from "../../support/rpc/wire.ts";

/** They look at the memory of the process. */
const test = alone(import.meta.url);

const HOST = loopback();

type Bodies = Record<string, Plain>;

/** Connections that are opened at a time, well below the length of the kernel's queue. */
const AT_A_TIME = 50;

async function withServer(
  use: (backend: FakeBackend, server: RpcServer) => Promise<void>,
): Promise<void> {
  const backend = new FakeBackend();
  await using server = RpcServer.listen(backend, { address: `${HOST}:0` });
  await use(backend, server);
}

async function peers(server: RpcServer, count: number): Promise<Peer[]> {
  const all: Peer[] = [];
  while (all.length < count) {
    const length = Math.min(AT_A_TIME, count - all.length);
    all.push(...await Promise.all(Array.from({ length }, () => Peer.ready(server.address))));
  }
  return all;
}

function closing(peers: readonly Peer[]): Disposable {
  return { [Symbol.dispose]: () => peers.forEach((peer) => peer.close()) };
}

/** The names of the next `count` events of a stream. */
async function names(peer: Peer, count: number): Promise<Plain[]> {
  const values = await peer.take(2 * count) as Bodies[];
  return values.filter((_, i) => i % 2 === 1).map(({ Name }) => Name ?? null);
}

/** What `stats` tells a client about itself and all. */
async function rpcStats(peer: Peer): Promise<Bodies> {
  await peer.request("stats");
  const [, body] = await peer.take(2) as Bodies[];
  return body?.rpc as Bodies;
}

Deno.test("100 subscribers that read get all of 1,000 events, in order, from one burst", async () => {
  await withServer(async (backend, server) => {
    const subscribers = await peers(server, 100);
    using _ = closing(subscribers);
    await Promise.all(subscribers.map((peer) => peer.ask("stream", { Type: "user" })));
    const expected = Array.from({ length: 1_000 }, (_, i) => `event-${i}`);
    for (const name of expected) backend.emitUser(name);
    const got = await Promise.all(subscribers.map((peer) => names(peer, expected.length)));
    for (const events of got) assert.deepEqual(events, expected);
    assert.equal(server.stats().dropped_events, "0");
  });
});

test("subscribers that stop reading harm nobody, cost bounded memory and learn their losses", async () => {
  await withServer(async (backend, server) => {
    const readers = await peers(server, 5);
    const stalled = await peers(server, 20);
    using _ = closing([...readers, ...stalled]);
    for (const peer of [...readers, ...stalled]) await peer.ask("stream", { Type: "user" });
    for (const peer of stalled) await peer.ask("monitor", { LogLevel: "WARN" });
    const payload = new Uint8Array(4_000);
    const before = Deno.memoryUsage().rss;
    const total = 6_000;
    let slowest = 0;
    for (let sent = 0; sent < total;) {
      for (const end = sent + 100; sent < end; sent++) backend.emitUser(`e${sent}`, payload);
      const started = performance.now();
      const expected = Array.from({ length: 100 }, (_, i) => `e${sent - 100 + i}`);
      const got = await Promise.all(readers.map((peer) => names(peer, 100)));
      slowest = Math.max(slowest, performance.now() - started);
      for (const events of got) assert.deepEqual(events, expected);
    }
    const grown = (Deno.memoryUsage().rss - before) / 2 ** 20;
    const offered = total * payload.length * stalled.length / 2 ** 20;
    assert.ok(grown < offered / 2, `${grown} MiB of ${offered} offered`);
    assert.ok(slowest < 4_000, `a reader waited ${slowest} ms`);

    const reader = readers[0] ?? assert.fail();
    const readersOwn = await rpcStats(reader);
    assert.deepEqual([readersOwn.own_dropped_events, readersOwn.own_dropped_logs], ["0", "0"]);
    let lost = 0;
    for (const peer of stalled) lost += await lossOf(peer, total);
    assert.equal(String(lost), server.stats().dropped_events);
    assert.ok(lost > 0);
  });
});

/** Reads what waits, and checks that the client learns the number of its losses in both ways. */
async function lossOf(peer: Peer, total: number): Promise<number> {
  const seq = await peer.request("stats");
  let received = 0;
  let own: Bodies | undefined;
  let sum: string | undefined;
  const pattern = new RegExp(
    `Dropped (\\d+) events to ipc.client: ${peer.name}, which read too slowly$`,
  );
  while (own === undefined || sum === undefined) {
    const header = await peer.next() as Bodies;
    const body = await peer.next() as Bodies;
    if (header.Seq === seq) own = body.rpc as Bodies;
    else if (body.Event === "user") received++;
    else sum = pattern.exec(String(body.Log))?.[1] ?? sum;
  }
  assert.equal(received, total - Number(sum), "the line in the log, which its own monitor shows");
  assert.equal(own.own_dropped_events, sum, "and stats");
  return Number(sum);
}

test(`${IDLE_CLIENTS} idle connections hold, and each still answers`, async () => {
  await withServer(async (_, server) => {
    await using clients = await IdleClients.open(
      server.address,
      [request("handshake", 1, { Version: 1 }), success("01")],
      [request("stop", 1, { Stop: 0 }), success("01")],
      28,
    );
    assert.equal(server.stats().clients, String(IDLE_CLIENTS));
    await clients.ask();
    assert.equal(server.stats().clients, String(IDLE_CLIENTS));
    await clients.close();
    await until(() => server.stats().clients === "0");
  });
});
