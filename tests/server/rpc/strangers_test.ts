/**
 * What a client may cost and do before the agent knows it, and what a wrong token does (docs/LIMITS.md).
 *
 * @module
 */

import assert from "node:assert/strict";
import { concat, Peer, type Plain, request, until } from "../../support/rpc/peer.ts";
import { ok, withServer } from "../../support/rpc/stage.ts";
import { bin, header, text, wire } from "../../support/rpc/wire.ts";

const TOKEN = "s3cret";
const HANDSHAKE = request("handshake", 1, { Version: 1 });
const AUTH = request("auth", 2, { AuthKey: TOKEN });

/** A request of which most is missing: a text of 1 MiB. */
const HALF = concat([request("event", 9), new Uint8Array([0xdb, 0, 15, 255, 240])]);

/** The answer to a wrong token. */
const refused = (seq: number): Plain => ({ Error: "Invalid authentication token", Seq: seq });

Deno.test("a stranger's unfinished request is not waited for beyond a few KiB", async () => {
  for (const authKey of ["", TOKEN]) {
    await withServer(async ({ server, lines }) => {
      using peer = await Peer.connect(server.address);
      await peer.send(HALF.subarray(-5), new Uint8Array(8_000));
      assert.deepEqual(await peer.rest(), []);
      const told = lines().filter((line) => line.startsWith("[ERR]"));
      assert.match(
        told.join("\n"),
        /header: Message of a stranger takes \d+ or more of \d+ bytes$/,
      );
    }, { authKey });
  }
  await withServer(async ({ server }) => {
    using peer = await Peer.connect(server.address);
    await peer.send(HANDSHAKE, HALF, new Uint8Array(8_000));
    const required = { Error: "Authentication required", Seq: 9 };
    assert.deepEqual(await peer.rest(), [ok(1), required], "a handshake is not enough");
  }, { authKey: TOKEN });
});

Deno.test("a client that sends everything at once is known in time for its large request", async () => {
  for (const authKey of ["", TOKEN, TOKEN.repeat(2_000)]) {
    await withServer(async ({ server, backend }) => {
      using peer = await Peer.connect(server.address);
      const auth = authKey === "" ? [] : [request("auth", 2, { AuthKey: authKey })];
      const event = request("event", 3, { Name: "x", Payload: new Uint8Array(900_000) });
      await peer.send(concat([HANDSHAKE, ...auth, event]));
      assert.deepEqual((await peer.take(2 + auth.length)).at(-1), ok(3));
      assert.equal((backend.calls[0]?.[2] as Uint8Array).length, 900_000);
    }, { authKey });
  }
});

Deno.test("a stranger has its time, and is none after the handshake, or the token if there is one", async () => {
  const admission = { strangerMs: 100 };
  await withServer(async ({ server, lines }) => {
    using known = await Peer.ready(server.address);
    using silent = await Peer.connect(server.address);
    assert.deepEqual(await silent.rest(), []);
    assert.deepEqual(await known.ask("stop", { Stop: 0 }), ok(2));
    assert.ok(
      lines().includes("[WARN] agent.ipc: Closed a TCP connection that was silent for 100ms"),
    );
  }, { admission });
  await withServer(async ({ server }) => {
    using known = await Peer.ready(server.address, TOKEN);
    using shaken = await Peer.ready(server.address);
    assert.deepEqual(await shaken.rest(), []);
    assert.deepEqual(await known.ask("stop", { Stop: 0 }), ok(3));
  }, { admission, authKey: TOKEN });
});

Deno.test("where there are too many strangers the oldest goes, and no client that is known", async () => {
  const admission = { connections: 4, strangers: 2 };
  await withServer(async ({ server, lines }) => {
    using known = await Peer.ready(server.address);
    using first = await Peer.connect(server.address);
    using second = await Peer.connect(server.address);
    using third = await Peer.connect(server.address);
    assert.deepEqual(await first.rest(), []);
    using fourth = await Peer.ready(server.address);
    assert.deepEqual(await second.rest(), []);
    for (const peer of [known, fourth]) {
      assert.deepEqual(await peer.ask("stop", { Stop: 0 }), ok(2));
    }
    assert.deepEqual(await third.ask("handshake", { Version: 1 }), ok(1));
    using fifth = await Peer.ready(server.address);
    using sixth = await Peer.connect(server.address);
    assert.deepEqual(await sixth.rest(), [], "all are known");
    assert.deepEqual(await fifth.ask("stop", { Stop: 0 }), ok(2));
    const told = lines().filter((line) => line.startsWith("[WARN]"));
    assert.deepEqual(told, ["[WARN] agent.ipc: Closed a silent TCP connection: 2 are open"]);
    assert.equal(server.stats().clients, "4");
  }, { admission });
});

Deno.test("a wrong token is answered late, ends the connection, and is told once a second", async () => {
  await withServer(async ({ server, lines }) => {
    using peer = await Peer.ready(server.address);
    using other = await Peer.ready(server.address);
    const guesses = Array.from(
      { length: 1_000 },
      (_, i) => request("auth", 2 + i, { AuthKey: `guess${i}` }),
    );
    const started = performance.now();
    await peer.send(...guesses, AUTH);
    assert.deepEqual(await other.ask("auth", { AuthKey: TOKEN }), ok(2), "nobody waits with it");
    assert.deepEqual(await peer.rest(), [refused(2)]);
    assert.ok(performance.now() - started >= 190);
    using next = await Peer.ready(server.address);
    await next.request("auth", { AuthKey: "guess" });
    assert.deepEqual(await next.rest(), [refused(2)]);
    const told = lines().filter((line) => line.includes("token"));
    assert.deepEqual(told, [
      `[WARN] agent.ipc: Wrong rpc_auth token from ipc.client: ${peer.name}`,
    ]);
  }, { authKey: TOKEN, authDelayMs: 200 });
});

Deno.test("only the whole token is right, in whatever spelling", async () => {
  await withServer(async ({ server }) => {
    for (const guess of ["", "s", "s3cre", "s3creT", "s3cret ", "s3crets3cret", "\u{1F600}"]) {
      using peer = await Peer.ready(server.address);
      await peer.request("auth", { AuthKey: guess });
      assert.deepEqual(await peer.rest(), [refused(2)], guess);
    }
    const bytes = Array.from(TOKEN, (letter) => letter.charCodeAt(0).toString(16));
    for (const spelt of [text(TOKEN), bin(TOKEN), wire("96", bytes.join(""))]) {
      using peer = await Peer.ready(server.address);
      await peer.send(wire(header("auth", "02"), "81", text("AuthKey"), spelt));
      assert.deepEqual(await peer.next(), ok(2));
    }
  }, { authKey: TOKEN, authDelayMs: 1 });
});

Deno.test("two tokens that are no UTF-8 are two tokens", async () => {
  await withServer(async ({ server }) => {
    for (const [guess, right] of [["fe", false], ["efbfbd", false], ["ff", true]] as const) {
      using peer = await Peer.ready(server.address);
      const token = wire(`a${guess.length / 2}`, guess);
      await peer.send(wire(header("auth", "02"), "81", text("AuthKey"), token));
      assert.deepEqual(await peer.next(), right ? ok(2) : refused(2));
    }
  }, { authKey: "\udcff", authDelayMs: 1 });
});

Deno.test("a server that closes does not wait for a wrong token's answer", async () => {
  await withServer(async ({ server, lines }) => {
    using peer = await Peer.ready(server.address);
    await peer.request("auth", { AuthKey: "wrong" });
    await until(() => lines().some((line) => line.includes("token")));
    await server.close();
    assert.equal(server.stats().clients, "0");
  }, { authKey: TOKEN, authDelayMs: 60_000 });
});
