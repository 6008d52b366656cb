/**
 * Everything that a connection has is freed when it goes, however it goes: counted, not believed (docs/spec/agent.md
 * 1.8).
 *
 * @module
 */

import assert from "node:assert/strict";
import type { QueryParams, RunningQuery } from "../../../cluster/serf/mod.ts";
import { PayloadBytes } from "../../../protocol/payload.ts";
import { Agent } from "../../../server/agent/agent.ts";
import { RpcServer } from "../../../server/rpc/server.ts";
import { loopback } from "../../support/loopback.ts";
import { FakeBackend, FakeQuery, queryEvent } from "../../support/rpc/backend.ts";
import { Peer, request, until } from "../../support/rpc/peer.ts";

const HOST = loopback();

/** How a client may go. */
const ENDS: Record<string, (peer: Peer) => Promise<void>> = {
  "in peace": (peer) => Promise.resolve(peer.close()),
  "after it has sent its last": async (peer) => {
    await peer.finish();
    await peer.rest();
    peer.close();
  },
  // The kernel resets a connection that is closed with unread bytes.
  "with bytes unread": async (peer) => {
    await peer.send(request("members", 90));
    await peer.arrived();
    peer.close();
  },
  "in the middle of a request": async (peer) => {
    await peer.send(request("event", 91, { Name: "never", Payload: new Uint8Array(900) }).slice(9));
    peer.close();
  },
  "with garbage": async (peer) => {
    await peer.send(new Uint8Array([0xc1]));
    await peer.rest();
    peer.close();
  },
  "while a command runs": async (peer) => {
    await peer.send(request("force-leave", 92, { Node: "slow" }), request("stop", 93, {}));
    peer.close();
  },
};

/** What must be as before. */
interface Counts {
  clients: string | undefined;
  streams: string | undefined;
  monitors: string | undefined;
  logMonitors: number;
  queries: string | undefined;
  pending: string | undefined;
  listeners: number;
  openQueries: number;
  timers: number;
}

Deno.test("a connection that ends frees all it had, in whatever way it ends", async () => {
  using timers = countTimers();
  const before = timers.size;
  const backend = new FakeBackend();
  const queries: FakeQuery[] = [];
  backend.on.query = () => {
    queries.push(new FakeQuery());
    return queries.at(-1);
  };
  const slow = Promise.withResolvers<void>();
  backend.on.forceLeave = () => slow.promise;
  const server = RpcServer.listen(backend, { address: `${HOST}:0` });
  const counts = (): Counts => {
    const { clients, streams, monitors, queries: running, pending_queries } = server.stats();
    return {
      clients,
      streams,
      monitors,
      logMonitors: backend.log.monitors,
      queries: running,
      pending: pending_queries,
      listeners: backend.listeners.size,
      openQueries: queries.filter(({ closed }) => !closed).length,
      timers: timers.size - before,
    };
  };
  const idle = counts();
  for (const [how, end] of Object.entries(ENDS)) {
    using peer = await Peer.ready(server.address);
    for (let i = 0; i < 3; i++) {
      await peer.ask("stream", { Type: "user,query" });
      await peer.ask("query", { Name: "x", Timeout: 2n ** 62n });
    }
    await peer.ask("monitor", { LogLevel: "ERR" });
    for (let i = 0; i < 5; i++) backend.emit(queryEvent("q"));
    await peer.take(2 * 3 * 5);
    assert.deepEqual(counts(), {
      clients: "1",
      streams: "3",
      monitors: "1",
      logMonitors: 1,
      queries: "3",
      pending: "15",
      listeners: 1,
      openQueries: 3,
      // That of the pending queries, and the search for stalled clients.
      timers: 2,
    }, how);
    await end(peer);
    if (how === "while a command runs") {
      await until(() => backend.calls.some(([name]) => name === "forceLeave"));
      slow.resolve();
    }
    await until(() => server.stats().clients === "0");
    await until(() => server.stats().queries === "0");
    assert.deepEqual(counts(), idle, how);
  }
  await server.close();
  assert.equal(backend.listeners.size, 0);
  assert.equal(timers.size, before);
});

Deno.test("a client that goes while its answers wait frees them, and what it had asked for is dropped", async () => {
  using timers = countTimers();
  const before = timers.size;
  const backend = new FakeBackend();
  const server = RpcServer.listen(backend, { address: `${HOST}:0` });
  using peer = await Peer.ready(server.address);
  const query = new FakeQuery();
  backend.on.query = () => query;
  await peer.ask("query", { Name: "x" });
  for (let i = 0; i < 200; i++) {
    query.answers.push({ from: "n", payload: new PayloadBytes(100_000) });
  }
  await until(() => query.answers.waiting < 200);
  peer.close();
  await until(() => server.stats().clients === "0");
  await until(() => query.closed);
  await server.close();
  assert.equal(timers.size, before);
});

Deno.test("the queries of a client that goes end in the agent, with their timers", async () => {
  using timers = countTimers();
  await using agent = await Agent.start({
    nodeName: "a",
    bind: `${HOST}:0`,
    profile: "local",
  });
  const running: RunningQuery[] = [];
  const ask = agent.query.bind(agent);
  agent.query = (name: string, payload?: unknown, params?: QueryParams) => {
    const query = ask(name, payload as null, params);
    running.push(query);
    return query;
  };
  const { address } = agent.listenRpc(`${HOST}:0`);
  using stays = await Peer.ready(address);
  const before = timers.size;
  for (let round = 0; round < 5; round++) {
    using peer = await Peer.ready(address);
    await peer.ask("query", { Name: "x", Timeout: 3_600_000_000_000n });
    await peer.ask("stream", { Type: "query" });
    agent.query("y", null, { timeoutMs: 3_600_000 }).close();
    await peer.take(2);
  }
  assert.equal(running.length, 10);
  await until(() => running.every(({ closed }) => closed));
  await until(() => timers.size <= before);
  await stays.request("stats");
  const [, { rpc }] = await stays.take(2) as [unknown, { rpc: Record<string, string> }];
  assert.deepEqual([rpc.clients, rpc.queries, rpc.pending_queries, rpc.streams], [
    ...["1", "0", "0", "0"],
  ]);
});

Deno.test("a join goes on although its client has gone", async () => {
  const backend = new FakeBackend();
  await using server = RpcServer.listen(backend, { address: `${HOST}:0` });
  const joined = Promise.withResolvers<number>();
  let done = false;
  backend.on.join = () => joined.promise.finally(() => done = true);
  using peer = await Peer.ready(server.address);
  await peer.request("join", { Existing: ["x"] });
  await until(() => backend.calls.length === 1);
  peer.close();
  joined.resolve(1);
  await until(() => done && server.stats().clients === "0");
});

Deno.test("a server that closes ends its clients, and a late one at once", async () => {
  const backend = new FakeBackend();
  const server = RpcServer.listen(backend, { address: `${HOST}:0` });
  using peer = await Peer.ready(server.address);
  await peer.ask("stream", { Type: "*" });
  const { address } = server;
  const closed = server.close();
  assert.deepEqual(await peer.rest(), []);
  await closed;
  assert.equal(server.stats().clients, "0");
  await assert.rejects(Peer.connect(address), Deno.errors.ConnectionRefused);
});

/** Counts the timers of this process that are set and have not fired. */
function countTimers(): Disposable & { readonly size: number } {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const set = new Set<unknown>();
  globalThis.setTimeout = ((fn: () => void, ms?: number) => {
    const id = setTimeout(() => {
      set.delete(id);
      fn();
    }, ms);
    set.add(id);
    return id;
  }) as typeof setTimeout;
  globalThis.setInterval = ((fn: () => void, ms?: number) => {
    const id = setInterval(fn, ms);
    set.add(id);
    return id;
  }) as typeof setInterval;
  globalThis.clearTimeout = (id) => {
    set.delete(id);
    clearTimeout(id);
  };
  globalThis.clearInterval = (id) => {
    set.delete(id);
    clearInterval(id);
  };
  return {
    get size() {
      return set.size;
    },
    [Symbol.dispose]: () => {
      Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
    },
  };
}
