/**
 * Who gets in on a key-value port that has tokens, and who does not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Access, MAX_WAITING_PASSWORDS } from "../../../../server/kv/access/access.ts";
import { Attempts, MAX_SOURCES } from "../../../../server/kv/access/attempts.ts";
import { readEntries } from "../../../../server/kv/access/entries.ts";
import {
  digestOf,
  hashPassword,
  makeToken,
  stretch,
} from "../../../../server/kv/access/secrets.ts";
import { ACTIONS } from "../../../../protocol/kv/mod.ts";
import { accessOf, tokensText } from "../../../support/kv/access.ts";
import { brief, type KvPeer, serve } from "../../../support/kv/stage.ts";
import { loopback } from "../../../support/loopback.ts";
import { until } from "../../../support/rpc/peer.ts";

const HOST = loopback();
const ALL = { read: ["^"], write: ["^"] };

/** Shows a token, and gives the answer in short. */
async function auth(client: KvPeer, token: string): Promise<string> {
  return brief(await client.ask({ action: "AUTH", token }));
}

Deno.test("before AUTH only four actions are answered, whatever else is asked", async () => {
  await using stage = serve(HOST, { access: await accessOf([{ name: "all", ...ALL }]) });
  using client = await stage.client();
  const closed = Object.keys(ACTIONS).filter((name) =>
    !["HELLO", "AUTH", "PING", "QUIT"].includes(name)
  );
  for (const action of [...closed, "FLY", "toString"]) {
    const reply = await client.ask({ id: 1, action, key: "k", value: 1 });
    assert.equal(brief(reply), "401 AUTH_REQUIRED", action);
  }
  assert.equal(brief(await client.ask({ action: "PING" })), '"PONG"');
  assert.equal((await client.ask({ action: "HELLO" })).status, "ok");
  assert.equal(stage.state.answered, 0);
  // In one write: what follows AUTH is done with its rights.
  const replies = await client.all([
    { action: "GET", key: "k" },
    { action: "AUTH", token: "all-token" },
    { action: "SET", key: "k", value: 1 },
    { action: "FLY" },
  ]);
  assert.deepEqual(replies.map(brief), [
    "401 AUTH_REQUIRED",
    '"OK"',
    '"OK" rev 1',
    "405 UNKNOWN_ACTION",
  ]);
  assert.equal(brief(await client.ask({ action: "QUIT" })), '"BYE"');
});

Deno.test("the fifth wrong token closes the connection, and a right one in between begins anew", async () => {
  await using stage = serve(HOST, { access: await accessOf([{ name: "all", ...ALL }]) });
  using client = await stage.client();
  for (let i = 0; i < 4; i++) assert.equal(await auth(client, "wrong"), "401 AUTH_FAILED");
  assert.equal(await auth(client, "all-token"), '"OK"');
  for (let i = 0; i < 4; i++) assert.equal(await auth(client, "wrong"), "401 AUTH_FAILED");
  // Who was let in stays in.
  assert.equal(brief(await client.ask({ action: "SET", key: "k", value: 1 })), '"OK" rev 1');
  await client.send('{"action":"AUTH","token":"wrong"}\n{"action":"GET","key":"k"}\n');
  assert.deepEqual((await client.rest()).map(brief), ["401 AUTH_FAILED"]);
  await until(() => stage.port.size === 0);
});

Deno.test("a user shows a password, and no other way round", async () => {
  const access = await accessOf([
    { name: "ann", hash: await hashPassword("pass word"), ...ALL },
    { name: "app", ...ALL },
  ]);
  await using stage = serve(HOST, { access });
  const tries: [object, string][] = [
    [{ user: "ann", password: "pass word" }, '"OK"'],
    // The second time without the work.
    [{ user: "ann", password: "pass word" }, '"OK"'],
    [{ user: "ann", password: "pass" }, "401 AUTH_FAILED"],
    [{ user: "bob", password: "pass word" }, "401 AUTH_FAILED"],
    [{ user: "app", password: "app-token" }, "401 AUTH_FAILED"],
    [{ token: "pass word" }, "401 AUTH_FAILED"],
    [{ token: "app-token" }, '"OK"'],
    [{ user: "ann" }, "422 INVALID (password)"],
    [{ password: "pass word" }, "422 INVALID (user)"],
    [{ token: "app-token", user: "ann" }, "422 INVALID (token)"],
    [{}, "422 INVALID (token)"],
  ];
  for (const [shown, answer] of tries) {
    using client = await stage.client();
    assert.equal(brief(await client.ask({ action: "AUTH", ...shown })), answer);
  }
});

Deno.test("a password that was right is not the same work again, and counts no longer than its entry", async () => {
  const hash = await hashPassword("right");
  const access = await accessOf([{ name: "ann", hash, ...ALL }]);
  const shown = { user: "ann", password: "right" };
  await access.authenticate(shown, "10.0.0.1");
  const start = performance.now();
  for (let i = 0; i < 100; i++) {
    assert.ok(!("ok" in await access.authenticate(shown, "10.0.0.1")));
  }
  assert.ok(performance.now() - start < 2_000, "a hundred times 80 ms are 8 s");
  const other = await hashPassword("another");
  access.replace(readEntries(await tokensText([{ name: "ann", hash: other, ...ALL }])));
  assert.ok("ok" in await access.authenticate(shown, "10.0.0.1"));
});

Deno.test("an unknown user costs as much as a wrong password", async () => {
  const access = await accessOf([{ name: "ann", hash: await hashPassword("right"), ...ALL }]);
  const timeOf = async (user: string): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < 2; i++) await access.authenticate({ user, password: "wrong" }, user);
    return performance.now() - start;
  };
  await timeOf("warm");
  const [known, unknown] = [await timeOf("ann"), await timeOf("bob")];
  assert.ok(unknown > known / 4 && unknown < known * 4, `${unknown} ms, ${known} ms`);
});

Deno.test("an address that has failed has to wait with passwords, longer each time, but not with tokens", async () => {
  let now = 0;
  const access = await accessOf([
    { name: "ann", hash: await hashPassword("right"), ...ALL },
    { name: "app", ...ALL },
  ], () => now);
  const tell = async (shown: object, source = "10.0.0.1"): Promise<string> => {
    const found = await access.authenticate(shown, source);
    return "ok" in found ? found.reason : found.name;
  };
  const right = { user: "ann", password: "right" };
  for (let i = 0; i < 5; i++) assert.equal(await tell({ token: `no${i}` }), "AUTH_FAILED");
  assert.equal(await tell(right), "RATE_LIMITED");
  assert.equal(await tell({ token: "app-token" }), "app");
  assert.equal(await tell(right, "10.0.0.2"), "ann");
  now = 999;
  assert.equal(await tell(right), "RATE_LIMITED");
  now = 1_000;
  assert.equal(await tell(right), "ann");
  assert.equal(await tell({ user: "ann", password: "no" }), "AUTH_FAILED");
  now = 2_999;
  assert.equal(await tell(right), "RATE_LIMITED", "twice as long");
  now = 3_000;
  assert.equal(await tell(right), "ann");
  now += 10 * 60_000;
  assert.equal(await tell({ token: "no" }), "AUTH_FAILED");
  assert.equal(await tell(right), "ann", "all is forgotten");
});

Deno.test("a flood of passwords waits in a short queue, from many addresses, too", async () => {
  const access = await accessOf([{ name: "ann", hash: await hashPassword("right"), ...ALL }]);
  const tries = Array.from(
    { length: MAX_WAITING_PASSWORDS + 50 },
    (_, i) => access.authenticate({ user: "ann", password: `no${i}` }, `10.0.${i % 4}.${i}`),
  );
  const reasons = (await Promise.all(tries)).map((found) => "ok" in found && found.reason);
  assert.equal(reasons.filter((reason) => reason === "OVERLOADED").length, 50);
  assert.equal(reasons.filter((reason) => reason === "AUTH_FAILED").length, MAX_WAITING_PASSWORDS);
});

Deno.test("of one address no more passwords of a flood are looked at than may fail", async () => {
  const access = await accessOf([{ name: "ann", hash: await hashPassword("right"), ...ALL }]);
  const tries = Array.from(
    { length: 20 },
    (_, i) => access.authenticate({ user: "ann", password: `no${i}` }, "10.0.0.1"),
  );
  const reasons = (await Promise.all(tries)).map((found) => "ok" in found && found.reason);
  assert.equal(reasons.filter((reason) => reason === "AUTH_FAILED").length, 5);
  assert.equal(reasons.filter((reason) => reason === "RATE_LIMITED").length, 15);
});

Deno.test("addresses that failed are remembered up to a number", () => {
  let now = 0;
  const attempts = new Attempts(() => now);
  const wait = (source: string): boolean => {
    for (let i = 0; i < 5; i++) attempts.failed(source);
    return attempts.mustWait(source);
  };
  for (let i = 0; i < MAX_SOURCES + 10; i++) assert.ok(wait(`source ${i}`));
  assert.equal(attempts.size, MAX_SOURCES);
  assert.ok(!attempts.mustWait("source 0"));
  assert.ok(attempts.mustWait(`source ${MAX_SOURCES + 9}`));
  now = 10 * 60_000;
  attempts.failed("another");
  assert.equal(attempts.size, 1);
});

Deno.test("who says nothing of itself for too long is disconnected, talk or not", async () => {
  await using stage = serve(HOST, {
    access: await accessOf([{ name: "all", ...ALL }]),
    strangerLimitMs: 300,
  });
  using known = await stage.client();
  assert.equal(await auth(known, "all-token"), '"OK"');
  using silent = await stage.client();
  using talking = await stage.client();
  const start = performance.now();
  assert.equal(brief(await talking.ask({ action: "PING" })), '"PONG"');
  assert.deepEqual(await silent.rest(), []);
  assert.deepEqual(await talking.rest(), []);
  assert.ok(performance.now() - start >= 290);
  assert.equal(brief(await known.ask({ action: "PING" })), '"PONG"');
});

Deno.test("a stranger sends no long line, and reads what it asked for", async () => {
  await using stage = serve(HOST, { access: await accessOf([{ name: "all", ...ALL }]) });
  using client = await stage.client();
  await client.send(`{"action":"AUTH","token":"${"x".repeat(10_000)}"}\n`);
  assert.deepEqual((await client.rest()).map(brief), ["413 LINE_TOO_LONG"]);
  using known = await stage.client();
  assert.equal(await auth(known, "all-token"), '"OK"');
  const long = { action: "SET", key: "k", value: "x".repeat(500_000) };
  assert.equal(brief(await known.ask(long)), '"OK" rev 1');
});

Deno.test("where nobody has to show anything, whoever shows something is told that it is wrong", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  for (let i = 0; i < 9; i++) assert.equal(await auth(client, "a"), "401 AUTH_FAILED");
  assert.equal(brief(await client.ask({ action: "SET", key: "k", value: 1 })), '"OK" rev 1');
});

Deno.test("an entry that is gone or has other rights loses its connections at once, and others stay", async () => {
  const given = ["a", "b", "c"].map((name) => ({ name, ...ALL }));
  const access = await accessOf(given);
  await using stage = serve(HOST, { access });
  const clients: KvPeer[] = [];
  for (const { name } of given) {
    const client = await stage.client();
    clients.push(client);
    assert.equal(await auth(client, `${name}-token`), '"OK"');
  }
  const [a, b, c] = clients as [KvPeer, KvPeer, KvPeer];
  const now = [{ name: "a", ...ALL }, { name: "b", read: ["app"] }];
  access.replace(readEntries(await tokensText(now)));
  stage.port.recheck();
  const closing = [{ push: "closing", code: 401, reason: "AUTH_REQUIRED" }];
  await b.send('{"action":"SET","key":"k","value":1}\n').catch(() => {});
  assert.deepEqual(await b.rest(), closing);
  assert.deepEqual(await c.rest(), closing);
  assert.equal(brief(await a.ask({ action: "GET", key: "k" })), "404 KEY_NOT_FOUND");
  using again = await stage.client();
  assert.equal(await auth(again, "c-token"), "401 AUTH_FAILED");
  assert.equal(await auth(again, "b-token"), '"OK"');
  assert.equal(brief(await again.ask({ action: "SET", key: "^app^k", value: 1 })), "403 FORBIDDEN");
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("a connection that was let in by several entries ends with any of them, as it may hear by the rights of each", async () => {
  const given = [{ name: "all", ...ALL }, { name: "own", read: ["own"] }];
  const access = await accessOf(given);
  await using stage = serve(HOST, { access });
  using all = await stage.client();
  assert.equal(await auth(all, "all-token"), '"OK"');
  using client = await stage.client();
  assert.equal(await auth(client, "all-token"), '"OK"');
  await client.ask({ action: "WATCH", key: "^", tree: true });
  assert.equal(await auth(client, "own-token"), '"OK"');
  access.replace(readEntries(await tokensText(given.slice(1))));
  stage.port.recheck();
  assert.deepEqual((await client.rest()).map(({ push }) => push), ["closing"]);
  assert.equal(stage.state.watches.figures.watches, 0);
});

Deno.test("a token is none by the hash of a password, and a password none by that of a token", async () => {
  const [token, password] = ["a text that is shown", "a text that is shown"];
  const base64 = (bytes: Uint8Array): string =>
    bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  const salt = new Uint8Array(16);
  const access = await accessOf([
    { name: "ann", hash: `scrypt:15:${base64(salt)}:${base64(await digestOf(token))}`, ...ALL },
    { name: "app", hash: `sha256:${base64(await stretch(password, salt, 15))}`, ...ALL },
  ]);
  for (const shown of [{ token }, { user: "app", password }, { user: "ann", password }]) {
    assert.ok("ok" in await access.authenticate(shown, "10.0.0.1"), JSON.stringify(shown));
  }
});

Deno.test("the addresses of one network of IPv6 wait together, as one machine may have all of them", async () => {
  const access = await accessOf(
    [{ name: "ann", hash: await hashPassword("right"), ...ALL }],
    () => 0,
  );
  const right = { user: "ann", password: "right" };
  for (let i = 1; i <= 5; i++) {
    await access.authenticate({ token: "no" }, `2001:db8:1:2::${i}`);
  }
  const found = await access.authenticate(right, "2001:db8:1:2:a:b:c:d");
  assert.equal("ok" in found && found.reason, "RATE_LIMITED");
  assert.ok(!("ok" in await access.authenticate(right, "2001:db8:1:3::1")), "another network");
});

Deno.test("an entry that goes while its password is looked at lets nobody in", async () => {
  const text = await tokensText([{ name: "ann", hash: await hashPassword("right"), ...ALL }]);
  const access = new Access(readEntries(text));
  const shown = access.authenticate({ user: "ann", password: "right" }, "10.0.0.1");
  access.replace([]);
  assert.equal("ok" in await shown, true);
});

Deno.test("tokens and passwords are in no line of the log, in no figure and in no answer", async () => {
  const token = makeToken();
  const access = await accessOf([
    { name: "all", token, ...ALL, admin: true },
    { name: "ann", hash: await hashPassword("swordfish"), ...ALL },
  ]);
  await using stage = serve(HOST, { access, logsRequests: true });
  using client = await stage.client();
  const requests = [
    { action: "AUTH", token: "sesame" },
    { action: "AUTH", user: "ann", password: "sesame" },
    { action: "AUTH", user: "sesame", password: "swordfish" },
    { action: "AUTH", token: ["sesame"] },
    { action: "AUTH", token },
    { action: "SET", key: "sesame", value: "swordfish" },
    { action: "INFO" },
    { action: "AUTH", user: "ann", password: "swordfish" },
  ];
  const replies = await client.all(requests);
  assert.equal(replies.filter(({ status }) => status === "ok").length, 4);
  const told = [...stage.log.lines("TRACE"), ...replies.map((reply) => JSON.stringify(reply))]
    .join();
  for (const secret of [token, "sesame", "swordfish"]) assert.ok(!told.includes(secret), secret);
  const warnings = stage.log.lines("WARN").map((line) => line.replace(/^.*127\.\S+: /, ""));
  assert.deepEqual(warnings, ["401 AUTH_FAILED", "422 INVALID ('token')"]);
});
