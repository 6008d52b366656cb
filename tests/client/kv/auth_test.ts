/**
 * The key-value client at ports where it has to show who it is, and on TLS.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ConnectError,
  KvClient,
  type KvConnectOptions,
  KvError,
  type TlsOptions,
} from "../../../client/mod.ts";
import { readEntries } from "../../../server/kv/access/entries.ts";
import { hashPassword } from "../../../server/kv/access/secrets.ts";
import { TlsServer } from "../../../server/net/wire/tls.ts";
import { accessOf, tokensText } from "../../support/kv/access.ts";
import { startScriptedPort } from "../../support/kv/scripted_port.ts";
import { serve, type Stage } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { CERTIFICATE, OTHER_CERTIFICATE, PRIVATE_KEY } from "../../support/net/certificate.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();
const ALL = { read: ["^"], write: ["^"] };

function connect({ port: { address } }: Stage, options: KvConnectOptions): Promise<KvClient> {
  return KvClient.connect({ address: `${address.hostname}:${address.port}`, ...options });
}

/** A check that an error is the agent's, and why. */
const isReason = (reason: string) => (error: unknown): boolean =>
  error instanceof KvError && error.reason === reason;

Deno.test("a token, or a user and a password, is shown on each connection", async () => {
  const access = await accessOf([
    { name: "app", ...ALL },
    { name: "ann", hash: await hashPassword("pass word"), read: ["^"] },
  ]);
  await using stage = serve(HOST, { access });
  const statuses: string[] = [];
  const reconnect = { minDelayMs: 1, onStatus: (status: string) => statuses.push(status) };
  await using app = await connect(stage, { token: "app-token", reconnect });
  await using ann = await connect(stage, { user: "ann", password: "pass word" });
  await app.set("k", 1);
  assert.equal((await ann.get("k"))?.value, 1);
  await assert.rejects(ann.set("k", 2), isReason("FORBIDDEN"));
  await using stranger = await connect(stage, {});
  await assert.rejects(stranger.get("k"), isReason("AUTH_REQUIRED"));
  // The connection of `app` ends as its rights change; the next one has the new ones.
  access.replace(readEntries(await tokensText([{ name: "app", read: ["^"] }])));
  stage.port.recheck();
  await until(() => statuses.join() === "disconnected,connected");
  assert.equal((await app.get("k"))?.value, 1);
  await assert.rejects(app.set("k", 2), isReason("FORBIDDEN"));
});

Deno.test("a client whose token is refused gives up, at once and after it was let in", async () => {
  const access = await accessOf([{ name: "app", ...ALL }]);
  await using stage = serve(HOST, { access });
  await assert.rejects(
    connect(stage, { token: "wrong", reconnect: true }),
    isReason("AUTH_FAILED"),
  );
  await using client = await connect(stage, {
    token: "app-token",
    reconnect: { minDelayMs: 1 },
  });
  await client.set("k", 1);
  access.replace([]);
  stage.port.recheck();
  const ended = await client.closed;
  assert.ok(isReason("AUTH_FAILED")(ended?.cause), String(ended?.cause));
});

Deno.test("an agent that has no time to look at a password is asked again", async () => {
  let tries = 0;
  await using port = startScriptedPort(HOST, ({ action }) => {
    if (action !== "AUTH") {
      return action === "HELLO" ? undefined : '{"status":"ok","result":"PONG"}\n';
    }
    return ++tries === 2
      ? '{"status":"error","code":503,"error":"too much to do","reason":"OVERLOADED"}\n'
      : '{"status":"ok","result":"OK"}\n';
  });
  const { address } = port;
  const reconnect = { minDelayMs: 1 };
  await using client = await KvClient.connect({ address, user: "u", password: "p", reconnect });
  port.hangUp();
  await until(() => tries === 3);
  await client.ping();
});

Deno.test("connections are encrypted, and only a certificate that is trusted will do", async () => {
  const access = await accessOf([{ name: "app", ...ALL }]);
  const tls = new TlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
  await using stage = serve(HOST, { access, tls });
  const trusting = { caCerts: [CERTIFICATE], serverName: "localhost" };
  await using client = await connect(stage, { token: "app-token", tls: trusting });
  const value = "x".repeat(400_000);
  await client.set("k", value);
  assert.equal((await client.get("k"))?.value, value);
  const refused: [boolean | TlsOptions, RegExp][] = [
    [true, /^ConnectError: dial tcp 127\.\S+: tls: invalid peer certificate/],
    [{ serverName: "localhost" }, /tls: invalid peer certificate: UnknownIssuer$/],
    [{ ...trusting, caCerts: [OTHER_CERTIFICATE] }, /tls: invalid peer certificate/],
    [
      { ...trusting, serverName: "example" },
      /tls: invalid peer certificate: certificate not valid/,
    ],
    [{ caCerts: [CERTIFICATE] }, /tls: invalid peer certificate: certificate not valid for name/],
  ];
  for (const [tls, message] of refused) await assert.rejects(connect(stage, { tls }), message);
  await assert.rejects(connect(stage, { timeoutMs: 500 }), Error, "without TLS");
});

Deno.test("an agent that does not answer a handshake of TLS is given up in time", async () => {
  using silent = Deno.listen({ hostname: HOST, port: 0 });
  const address = `${HOST}:${silent.addr.port}`;
  await assert.rejects(KvClient.connect({ address, tls: true, timeoutMs: 100 }), (error) => {
    assert.ok(error instanceof ConnectError);
    assert.match(error.message, /: i\/o timeout$/);
    return true;
  });
  const stop = new AbortController();
  const connecting = KvClient.connect({ address, tls: true, signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 20);
  await assert.rejects(connecting, /enough/);
  // One of them may still be on its way.
  for (let i = 0; i < 2; i++) (await silent.accept()).close();
});

Deno.test("options that make no sense are refused, and a token is not shown", async () => {
  const wrong: [object, RegExp][] = [
    [
      { token: 5 },
      /^TypeError: Invalid option 'token' of connect: expected a string, got a number$/,
    ],
    [{ password: ["a"] }, /option 'password' of connect: expected a string, got an array$/],
    [{ token: "a", user: "b", password: "c" }, /expected a token or a user, got both$/],
    [{ user: "b" }, /expected a user and a password, got one$/],
    [{ password: "b" }, /expected a user and a password, got one$/],
    [{ tls: "yes" }, /Invalid options of tls: expected an object, got string "yes"$/],
    [{ tls: { ca: "a" } }, /Unknown option 'ca' of tls: expected caCerts, serverName$/],
    [{ tls: { caCerts: "a" } }, /option 'caCerts' of tls: expected an array of strings/],
  ];
  for (const [options, message] of wrong) await assert.rejects(KvClient.connect(options), message);
});
