/**
 * Keys and namespaces, as a client sees them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { brief, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

/** What requests say, and the canonical path that is meant or what is wrong. */
const ROWS: readonly [target: object, path: string][] = [
  [{ key: "foo" }, "global^foo"],
  [{ namespace: "app", key: "foo" }, "app^foo"],
  [{ key: "app^foo" }, "app^foo"],
  [{ namespace: "app", key: "users^42" }, "app^users^42"],
  [{ namespace: "^app", key: "foo" }, "app^foo"],
  [{ namespace: "", key: "foo" }, "global^foo"],
  [{ namespace: "global", key: "foo" }, "global^foo"],
  [{ key: "^app" }, "app"],
  [{ namespace: "app", key: "^x^y" }, "422 AMBIGUOUS_NAMESPACE (namespace)"],
  [{ key: "foo^" }, "422 BAD_KEY (key)"],
  [{ key: "a^^b" }, "422 BAD_KEY (key)"],
  [{ key: "^" }, "422 BAD_KEY (key)"],
  [{ key: ["a", "b"] }, "a^b"],
  [{ key: ["a^b"] }, "422 BAD_KEY (key)"],
  [{ key: [] }, "422 BAD_KEY (key)"],
  [{ key: "" }, "422 BAD_KEY (key)"],
  [{ key: " foo" }, "422 BAD_KEY (key)"],
  [{ key: "\u0007" }, "422 BAD_KEY (key)"],
  [{ namespace: "a^^b", key: "foo" }, "422 BAD_KEY (namespace)"],
  [{ key: "^$sys" }, "403 RESERVED (key)"],
  [{ key: "$sys^x" }, "403 RESERVED (key)"],
  [{ namespace: "$sys", key: "x" }, "403 RESERVED (key)"],
  [{ key: Array(16).fill("s") }, Array(16).fill("s").join("^")],
  [{ key: Array(17).fill("s") }, "422 BAD_KEY (key)"],
  [{ key: "x".repeat(255) }, `global^${"x".repeat(255)}`],
  [{ key: "x".repeat(256) }, "422 BAD_KEY (key)"],
  [{ key: "e\u0301" }, "global^é"],
];

Deno.test("every row of the table of namespaces means what it says", async () => {
  for (const [target, path] of ROWS) {
    await using stage = serve(HOST);
    using client = await stage.client();
    const shown = JSON.stringify(target);
    const set = await client.ask({ action: "SET", ...target, value: "here" });
    if (/^4\d\d /.test(path)) {
      assert.equal(brief(set), path, shown);
      for (const action of ["GET", "DEL", "EXISTS", "INCR", "DECR"]) {
        assert.equal(brief(await client.ask({ action, ...target })), path, `${action} ${shown}`);
      }
      continue;
    }
    assert.equal(brief(set), '"OK" rev 1', shown);
    assert.equal(
      brief(await client.ask({ action: "GET", key: `^${path}` })),
      '"here" rev 1',
      shown,
    );
  }
});

/** The same after USE of `app^deep`, where that matters. */
const USED: readonly [target: object, path: string][] = [
  [{ key: "foo" }, "app^deep^foo"],
  [{ key: "foo^bar" }, "app^deep^foo^bar"],
  [{ key: ["a", "b"] }, "app^deep^a^b"],
  [{ key: "^global^foo" }, "global^foo"],
  [{ key: "^app" }, "app"],
  [{ namespace: "other", key: "foo" }, "other^foo"],
  [{ namespace: "global", key: "foo" }, "global^foo"],
  [{ namespace: "", key: "foo" }, "app^deep^foo"],
];

Deno.test("USE says where keys are that name no namespace, for one connection and every action", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  using other = await stage.client();
  assert.equal(brief(await client.ask({ action: "USE", namespace: "^app^deep" })), '"OK"');
  for (const [target, path] of USED) {
    const shown = JSON.stringify(target);
    assert.match(brief(await client.ask({ action: "SET", ...target, value: 1 })), /^"OK"/, shown);
    const there = { action: "GET", key: `^${path}` };
    assert.match(brief(await other.ask(there)), /^1 rev/, shown);
    assert.match(brief(await client.ask({ action: "GET", ...target })), /^1 rev/, shown);
    assert.match(brief(await client.ask({ action: "INCR", ...target })), /^2 rev/, shown);
    const exists = (await client.ask({ action: "EXISTS", ...target })).result;
    assert.deepEqual((exists as { value: boolean }).value, true, shown);
    assert.match(brief(await client.ask({ action: "DEL", ...target })), /^1 rev/, shown);
    assert.equal(brief(await other.ask(there)), "404 KEY_NOT_FOUND", shown);
  }
  await client.ask({ action: "SET", key: "a^b", value: 1 });
  await other.ask({ action: "SET", key: "c", value: 1 });
  const listed: [object, string][] = [
    [{ action: "KEYS" }, '["app^deep^a^b"]'],
    [{ action: "KEYS", prefix: "a" }, '["app^deep^a^b"]'],
    [{ action: "KEYS", after: "app^deep^a^b" }, "[]"],
    [{ action: "KEYS", namespace: "global" }, '["global^c"]'],
    [{ action: "KEYS", prefix: "^" }, '["app^deep^a^b","global^c"]'],
    [{ action: "CHILDREN" }, '["a"]'],
    [{ action: "CHILDREN", key: "a" }, '["b"]'],
    [{ action: "CHILDREN", key: "^" }, '["app","global"]'],
  ];
  for (const [request, answer] of listed) {
    assert.equal(brief(await client.ask(request)), answer, JSON.stringify(request));
  }
  assert.equal(brief(await other.ask({ action: "KEYS" })), '["global^c"]');
});

Deno.test("USE counts for requests about several keys as well", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  using other = await stage.client();
  await client.ask({ action: "USE", namespace: "app" });
  const items = [{ key: "a", value: 1 }, { key: "b^c", value: 2 }, { key: "^global^d", value: 3 }];
  assert.equal(brief(await client.ask({ action: "MSET", items })), '"OK" rev 1');
  const keys = ["^app^a", "^app^b^c", "^global^d"];
  assert.equal(brief(await other.ask({ action: "MGET", keys })), "[1,2,3]");
  assert.equal(brief(await client.ask({ action: "MGET", keys: ["a", "b^c", "d"] })), "[1,2,null]");
  const transaction = {
    action: "TXN",
    if: [{ key: "a", value: 1 }, { key: "a", namespace: "n", exists: false }],
    then: [{ action: "INCR", key: "a" }, { action: "SET", key: "e", namespace: "n", value: 5 }],
  };
  assert.equal(
    brief(await client.ask(transaction)),
    '{"succeeded":true,"results":[2,"OK"]} rev 2',
  );
  assert.equal(brief(await other.ask({ action: "MGET", keys: ["^app^a", "^n^e"] })), "[2,5]");
  await client.ask({ action: "EXPIRE", key: "a", ttl: 60 });
  assert.ok((await other.ask({ action: "TTL", key: "^app^a" })).result as number > 0);
});

Deno.test("USE is refused what is no namespace, keeps the one before, and takes it back with an empty one", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.ask({ action: "USE", namespace: "app" });
  const refused: [unknown, string][] = [
    ["a^^b", "422 BAD_KEY (namespace)"],
    ["^", "422 BAD_KEY (namespace)"],
    ["$sys", "403 RESERVED (namespace)"],
    [["app"], "422 INVALID (namespace)"],
    [null, "422 INVALID (namespace)"],
    [undefined, "422 INVALID (namespace)"],
  ];
  for (const [namespace, answer] of refused) {
    assert.equal(brief(await client.ask({ action: "USE", namespace })), answer);
  }
  const long = "x".repeat(255);
  assert.equal(
    brief(await client.ask({ action: "USE", namespace: Array(4).fill(long).join("^") })),
    '"OK"',
  );
  assert.equal(brief(await client.ask({ action: "SET", key: "k", value: 1 })), "422 BAD_KEY (key)");
  await client.ask({ action: "USE", namespace: "app" });
  await client.ask({ action: "SET", key: "k", value: 1 });
  assert.equal(brief(await client.ask({ action: "USE", namespace: "" })), '"OK"');
  assert.equal(brief(await client.ask({ action: "GET", key: "k" })), "404 KEY_NOT_FOUND");
  assert.equal(brief(await client.ask({ action: "GET", key: "app^k" })), "1 rev 1");
});

Deno.test("the same key in two namespaces is two values", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.all([
    { action: "SET", namespace: "one", key: "k", value: 1 },
    { action: "SET", namespace: "two", key: "k", value: 2 },
  ]);
  assert.equal(brief(await client.ask({ action: "DEL", namespace: "one", key: "k" })), "1 rev 3");
  const replies = await client.all([
    { action: "GET", namespace: "one", key: "k" },
    { action: "GET", namespace: "two", key: "k" },
  ]);
  assert.deepEqual(replies.map(brief), ["404 KEY_NOT_FOUND", "2 rev 2"]);
});

Deno.test("a tree is deleted with all below it and nothing beside it", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  const keys = ["a^b", "a^b^c", "a^b^c^d", "a^bc", "a"];
  await client.all(keys.map((key) => ({ action: "SET", key: `^${key}`, value: key })));
  const exists = (key: string) => client.ask({ action: "EXISTS", key: `^${key}` });
  assert.deepEqual((await exists("a^b")).result, { value: true, children: true });
  assert.deepEqual((await exists("a^b^c^d")).result, { value: true, children: false });
  assert.equal(
    brief(await client.ask({ action: "DEL", key: "a^b", tree: true })),
    "3 rev 6",
  );
  const left = await client.all(keys.map((key) => ({ action: "GET", key: `^${key}` })));
  assert.deepEqual(left.map(({ status }) => status), ["error", "error", "error", "ok", "ok"]);
  assert.deepEqual((await exists("a^b")).result, { value: false, children: false });
  assert.deepEqual((await exists("a")).result, { value: true, children: true });
});
