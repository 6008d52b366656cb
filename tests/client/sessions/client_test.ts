/**
 * A session over sockets: servers that break, redirect, lose and repeat, and what the program sees.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ConnectError,
  ConnectionClosedError,
  KvError,
  OutcomeUnknownError,
  SessionClient,
  type SessionEvents,
  SessionExpiredError,
  SessionRejectedError,
  TimeoutError,
} from "../../../client/mod.ts";
import { CLOSED, MEMBER_ROLE, REJECTED, serverFrame } from "../../../protocol/sessions/mod.ts";
import { loopback } from "../../support/loopback.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../../support/net/certificate.ts";
import { until, withPatience } from "../../support/rpc/peer.ts";
import { Model, type ModelSession } from "../../support/sessions/model.ts";
import { type Script, startScriptedServer } from "../../support/sessions/scripted_server.ts";

const HOST = loopback();

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const counted = async (session: SessionClient, text: string): Promise<string> =>
  textOf(await session.command(bytesOf(text)));

/** The next server requests. */
function told(session: SessionClient, count: number): Promise<string[]> {
  const read = async (): Promise<string[]> => {
    const seen: string[] = [];
    for await (const { requestId, payload } of session.serverRequests) {
      if (seen.push(`${requestId} ${textOf(payload)}`) === count) break;
    }
    return seen;
  };
  return withPatience(read());
}

/** The only session of some servers. */
function sessionOf(model: Model): ModelSession {
  const [session] = model.sessions.values();
  assert.ok(session !== undefined);
  return session;
}

Deno.test("a session is created, does commands and queries, and ends", async () => {
  await using server = startScriptedServer(HOST);
  await using session = new SessionClient({
    address: server.address,
    capabilities: { worker: "v2" },
  });
  const told: string[] = [];
  for (const name of ["connected", "disconnected", "leaderChanged"] as const) {
    session.on(name, (detail) => told.push(`${name} ${JSON.stringify(detail)}`));
  }
  assert.deepEqual([session.connected, session.sessionId], [false, undefined]);
  await session.connect();
  assert.deepEqual([session.connected, session.sessionId], [true, "session-1"]);
  await until(() => session.leader === "model");
  const [created] = server.received;
  assert.ok(created?.kind === "createSession");
  assert.deepEqual(created.capabilities.map(([name]) => name), [
    "client-id",
    "worker",
    "session-ext",
  ]);
  assert.equal(await counted(session, "a"), "1");
  assert.deepEqual(
    await Promise.all(Array.from({ length: 3_000 }, (_, i) => counted(session, `${i}`))),
    Array.from({ length: 3_000 }, (_, i) => `${i + 2}`),
  );
  assert.equal(textOf(await session.query(bytesOf("?"))), "");
  await session.close();
  assert.equal(await session.closed, undefined);
  await until(() => server.model.sessions.size === 0);
  assert.deepEqual(told, [
    'connected {"sessionId":"session-1"}',
    'leaderChanged {"leader":"model"}',
    "disconnected {}",
  ]);
});

Deno.test("answers that get lost with the connection are had again, and nothing is done twice", async () => {
  const cuts = new Set<number>();
  await using server = startScriptedServer(HOST, {
    script(message, connection) {
      if (message.kind !== "clientRequest" || message.requestId % 10 !== 0) return false;
      if (cuts.has(message.requestId)) return false;
      cuts.add(message.requestId);
      server.model.receiveLast(connection, message);
      return true;
    },
  });
  await using session = new SessionClient({ address: server.address });
  let reconnects = 0;
  session.on("reconnecting", () => reconnects++);
  await session.connect();
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => counted(session, `${i}`)),
  );
  assert.deepEqual(answers, answers.map((_, i) => `${i + 1}`));
  assert.equal(server.model.executed.length, 100);
  assert.deepEqual([cuts.size, reconnects], [10, 10]);
});

Deno.test("a server that drops requests gets them again", async () => {
  let dropped = 0;
  await using server = startScriptedServer(HOST, {
    script: ({ kind }) => (kind === "clientRequest" || kind === "query") && dropped++ < 4,
  });
  await using session = new SessionClient({ address: server.address, resendMs: 50 });
  await session.connect();
  const [command, query] = await Promise.all([
    counted(session, "a"),
    session.query(bytesOf("?")),
  ]);
  assert.deepEqual([command, query.length, dropped >= 4], ["1", 0, true]);
  assert.equal(server.accepted, 1, "on the same connection");
});

Deno.test("the client finds the server that leads, by hints and by asking one after the other", async () => {
  const model = new Model();
  await using leader = startScriptedServer(HOST, { model });
  const refusing = (hint: string | undefined): Script => (message, connection) => {
    if (message.kind !== "createSession") return false;
    const members = [{ id: "l", address: leader.address, role: MEMBER_ROLE.voter }];
    if (hint) connection.send({ kind: "clusterInfo", members, leader: hint, term: 3 });
    const { nonce } = message;
    const refusal = { kind: "sessionRejected", reason: REJECTED.notLeader, nonce } as const;
    connection.send({ ...refusal, leader: hint });
    connection.close();
    return true;
  };
  await using silent = startScriptedServer(HOST, { script: refusing(undefined) });
  await using follower = startScriptedServer(HOST, { script: refusing("l") });
  const dead = startScriptedServer(HOST);
  await dead[Symbol.asyncDispose]();
  const addresses = [dead.address, silent.address, follower.address];
  await using session = new SessionClient({ address: addresses.join(", ") });
  await session.connect();
  assert.equal(await counted(session, "a"), "1");
  assert.deepEqual([silent.accepted, follower.accepted, leader.accepted], [1, 1, 1]);
});

Deno.test("a session outlives its server and goes on at another one", async () => {
  const model = new Model();
  const one = startScriptedServer(HOST, { model });
  await using two = startScriptedServer(HOST, { model });
  await using session = new SessionClient({ address: `${one.address},${two.address}` });
  await session.connect();
  assert.equal(await counted(session, "a"), "1");
  await one[Symbol.asyncDispose]();
  assert.equal(await counted(session, "b"), "2");
  assert.deepEqual([session.sessionId, two.accepted], ["session-1", 1]);
});

Deno.test("calls that are made before there is a server wait for it, as long as their time allows", async () => {
  const first = startScriptedServer(HOST);
  await first[Symbol.asyncDispose]();
  const port = Number(first.address.split(":")[1]);
  await using session = new SessionClient({ address: first.address });
  const early = counted(session, "a");
  await assert.rejects(session.connect({ timeoutMs: 50 }), (error) => {
    assert.ok(error instanceof ConnectError);
    assert.match(error.message, /No session within 50 ms: dial tcp .*connection refused/);
    return true;
  });
  const late = session.command(bytesOf("b"), { timeoutMs: 10 });
  await assert.rejects(late, TimeoutError, "it was never sent");
  await using server = startScriptedServer(HOST, { port });
  assert.equal(await early, "1", "it went on to look for a server");
  assert.deepEqual(server.model.executed, ["session-1 a"]);
});

Deno.test("calls end with their deadline or their signal, and a command then may have been done", async () => {
  await using server = startScriptedServer(HOST, {
    script: (message) => message.kind === "clientRequest" && textOf(message.payload) === "lost",
  });
  await using session = new SessionClient({ address: server.address });
  await session.connect();
  await assert.rejects(session.command(bytesOf("lost"), { timeoutMs: 50 }), (error) => {
    assert.ok(error instanceof OutcomeUnknownError);
    assert.ok(error.cause instanceof TimeoutError);
    return true;
  });
  const reason = new Error("enough");
  const giving = new AbortController();
  const given = session.command(bytesOf("lost"), { signal: giving.signal });
  giving.abort(reason);
  await assert.rejects(given, (error) => error === reason);
  await assert.rejects(
    session.command(bytesOf("x"), { signal: giving.signal }),
    (error) => error === reason,
  );
  assert.equal(await counted(session, "a"), "1");
  const last = server.received.at(-1);
  assert.ok(last?.kind === "clientRequest");
  assert.deepEqual([last.requestId, last.lowestPending], [3, 3], "nothing given up is waited for");
});

Deno.test("a session that has expired ends the client, or is followed by a new one", async () => {
  for (const autoRenew of [false, true]) {
    await using server = startScriptedServer(HOST);
    await using session = new SessionClient({ address: server.address, autoRenew });
    const expired: (string | undefined)[] = [];
    session.on("sessionExpired", ({ sessionId }) => expired.push(sessionId));
    await session.connect();
    server.model.expire("session-1");
    server.hangUp();
    if (autoRenew) {
      await until(() => session.sessionId === "session-2" && session.connected);
      assert.equal(await counted(session, "a"), "1");
    } else {
      assert.ok(await session.closed instanceof SessionExpiredError);
      await assert.rejects(session.command(bytesOf("a")), SessionExpiredError);
      await assert.rejects(session.connect(), SessionExpiredError);
    }
    assert.deepEqual(expired, ["session-1"]);
  }
});

Deno.test("what was sent when the session expired may have been done", async () => {
  await using server = startScriptedServer(HOST, {
    script(message, connection) {
      if (message.kind !== "clientRequest") return false;
      connection.send({ kind: "sessionClosed", reason: CLOSED.sessionExpired });
      return true;
    },
  });
  await using session = new SessionClient({ address: server.address });
  await session.connect();
  await assert.rejects(session.command(bytesOf("a")), (error) => {
    assert.ok(error instanceof OutcomeUnknownError);
    assert.ok(error.cause instanceof SessionExpiredError);
    return true;
  });
});

Deno.test("an answer that is gone breaks the session", async () => {
  await using server = startScriptedServer(HOST, {
    script(message, connection) {
      if (message.kind !== "clientRequest") return false;
      connection.send({ kind: "requestError", requestId: message.requestId, reason: 1 });
      return true;
    },
  });
  await using session = new SessionClient({ address: server.address });
  const broken: SessionEvents["sessionBroken"][] = [];
  session.on("sessionBroken", (detail) => broken.push(detail));
  await session.connect();
  await assert.rejects(session.command(bytesOf("a")), OutcomeUnknownError);
  assert.equal((await session.closed)?.name, "SessionBrokenError");
  assert.equal(broken.length, 1);
  await until(() => server.model.sessions.size === 0);
});

Deno.test("servers that refuse for good end the client", async () => {
  const reasons = [
    [REJECTED.unauthorized, "UNAUTHORIZED"],
    [REJECTED.invalidCapabilities, "INVALID_CAPABILITIES"],
  ] as const;
  for (const [code, reason] of reasons) {
    await using server = startScriptedServer(HOST, {
      script(message, connection) {
        if (message.kind !== "createSession") return message.kind === "hello";
        connection.send({ kind: "sessionRejected", reason: code, nonce: message.nonce });
        return true;
      },
    });
    await using session = new SessionClient({ address: server.address, token: "secret" });
    const early = session.command(bytesOf("a"));
    const refused = (error: unknown) =>
      error instanceof SessionRejectedError && error.reason === reason;
    await Promise.all([
      assert.rejects(session.connect(), refused),
      assert.rejects(early, refused),
    ]);
    const [hello] = server.received;
    assert.deepEqual(hello, { kind: "hello", token: "secret", flags: 0 });
  }
});

Deno.test("a server that gives no session in time is left for the next", async () => {
  await using mute = startScriptedServer(HOST, { script: () => true });
  await using server = startScriptedServer(HOST);
  const address = `${mute.address},${server.address}`;
  await using session = new SessionClient({ address, attemptTimeoutMs: 50 });
  await session.connect();
  assert.equal(session.connected, true);
  await until(() => mute.received.length === 1);
});

Deno.test("a server that falls silent is left for the next", async () => {
  const model = new Model();
  await using mute = startScriptedServer(HOST, {
    model,
    script: ({ kind }) => kind === "keepAlive",
  });
  await using server = startScriptedServer(HOST, { model });
  const address = `${mute.address},${server.address}`;
  await using session = new SessionClient({ address, keepAliveMs: 20 });
  const reasons: string[] = [];
  session.on("reconnecting", ({ reason }) => reasons.push(reason.message));
  await session.connect();
  await until(() => server.received.some(({ kind }) => kind === "keepAlive"));
  assert.match(reasons[0] ?? "", /^Server was silent for \d+ ms$/);
});

Deno.test("bytes that are no message end the connection, and not the session", async () => {
  let odd = 0;
  await using server = startScriptedServer(HOST, {
    script(message, connection) {
      if (message.kind !== "clientRequest" || ++odd > 3) return false;
      const frame = serverFrame({ kind: "clientResponse", requestId: 1, result: bytesOf("?") });
      if (odd === 1) connection.sendBytes(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
      else if (odd === 2) connection.sendBytes(frame.with(4, 0));
      else connection.sendBytes(frame.subarray(0, 12));
      if (odd === 3) connection.close();
      return true;
    },
  });
  await using session = new SessionClient({ address: server.address });
  await session.connect();
  assert.equal(await counted(session, "a"), "1");
  assert.equal(server.accepted, 4);
});

Deno.test("server requests come once and in order, whatever breaks, and are acknowledged", async () => {
  await using server = startScriptedServer(HOST);
  await using session = new SessionClient({ address: server.address });
  await session.connect();
  const reading = told(session, 100);
  const { model } = server;
  for (let i = 1; i <= 100; i++) {
    model.request(sessionOf(model), bytesOf(`job ${i}`));
    if (i % 10 === 0) model.requestAgain();
    if (i % 30 === 0) {
      server.hangUp();
      await until(() => !session.connected);
      await until(() => session.connected);
    }
  }
  const expected = Array.from({ length: 100 }, (_, i) => `${i + 1} job ${i + 1}`);
  assert.deepEqual(await reading, expected);
  await until(() => sessionOf(model).unacked.size === 0);
});

Deno.test("a program that does not read leaves the rest at the servers", async () => {
  await using server = startScriptedServer(HOST);
  await using session = new SessionClient({ address: server.address });
  await session.connect();
  const { model } = server;
  for (let i = 1; i <= 3_000; i++) model.request(sessionOf(model), bytesOf(`${i}`));
  await until(() => sessionOf(model).unacked.size <= 2_000);
  assert.equal(await counted(session, "a"), "1", "everything before was taken or left");
  assert.equal(sessionOf(model).unacked.size, 2_000);
  const first = await told(session, 2_000);
  model.requestAgain();
  const all = [...first, ...await told(session, 1_000)];
  assert.deepEqual(all, all.map((_, i) => `${i + 1} ${i + 1}`));
  await until(() => sessionOf(model).unacked.size === 0);
});

Deno.test("another process goes on with a session, without a gap and without numbers of before", async () => {
  await using server = startScriptedServer(HOST);
  const { model } = server;
  const before = new SessionClient({ address: server.address });
  await before.connect();
  for (let i = 1; i <= 5; i++) assert.equal(await counted(before, `${i}`), `${i}`);
  model.request(sessionOf(model), bytesOf("read"));
  assert.deepEqual(await told(before, 1), ["1 read"]);
  await until(() => sessionOf(model).unacked.size === 0);
  const resume = before.sessionId as string;
  await before.close({ keep: true });
  await until(() => server.received.at(-1)?.kind === "connectionClosed");
  model.request(sessionOf(model), bytesOf("missed"));
  await using after = new SessionClient({ address: server.address, resume });
  const queued = counted(after, "6");
  await after.connect();
  assert.equal(await queued, "6");
  const last = server.received.findLast((message) => message.kind === "clientRequest");
  assert.deepEqual([last?.requestId, last?.lowestPending], [1_030, 1_030]);
  assert.deepEqual(await told(after, 1), ["2 missed"]);
  await using nobody = new SessionClient({ address: server.address, resume: "no such session" });
  await assert.rejects(nobody.connect(), SessionExpiredError);
});

Deno.test("closing ends what is under way, and what is read", async () => {
  await using server = startScriptedServer(HOST, {
    script: ({ kind }) => kind === "clientRequest" || kind === "query",
  });
  const session = new SessionClient({ address: server.address });
  await session.connect();
  const sent = session.command(bytesOf("a"));
  const asked = session.query(bytesOf("?"));
  const reading = Array.fromAsync(session.serverRequests);
  const waiting = Promise.all([
    assert.rejects(sent, (error) => {
      assert.ok(error instanceof OutcomeUnknownError);
      assert.ok(error.cause instanceof ConnectionClosedError);
      return true;
    }),
    assert.rejects(asked, ConnectionClosedError),
  ]);
  await Promise.all([session.close(), session.close(), waiting]);
  assert.deepEqual(await reading, []);
  await assert.rejects(session.command(bytesOf("a")), ConnectionClosedError);
  await assert.rejects(session.connect(), ConnectionClosedError);
  const unused = new SessionClient();
  const queued = assert.rejects(unused.command(bytesOf("a")), ConnectionClosedError);
  await unused.close();
  await queued;
});

Deno.test("what is too long or no bytes at all is not sent", async () => {
  await using server = startScriptedServer(HOST);
  await using session = new SessionClient({ address: server.address });
  await session.connect();
  const whole = new Uint8Array(1024 * 1024);
  assert.equal(textOf(await session.command(whole)), "1");
  await assert.rejects(session.command(new Uint8Array(whole.length + 1)), (error) => {
    return error instanceof KvError && error.reason === "PAYLOAD_TOO_LARGE";
  });
  await assert.rejects(session.command("text" as never), /expected a Uint8Array, got string/);
  await assert.rejects(
    session.query(bytesOf("?"), { timeout: 1 } as never),
    /Unknown option 'timeout'/,
  );
  for (const [name, value] of [["resendMs", 0], ["keepAliveMs", NaN], ["address", 1], ["odd", 1]]) {
    assert.throws(() => new SessionClient({ [name as string]: value } as never), TypeError);
  }
  assert.throws(() => new SessionClient({ capabilities: { "a b": "1" } }), /got 'a b'/);
});

Deno.test("a payload that the program changes later is sent as it was", async () => {
  await using server = startScriptedServer(HOST);
  await using session = new SessionClient({ address: server.address });
  const payload = bytesOf("a");
  const sent = session.command(payload);
  payload.fill(0);
  await session.connect();
  await sent;
  assert.deepEqual(server.model.executed, ["session-1 a"]);
});

Deno.test("a session over TLS, with a certificate that is trusted or not", async () => {
  const tls = { cert: CERTIFICATE, key: PRIVATE_KEY };
  await using server = startScriptedServer(HOST, { tls });
  const caCerts = [CERTIFICATE];
  await using session = new SessionClient({
    address: server.address,
    tls: { caCerts, serverName: "localhost" },
  });
  await session.connect();
  assert.equal(await counted(session, "a"), "1");
  await using wary = new SessionClient({ address: server.address, tls: true });
  await assert.rejects(wary.connect({ timeoutMs: 300 }), /tls/);
});
