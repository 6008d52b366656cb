/**
 * Servers that talk to each other on loopback, in the open and sealed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Keyring } from "../../../../cluster/memberlist/wire/keyring.ts";
import type { Message } from "../../../../cluster/raft/mod.ts";
import { UnsentError } from "../../../../server/replica/driver/parts.ts";
import { loopback } from "../../../support/loopback.ts";
import { LinkServer, piece, UnansweredError } from "../../../support/replica/link_server.ts";
import { until } from "../../../support/rpc/peer.ts";

const HOST = loopback();
const key = (byte: number, length = 32) => new Uint8Array(length).fill(byte);
const quick = { timings: { beatMs: 40, pauseMs: { first: 5, longest: 20 } } };

for (
  const [how, length] of [["in the open", 0], ["sealed", 32], ["sealed with 192 bits", 24]] as const
) {
  const keyring = () => length === 0 ? undefined : new Keyring([key(7, length)]);

  Deno.test(`three servers tell each other messages, ${how}`, async () => {
    await using a = await LinkServer.start(HOST, "a", { keyring: keyring() });
    await using b = await LinkServer.start(HOST, "b", { keyring: keyring() });
    await using c = await LinkServer.start(HOST, "c", { keyring: keyring() });
    const all = [a, b, c];
    for (const one of all) for (const other of all) if (one !== other) one.knows(other);
    for (let i = 0; i < 100; i++) {
      for (const one of all) for (const other of all) if (one !== other) one.tell(other, i);
    }
    const wanted = Array.from({ length: 100 }, (_, i) => i);
    for (const one of all) {
      for (const other of all) {
        if (one === other) continue;
        await until(() => one.numbers(other).length >= 100);
        assert.deepEqual(one.numbers(other), wanted);
      }
      assert.deepEqual(one.unexpected, []);
      assert.deepEqual(one.lines, []);
      for (const { id, name, address, isConnected, queuedBytes, heardMs } of one.links.status()) {
        const other = all.find((other) => other.id === id) as LinkServer;
        assert.deepEqual(address, other.address);
        assert.equal(name, `agent-${id[0]}`);
        assert.ok(isConnected && queuedBytes === 0 && (heardMs ?? Infinity) < 5_000);
      }
    }
  });

  Deno.test(`requests are answered in any order, ${how}`, async () => {
    const gates = new Map<number, PromiseWithResolvers<void>>();
    await using a = await LinkServer.start(HOST, "a", { keyring: keyring() });
    await using b = await LinkServer.start(HOST, "b", {
      keyring: keyring(),
      onRequest: async (from, bytes) => {
        assert.equal(from, a.id);
        const gate = Promise.withResolvers<void>();
        gates.set(bytes[0] as number, gate);
        await gate.promise;
        return Uint8Array.of(...bytes, 100);
      },
    });
    a.knows(b);
    const [one, two] = [1, 2].map((n) => a.links.request(b.id, Uint8Array.of(n), 5_000));
    await until(() => gates.size === 2);
    gates.get(2)?.resolve();
    assert.deepEqual(await two, Uint8Array.of(2, 100));
    gates.get(1)?.resolve();
    assert.deepEqual(await one, Uint8Array.of(1, 100));
    const empty = a.links.request(b.id, new Uint8Array(0), 5_000);
    await until(() => gates.size === 3);
    gates.get(undefined as unknown as number)?.resolve();
    assert.deepEqual(await empty, Uint8Array.of(100));
  });

  Deno.test(`large entries and answers arrive whole, ${how}`, async () => {
    await using a = await LinkServer.start(HOST, "a", { keyring: keyring() });
    await using b = await LinkServer.start(HOST, "b", { keyring: keyring() });
    a.knows(b);
    const size = length === 24 ? 300_000 : 12 * 1024 * 1024;
    const data = new Uint8Array(size).map((_, i) => i);
    const entry = { index: 1, term: 1, type: "command" as const, time: 1, data };
    const message: Message = {
      type: "append",
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      entries: [entry],
      commit: 0,
      round: 1,
    };
    a.links.send(b.id, message);
    const answer = await a.links.request(b.id, data, 20_000);
    assert.ok(Buffer.from(answer).equals(data));
    await until(() => b.heard.length === 1);
    const came = b.heard[0]?.message as typeof message & { type: "append" };
    assert.ok(Buffer.from(came.entries[0]?.data as Uint8Array).equals(data));
  });

  Deno.test(`what is sent at once keeps its order, also while much waits, ${how}`, async () => {
    await using a = await LinkServer.start(HOST, "a", { keyring: keyring() });
    await using b = await LinkServer.start(HOST, "b", { keyring: keyring() });
    a.knows(b);
    a.links.flush();
    await a.reach(b, 1);
    const before = b.heard.length;
    const data = new Uint8Array(200_000);
    for (let i = 0; i < 60; i++) {
      const entries = i % 3 === 0
        ? [{ index: i + 1, term: 1, type: "command" as const, time: 1, data }]
        : [];
      const rest = { type: "append", term: 1, prevTerm: 1, commit: 0, round: 1 } as const;
      a.links.send(b.id, { ...rest, prevIndex: i, entries });
      if (i % 2 === 0) a.links.flush();
      if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await until(() => b.heard.length === before + 60);
    const came = b.heard.slice(before).map(({ message }) =>
      message.type === "append" ? message.prevIndex : -1
    );
    assert.deepEqual(came, Array.from({ length: 60 }, (_, i) => i));
    assert.deepEqual([a.unexpected, b.unexpected], [[], []]);
  });

  Deno.test(`a message does not wait for the pieces of a snapshot, ${how}`, async () => {
    await using a = await LinkServer.start(HOST, "a", { keyring: keyring() });
    await using b = await LinkServer.start(HOST, "b", { keyring: keyring() });
    a.knows(b);
    await a.reach(b, 1);
    a.links.send(b.id, piece(length === 24 ? 500_000 : 8 * 1024 * 1024 - 1_000));
    await a.reach(b, 2);
    await until(() => b.heard.length === 3);
    const kinds = b.heard.map(({ message }) => message.type);
    assert.deepEqual(kinds, ["timeout-now", "timeout-now", "install"]);
  });
}

Deno.test("bursts of messages keep their order", async () => {
  await using a = await LinkServer.start(HOST, "a");
  await using b = await LinkServer.start(HOST, "b");
  a.knows(b);
  const count = 20_000;
  for (let i = 0; i < count; i++) a.tell(b, i);
  await until(() => b.heard.length === count);
  assert.ok(b.numbers(a).every((number, i) => number === i));
});

Deno.test("keys are changed while servers talk", async () => {
  const rings = [new Keyring([key(1)]), new Keyring([key(1)])] as const;
  await using a = await LinkServer.start(HOST, "a", { keyring: rings[0] });
  await using b = await LinkServer.start(HOST, "b", { keyring: rings[1] });
  a.knows(b);
  let number = 0;
  const check = async () => {
    await a.reach(b, ++number);
    assert.deepEqual(
      await a.links.request(b.id, Uint8Array.of(number), 5_000),
      Uint8Array.of(number),
    );
  };
  await check();
  for (const ring of rings) ring.add(key(2));
  await check();
  for (const ring of rings) {
    ring.use(key(2));
    await check();
  }
  for (const ring of rings) {
    ring.remove(key(1));
    await check();
  }
  assert.equal(b.greeted.length, 1, "it was one connection all the time");
});

Deno.test("a request to nobody, or to one that is not there, is unsent", async () => {
  await using a = await LinkServer.start(HOST, "a", quick);
  await using gone = await LinkServer.start(HOST, "b");
  await gone.close();
  const ask = (ms: number) => a.links.request(gone.id, Uint8Array.of(1), ms);
  await assert.rejects(ask(1_000), UnsentError);
  a.knows(gone);
  await assert.rejects(ask(5_000), UnsentError);
  assert.ok(
    a.logged(/No connection to .*: dial tcp .*: connect: connection refused/),
    a.lines.join("\n"),
  );
  a.tell(gone, 1);
  await until(() => a.links.counts.failed >= 2);
  assert.equal(a.lines.length, 1, "it is told once");
});

Deno.test("a request without an answer ends in time, or with the connection", async () => {
  let asked = 0;
  const never = Promise.withResolvers<Uint8Array>();
  const onRequest = () => {
    asked++;
    return never.promise;
  };
  await using a = await LinkServer.start(HOST, "a", quick);
  await using b = await LinkServer.start(HOST, "b", { onRequest });
  a.knows(b);
  await assert.rejects(a.links.request(b.id, Uint8Array.of(1), 50), UnansweredError);
  const lost = a.links.request(b.id, Uint8Array.of(2), 60_000);
  const rejected = assert.rejects(lost, UnansweredError);
  await until(() => asked === 2);
  await b.close();
  await rejected;
  const last = assert.rejects(a.links.request(b.id, Uint8Array.of(3), 60_000), UnsentError);
  await a.close();
  await last;
  never.resolve(new Uint8Array(0));
});

Deno.test("a request that cannot be answered is told to the asker, and counts as a fault", async () => {
  const onRequest = () => Promise.reject(new TypeError("A fault"));
  await using a = await LinkServer.start(HOST, "a");
  await using b = await LinkServer.start(HOST, "b", { onRequest });
  a.knows(b);
  await assert.rejects(a.links.request(b.id, Uint8Array.of(1), 5_000), UnansweredError);
  assert.match(String(b.unexpected), /A fault/);
});

Deno.test("what waits for one peer is bounded", async () => {
  await using a = await LinkServer.start(HOST, "a");
  await using b = await LinkServer.start(HOST, "b");
  a.knows(b);
  const large = new Uint8Array(1024 * 1024);
  const results = await Promise.allSettled(
    Array.from({ length: 12 }, () => a.links.request(b.id, large, 20_000)),
  );
  const reasons = results.map((end) => end.status === "rejected" ? end.reason : undefined);
  assert.equal(reasons.filter((reason) => reason === undefined).length, 7);
  assert.equal(reasons.filter((reason) => reason instanceof UnsentError).length, 5);
  for (let i = 0; i < 12; i++) a.links.send(b.id, piece(1024 * 1024));
  assert.equal(a.links.counts.dropped, 5);
  await until(() => b.heard.length === 7);
});

Deno.test("a peer that has moved is found at its new address", async () => {
  await using a = await LinkServer.start(HOST, "a", quick);
  await using old = await LinkServer.start(HOST, "b");
  await a.knows(old).reach(old);
  await using moved = await LinkServer.start(HOST, "b");
  await a.knows(moved).reach(moved, 2);
  assert.deepEqual(old.numbers(a), [1]);
  await using other = await LinkServer.start(HOST, "c");
  a.links.locateAll(new Map([[other.id, other.address]]));
  assert.deepEqual(a.links.status().map(({ id }) => id), [other.id]);
  a.tell(moved, 3);
  assert.equal(a.links.counts.dropped, 1);
});

Deno.test("a server that has restarted is reached again by itself", async () => {
  await using a = await LinkServer.start(HOST, "a", quick);
  const first = await LinkServer.start(HOST, "b");
  const { port } = first.address;
  await a.knows(first).reach(first);
  await first.close();
  a.tell(first, 2);
  await until(() => a.links.counts.failed > 0);
  await using second = await LinkServer.start(HOST, "b", { port });
  let number = 10;
  await until(() => {
    a.tell(second, number++);
    return second.heard.length > 0;
  });
  await until(() => a.links.status()[0]?.isConnected === true);
});
