/**
 * Watches of programs: the client over a port, and the agent's own store, say the same.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type KvChange, KvClient, type KvWatch, RevisionGoneError } from "../../../client/mod.ts";
import type { KvWatchOptions } from "../../../client/mod.ts";
import { AgentKv } from "../../../server/kv/local/local.ts";
import { MemoryState } from "../../support/kv/memory_state.ts";
import { startScriptedPort } from "../../support/kv/scripted_port.ts";
import { serve, type Stage } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { until, withPatience } from "../../support/rpc/peer.ts";

const HOST = loopback();
const SMALL = { changes: 40, bytes: 10_000, blockBytes: 1_000 };

/** What both have. */
interface Store {
  watch(key: string, options?: KvWatchOptions): KvWatch | Promise<KvWatch>;
  readonly set: KvClient["set"];
  readonly delete: KvClient["delete"];
}

function bothTest(name: string, body: (kv: Store, stage: Stage) => Promise<void>): void {
  Deno.test(`KvClient: ${name}`, async () => {
    await using stage = serve(HOST, { state: new MemoryState(SMALL) });
    await using client = await KvClient.connect({ address: addressOf(stage) });
    await body(client, stage);
  });
  Deno.test(`AgentKv: ${name}`, async () => {
    await using stage = serve(HOST, { state: new MemoryState(SMALL) });
    const kv = new AgentKv(stage.state, stage.pubsub);
    await body(kv, stage);
    kv.close();
  });
}

function addressOf({ port: { address: { hostname, port } } }: Stage): string {
  return `${hostname}:${port}`;
}

async function take(changes: AsyncIterator<KvChange>, count: number): Promise<KvChange[]> {
  const taken: KvChange[] = [];
  while (taken.length < count) {
    const { done, value } = await changes.next();
    assert.ok(!done, `ended after ${taken.length} of ${count}`);
    taken.push(value);
  }
  return taken;
}

bothTest(
  "what is there comes first, then changes, and leaving the loop ends it",
  async (kv, stage) => {
    await kv.set("^a^b", 1);
    await kv.set("^a", "x");
    const watch = await kv.watch("^a", { tree: true, initial: true, old: true });
    const told: KvChange[] = [];
    for await (const change of watch) {
      told.push(change);
      if (change.kind === "synced") {
        await kv.set("^a", "y");
        await kv.delete("^a", { tree: true });
      }
      if (told.length === 6) break;
    }
    assert.deepEqual(told, [
      { key: "a", kind: "set", initial: true, value: "x", rev: 2 },
      { key: "a^b", kind: "set", initial: true, value: 1, rev: 1 },
      { kind: "synced", rev: 2 },
      { key: "a", kind: "set", created: false, value: "y", old: "x", rev: 3 },
      { key: "a", kind: "del", old: "y", rev: 4, more: true },
      { key: "a^b", kind: "del", old: 1, rev: 4 },
    ]);
    await until(() => stage.state.watches.figures.watches === 0);
  },
);

bothTest("it goes on from a revision, or says that it cannot", async (kv) => {
  for (let i = 1; i <= 100; i++) await kv.set("k", i);
  await using watch = await kv.watch("k", { fromRev: 90 });
  const told = await take(watch[Symbol.asyncIterator](), 11);
  assert.deepEqual(told.map(({ rev }) => rev), [90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100]);
  await assert.rejects(async () => await kv.watch("k", { fromRev: 1 }), RevisionGoneError);
});

bothTest("it does not go on at a revision that was never there", async (kv) => {
  for (let i = 1; i <= 3; i++) await kv.set("k", i);
  const next = async (fromRev: number) => {
    const watch = await kv.watch("k", { fromRev });
    return (await take(watch[Symbol.asyncIterator](), 1))[0]?.rev;
  };
  await assert.rejects(next(5), RevisionGoneError);
  const fourth = next(4);
  await kv.set("k", 4);
  assert.equal(await fourth, 4);
});

bothTest("who reads slowly misses nothing while it is kept", async (kv) => {
  await using watch = await kv.watch("k", { bufferSize: 2 });
  for (let i = 1; i <= 30; i++) await kv.set("k", i);
  const changes = watch[Symbol.asyncIterator]();
  const told = await take(changes, 30);
  assert.deepEqual(told.map(({ rev }) => rev), Array.from({ length: 30 }, (_, i) => i + 1));
  await kv.set("k", 31);
  assert.equal((await take(changes, 1))[0]?.rev, 31);
});

bothTest("who does not read for too long is told so", async (kv) => {
  await using watch = await kv.watch("k", { bufferSize: 2 });
  // More than waits in the buffers of the connection.
  for (let i = 1; i <= 200; i++) await kv.set("k", "x".repeat(100_000));
  const read = async () => {
    let last = 0;
    for await (const { rev } of watch) assert.equal(rev, ++last);
  };
  await assert.rejects(read(), RevisionGoneError);
});

bothTest("who asks for the next change again before it came gets the one after it", async (kv) => {
  const watch = await kv.watch("k");
  const changes = watch[Symbol.asyncIterator]();
  const nexts = [changes.next(), changes.next(), changes.next()];
  for (let i = 1; i <= 3; i++) await kv.set("k", i);
  const told = await Promise.all(nexts);
  assert.deepEqual(told.map(({ value }) => value?.rev), [1, 2, 3]);
  const ends = [changes.next(), changes.next()];
  await watch.stop();
  assert.deepEqual((await Promise.all(ends)).map(({ done }) => done), [true, true]);
});

bothTest("it ends with a signal, and with its owner", async (kv, stage) => {
  const abort = new AbortController();
  const watch = await kv.watch("k", { signal: abort.signal });
  const next = watch[Symbol.asyncIterator]().next();
  abort.abort(new Error("Enough"));
  await assert.rejects(next, /Enough/);
  await until(() => stage.state.watches.figures.watches === 0);
  const stopped = await kv.watch("k");
  const end = stopped[Symbol.asyncIterator]().next();
  await stopped.stop();
  assert.deepEqual(await end, { done: true, value: undefined });
  await assert.rejects(async () => await kv.watch("k^"), /not a key/);
});

Deno.test("a client goes on at the next agent when one dies, in the middle of a transaction's changes, too", async () => {
  await using stage = serve(HOST);
  const first = agentThatTells(3);
  await using client = await KvClient.connect({
    address: [first.address, addressOf(stage)].join(","),
    reconnect: { minDelayMs: 10, maxDelayMs: 20 },
  });
  await using watch = await client.watch("^t", { tree: true });
  first.close();
  const changes = watch[Symbol.asyncIterator]();
  const told = await take(changes, 3);
  await using writer = await KvClient.connect({ address: addressOf(stage) });
  for (let k = 0; k < 5; k++) {
    const items = Array.from({ length: 10 }, (_, i) => ({ key: `^t^${i}`, value: [k, i] }));
    await writer.setMany(items);
  }
  told.push(...await take(changes, 47));
  assert.deepEqual(
    told.map((change) => change.kind === "set" && [change.rev, change.value]),
    Array.from({ length: 50 }, (_, i) => [1 + Math.floor(i / 10), [Math.floor(i / 10), i % 10]]),
  );
});

Deno.test("a connection that drops again while changes come again repeats none of them", async () => {
  const change = (i: number): string => {
    const about = { watch: 1, key: `t^${i}`, kind: "set", created: true, value: i, rev: 1 };
    return `${JSON.stringify({ push: "change", ...about, more: i < 4 })}\n`;
  };
  // How many of five changes of one revision each connection tells.
  const counts = [3, 2, 1, 5];
  let watches = 0;
  await using port = startScriptedPort(HOST, ({ action }) => {
    if (action === "PING") return null;
    if (action !== "WATCH") return undefined;
    const changes = Array.from({ length: counts[watches++] ?? 0 }, (_, i) => change(i)).join("");
    const farewell = watches < counts.length ? '{"push":"ping"}\n' : "";
    return `{"status":"ok","result":{"watch":1,"rev":0}}\n${changes}${farewell}`;
  });
  await using client = await KvClient.connect({
    address: port.address,
    reconnect: { minDelayMs: 1, maxDelayMs: 2 },
  });
  await using watch = await client.watch("^t", { tree: true });
  const told = await take(watch[Symbol.asyncIterator](), 5);
  assert.deepEqual(told.map((each) => each.kind === "set" && each.value), [0, 1, 2, 3, 4]);
});

Deno.test("an agent that takes every watch and closes it is not asked without a pause", async () => {
  const begun: number[] = [];
  await using port = startScriptedPort(HOST, ({ action }) => {
    if (action === "PING") return null;
    if (action !== "WATCH") return undefined;
    begun.push(performance.now());
    return '{"status":"ok","result":{"watch":1,"rev":0}}\n{"push":"ping"}\n';
  });
  await using client = await KvClient.connect({
    address: port.address,
    reconnect: { minDelayMs: 100, maxDelayMs: 100 },
  });
  await using watch = await client.watch("k");
  const next = watch[Symbol.asyncIterator]().next();
  await until(() => begun.length >= 4);
  // Up to half of a pause is taken off by chance.
  assert.ok((begun[3] as number) - (begun[0] as number) >= 3 * 50 - 10);
  await watch.stop();
  assert.equal((await next).done, true);
});

/** Tells each watch the first changes of ten of one revision, and closes its connection. */
function agentThatTells(count: number): { readonly address: string; close(): void } {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const serveOne = async (conn: Deno.Conn): Promise<void> => {
    const send = (line: object) =>
      conn.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    const buffer = new Uint8Array(10_000);
    // A client waits for the answer before it sends more.
    for (let length = await conn.read(buffer); length !== null; length = await conn.read(buffer)) {
      const { action } = JSON.parse(new TextDecoder().decode(buffer.subarray(0, length)));
      if (action === "HELLO") await send({ status: "ok", result: { version: 1 } });
      if (action !== "WATCH") continue;
      await send({ status: "ok", result: { watch: 1, rev: 0 }, rev: 0 });
      for (let i = 0; i < count; i++) {
        const change = { key: `t^${i}`, kind: "set", created: true, value: [0, i], rev: 1 };
        await send({ push: "change", watch: 1, ...change, more: true });
      }
      break;
    }
    conn.close();
  };
  (async () => {
    for await (const conn of listener) serveOne(conn).catch(reportError);
  })().catch(reportError);
  const { hostname, port } = listener.addr;
  return { address: `${hostname}:${port}`, close: () => listener.close() };
}

Deno.test("a watch waits for an agent that may have the changes that others have not any more", async () => {
  await using poor = serve(HOST, { state: new MemoryState(SMALL) });
  const state = new MemoryState();
  const rich = serve(HOST, { state });
  await using client = await KvClient.connect({
    address: [addressOf(rich), addressOf(poor)].join(","),
    reconnect: { minDelayMs: 50, maxDelayMs: 50 },
  });
  await using watch = await client.watch("k");
  const changes = watch[Symbol.asyncIterator]();
  const writers = [new AgentKv(poor.state, poor.pubsub), new AgentKv(state, rich.pubsub)];
  const write = async (value: number) => {
    for (const writer of writers) await writer.set("k", value);
  };
  await write(1);
  assert.equal((await take(changes, 1))[0]?.rev, 1);
  const { address } = rich.port;
  await rich.port.close();
  for (let i = 2; i <= 200; i++) await write(i);
  let refusals = 0;
  const { ring } = poor.state.watches;
  const seek = ring.seek.bind(ring);
  ring.seek = (rev) => {
    const place = seek(rev);
    if (place === undefined) refusals++;
    return place;
  };
  const rest = take(changes, 199);
  await Promise.race([rest, until(() => refusals > 1)]);
  await using _again = serve(HOST, { state, address: `${address.hostname}:${address.port}` });
  assert.deepEqual(
    (await rest).map(({ rev }) => rev),
    Array.from({ length: 199 }, (_, i) => i + 2),
  );
  for (const writer of writers) writer.close();
});

Deno.test("a watch ends when the agent comes back with a store that was begun anew", async () => {
  const first = serve(HOST);
  const { hostname, port } = first.port.address;
  await using client = await KvClient.connect({
    address: `${hostname}:${port}`,
    reconnect: { minDelayMs: 10, maxDelayMs: 20 },
  });
  await using watch = await client.watch("k");
  const changes = watch[Symbol.asyncIterator]();
  for (let i = 1; i <= 3; i++) await client.set("k", i);
  await take(changes, 3);
  await first[Symbol.asyncDispose]();
  await using _again = serve(HOST, { address: `${hostname}:${port}` });
  await assert.rejects(changes.next(), RevisionGoneError);
});

Deno.test("a client that is far behind reads on, on the same connection", async () => {
  await using stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage) });
  await using watch = await client.watch("k", { bufferSize: 10 });
  const writer = new AgentKv(stage.state, stage.pubsub);
  for (let i = 1; i <= 3_000; i++) await writer.set("k", i);
  const begun = watchesBegun(stage);
  const told = await take(watch[Symbol.asyncIterator](), 3_000);
  assert.deepEqual(told.map(({ rev }) => rev), Array.from({ length: 3_000 }, (_, i) => i + 1));
  assert.equal(begun.count, 0);
  writer.close();
});

/** How often somebody watches from now on. */
function watchesBegun({ state: { watches } }: Stage): { readonly count: number } {
  const begun = { count: 0 };
  const add = watches.add.bind(watches);
  watches.add = (watch, owner) => {
    begun.count++;
    add(watch, owner);
  };
  return begun;
}

Deno.test("without reconnect a watch ends with its connection", async () => {
  const stage = serve(HOST);
  await using client = await KvClient.connect({ address: addressOf(stage) });
  await using watch = await client.watch("k");
  const next = watch[Symbol.asyncIterator]().next();
  await stage[Symbol.asyncDispose]();
  await assert.rejects(next, /Connection/);
});

for (
  const [how, after] of [
    ["breaks", "no JSON"],
    [
      "tells that its watch has ended",
      '{"push":"ended","watch":1,"code":410,"reason":"REVISION_GONE"}',
    ],
  ] as const
) {
  Deno.test(`a watch is opened again when the agent ${how} right after its answer`, async () => {
    let count = 0;
    await using port = startScriptedPort(HOST, ({ action }) => {
      if (action !== "WATCH") return undefined;
      const answer = '{"status":"ok","result":{"watch":1,"rev":1}}\n';
      if (++count % 2 === 0) return `${answer}${after}\n`;
      return `${answer}{"push":"change","watch":1,"key":"a","kind":"del","rev":${count + 1}}\n`;
    });
    await using client = await KvClient.connect({
      address: port.address,
      reconnect: { minDelayMs: 1, maxDelayMs: 5 },
    });
    await using watch = await client.watch("^a");
    const changes = watch[Symbol.asyncIterator]();
    for (const rev of [2, 4, 6]) {
      const [change] = await withPatience(take(changes, 1));
      assert.equal(change?.rev, rev);
      port.hangUp();
    }
    assert.ok(count >= 5);
  });
}
