/**
 * What is answered to which request, and what ends a connection (docs/spec/agent.md 1.3 to 1.6).
 *
 * @module
 */

import assert from "node:assert/strict";
import { encodeValue } from "../../../protocol/msgpack/mod.ts";
import { member } from "../../support/rpc/backend.ts";
import { concat, Peer, request, until } from "../../support/rpc/peer.ts";
import { ok, withServer } from "../../support/rpc/stage.ts";

Deno.test("a handshake must have version 1, comes once, and a failed one can be repeated", async () => {
  await withServer(async ({ server }) => {
    using peer = await Peer.connect(server.address);
    for (const body of [{ Version: 0 }, { Version: -1 }, { Version: 2 }, {}]) {
      const answer = await peer.ask("handshake", body) as { Error: string };
      assert.equal(answer.Error, "Unsupported IPC version");
    }
    assert.deepEqual(await peer.ask("handshake", { Version: 1 }), ok(5));
    assert.deepEqual(await peer.ask("handshake", { Version: 1 }), {
      Error: "Handshake already performed",
      Seq: 6,
    });
    assert.deepEqual(await peer.ask("handshake", { Version: 2 }), {
      Error: "Unsupported IPC version",
      Seq: 7,
    });
  });
});

Deno.test("every command before the handshake is answered and ends the connection", async () => {
  await withServer(async ({ server, lines }) => {
    for (const command of ["members", "auth", "nonsense", "query"]) {
      using peer = await Peer.connect(server.address);
      await peer.request(command);
      assert.deepEqual(await peer.rest(), [{ Error: "Handshake required", Seq: 1 }]);
    }
    const told = lines().filter((line) => line.includes("Failed to evaluate"));
    assert.deepEqual(told, ["[ERR] agent.ipc: Failed to evaluate request: Handshake required"]);
  });
});

Deno.test("unknown commands, and known ones in another case, end the connection", async () => {
  await withServer(async ({ server }) => {
    for (const command of ["", "MEMBERS", "bogus", "toString", "constructor"]) {
      using peer = await Peer.ready(server.address);
      await peer.request(command);
      assert.deepEqual(await peer.rest(), [{ Error: "Unsupported command", Seq: 2 }]);
    }
  });
});

Deno.test("the last answer arrives although the client had sent more", async () => {
  await withServer(async ({ server }) => {
    using peer = await Peer.ready(server.address);
    const more = Array.from({ length: 5_000 }, (_, i) => request("members", i));
    await peer.send(request("bogus", 9), ...more);
    assert.deepEqual(await peer.rest(), [{ Error: "Unsupported command", Seq: 9 }]);
  });
});

Deno.test("a client that sends no more still gets all it has asked for", async () => {
  await withServer(async ({ server, backend }) => {
    backend.list = [member("a", { tags: { big: "x".repeat(100_000) } })];
    using other = await Peer.ready(server.address);
    // Some of these numbers of answers end a little above what the kernel takes.
    for (let count = 20; count <= 60; count += 2) {
      using peer = await Peer.ready(server.address);
      await peer.ask("stream", { Type: "*" });
      await peer.send(...Array.from({ length: count }, (_, i) => request("members", i)));
      await peer.finish();
      for (let i = 0; i < 10; i++) await other.ask("stop", { Stop: 0 });
      assert.equal((await peer.rest()).length, 2 * count);
    }
    await until(() => server.stats().streams === "0");
    assert.equal(server.stats().streams, "0");
  });
});

Deno.test("without the token every command but handshake and auth is refused once, body and all", async () => {
  await withServer(async ({ server, backend }) => {
    using peer = await Peer.ready(server.address);
    const required = (seq: number) => ({ Error: "Authentication required", Seq: seq });
    assert.deepEqual(await peer.ask("members"), required(2));
    assert.deepEqual(await peer.ask("event", { Name: "x", Payload: null }), required(3));
    assert.deepEqual(await peer.ask("query", { Name: "x" }), required(4));
    assert.deepEqual(await peer.ask("nonsense", { Name: "x" }), required(5));
    assert.deepEqual(await peer.ask("nonsense"), required(6));
    assert.deepEqual(await peer.ask("auth", { AuthKey: "s3cret" }), ok(7));
    assert.deepEqual(await peer.ask("auth", { AuthKey: "wrong!" }), {
      Error: "Invalid authentication token",
      Seq: 8,
    });
    assert.deepEqual(await peer.ask("stop", { Stop: 0 }), ok(9), "a wrong token revokes nothing");
    assert.deepEqual(backend.calls, []);
  }, { authKey: "s3cret" });
});

Deno.test("an agent without a token takes the empty token only", async () => {
  await withServer(async ({ server }) => {
    using peer = await Peer.ready(server.address);
    assert.deepEqual(await peer.ask("auth", { AuthKey: "" }), ok(2));
    assert.deepEqual(await peer.ask("auth", { AuthKey: "x" }), {
      Error: "Invalid authentication token",
      Seq: 3,
    });
  });
});

Deno.test("headers and bodies that are none end the connection without an answer", async () => {
  await withServer(async ({ server, lines }) => {
    const broken: [string, Uint8Array][] = [
      ["garbage", new Uint8Array([0xc1])],
      ["a number", new Uint8Array([5])],
      ["no Seq", encodeValue({ Command: "members" }, "rpc")],
      ["no Command", encodeValue({ Seq: 1 }, "rpc")],
      ["an empty map", encodeValue({}, "rpc")],
      ["a negative Seq", encodeValue({ Command: "members", Seq: -1 }, "rpc")],
      ["a body that is no map", request("event", 2, 5)],
      ["a body with a wrong type", request("event", 2, { Name: 5 })],
      ["a list as a text", request("join", 2, { Existing: "x" })],
      ["a number out of range", request("query", 2, { Name: "x", RelayFactor: 300 })],
      ["a negative ID", request("respond", 2, { ID: -1 })],
      ["a time with a fraction", request("query", 2, { Name: "x", Timeout: 1.5 })],
      ["a Seq with a fraction", encodeValue({ Command: "members", Seq: 1.5 }, "rpc")],
      ["a boolean that is 2", request("query", 2, { Name: "x", RequestAck: 2 })],
      ["a number as a key", request("list-keys", 2).fill(0x01, 1, 9)],
      ["a key as a number", request("use-key", 2, { Key: 7 })],
      ["a body after a command without one", request("members", 2, {})],
      ["a huge text", new Uint8Array([0xdb, 0xff, 0xff, 0xff, 0xff])],
      ["a huge map", new Uint8Array([0xdf, 0xff, 0xff, 0xff, 0xff])],
      ["deep nesting", new Uint8Array(100).fill(0x91)],
    ];
    for (const [what, bytes] of broken) {
      using peer = await Peer.ready(server.address);
      await peer.send(bytes);
      const answers = await peer.rest();
      const hasAnswer = what === "a body after a command without one";
      assert.equal(answers.length, hasAnswer ? 2 : 0, what);
    }
    const told = lines().filter((line) => line.startsWith("[ERR]"));
    assert.equal(told.length, 1, "one line a second for one source");
    assert.match(told[0] ?? "", /^\[ERR\] agent\.ipc: failed to decode request header: /);
  });
});

Deno.test("requests before garbage are answered", async () => {
  await withServer(async ({ server }) => {
    using peer = await Peer.ready(server.address);
    await peer.send(concat([request("stop", 2, { Stop: 0 }), new Uint8Array([0xc1, 0xc1])]));
    assert.deepEqual(await peer.rest(), [ok(2)]);
  });
});

Deno.test("values are taken in every spelling that Go takes", async () => {
  await withServer(async ({ server, backend }) => {
    using peer = await Peer.ready(server.address);
    const text = (s: string) => new TextEncoder().encode(s);
    // Keys and values as bin, keys out of order, unknown and duplicate keys, a struct as an array.
    await peer.send(
      encodeValue(
        new Map<Uint8Array, Uint8Array | number>([[text("Seq"), 7], [
          text("Command"),
          text("event"),
        ]]),
        "rpc",
      ),
      encodeValue({ Zzz: [1, { a: null }], Payload: "p", Name: text("n"), Coalesce: 1 }, "rpc"),
      encodeValue(["event", 8, "extra"], "rpc"),
      encodeValue(["n2", [1, 2]], "rpc"),
    );
    assert.deepEqual(await peer.take(2), [ok(7), ok(8)]);
    assert.deepEqual(backend.calls, [
      ["event", "n", text("p"), { coalesce: true }],
      ["event", "n2", new Uint8Array([1, 2]), { coalesce: false }],
    ]);
  });
});

Deno.test("a list of texts may be a map, of which the keys and values count", async () => {
  await withServer(async ({ server, backend }) => {
    using peer = await Peer.ready(server.address);
    await peer.request("query", { Name: "x", FilterNodes: { a: "b" }, FilterTags: null });
    await peer.next();
    const [, , , { nodes, tags }] = backend.calls[0] as [0, 0, 0, Record<string, unknown>];
    assert.deepEqual([nodes, tags], [["a", "b"], {}]);
  });
});

Deno.test("a Seq of 64 bits is echoed exactly", async () => {
  await withServer(async ({ server }) => {
    using peer = await Peer.ready(server.address);
    for (const seq of [0, 2 ** 32, 2n ** 63n, 2n ** 64n - 1n]) {
      await peer.send(request("stop", seq, { Stop: 0 }));
      assert.deepEqual(await peer.next(), { Error: "", Seq: seq });
    }
  });
});

Deno.test("a request may come byte by byte", async () => {
  await withServer(async ({ server, backend }) => {
    using peer = await Peer.ready(server.address);
    for (const byte of request("event", 2, { Name: "deploy", Payload: "v1", Coalesce: true })) {
      await peer.send(new Uint8Array([byte]));
    }
    assert.deepEqual(await peer.next(), ok(2));
    assert.deepEqual(backend.calls.at(-1), [
      "event",
      "deploy",
      new TextEncoder().encode("v1"),
      { coalesce: true },
    ]);
  });
});

Deno.test("requests of one connection are answered in order, also after one that takes time", async () => {
  await withServer(async ({ server, backend }) => {
    const slow = Promise.withResolvers<void>();
    backend.on.forceLeave = () => slow.promise;
    using peer = await Peer.ready(server.address);
    using other = await Peer.ready(server.address);
    await peer.send(
      request("force-leave", 2, { Node: "b", Prune: true }),
      request("stop", 3, { Stop: 0 }),
      request("members", 4),
    );
    await other.ask("stop", { Stop: 0 });
    assert.deepEqual(backend.calls, [["forceLeave", "b", { prune: true }]]);
    slow.resolve();
    const answers = await peer.take(4) as { Seq?: number }[];
    assert.deepEqual(answers.map(({ Seq }) => Seq), [2, 3, 4, undefined]);
  });
});
