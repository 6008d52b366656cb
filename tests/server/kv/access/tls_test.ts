/**
 * The key-value port on TLS, and the files that guard it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../../../server/config/error.ts";
import { Guard } from "../../../../server/kv/access/guard.ts";
import { accessOf, tokensText } from "../../../support/kv/access.ts";
import { brief, KvPeer, serve, type Stage } from "../../../support/kv/stage.ts";
import { loopback } from "../../../support/loopback.ts";
import {
  CERTIFICATE,
  OTHER_CERTIFICATE,
  OTHER_PRIVATE_KEY,
  PRIVATE_KEY,
} from "../../../support/net/certificate.ts";
import { TlsServer } from "../../../../server/net/wire/tls.ts";
import { LineClient } from "../../../support/net/line_client.ts";
import { until } from "../../../support/rpc/peer.ts";

const HOST = loopback();
const FIRST = { cert: CERTIFICATE, key: PRIVATE_KEY };
const SECOND = { cert: OTHER_CERTIFICATE, key: OTHER_PRIVATE_KEY };

/** A client that trusts a certificate. */
async function secured({ port }: Stage, { cert } = FIRST): Promise<KvPeer> {
  const { hostname, port: number } = port.address;
  const conn = await Deno.connect({ hostname, port: number });
  const tls = await Deno.startTls(conn, { hostname: "localhost", caCerts: [cert] });
  try {
    await tls.handshake();
  } catch (error) {
    tls.close();
    throw error;
  }
  return new KvPeer(new LineClient(tls));
}

Deno.test("the port speaks TLS, with long lines from the first one on", async () => {
  await using stage = serve(HOST, { tls: new TlsServer(FIRST) });
  using client = await secured(stage);
  const value = "x".repeat(500_000);
  assert.equal(brief(await client.ask({ action: "SET", key: "k", value })), '"OK" rev 1');
  assert.equal((await client.ask({ action: "GET", key: "k" })).result, value);
  await client.send('{"action":"QUIT"}\n');
  assert.deepEqual((await client.rest()).map(brief), ['"BYE"']);
  await assert.rejects(secured(stage, SECOND), /invalid peer certificate/);
  assert.deepEqual(stage.unexpected, []);
});

Deno.test("who speaks no TLS, or says nothing, is a stranger and goes", async () => {
  await using stage = serve(HOST, { tls: new TlsServer(FIRST), strangerLimitMs: 300 });
  using client = await secured(stage);
  using plain = await stage.client();
  await plain.send('{"action":"PING"}\n');
  await plain.lines.rest();
  const start = performance.now();
  using silent = await stage.client();
  await silent.lines.rest();
  assert.ok(performance.now() - start >= 290);
  await until(() => stage.port.size === 1);
  assert.equal(brief(await client.ask({ action: "PING" })), '"PONG"', "who is known stays");
  const [warning = ""] = stage.log.lines("WARN");
  assert.match(warning, /Failed TLS handshake of client 127\.\S+: received corrupt message/);
});

Deno.test("a client on TLS that does not read is not answered on and on, and goes in the end", async () => {
  await using stage = serve(HOST, { tls: new TlsServer(FIRST), stallLimitMs: 1_000 });
  using client = await secured(stage);
  await client.ask({ action: "SET", key: "k", value: "x".repeat(500_000) });
  await client.send('{"action":"GET","key":"k"}\n'.repeat(500));
  await until(() => stage.port.size === 0);
  // What the sockets of both ends hold, and what may wait here.
  assert.ok(stage.state.answered < 60, `${stage.state.answered} answers were read`);
  assert.match(stage.log.lines("WARN").join(), /read nothing for 1s/);
  assert.deepEqual(stage.unexpected, []);
});

Deno.test("what comes on TLS while nothing is taken waits, and nothing of it is lost", async () => {
  await using stage = serve(HOST, { tls: new TlsServer(FIRST) });
  using client = await secured(stage);
  stage.state.hold();
  const count = 5_000;
  const sent = client.send('{"action":"INCR","key":"n","namespace":"app"}\n'.repeat(count));
  await until(() => stage.state.waiting === 1_000);
  stage.state.release();
  const replies = await client.replies(count);
  assert.deepEqual(replies.map(({ result }) => result), replies.map((_, i) => i + 1));
  await sent;
});

Deno.test("who finds no room on TLS is told as well", async () => {
  await using stage = serve(HOST, { tls: new TlsServer(FIRST), maxConnections: 1 });
  using first = await secured(stage);
  assert.equal(brief(await first.ask({ action: "PING" })), '"PONG"');
  using second = await secured(stage);
  assert.deepEqual((await second.rest()).map(brief), ["429 TOO_MANY_CONNECTIONS"]);
  assert.equal(brief(await first.ask({ action: "PING" })), '"PONG"');
});

Deno.test("clients on TLS that vanish anywhere leave nothing behind", async () => {
  await using stage = serve(HOST, { tls: new TlsServer(FIRST) });
  using other = await secured(stage);
  for (const text of ["", '{"acti', '{"action":"GET","key":"k"}\n']) {
    for (let i = 0; i < 10; i++) {
      using client = await secured(stage);
      await client.send(text);
      using plain = await stage.client();
      await plain.send("\x16\x03\x01");
    }
  }
  await until(() => stage.port.size === 1);
  assert.equal(brief(await other.ask({ action: "PING" })), '"PONG"');
  assert.deepEqual(stage.unexpected, []);
});

Deno.test("with tokens the handshake alone makes nobody known", async () => {
  const access = await accessOf([{ name: "all", read: ["^"] }]);
  await using stage = serve(HOST, { tls: new TlsServer(FIRST), access, strangerLimitMs: 300 });
  using client = await secured(stage);
  using shy = await secured(stage);
  assert.equal(brief(await client.ask({ action: "AUTH", token: "all-token" })), '"OK"');
  assert.deepEqual(await shy.rest(), []);
  assert.equal(brief(await client.ask({ action: "GET", key: "k" })), "404 KEY_NOT_FOUND");
});

Deno.test("another certificate is shown to who comes from now on", async () => {
  const tls = new TlsServer(FIRST);
  await using stage = serve(HOST, { tls });
  using before = await secured(stage);
  tls.renew(SECOND);
  using after = await secured(stage, SECOND);
  for (const client of [before, after]) {
    assert.equal(brief(await client.ask({ action: "PING" })), '"PONG"');
  }
  await assert.rejects(secured(stage), /invalid peer certificate/);
});

/** Calls `use` with a folder that has the files of a guard. */
async function withFiles(
  use: (
    files: { tokensFile: string; tlsCert: string; tlsKey: string },
    write: (name: string, text: string) => Promise<void>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "skein-guard-" });
  const write = (name: string, text: string): Promise<void> =>
    Deno.writeTextFile(join(folder, name), text, { mode: 0o600 });
  try {
    await write("tokens", await tokensText([{ name: "a", read: ["^"] }, { name: "b" }]));
    await write("cert", CERTIFICATE);
    await write("key", PRIVATE_KEY);
    const [tokensFile, tlsCert, tlsKey] = ["tokens", "cert", "key"].map((name) =>
      join(folder, name)
    ) as [string, string, string];
    await use({ tokensFile, tlsCert, tlsKey }, write);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("files are read again, and count once they are applied; broken ones change nothing", async () => {
  await withFiles(async (files, write) => {
    const guard = await Guard.open(files);
    const { access, tls } = guard;
    await using stage = serve(HOST, { access, tls });
    using a = await secured(stage);
    using b = await secured(stage);
    await a.ask({ action: "AUTH", token: "a-token" });
    await b.ask({ action: "AUTH", token: "b-token" });
    const reread = () => guard.reread(() => stage.port.recheck());
    assert.deepEqual((await reread()).changed, []);

    await write("tokens", "[{");
    await assert.rejects(reread(), /^ConfigError: Error reading kv.tokens_file '.*': Invalid JSON/);
    await write("tokens", await tokensText([{ name: "a", read: ["^"] }]));
    await write("key", OTHER_PRIVATE_KEY);
    await assert.rejects(
      reread(),
      /with kv.tls_key '.*': the key is that of another certificate$/,
    );
    assert.equal(brief(await b.ask({ action: "USE", namespace: "x" })), '"OK"', "nothing changed");

    await write("cert", OTHER_CERTIFICATE);
    const read = await reread();
    assert.deepEqual(read.changed, ["kv.tokens_file", "kv.tls_cert"]);
    assert.equal(brief(await b.ask({ action: "USE", namespace: "x" })), '"OK"', "nor now");
    read.apply();
    assert.deepEqual(await b.rest(), [{ push: "closing", code: 401, reason: "AUTH_REQUIRED" }]);
    assert.equal(brief(await a.ask({ action: "GET", key: "k" })), "404 KEY_NOT_FOUND");
    using late = await secured(stage, SECOND);
    assert.equal(brief(await late.ask({ action: "AUTH", token: "b-token" })), "401 AUTH_FAILED");
    assert.deepEqual((await reread()).changed, []);
    assert.deepEqual(stage.unexpected, []);
  });
});

Deno.test("a certificate that cannot be used is one clear line", async () => {
  await withFiles(async (files, write) => {
    const cases: [change: () => Promise<unknown>, message: RegExp][] = [
      [
        () => write("cert", "none"),
        /^Error using kv.tls_cert '.*' with .*: there is no certificate in the first$/,
      ],
      [
        () => write("cert", CERTIFICATE).then(() => write("key", "none")),
        /: there is no private key that can be read in the second$/,
      ],
      [() => write("key", OTHER_PRIVATE_KEY), /: the key is that of another certificate$/],
      [
        () => Deno.remove(files.tlsKey),
        /^Error reading kv.tls_key '.*': no such file or directory$/,
      ],
      [
        () => Deno.remove(files.tlsCert),
        /^Error reading kv.tls_cert '.*': no such file or directory$/,
      ],
    ];
    for (const [change, message] of cases) {
      await change();
      await assert.rejects(Guard.open(files), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, message);
        assert.ok(!error.message.includes("\n"));
        return true;
      });
    }
    assert.equal((await Guard.open({ ...files, tlsCert: "", tlsKey: "" })).tls, undefined);
  });
});
