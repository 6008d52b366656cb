/**
 * Watches of a gateway whose servers die, restart and lag behind.
 *
 * @module
 */

import assert from "node:assert/strict";
import { brief, type KvPeer, type Reply, serve } from "../../../support/kv/stage.ts";
import { MemoryServers } from "../../../support/kv/memory_servers.ts";
import { loopback } from "../../../support/loopback.ts";
import { until } from "../../../support/rpc/peer.ts";

const HOST = loopback();

/** What clients of a server and of a gateway hear of the same. */
async function heardOf(client: KvPeer, writer: KvPeer): Promise<unknown[]> {
  await writer.all([
    { action: "SET", key: "^app^a", value: 1 },
    { action: "SET", key: "^app^a^b", value: "two" },
    { action: "SET", key: "^other", value: 3 },
  ]);
  const begun = await client.all([
    { action: "WATCH", key: "^app^a" },
    { action: "WATCH", key: "^app", tree: true, old: true, initial: true },
    { action: "WATCH", key: "^", tree: true, coalesce: true, from_rev: 2 },
    { action: "WATCH", key: "^app", tree: true, from_rev: 1, old: true },
    { action: "WATCH", key: "^app^a^b", initial: true, coalesce: true },
    { action: "WATCH", key: "^none", tree: true, initial: true },
    { action: "WATCH", key: "^app^a", from_rev: 4 },
    { action: "WATCH", key: "^app^a", from_rev: 9 },
    { action: "WATCH", key: "^" },
    { action: "UNWATCH", watch: 17 },
  ]);
  const first = await client.pushes(10);
  await writer.all([
    { action: "SET", key: "^app^a", value: { x: "\n" } },
    {
      action: "TXN",
      then: [
        { action: "SET", key: "^app^a", value: 5 },
        { action: "DEL", key: "^app^a^b" },
        { action: "SET", key: "^else", value: 6 },
        { action: "SET", key: "^app^c", value: 7, ttl_ms: 1_000 },
      ],
    },
    { action: "EXPIRE", key: "^app^c", ttl_ms: 2_000 },
    { action: "DEL", key: "^app", tree: true },
    { action: "SET", key: "^app^a", value: 8 },
    { action: "SET", key: "^app^a", value: 9 },
  ]);
  const unwatched = await client.ask({ action: "UNWATCH", watch: 7 });
  const then = await client.pushes(28);
  const byWatch = (pushes: Reply[]) =>
    [1, 2, 3, 4, 5, 6, 7].map((id) => pushes.filter(({ watch }) => watch === id));
  return [begun, byWatch([...first, ...then]), unwatched];
}

Deno.test("what is watched at a gateway is told as at a server", async () => {
  await using servers = new MemoryServers(["a", "b", "c"]);
  await using gateway = serve(HOST, { state: servers.gateway });
  await using server = serve(HOST);
  using client = await gateway.client();
  using writer = await gateway.client();
  using other = await server.client();
  using otherWriter = await server.client();
  const expected = await heardOf(other, otherWriter);
  assert.deepEqual(await heardOf(client, writer), expected);
  client[Symbol.dispose]();
  await until(() => servers.remote.watches.figures.watches === 0);
  await until(() => servers.used === undefined);
  assert.deepEqual(servers.unexpected, []);
});

Deno.test("a watch of a gateway goes on at another server when one is away, with what happened meanwhile", async () => {
  await using servers = new MemoryServers(["a", "b", "c"]);
  await using gateway = serve(HOST, { state: servers.gateway });
  using client = await gateway.client();
  using writer = await gateway.client();
  const forms = [
    { key: "^n", tree: true },
    { key: "^n", tree: true, coalesce: true },
    { key: "^n^3", old: true },
    { key: "^n^x", tree: true },
  ];
  await client.all(forms.map((form) => ({ action: "WATCH", ...form })));
  const used = new Set<string>();
  const lateFrom: number[] = [];
  const pushes: Reply[] = [];
  let written = 0;
  for (let round = 0; round < 12; round++) {
    let at: string | undefined;
    await until(() => (at = servers.used) !== undefined);
    const id = at as string;
    used.add(id);
    const requests = (count: number) =>
      Array.from({ length: count }, () => {
        const value = ++written;
        return value % 5 === 0
          ? { action: "MSET", items: [{ key: `^n^${value % 7}`, value }, { key: "^n^x", value }] }
          : { action: "SET", key: `^n^${value % 7}`, value };
      });
    const start = written;
    const before = writer.all(requests(20));
    // It begins with what is older, which the next server still has.
    lateFrom.push(Math.max(1, start - 30));
    const late = client.ask({ action: "WATCH", key: "^n", tree: true, from_rev: lateFrom.at(-1) });
    servers.away(id);
    await before;
    const begun = (await late)["result"] as { watch: number; rev: number };
    await writer.all(requests(20));
    const isToldOfBefore = ({ watch, rev }: Reply) =>
      watch === begun.watch && rev as number >= begun.rev;
    do pushes.push(...await client.pushes(1)); while (!isToldOfBefore(pushes.at(-1) as Reply));
    // It comes back with what it has missed, and with nothing that it could tell of it. Who wants what is older has been told that
    // by the one that still had it, and is away next.
    servers.at(id).begin();
    servers.back(id);
  }
  assert.equal(used.size, 3);
  const all = Array.from({ length: written }, (_, i) => i + 1);
  const tree = all.flatMap((rev) =>
    rev % 5 === 0 ? [`${rev} ${rev % 7}`, `${rev} x`] : [`${rev} ${rev % 7}`]
  );
  const expected = [
    tree,
    all.map((rev) => `${rev} ${rev % 5 === 0 ? 2 : 1}`),
    all.filter((rev) => rev % 7 === 3).map((rev) => `${rev} ${rev > 3 ? rev - 7 : undefined}`),
    all.filter((rev) => rev % 5 === 0).map(String),
  ];
  for (const from of lateFrom) expected.push(tree.filter((told) => parseInt(told) >= from));
  const count = expected.reduce((sum, { length }) => sum + length, 0);
  pushes.push(...await client.pushes(count - pushes.length));
  const of = (id: number) => pushes.filter(({ watch }) => watch === id);
  assert.deepEqual(of(1).map(({ rev, key }) => `${rev} ${String(key).slice(2)}`), expected[0]);
  assert.deepEqual(
    of(2).map(({ rev, changes }) => `${rev} ${(changes as unknown[]).length}`),
    expected[1],
  );
  assert.deepEqual(of(3).map(({ rev, old }) => `${rev} ${old}`), expected[2]);
  assert.deepEqual(of(4).map(({ rev }) => `${rev}`), expected[3]);
  for (let id = 5; id < 5 + lateFrom.length; id++) {
    assert.deepEqual(
      of(id).map(({ rev, key }) => `${rev} ${String(key).slice(2)}`),
      expected[id - 1],
    );
  }
  assert.deepEqual(servers.unexpected, []);
});

Deno.test("a watch of a gateway tells what happens right after it has begun, whatever was asked for before", async () => {
  await using servers = new MemoryServers(["a"]);
  await using gateway = serve(HOST, { state: servers.gateway });
  using client = await gateway.client();
  for (let i = 1; i <= 150; i++) {
    const key = `^n${i % 3}^${i}`;
    const [begun] = await client.all([
      { action: "WATCH", key, tree: i % 2 === 0 },
      { action: "SET", key, value: i },
    ]);
    assert.equal(brief(begun as Reply), `{"watch":${i},"rev":${i - 1}}`);
    const [push] = await client.pushes(1);
    assert.deepEqual([push?.["watch"], push?.["rev"], push?.["value"]], [i, i, i]);
  }
});

Deno.test("what is there comes once at a gateway, whatever changes and whoever dies meanwhile", async () => {
  await using servers = new MemoryServers(["a", "b", "c"]);
  await using gateway = serve(HOST, { state: servers.gateway });
  using client = await gateway.client();
  using writer = await gateway.client();
  const count = 2_000;
  const filler = "x".repeat(500);
  for (let k = 0; k < count; k += 500) {
    const items = Array.from({ length: 500 }, (_, i) => ({ key: `^i^${k + i}`, value: filler }));
    await writer.ask({ action: "MSET", items });
  }
  const begun = await client.ask({ action: "WATCH", key: "^i", tree: true, initial: true });
  assert.equal(brief(begun), '{"watch":1,"rev":4}');
  const state = new Map<string, unknown>();
  const initial: string[] = [];
  let between = 0;
  let synced: number | undefined;
  let last = 0;
  for (let i = 0; !state.has("i^last"); i++) {
    if (i < 1_500) {
      const key = `^i^${(i * 7919) % (2 * count)}`;
      await writer.ask(
        i % 3 === 2
          ? { action: "DEL", key, if_exists: true }
          : { action: "SET", key, value: { change: i } },
      );
      if (i % 100 === 0) {
        const id = servers.used ?? ["a", "b", "c"][(i / 100) % 3] as string;
        servers.away(id);
        servers.at(id).begin();
        servers.back(id);
      }
    } else if (i === 1_500) await writer.ask({ action: "SET", key: "^i^last", value: "last" });
    const [push] = await client.pushes(1);
    const { push: kind, key, rev, value } = push as Record<string, unknown> & {
      key: string;
      rev: number;
    };
    if (kind === "synced") {
      assert.ok(rev >= last);
      synced = last = rev;
      continue;
    }
    assert.equal(kind, "change");
    if (push?.["initial"] === true) {
      assert.equal(synced, undefined);
      assert.ok(initial.length === 0 || key > (initial.at(-1) as string), "in order, and once");
      initial.push(key);
    } else {
      assert.ok(rev > last, `${rev} after ${last}`);
      last = rev;
      if (synced === undefined) {
        between++;
        assert.ok(
          key <= (initial.at(-1) ?? ""),
          `${key} was told as a change before it was listed`,
        );
      }
    }
    if (push?.["kind"] === "set") state.set(key, value);
    else assert.ok(state.delete(key), `${key} was not there`);
  }
  assert.ok(between > 0 && initial.length > count / 2, `${between} changes between`);
  const { result } = await writer.ask({
    action: "KEYS",
    prefix: "^i",
    values: true,
    limit: 10_000,
  });
  const there = (result as { key: string; value: unknown }[]).map(({ key, value }) => [key, value]);
  assert.deepEqual([...state].sort(([a], [b]) => a < b ? -1 : 1), there);
});

Deno.test("a watch of a gateway begins at any revision that a server keeps, and at none that none does", async () => {
  await using servers = new MemoryServers(["a", "b"], {
    changes: 40,
    bytes: 10_000,
    blockBytes: 1_000,
  });
  await using gateway = serve(HOST, { state: servers.gateway });
  using client = await gateway.client();
  const expected: [number, string][] = [];
  for (let i = 1; i <= 100; i++) {
    const key = `^r^${i % 5}`;
    const request = i % 4 === 0
      ? { action: "MSET", items: [{ key, value: i }, { key: "^r^x", value: i }] }
      : { action: "SET", key, value: i };
    assert.equal((await client.ask(request))["rev"], i);
    expected.push([i, `r^${i % 5}`]);
    if (i % 4 === 0) expected.push([i, "r^x"]);
  }
  // One of them has forgotten everything: then the other one is asked.
  servers.at("a").begin();
  await client.ask({ action: "WATCH", key: "^unrelated" });
  let gone = 0;
  for (let from = 0; from <= 101; from++) {
    const reply = await client.ask({ action: "WATCH", key: "^r", tree: true, from_rev: from });
    const wanted = expected.filter(([rev]) => rev >= from);
    if (reply["status"] === "error") {
      assert.equal(brief(reply), "410 REVISION_GONE (from_rev)");
      assert.equal(++gone, from + 1, "what is gone is before what is kept");
      continue;
    }
    const { watch, rev } = reply["result"] as { watch: number; rev: number };
    assert.equal(rev, 100);
    const [first, ...rest] = await client.pushes(Math.max(wanted.length, from <= 100 ? 1 : 0));
    if (first?.["push"] === "ended") {
      assert.deepEqual(first, { push: "ended", watch, code: 410, reason: "REVISION_GONE" });
      assert.equal(++gone, from + 1, "what is gone is before what is kept");
      continue;
    }
    const told = first === undefined ? [] : [first, ...rest];
    assert.ok(told.every((push) => push["watch"] === watch));
    assert.deepEqual(told.map(({ rev, key }) => [rev, key]), wanted);
    await client.ask({ action: "UNWATCH", watch });
  }
  assert.ok(gone > 20 && gone < 75, `${gone} revisions are gone`);
});

Deno.test("when no server can go on, the watches of a gateway end and say so, and new ones begin", async () => {
  await using servers = new MemoryServers(["a", "b"]);
  await using gateway = serve(HOST, { state: servers.gateway });
  using client = await gateway.client();
  using writer = await gateway.client();
  await client.all([
    { action: "WATCH", key: "^k" },
    { action: "WATCH", key: "^k", tree: true },
  ]);
  await until(() => servers.used !== undefined);
  for (const id of ["a", "b"]) servers.away(id);
  await writer.ask({ action: "SET", key: "^k", value: 1 });
  for (const id of ["a", "b"]) servers.at(id).begin();
  for (const id of ["a", "b"]) servers.back(id);
  const ended = await client.pushes(2);
  assert.deepEqual(ended.map(({ push, watch, code }) => [push, watch, code]).sort(), [
    ["ended", 1, 410],
    ["ended", 2, 410],
  ]);
  assert.equal(brief(await client.ask({ action: "UNWATCH", watch: 1 })), "404 WATCH_NOT_FOUND");
  assert.equal(
    brief(await client.ask({ action: "WATCH", key: "^k", from_rev: 1 })),
    "410 REVISION_GONE (from_rev)",
  );
  assert.equal(
    brief(await client.ask({ action: "WATCH", key: "^k", initial: true })),
    '{"watch":3,"rev":1}',
  );
  const there = (await client.pushes(2)).map(({ push, rev }) => [push, rev]);
  assert.deepEqual(there, [["change", 1], ["synced", 1]]);
  await writer.ask({ action: "SET", key: "^k", value: 2 });
  assert.equal((await client.pushes(1))[0]?.["rev"], 2);
});

Deno.test("a gateway waits for the one server that still has what is watched, in all its watches, and for the one that begins", async () => {
  await using servers = new MemoryServers(["a", "b"]);
  await using gateway = serve(HOST, { state: servers.gateway });
  using client = await gateway.client();
  using late = await gateway.client();
  using writer = await gateway.client();
  await client.ask({ action: "WATCH", key: "^k" });
  await until(() => servers.used !== undefined);
  for (const id of ["a", "b"]) servers.away(id);
  await writer.ask({ action: "SET", key: "^k", value: 1 });
  await writer.ask({ action: "SET", key: "^k", value: 2 });
  servers.at("b").begin();
  servers.back("b");
  const begun = late.ask({ action: "WATCH", key: "^k", from_rev: 1 });
  const past = servers.remote.past({ path: "k", tree: false }, 2);
  const asked = () => servers.asked.get("b")?.count ?? 0;
  const before = asked();
  await until(() => asked() > before + 9);
  servers.back("a");
  const revs = (await client.pushes(2)).map(({ push, rev }) => [push, rev]);
  assert.deepEqual(revs, [["change", 1], ["change", 2]]);
  assert.equal((await begun)["status"], "ok");
  assert.deepEqual((await late.pushes(2)).map(({ rev }) => rev), [1, 2]);
  assert.deepEqual((await past)?.changes.map(({ rev }) => rev), [2]);
});

Deno.test("what one server has forgotten is gone when the other one stays away, or behind, for long", async () => {
  for (const isBehind of [false, true]) {
    await using servers = new MemoryServers(["a", "b"], undefined, 500);
    await using gateway = serve(HOST, { state: servers.gateway });
    using client = await gateway.client();
    using writer = await gateway.client();
    servers.away("b");
    await client.ask({ action: "WATCH", key: "^k" });
    servers.at("b").hold();
    await writer.ask({ action: "SET", key: "^k", value: 1 });
    assert.equal((await client.pushes(1))[0]?.["rev"], 1);
    servers.away("a");
    if (isBehind) servers.back("b");
    await writer.ask({ action: "SET", key: "^k", value: 2 });
    servers.at("a").begin();
    servers.back("a");
    const since = performance.now();
    const [ended] = await client.pushes(1);
    assert.deepEqual([ended?.["push"], ended?.["code"]], ["ended", 410]);
    assert.ok(performance.now() - since > 400, "the other one was not waited for");
    const late = await client.ask({ action: "WATCH", key: "^k", from_rev: 2 });
    assert.equal(brief(late), "410 REVISION_GONE (from_rev)");
    assert.equal(await servers.remote.past({ path: "k", tree: false }, 2), undefined);
    servers.at("b").release();
  }
});

Deno.test("a server that is behind is not gone on with, and not waited for when another one is not", async () => {
  await using servers = new MemoryServers(["a", "b"]);
  await using gateway = serve(HOST, { state: servers.gateway });
  using client = await gateway.client();
  using writer = await gateway.client();
  servers.away("b");
  await client.ask({ action: "WATCH", key: "^k" });
  servers.at("b").hold();
  await writer.ask({ action: "SET", key: "^k", value: 1 });
  assert.equal((await client.pushes(1))[0]?.["rev"], 1);
  servers.back("b");
  servers.away("a");
  await writer.ask({ action: "SET", key: "^k", value: 2 });
  // It has neither of them yet.
  await until(() => (servers.asked.get("b")?.count ?? 0) > 3);
  servers.at("b").release();
  await writer.ask({ action: "SET", key: "^k", value: 3 });
  assert.deepEqual((await client.pushes(2)).map(({ rev, value }) => [rev, value]), [[2, 2], [
    3,
    3,
  ]]);
});

Deno.test("what many watch at a gateway is fetched once, and one that does not read is closed alone", async () => {
  await using servers = new MemoryServers(["a"]);
  await using gateway = serve(HOST, { state: servers.gateway });
  using slow = await gateway.client();
  using fast = await gateway.client();
  using writer = await gateway.client();
  await slow.ask({ action: "WATCH", key: "^s^k" });
  const same = Array.from({ length: 50 }, () => ({ action: "WATCH", key: "^s^k" }));
  await fast.all(same);
  await until(() => servers.at("a").watches.figures.watches === 1);
  await fast.all(Array.from({ length: 49 }, (_, i) => ({ action: "UNWATCH", watch: i + 1 })));
  const count = 4_000;
  const text = "x".repeat(5_000);
  const all = fast.pushes(count);
  for (let i = 0; i < count; i += 100) {
    await writer.all(
      Array.from({ length: 100 }, (_, k) => ({ action: "SET", key: "^s^k", value: [i + k, text] })),
    );
  }
  const revs = (await all).map(({ rev }) => rev);
  assert.deepEqual(revs, Array.from({ length: count }, (_, i) => i + 1));
  const bytes = servers.asked.get("a")?.bytes ?? 0;
  assert.ok(bytes < 2.2 * count * text.length, `${bytes} bytes were fetched`);
  const rest = await slow.rest();
  assert.deepEqual(rest.at(-1), { push: "closing", code: 408, reason: "SLOW_CONSUMER" });
  const heard = rest.slice(0, -1).map(({ rev }) => rev);
  assert.deepEqual(heard, Array.from(heard, (_, i) => i + 1), "something was passed over");
  assert.ok(heard.length < count);
});

Deno.test("whoever begins to watch at a gateway without servers is told so when the time is over, or it ends", async () => {
  const servers = new MemoryServers([]);
  await using gateway = serve(HOST, { state: servers.gateway });
  using client = await gateway.client();
  assert.equal(brief(await client.ask({ action: "WATCH", key: "k" })), "503 NO_LEADER");
  const before = servers.missing;
  const waiting = client.ask({ action: "WATCH", key: "k", initial: true });
  await until(() => servers.missing > before + 1);
  await servers[Symbol.asyncDispose]();
  assert.equal(brief(await waiting), "503 SHUTTING_DOWN");
});
