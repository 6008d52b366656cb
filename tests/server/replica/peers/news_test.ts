/**
 * News of channels between agents: in order, once for each, and never waited for.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Keyring } from "../../../../cluster/memberlist/wire/keyring.ts";
import { loopback } from "../../../support/loopback.ts";
import { LinkServer, type LinkServerChanges } from "../../../support/replica/link_server.ts";
import { until } from "../../../support/rpc/peer.ts";

const HOST = loopback();
const QUICK = { timings: { beatMs: 20, pauseMs: { first: 5, longest: 20 } } };

/** What listens, so that it stays connected. */
function listening(isListening: boolean): LinkServerChanges {
  return { ...QUICK, isListening };
}

/** The first bytes of the news of another one. */
function heard(server: LinkServer, from: LinkServer): number[] {
  return server.news.filter((one) => one.from === from.id).map(({ bytes }) => bytes[0] as number);
}

for (const [how, keys] of [["in the open", 0], ["sealed", 1]] as const) {
  Deno.test(`news come to each in order, and only there, ${how}`, async () => {
    const keyring = () => keys === 0 ? undefined : new Keyring([new Uint8Array(32).fill(7)]);
    await using a = await LinkServer.start(HOST, "a", { keyring: keyring() });
    await using b = await LinkServer.start(HOST, "b", { keyring: keyring() });
    await using c = await LinkServer.start(HOST, "c", { keyring: keyring() });
    a.knows(b).knows(c);
    const numbers = Array.from({ length: 200 }, (_, i) => i);
    for (const i of numbers) {
      const to = i % 2 === 0 ? [b.id, c.id] : [c.id];
      assert.deepEqual(a.links.sendNews(to, Uint8Array.of(i, 1, 2)), []);
    }
    await until(() => c.news.length === 200 && b.news.length === 100);
    assert.deepEqual(heard(c, a), numbers);
    assert.deepEqual(heard(b, a), numbers.filter((i) => i % 2 === 0));
    assert.deepEqual(a.unexpected, []);
  });
}

Deno.test("who listens stays connected with all, and each new connection is told of", async () => {
  await using a = await LinkServer.start(HOST, "a", listening(true));
  await using b = await LinkServer.start(HOST, "b", QUICK);
  a.knows(b);
  await until(() => a.reached.length === 1 && b.lost.length === 1);
  assert.deepEqual([a.reached, b.lost], [[b.id], [a.id]]);
  const { address } = b;
  await b.close();
  await until(() => a.logged(/No connection/));
  await using again = await LinkServer.start(HOST, "b", { ...QUICK, port: address.port });
  await until(() => a.reached.length >= 2);
  assert.deepEqual(again.lost, [a.id]);
  await a.close();
  await until(() => again.lost.length === 2);
});

Deno.test("who does not listen connects when there is something to say", async () => {
  await using a = await LinkServer.start(HOST, "a", QUICK);
  await using b = await LinkServer.start(HOST, "b", QUICK);
  a.knows(b);
  // Nobody listens here, and nobody is connected: there is nobody to tell, and no reason to connect.
  a.links.tell(Uint8Array.of(1));
  a.tell(b, 7);
  await until(() => b.numbers(a).includes(7));
  a.links.sendNews([b.id], Uint8Array.of(2));
  await until(() => b.news.length === 1);
  a.links.tell(Uint8Array.of(3));
  await until(() => b.news.length === 2);
  assert.deepEqual(heard(b, a), [2, 3]);
});

Deno.test("news beyond the bound of a peer are not taken, and nobody waits for it", async () => {
  // Connections that are lost while this process stands still lose news as well.
  const patient = { timings: { ...QUICK.timings, beatMs: 1_000 } };
  await using a = await LinkServer.start(HOST, "a", patient);
  await using b = await LinkServer.start(HOST, "b", patient);
  a.knows(b);
  const large = new Uint8Array(1024 * 1024);
  const unknown = "9".repeat(32);
  assert.deepEqual(a.links.sendNews([unknown], large), [unknown]);
  // In one turn nothing is sent.
  const refused = Array.from({ length: 12 }, () => a.links.sendNews([b.id], large).length);
  assert.deepEqual(refused, [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  assert.deepEqual(a.links.sendNews([b.id], Uint8Array.of(1)), [], "a small one has room");
  await until(() => b.news.length === 8);
  assert.deepEqual(a.links.sendNews([b.id], large), []);
  await until(() => b.news.length === 9);
});

Deno.test("what must not be missed and finds no room brings a new connection, which begins anew", async () => {
  await using a = await LinkServer.start(HOST, "a", listening(true));
  await using b = await LinkServer.start(HOST, "b", QUICK);
  a.knows(b);
  await until(() => a.reached.length === 1);
  const large = new Uint8Array(1024 * 1024);
  while (a.links.sendNews([b.id], large).length === 0);
  a.links.sendSurely(b.id, large);
  await until(() => a.reached.length === 2);
  assert.deepEqual(a.links.sendNews([b.id], Uint8Array.of(5)), []);
  await until(() => b.news.length > 0);
  assert.deepEqual(heard(b, a), [5], "what waited for the old connection is lost");
});

Deno.test("news to who has come by itself wait until it is known where it is, and those from before are none of it", async () => {
  const slow = { timings: { ...QUICK.timings, pauseMs: { first: 100, longest: 100 } } };
  await using a = await LinkServer.start(HOST, "a", slow);
  const before = await LinkServer.start(HOST, "b", QUICK);
  a.knows(before);
  await before.close();
  assert.deepEqual(a.links.sendNews([before.id], Uint8Array.of(1)), []);
  await until(() => a.links.counts.failed === 1);
  assert.deepEqual(a.links.sendNews([before.id], Uint8Array.of(2)), []);
  await using b = await LinkServer.start(HOST, "b", listening(true));
  b.knows(a);
  await until(() => a.lost.length === 1);
  // Dialled where it was, in vain.
  assert.deepEqual(a.links.sendNews([b.id], Uint8Array.of(3)), []);
  await until(() => a.links.counts.failed >= 3);
  assert.deepEqual(a.links.sendNews([b.id], Uint8Array.of(4)), []);
  a.knows(b);
  await until(() => b.news.length === 2);
  assert.deepEqual(heard(b, a), [3, 4]);
});

Deno.test("who has come by itself is dialled at once, however long the pause after a failure", async () => {
  const slow = { timings: { ...QUICK.timings, pauseMs: { first: 60_000, longest: 60_000 } } };
  await using a = await LinkServer.start(HOST, "a", slow);
  const before = await LinkServer.start(HOST, "b", QUICK);
  const { port } = before.address;
  a.knows(before);
  await before.close();
  a.links.sendNews([before.id], Uint8Array.of(1));
  await until(() => a.links.counts.failed === 1);
  await using b = await LinkServer.start(HOST, "b", { ...listening(true), port });
  b.knows(a);
  await until(() => a.lost.length === 1);
  a.links.sendNews([b.id], Uint8Array.of(2));
  await until(() => b.news.length === 1);
});

Deno.test("news that are none end the connection", async () => {
  await using a = await LinkServer.start(HOST, "a", QUICK);
  await using b = await LinkServer.start(HOST, "b", { ...QUICK, refusesNews: true });
  a.knows(b);
  a.links.sendNews([b.id], Uint8Array.of(1));
  await until(() => b.logged(/Refused a connection from .*: None/));
  assert.deepEqual(b.unexpected, []);
});
