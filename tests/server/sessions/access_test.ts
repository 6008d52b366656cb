/**
 * Who may have a session, and what it may do then.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { CLOSED, REJECTED, REQUEST_ERROR } from "../../../protocol/sessions/mod.ts";
import { tokensText } from "../../support/kv/access.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../../support/net/certificate.ts";
import { folder } from "../../support/replica/agents.ts";
import { PLAIN, RawClient, textOf } from "../../support/sessions/raw_client.ts";
import { oneServer } from "../../support/sessions/server.ts";

const CREATE = { kind: "createSession", capabilities: PLAIN, nonce: 7n } as const;

Deno.test("without a token that is right there is no session, and nothing else", async () => {
  await using guarded = await guardedServer();
  const { server } = guarded;
  const unauthorized = async (client: RawClient): Promise<void> => {
    const rejected = await client.next("sessionRejected");
    assert.deepEqual([rejected.reason, rejected.nonce], [REJECTED.unauthorized, 7n]);
    await client.ended();
  };
  const without = await server.open();
  await without.send(CREATE);
  await unauthorized(without);
  const wrong = await server.open();
  await wrong.hello("wrong-token");
  await wrong.send(CREATE);
  await unauthorized(wrong);
  const going = await server.open();
  await going.send({ kind: "continueSession", sessionId: "00".repeat(16), nonce: 7n });
  await unauthorized(going);
  const asking = await server.open();
  await asking.request(1, { action: "GET", key: "app^n" });
  assert.equal(await asking.closed(), CLOSED.sessionError);
  const guessing = await server.open();
  for (let i = 0; i < 5; i++) await guessing.hello(`guess-${i}`);
  assert.equal(await guessing.closed(), CLOSED.sessionError);
  const right = await server.open();
  await right.hello("wrong-token");
  await right.hello("app-token");
  await right.create();
});

Deno.test("a session does what the token of its connection may, and is told what it may not", async () => {
  await using guarded = await guardedServer();
  const { server } = guarded;
  const client = await server.open();
  await client.hello("app-token");
  const id = await client.create();
  assert.match(await client.command(1, { action: "SET", key: "app^n", value: 1 }), /"ok"/);
  assert.match(await client.query({ action: "GET", key: "app^n" }), /"ok"/);
  assert.match(await client.command(2, { action: "SET", key: "n", value: 1 }), /"code":403/);
  assert.match(await client.query({ action: "GET", key: "n" }), /"code":403/);
  assert.match(await client.command(3, { action: "WATCH", key: "n" }), /"code":403/);
  const other = await server.open();
  await other.hello("reader-token");
  assert.equal(await other.goOn(id), "continued");
  assert.match(await other.command(4, { action: "SET", key: "app^n", value: 1 }), /"code":403/);
  assert.match(await other.command(5, { action: "GET", key: "app^n" }), /"ok"/);
});

Deno.test("a token that is taken away ends the connections that it opened, and no others", async () => {
  await using guarded = await guardedServer();
  const { server } = guarded;
  const [app, reader] = [await server.open(), await server.open()];
  await app.hello("app-token");
  const id = await app.create();
  await reader.hello("reader-token");
  await reader.create();
  await guarded.write([READER]);
  const files = await server.agent.state?.reread();
  assert.deepEqual(files?.changed, ["kv.tokens_file"]);
  files?.apply();
  assert.equal(await app.closed(), CLOSED.connectionClosed);
  assert.match(await reader.query({ action: "GET", key: "app^n" }), /"code":404/);
  const again = await server.open();
  await again.hello("app-token");
  assert.equal(await again.goOn(id), "rejected 7");
});

Deno.test("what was done has its answer, also when it may not be done any more", async () => {
  await using guarded = await guardedServer();
  const { server } = guarded;
  const client = await server.open();
  await client.hello("app-token");
  const id = await client.create();
  const set = { action: "SET", key: "app^n", value: 1 };
  const answer = await client.command(1, set, 1);
  assert.match(answer, /"ok"/);
  await guarded.write([{ ...APP, write: [] }, READER]);
  (await server.agent.state?.reread())?.apply();
  assert.equal(await client.closed(), CLOSED.connectionClosed);
  const again = await server.open();
  await again.hello("app-token");
  assert.equal(await again.goOn(id), "continued");
  assert.equal(await again.command(1, set, 1), answer, "it does not say that it was not done");
  assert.match(await again.command(2, set, 1), /"code":403/);
  await again.command(3, { action: "GET", key: "app^n" }, 3);
  await again.request(1, set, 3);
  const { reason } = await again.next("requestError");
  assert.equal(reason, REQUEST_ERROR.responseEvicted);
});

Deno.test("a watch tells no more than the token of the connection may read now", async () => {
  await using guarded = await guardedServer();
  const { server } = guarded;
  const { kv } = server.agent.state ?? {};
  const client = await server.open();
  await client.hello("app-token");
  const id = await client.create();
  await client.command(1, { action: "WATCH", key: "app^a", tree: true }, 1);
  await client.command(2, { action: "WATCH", key: "app^a", tree: true, coalesce: true }, 2);
  const told = async (from: RawClient, count: number): Promise<unknown[]> => {
    const pushes: unknown[] = [];
    while (pushes.length < count) {
      const { payload } = await from.next("serverRequest");
      const { push, key, changes } = JSON.parse(textOf(payload));
      pushes.push(key ?? changes?.length ?? push);
    }
    return pushes;
  };
  await kv?.set("^app^a^b", 1);
  assert.deepEqual(await told(client, 2), ["app^a^b", 1]);
  await client.send({ kind: "serverRequestAck", requestId: 2 });
  await guarded.write([{ ...APP, read: ["app^a^b"] }, READER]);
  (await server.agent.state?.reread())?.apply();
  assert.equal(await client.closed(), CLOSED.connectionClosed);
  const again = await server.open();
  await again.hello("app-token");
  assert.equal(await again.goOn(id), "continued");
  await kv?.set("^app^a^secret", 2);
  await kv?.setMany([{ key: "^app^a^secret", value: 3 }, { key: "^app^a^b", value: 3 }]);
  const expected = ["missed", "missed", "missed", "app^a^b", "missed"];
  assert.deepEqual((await told(again, 5)).sort(), expected.sort());
});

Deno.test("a token that nobody asks for is for another port", async () => {
  await using server = await oneServer();
  const client = await server.open();
  await client.hello("app-token");
  await client.send(CREATE);
  assert.equal((await client.next("sessionRejected")).reason, REJECTED.unauthorized);
  const other = await server.open();
  await other.hello("");
  await other.create();
});

Deno.test("the port speaks the TLS of the key-value port", async () => {
  await using guarded = await guardedServer(true);
  const { server } = guarded;
  await using client = await RawClient.open(
    server.agent.state?.addresses.sessionAddr,
    CERTIFICATE,
  );
  await client.hello("app-token");
  await client.create();
  assert.match(await client.command(1, { action: "SET", key: "app^n", value: 1 }), /"ok"/);
});

const APP = { name: "app", read: ["app"], write: ["app"] };
const READER = { name: "reader", read: ["app"] };

async function guardedServer(secure = false) {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(await folder());
  const tokensFile = join(path, "tokens.json");
  const write = async (entries: Parameters<typeof tokensText>[0]): Promise<void> => {
    await Deno.writeTextFile(tokensFile, await tokensText(entries), { mode: 0o600 });
  };
  await write([APP, READER]);
  const [tlsCert, tlsKey] = [join(path, "cert.pem"), join(path, "key.pem")];
  await Deno.writeTextFile(tlsCert, CERTIFICATE);
  await Deno.writeTextFile(tlsKey, PRIVATE_KEY);
  const tls = secure ? { tlsCert, tlsKey } : {};
  const server = stack.use(await oneServer({ kv: { tokensFile, ...tls } }));
  return { server, write, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
