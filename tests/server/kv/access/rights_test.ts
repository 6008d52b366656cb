/**
 * What a client may do that has shown who it is.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ACTIONS, FORBIDDEN } from "../../../../protocol/kv/mod.ts";
import { pathText } from "../../../../cluster/machine/kv/mod.ts";
import { needsOf } from "../../../../server/kv/access/needs.ts";
import { accessOf } from "../../../support/kv/access.ts";
import { brief, serve } from "../../../support/kv/stage.ts";
import { loopback } from "../../../support/loopback.ts";

const HOST = loopback();

/** Answers of somebody who reads `app`, and writes `app^web` and `log`. */
const ROWS: readonly [request: object, answer: string][] = [
  [{ action: "GET", key: "app^k" }, "404 KEY_NOT_FOUND"],
  [{ action: "GET", key: "^app" }, "404 KEY_NOT_FOUND"],
  [{ action: "GET", namespace: "app", key: "k" }, "404 KEY_NOT_FOUND"],
  [{ action: "GET", key: ["app", "k"] }, "404 KEY_NOT_FOUND"],
  [{ action: "GET", key: "k" }, "403 FORBIDDEN"],
  [{ action: "GET", key: "apple^k" }, "403 FORBIDDEN"],
  [{ action: "GET", key: "log^k" }, "403 FORBIDDEN"],
  [{ action: "GET", key: "App^k" }, "403 FORBIDDEN"],
  [{ action: "GET", key: "$sys^k" }, "403 RESERVED (key)"],
  [{ action: "GET", key: "a^^b" }, "422 BAD_KEY (key)"],
  [{ action: "GET", key: "^app^k", namespace: "x" }, "422 AMBIGUOUS_NAMESPACE (namespace)"],
  [{ action: "GET" }, "422 INVALID (key)"],
  [{ action: "GET", key: "k", consistency: "new" }, "422 INVALID (consistency)"],
  [{ action: "EXISTS", key: "app^web" }, '{"value":false,"children":false}'],
  [{ action: "EXISTS", key: "log" }, "403 FORBIDDEN"],
  [{ action: "SET", key: "app^web^a", value: 1 }, '"OK" rev 1'],
  [{ action: "SET", key: "^app^web", value: 1 }, '"OK" rev 2'],
  [{ action: "SET", key: "^app", value: 1 }, "403 FORBIDDEN"],
  [{ action: "SET", key: "app^k", value: 1 }, "403 FORBIDDEN"],
  [{ action: "SET", key: "app^website", value: 1 }, "403 FORBIDDEN"],
  [{ action: "SET", key: "log^k", value: 7 }, '"OK" rev 3'],
  [{ action: "SET", key: "log^k", value: 8, get: false, nx: true }, "409 CONDITION_FAILED rev 3"],
  [{ action: "SET", key: "log^k", value: 8, get: true }, "403 FORBIDDEN"],
  [{ action: "SET", key: "app^web", value: 8, get: true }, "1 rev 4"],
  [{ action: "INCR", key: "log^k" }, "403 FORBIDDEN"],
  [{ action: "DECR", key: "log^k" }, "403 FORBIDDEN"],
  [{ action: "INCR", key: "app^web^a" }, "2 rev 5"],
  [{ action: "DECR", key: "app^k" }, "403 FORBIDDEN"],
  [{ action: "DEL", key: "^app", tree: true }, "403 FORBIDDEN"],
  [{ action: "DEL", key: "log^k" }, "1 rev 6"],
  [{ action: "KEYS", prefix: "^app" }, '["app^web","app^web^a"]'],
  [{ action: "KEYS", namespace: "app" }, '["app^web","app^web^a"]'],
  [{ action: "KEYS" }, "403 FORBIDDEN"],
  [{ action: "KEYS", prefix: "^" }, "403 FORBIDDEN"],
  [{ action: "KEYS", prefix: [] }, "403 FORBIDDEN"],
  [{ action: "KEYS", prefix: "^log" }, "403 FORBIDDEN"],
  [{ action: "KEYS", prefix: "a^^b" }, "422 BAD_KEY (prefix)"],
  [{ action: "KEYS", prefix: "^app", after: "log^a" }, "422 INVALID (after)"],
  [{ action: "CHILDREN", key: "^app" }, '["web"]'],
  [{ action: "CHILDREN", key: "^" }, "403 FORBIDDEN"],
  [{ action: "CHILDREN" }, "403 FORBIDDEN"],
  [{ action: "INFO" }, "403 FORBIDDEN"],
  [{ action: "ECHO", value: 1 }, "1"],
  [{ action: "USE", namespace: "app^web" }, '"OK"'],
  [{ action: "GET", key: "a" }, "2 rev 5"],
  [{ action: "SET", key: "b", value: 1 }, '"OK" rev 7'],
  [{ action: "KEYS" }, '["app^web^a","app^web^b"]'],
  [{ action: "GET", key: "^log^k" }, "403 FORBIDDEN"],
  [{ action: "DEL", key: "^app^web", tree: true }, "3 rev 8"],
  [{ action: "DISPATCH", capability: "resize", payload: 1 }, "403 FORBIDDEN"],
  [{ action: "SESSION", op: "close" }, "422 INVALID (op)"],
  [{ action: "GET", key: "^log^k", rid: 1 }, "403 FORBIDDEN"],
  [{ action: "FLY" }, "405 UNKNOWN_ACTION"],
  [{ action: 7 }, "422 INVALID (action)"],
];

Deno.test("each action needs the right that it uses, at the node that it is about", async () => {
  const rights = { read: ["app"], write: ["^app^web", "log"] };
  await using stage = serve(HOST, { access: await accessOf([{ name: "web", ...rights }]) });
  using client = await stage.client();
  await client.ask({ action: "AUTH", token: "web-token" });
  for (const [request, answer] of ROWS) {
    assert.equal(brief(await client.ask(request)), answer, JSON.stringify(request));
  }
});

Deno.test("what USE makes of a key is the same for the right to it and for what is done", async () => {
  const access = await accessOf([
    { name: "all", read: ["^"], write: ["^"] },
    { name: "web", read: ["app"], write: ["app"] },
  ]);
  await using stage = serve(HOST, { access });
  using all = await stage.client();
  using client = await stage.client();
  await all.ask({ action: "AUTH", token: "all-token" });
  await client.ask({ action: "AUTH", token: "web-token" });
  await client.ask({ action: "USE", namespace: "app" });
  const secret = { action: "SET", key: "^secret^x", value: "secret" };
  await all.ask(secret);
  const key = "secret^x";
  const about = Object.entries(ACTIONS).filter(([, { known }]) =>
    known.some((member) => ["key", "keys", "items", "prefix", "then"].includes(member))
  );
  const members = {
    key,
    keys: [key],
    items: [{ key, value: 1 }],
    then: [{ action: "GET", key }, { action: "DEL", key }],
    prefix: "secret",
    value: 1,
    ttl: 60,
  };
  assert.ok(about.length > 8);
  for (const [action, { known }] of about) {
    const own = Object.entries(members).filter(([member]) => known.includes(member));
    const request = { action, ...Object.fromEntries(own) };
    const reply = await client.ask(
      action === "INCR" || action === "DECR" ? { action, key } : request,
    );
    assert.ok(
      !JSON.stringify(reply).includes("secret^x") || action === "KEYS",
      JSON.stringify(reply),
    );
    assert.ok(!JSON.stringify(reply["result"] ?? "").includes('"secret"'), JSON.stringify(reply));
    assert.notEqual(reply["code"], 403, action);
    await client.ask({ action: "DEL", key, if_exists: true });
    const there = await all.ask({ action: "GET", key: "^secret^x" });
    assert.equal(there.result, "secret", `${action} has changed it`);
  }
  await client.ask({ action: "WATCH", key, initial: true });
  await client.ask({ action: "WATCH", key: "secret", tree: true, initial: true });
  await all.ask(secret);
  await client.ask({ action: "SET", key, value: "mine" });
  await all.ask({ action: "GET", key: "^secret^x" });
  await client.send('{"action":"QUIT"}\n');
  const pushed = (await client.rest()).filter((reply) => reply["push"] === "change");
  assert.deepEqual([...new Set(pushed.map((push) => push["key"]))], ["app^secret^x"]);
  assert.equal((await all.ask({ action: "GET", key: "^secret^x" })).result, "secret");
});

Deno.test("a right to everything is one, and a right to nothing none", async () => {
  const access = await accessOf([
    { name: "all", read: ["^"], write: ["^"], admin: true },
    { name: "none" },
  ]);
  await using stage = serve(HOST, { access });
  using all = await stage.client();
  using none = await stage.client();
  await all.ask({ action: "AUTH", token: "all-token" });
  await none.ask({ action: "AUTH", token: "none-token" });
  const requests = [
    { action: "SET", key: "a", value: 1 },
    { action: "SET", key: "x^y^z", value: 1 },
    { action: "KEYS", prefix: "^" },
    { action: "CHILDREN", key: "^" },
    { action: "DEL", key: "^x", tree: true },
    { action: "INFO", section: "cluster" },
  ];
  for (const reply of await all.all(requests)) assert.equal(reply.status, "ok", brief(reply));
  for (const reply of await none.all(requests)) assert.equal(brief(reply), "403 FORBIDDEN");
  assert.equal(brief(await all.ask({ action: "GET", key: "^$sys" })), "403 RESERVED (key)");
});

/** What requests about several nodes, and about channels, need. */
const NEEDS: readonly [action: string, request: Record<string, unknown>, needs: string][] = [
  ["TTL", { key: "a^b" }, "read a^b"],
  ["EXPIRE", { key: "a^b" }, "write a^b"],
  ["PERSIST", { key: "k", namespace: "n" }, "write n^k"],
  ["MGET", { keys: ["a^b", ["c", "d"]], namespace: "n" }, "read n^a^b, read n^c^d"],
  ["MGET", { keys: ["a", "^b"] }, "read global^a, read b"],
  ["MGET", { keys: ["a", "b^^c"] }, "422 BAD_KEY (keys)"],
  ["MGET", { keys: ["a"], namespace: "^" }, "422 BAD_KEY (namespace)"],
  ["MSET", { items: [{ key: "a" }, { key: "b^c" }] }, "write global^a, write b^c"],
  ["MSET", { items: [{ key: "a" }, { key: "$sys^c" }] }, "403 RESERVED (items)"],
  [
    "TXN",
    {
      namespace: "n",
      if: [{ key: "a" }, { key: "b", namespace: "m" }],
      then: [{ action: "set", key: "c" }, { action: "GET", key: "d", namespace: "m" }],
      else: [{ action: "Incr", key: "e" }, { action: "SET", key: "f", get: true }],
    },
    "read n^a, read m^b, write n^c, read m^d, write n^e, read n^e, write n^f, read n^f",
  ],
  ["TXN", { then: [{ action: "DEL", key: "a" }] }, "write global^a"],
  ["TXN", { then: [{ action: "FLY", key: "a" }] }, "403 FORBIDDEN (then)"],
  ["TXN", { then: [{ action: 7, key: "a" }] }, "403 FORBIDDEN (then)"],
  ["TXN", { else: [{ action: "SET", key: "a^^" }] }, "422 BAD_KEY (else)"],
  ["WATCH", { key: "a^b", tree: true }, "read a^b"],
  ["WATCH", { key: "^", tree: true }, "read "],
  ["WATCH", { key: "^", namespace: "n" }, "422 AMBIGUOUS_NAMESPACE (namespace)"],
  ["UNWATCH", { watch: 1 }, ""],
  ["DISPATCH", { capability: "resize" }, "publish jobs^resize"],
  ["PUBLISH", { channel: "news" }, "publish news"],
  ["PUBLISH", { channel: "^a^b" }, "publish a^b"],
  ["PUBLISH", { channel: ["a", "b"] }, "publish a^b"],
  ["PUBLISH", { channel: "$sys^x" }, "403 RESERVED (channel)"],
  ["SUBSCRIBE", { channel: "news" }, "subscribe news"],
  ["SUBSCRIBE", { channels: ["a", "b^*"] }, "subscribe a, patterns, subscribe b"],
  ["SUBSCRIBE", { channel: "a^b^**" }, "patterns, subscribe a^b"],
  ["SUBSCRIBE", { channel: ["a", "*"] }, "patterns, subscribe a"],
  ["SUBSCRIBE", { channel: "**" }, "patterns, subscribe "],
  ["SUBSCRIBE", { channel: "a^***" }, "subscribe a^***"],
  ["SUBSCRIBE", { channels: ["a", "$sys^**"] }, "403 RESERVED (channels)"],
  ["UNSUBSCRIBE", {}, ""],
];

Deno.test("a request about several nodes needs the rights to all of them, and a pattern one of its own", () => {
  for (const [action, request, wanted] of NEEDS) {
    const needs = needsOf(action, request, "");
    const shown = "ok" in needs
      ? `${needs.code} ${needs.reason} (${needs.field})`
      : needs.map((need) => "path" in need ? `${need.deed} ${pathText(need.path)}` : need.deed)
        .join(", ");
    assert.equal(shown, wanted, `${action} ${JSON.stringify(request)}`);
  }
  const used = needsOf("MGET", { keys: ["a"] }, "app");
  assert.ok(Array.isArray(used) && pathText(used[0].path) === "app^a", "USE counts");
});

Deno.test("the table of needs has each action, and nobody may do what it has not", () => {
  const least = { key: "k", value: 1, namespace: "n", channel: "c" };
  for (const action of Object.keys(ACTIONS)) {
    assert.notEqual(needsOf(action, least, ""), FORBIDDEN, `${action} has no row`);
  }
  for (const action of ["FLY", "constructor"]) {
    assert.equal(needsOf(action, least, ""), FORBIDDEN);
  }
});
