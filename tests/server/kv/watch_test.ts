/**
 * Watches as clients of one port have them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { NO_LEADER } from "../../../server/replica/service.ts";
import { brief, type Reply, serve } from "../../support/kv/stage.ts";
import { MemoryState } from "../../support/kv/memory_state.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

/** A push without what all of them have. */
function told({ push, watch, ...rest }: Reply): unknown[] {
  return [push, watch, rest];
}

Deno.test("a watch tells each change of its node or of its tree, and nothing else", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  using other = await stage.client();
  assert.deepEqual(
    await client.all([
      { action: "WATCH", key: "^app^a" },
      { action: "WATCH", key: "a", namespace: "app", tree: true, old: true },
      { action: "WATCH", key: "^", tree: true, coalesce: true },
      { action: "UNWATCH", watch: 4 },
    ]),
    [
      { status: "ok", result: { watch: 1, rev: 0 } },
      { status: "ok", result: { watch: 2, rev: 0 } },
      { status: "ok", result: { watch: 3, rev: 0 } },
      { status: "error", code: 404, error: "no such watch", reason: "WATCH_NOT_FOUND" },
    ],
  );
  await other.all([
    { action: "SET", key: "^app^a", value: { x: 1 } },
    { action: "SET", key: "^app^a", value: "\n}" },
    { action: "SET", key: "^app^ab", value: 1 },
    { action: "SET", key: "^app^a^b^c", value: null },
    { action: "SET", key: "^app^a", value: 1, nx: true },
    { action: "DEL", key: "^app^a", tree: true },
    { action: "DEL", key: "^app^a", if_exists: true },
  ]);
  const a = { key: "app^a" };
  const c = { key: "app^a^b^c" };
  const pushes = (await client.pushes(13)).map(told);
  const of = (id: number) => pushes.filter(([, watch]) => watch === id).map(([, , rest]) => rest);
  assert.deepEqual(of(1), [
    { ...a, kind: "set", created: true, value: { x: 1 }, rev: 1 },
    { ...a, kind: "set", created: false, value: "\n}", rev: 2 },
    { ...a, kind: "del", rev: 5 },
  ]);
  assert.deepEqual(of(2), [
    { ...a, kind: "set", created: true, value: { x: 1 }, rev: 1 },
    { ...a, kind: "set", created: false, value: "\n}", old: { x: 1 }, rev: 2 },
    { ...c, kind: "set", created: true, value: null, rev: 4 },
    { ...a, kind: "del", old: "\n}", rev: 5, more: true },
    { ...c, kind: "del", old: null, rev: 5 },
  ]);
  assert.deepEqual(of(3).map((rest) => (rest as { changes: unknown[] }).changes), [
    [{ ...a, kind: "set", created: true, value: { x: 1 } }],
    [{ ...a, kind: "set", created: false, value: "\n}" }],
    [{ key: "app^ab", kind: "set", created: true, value: 1 }],
    [{ ...c, kind: "set", created: true, value: null }],
    [{ ...a, kind: "del" }, { ...c, kind: "del" }],
  ]);
  assert.equal(brief(await client.ask({ action: "UNWATCH", watch: 1 })), '"OK"');
  assert.equal(brief(await client.ask({ action: "UNWATCH", watch: 1 })), "404 WATCH_NOT_FOUND");
  await other.ask({ action: "SET", key: "^app^a", value: 2 });
  assert.deepEqual((await client.pushes(2)).map(({ watch }) => watch), [3, 2].sort());
  client[Symbol.dispose]();
  await until(() => stage.state.watches.figures.watches === 0);
  assert.deepEqual(stage.state.faults, []);
});

Deno.test("a value that expires is told as such, and changes of a transaction in their order", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.ask({ action: "WATCH", key: "^t", tree: true, old: true });
  await client.ask({
    action: "TXN",
    then: [
      { action: "SET", key: "^t^a", value: 1 },
      { action: "INCR", key: "^t^a" },
      { action: "DEL", key: "^t^a" },
      { action: "SET", key: "^t^b", value: "b", ttl_ms: 1 },
      { action: "SET", key: "^other", value: 1 },
    ],
  });
  const failing = {
    action: "TXN",
    then: [{ action: "SET", key: "^t^a", value: "x" }, { action: "INCR", key: "^t^a" }],
  };
  assert.equal(brief(await client.ask(failing)), "409 NOT_INTEGER (then)");
  await client.ask({ action: "EXPIRE", key: "^t^b", ttl_ms: 1 });
  stage.state.sweep();
  const more = { rev: 1, more: true };
  assert.deepEqual((await client.pushes(5)).map(told).map(([, , rest]) => rest), [
    { key: "t^a", kind: "set", created: true, value: 1, ...more },
    { key: "t^a", kind: "set", created: false, value: 2, old: 1, ...more },
    { key: "t^a", kind: "del", old: 2, ...more },
    { key: "t^b", kind: "set", created: true, value: "b", rev: 1 },
    { key: "t^b", kind: "expire", old: "b", rev: 3 },
  ]);
});

Deno.test("what is there already comes once, with the changes of what was told, then that it was all", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  using writer = await stage.client();
  const count = 3_000;
  const items = Array.from({ length: 1_000 }, (_, i) => i);
  for (let k = 0; k < count; k += 1_000) {
    await writer.ask({
      action: "MSET",
      items: items.map((i) => ({ key: `^i^${k + i}`, value: [k + i] })),
    });
  }
  // Changes while it lists: of what was told and what was not, new ones, and some that go.
  const state = new Map<string, unknown>();
  const asked = client.ask({ action: "WATCH", key: "^i", tree: true, initial: true });
  const changes = Array.from({ length: 2_000 }, (_, i) => {
    const key = `^i^${(i * 7919) % (2 * count)}`;
    return i % 3 === 2
      ? { action: "DEL", key, if_exists: true }
      : { action: "SET", key, value: { change: i } };
  });
  assert.deepEqual((await asked)["result"], { watch: 1, rev: 3 });
  const initial: string[] = [];
  let between = 0;
  let synced: number | undefined;
  let last = 0;
  for (let end = false; !end;) {
    // A few at a time, so that they come between what is listed.
    if (changes.length > 0) await writer.all(changes.splice(0, 20));
    else await writer.ask({ action: "SET", key: "^i^last", value: "last" });
    for (const push of await client.pushes(synced === undefined ? 10 : 1)) {
      const { key, rev, value, kind } = push as Reply & { key: string; rev: number };
      end ||= key === "i^last" && push["initial"] === undefined;
      if (push["push"] === "synced") {
        assert.ok(rev >= last);
        synced = last = rev;
        continue;
      }
      if (push["initial"] === true) {
        assert.equal(synced, undefined);
        assert.ok(initial.length === 0 || key > (initial.at(-1) as string), "in order, and once");
        initial.push(key);
      } else {
        assert.ok(rev > last, `${rev} after ${last}`);
        last = rev;
        if (synced === undefined) {
          between++;
          assert.ok(key <= (initial.at(-1) ?? ""), `${key} changed before it was listed`);
        }
      }
      if (kind === "set") state.set(key, value);
      else assert.ok(state.delete(key), `${key} was not there`);
    }
  }
  assert.ok(between > 0, "nothing changed while it was listed");
  assert.ok(synced !== undefined && initial.length > count / 2);
  const { result } = await writer.ask({
    action: "KEYS",
    prefix: "^i",
    values: true,
    limit: 10_000,
  });
  const there = (result as { key: string; value: unknown }[]).map(({ key, value }) => [key, value]);
  assert.deepEqual([...state].sort(([a], [b]) => a < b ? -1 : 1), there);
  assert.deepEqual(stage.state.faults, []);
});

Deno.test("a watch goes on from any revision that is kept, and from none that is not", async () => {
  const state = new MemoryState({ changes: 40, bytes: 10_000, blockBytes: 1_000 });
  await using stage = serve(HOST, { state });
  using client = await stage.client();
  const expected: unknown[] = [];
  for (let i = 1; i <= 100; i++) {
    const key = `^r^${i % 5}`;
    const request = i % 4 === 0
      ? { action: "MSET", items: [{ key, value: i }, { key: "^r^x", value: i }] }
      : { action: "SET", key, value: i };
    assert.equal((await client.ask(request))["rev"], i);
    expected.push([i, `r^${i % 5}`]);
    if (i % 4 === 0) expected.push([i, "r^x"]);
  }
  let gone = 0;
  for (let from = 0; from <= 101; from++) {
    const reply = await client.ask({ action: "WATCH", key: "^r", tree: true, from_rev: from });
    if (brief(reply) === "410 REVISION_GONE (from_rev)") {
      gone++;
      assert.equal(gone, from + 1, "what is gone is before what is kept");
      continue;
    }
    const { watch, rev } = reply["result"] as { watch: number; rev: number };
    assert.equal(rev, 100);
    const wanted = expected.filter((one) => (one as [number])[0] >= from);
    const pushes = await client.pushes(wanted.length);
    assert.ok(pushes.every((push) => push["watch"] === watch));
    assert.deepEqual(pushes.map(({ rev, key }) => [rev, key]), wanted);
    await client.ask({ action: "UNWATCH", watch });
  }
  assert.ok(gone > 20 && gone < 75, `${gone} revisions are gone`);
});

Deno.test("a watch does not go on in a store that has not come so far: it is not the one that told of it", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const watch = { action: "WATCH", key: "k", from_rev: 12 };
  for (let i = 1; i <= 10; i++) {
    await client.ask({ action: "SET", key: "k", value: i });
    assert.equal(brief(await client.ask(watch)), "410 REVISION_GONE (from_rev)");
  }
  await client.ask({ action: "SET", key: "k", value: 11 });
  assert.equal((await client.ask(watch))["status"], "ok");
  // Who has not heard of it yet asks the others, and waits for what comes.
  const { source } = stage.state.watches;
  assert.ok(source !== undefined);
  const behind = Object.create(source, { rev: { value: 5 } });
  Object.defineProperty(stage.state.watches, "source", { value: behind, configurable: true });
  assert.equal((await client.ask(watch))["status"], "ok");
  assert.equal(brief(await client.ask({ ...watch, from_rev: 13 })), "410 REVISION_GONE (from_rev)");
  stage.state.failure = NO_LEADER;
  assert.equal(brief(await client.ask(watch)), "503 NO_LEADER");
});

Deno.test("a watcher that does not read is told why it is closed, and others lose nothing", async () => {
  const state = new MemoryState({ changes: 1_000, bytes: 8 * 2 ** 20, blockBytes: 2 ** 20 });
  await using stage = serve(HOST, { state });
  using slow = await stage.client();
  using fast = await stage.client();
  using writer = await stage.client();
  for (const client of [slow, fast]) {
    await client.ask({ action: "WATCH", key: "^s", tree: true });
    await client.ask({ action: "WATCH", key: "^s^k" });
  }
  const count = 4_000;
  const text = "x".repeat(5_000);
  const all = fast.pushes(2 * count);
  for (let i = 0; i < count; i += 100) {
    await writer.all(
      Array.from({ length: 100 }, (_, k) => ({ action: "SET", key: "^s^k", value: [i + k, text] })),
    );
  }
  const revs = (await all).filter(({ watch }) => watch === 1).map(({ rev }) => rev);
  assert.deepEqual(revs, Array.from({ length: count }, (_, i) => i + 1));
  const rest = await slow.rest();
  assert.deepEqual(rest.at(-1), { push: "closing", code: 408, reason: "SLOW_CONSUMER" });
  for (const id of [1, 2]) {
    const heard = rest.filter(({ watch }) => watch === id).map(({ rev }) => rev);
    assert.deepEqual(heard, Array.from(heard, (_, i) => i + 1), "something was passed over");
    assert.ok(heard.length < count);
  }
  await until(() => state.watches.figures.watches === 2);
});

Deno.test("a thousand requests in one write are answered in order while changes come between", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.ask({ action: "WATCH", key: "^p", tree: true });
  const requests = Array.from(
    { length: 1_000 },
    (_, id) =>
      id % 2 === 0
        ? { id, action: "SET", key: `^p^${id}`, value: "x".repeat(id) }
        : { id, action: "ECHO", value: "y".repeat(id) },
  );
  const replies = await client.all(requests);
  assert.deepEqual(replies.map(({ id }) => id), requests.map(({ id }) => id));
  const pushes = await client.pushes(500);
  assert.deepEqual(pushes.map(({ rev }) => rev), Array.from({ length: 500 }, (_, i) => i + 1));
});

Deno.test("wrong watches are told, and one more than a thousand is refused", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const cases: [object, string][] = [
    [{ action: "WATCH" }, "422 INVALID (key)"],
    [{ action: "WATCH", key: "^" }, "422 BAD_KEY (key)"],
    [{ action: "WATCH", key: "a^" }, "422 BAD_KEY (key)"],
    [{ action: "WATCH", key: "$sys^a" }, "403 RESERVED (key)"],
    [{ action: "WATCH", key: "a", tree: 1 }, "422 INVALID (tree)"],
    [{ action: "WATCH", key: "a", initial: true, from_rev: 1 }, "422 INVALID (from_rev)"],
    [{ action: "UNWATCH" }, "422 INVALID (watch)"],
    [{ action: "UNWATCH", watch: "1" }, "422 INVALID (watch)"],
  ];
  for (const [request, answer] of cases) assert.equal(brief(await client.ask(request)), answer);
  const many = await client.all(
    Array.from({ length: 1_001 }, (_, i) => ({ action: "WATCH", key: `w^${i}` })),
  );
  assert.equal(brief(many.at(-2) as Reply), '{"watch":1000,"rev":0}');
  assert.equal(brief(many.at(-1) as Reply), "429 TOO_MANY_WATCHES");
  await client.ask({ action: "UNWATCH", watch: 7 });
  assert.equal(brief(await client.ask({ action: "WATCH", key: "w" })), '{"watch":1001,"rev":0}');
});

Deno.test("watches of a server that begins on another state end, and say so", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.ask({ action: "WATCH", key: "a" });
  await client.ask({ action: "SET", key: "a", value: 1 });
  stage.state.begin();
  const pushes = await client.pushes(2);
  assert.deepEqual(pushes[1], { push: "ended", watch: 1, code: 410, reason: "REVISION_GONE" });
  assert.equal(
    brief(await client.ask({ action: "WATCH", key: "a", from_rev: 1 })),
    "410 REVISION_GONE (from_rev)",
  );
});
