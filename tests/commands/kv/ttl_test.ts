/**
 * `skein kv` with lives that end and with transactions, in this process, with a port of its own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import { serve, type Stage } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const HOST = loopback();

/** Runs an action of `kv` at a stage, and shows exit code, standard output and standard error. */
function at({ port: { address } }: Stage) {
  return async (action: string, ...rest: string[]): Promise<[number, string, string]> => {
    const terminal = recordingTerminal();
    const argv = ["kv", action, `-kv-addr=${address.hostname}:${address.port}`, ...rest];
    return [await dispatch(argv, terminal), terminal.stdout, terminal.stderr];
  };
}

Deno.test("a value gets a time, shows it, keeps it, and loses it", async () => {
  await using stage = serve(HOST);
  const kv = at(stage);
  assert.deepEqual(await kv("set", "-ttl=30s", "k", "v"), [0, "Revision 1\n", ""]);
  assert.deepEqual(await kv("ttl", "k"), [0, "30s\n", ""]);
  assert.deepEqual(await kv("set", "-keep-ttl", "k", "w"), [0, "Revision 2\n", ""]);
  const [, json] = await kv("ttl", "-format=json", "k");
  const { key, ttl_ms } = JSON.parse(json);
  assert.equal(key, "k");
  assert.ok(ttl_ms > 29_000 && ttl_ms <= 30_000, json);
  assert.equal(JSON.parse((await kv("get", "-format=json", "k"))[1])["ttl_ms"], ttl_ms);
  assert.deepEqual(await kv("expire", "k", "1h30m"), [0, "Goes in 1h30m0s\n", ""]);
  assert.deepEqual(await kv("ttl", "k"), [0, "1h30m0s\n", ""]);
  assert.deepEqual(await kv("persist", "k"), [0, "Stays from now on\n", ""]);
  assert.deepEqual(await kv("persist", "k"), [0, "Was to stay already\n", ""]);
  assert.deepEqual(await kv("ttl", "-namespace=global", "k"), [0, "never\n", ""]);
  assert.deepEqual(await kv("incr", "-ttl=1m", "n"), [0, "1\n", ""]);
  assert.deepEqual(await kv("ttl", "n"), [0, "1m0s\n", ""]);
});

Deno.test("what is wrong with a time is told, and nothing is done", async () => {
  await using stage = serve(HOST);
  const kv = at(stage);
  const missing = "'none' has no value\n";
  assert.deepEqual(await kv("ttl", "none"), [1, "", missing]);
  assert.deepEqual(await kv("expire", "none", "1s"), [1, "", missing]);
  assert.deepEqual(await kv("persist", "none"), [1, "", missing]);
  const bad = "Expected a time from 1ms up to ten years, such as 30s, got";
  assert.deepEqual(await kv("expire", "k", "0s"), [1, "", `${bad} '0s'\n`]);
  assert.deepEqual(await kv("expire", "k", "99999h"), [1, "", `${bad} '99999h'\n`]);
  assert.deepEqual(await kv("expire", "k", "soon"), [1, "", `${bad} 'soon'\n`]);
  const both = await kv("set", "-ttl=1s", "-keep-ttl", "k", "v");
  assert.deepEqual(both, [1, "", "-ttl and -keep-ttl exclude each other\n"]);
  const [code, , text] = await kv("set", "-ttl=-1s", "k", "v");
  assert.equal(code, 1);
  assert.match(text, /-ttl: expected a time from 1ms up to ten years, such as 30s\n/);
  assert.deepEqual(await kv("get", "k"), [1, "", "'k' has no value\n"]);
});

Deno.test("a transaction is done as a whole, and its exit code tells whether the conditions held", async () => {
  await using stage = serve(HOST);
  const kv = at(stage);
  const claim = JSON.stringify({
    if: [{ key: "owner", exists: false }],
    then: [
      { action: "SET", key: "owner", value: "me", ttl: 60 },
      { action: "incr", key: "claims" },
      { action: "DECR", key: "free", by: 2 },
    ],
    else: [{ action: "GET", key: "owner" }, { action: "TTL", key: "claims" }],
  });
  assert.deepEqual(await kv("txn", claim), [0, '"OK"\n1\n-2\n', ""]);
  assert.deepEqual(await kv("txn", claim), [2, '"me"\n-1\n', ""]);
  // The state in memory counts a millisecond an entry.
  assert.deepEqual(await kv("ttl", "owner"), [0, "59.999s\n", ""]);
  assert.deepEqual(await kv("txn", "-format=json", claim), [
    2,
    '{\n  "succeeded": false,\n  "results": [\n    "me",\n    -1\n  ],\n  "rev": 1\n}\n',
    "",
  ]);
  assert.deepEqual(await kv("txn", "-namespace=app", '{"then":[{"action":"GET","key":"owner"}]}'), [
    0,
    "null\n",
    "",
  ]);
});

Deno.test("what is wrong with a transaction is told before anything is sent", async () => {
  await using stage = serve(HOST);
  const kv = at(stage);
  const failures: [string, string][] = [
    ["{", "The transaction is not JSON"],
    ["[]", "Expected an object in 'transaction', got []"],
    ['{"when":[]}', "Unknown member 'when' in 'transaction', expected one of if, then, else"],
    ['{"if":{}}', "Expected a list in 'if', got {}"],
    ['{"if":[1]}', "Expected an object in 'if', got 1"],
    [
      '{"then":[{"action":"FLY","key":"k"}]}',
      `Unknown action "FLY" in 'then', expected one of SET, GET, DEL, INCR, DECR, EXPIRE, PERSIST, TTL`,
    ],
    ['{"if":[{"key":"k"}]}', "Error: 'if': missing or wrong"],
    [
      '{"then":[{"action":"SET","key":"k","value":"x"},{"action":"INCR","key":"k"}]}',
      "Error: 'then': the value is not an integer",
    ],
  ];
  for (const [text, message] of failures) {
    assert.deepEqual(await kv("txn", text), [1, "", `${message}\n`], text);
  }
  assert.deepEqual(await kv("get", "k"), [1, "", "'k' has no value\n"]);
});
