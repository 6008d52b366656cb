/**
 * What is answered to which request, and what ends a connection (agent.md 1.3 to 1.6 and 3).
 *
 * @module
 */

import assert from "node:assert/strict";
import { encodeValue } from "../../../protocol/msgpack/mod.ts";
import { RpcServer } from "../../../server/rpc/server.ts";
import { FakeBackend, member } from "./backend.ts";
import { concat, Peer, type Plain, request, until } from "./peer.ts";

interface Stage {
  backend: FakeBackend;
  server: RpcServer;
  /** The log lines so far, without time. */
  lines(): string[];
}

async function withServer(use: (stage: Stage) => Promise<void>, authKey = ""): Promise<void> {
  const backend = new FakeBackend();
  const lines = () => backend.log.lines().map((line) => line.slice(20));
  await using server = RpcServer.listen(backend, { address: "127.0.13.1:0", authKey });
  await use({ backend, server, lines });
}

const ok = (seq: number): Plain => ({ Error: "", Seq: seq });

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
    assert.deepEqual(await peer.ask("auth", { AuthKey: "wrong!" }), {
      Error: "Invalid authentication token",
      Seq: 7,
    });
    assert.deepEqual(await peer.ask("auth", { AuthKey: "s3cret" }), ok(8));
    assert.deepEqual(await peer.ask("auth", { AuthKey: "wrong!" }), {
      Error: "Invalid authentication token",
      Seq: 9,
    });
    assert.deepEqual(await peer.ask("stop", { Stop: 0 }), ok(10), "a wrong token revokes nothing");
    assert.deepEqual(backend.calls, []);
  }, "s3cret");
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
      ["userEvent", "n", text("p"), true],
      ["userEvent", "n2", new Uint8Array([1, 2]), false],
    ]);
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
      "userEvent",
      "deploy",
      new TextEncoder().encode("v1"),
      true,
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

Deno.test("join answers with a body, also when it fails", async () => {
  await withServer(async ({ server, backend }) => {
    using peer = await Peer.ready(server.address);
    await peer.request("join", { Existing: ["a", "b"], Replay: true });
    assert.deepEqual(await peer.take(2), [ok(2), { Num: 2 }]);
    assert.deepEqual(backend.calls, [["join", ["a", "b"], { replay: true }]]);
    await peer.request("join", { Existing: null, Replay: false });
    assert.deepEqual(await peer.take(2), [ok(3), { Num: 0 }]);
    backend.on.join = () => {
      throw new Error("1 error occurred:\n\t* x\n\n");
    };
    await peer.request("join", { Existing: ["x"], Replay: false });
    assert.deepEqual(await peer.take(2), [
      { Error: "1 error occurred:\n\t* x\n\n", Seq: 4 },
      { Num: 0 },
    ]);
    await peer.request("join", { Existing: Array(5_000).fill("x"), Replay: false });
    assert.deepEqual(await peer.take(2), [
      { Error: "Join has 5000 of 4096 addresses", Seq: 5 },
      { Num: 0 },
    ]);
  });
});

Deno.test("errors of a command carry its text and keep the connection", async () => {
  await withServer(async ({ server, backend }) => {
    using peer = await Peer.ready(server.address);
    const fail = () => {
      throw new Error("text of the command");
    };
    Object.assign(backend.on, { userEvent: fail, updateTags: fail, forceLeave: fail });
    const error = "text of the command";
    assert.deepEqual(await peer.ask("event", { Name: "x" }), { Error: error, Seq: 2 });
    assert.deepEqual(await peer.ask("tags", { Tags: {} }), { Error: error, Seq: 3 });
    assert.deepEqual(await peer.ask("force-leave", { Node: "x" }), { Error: error, Seq: 4 });
  });
});

Deno.test("tags come as what to set and what to delete", async () => {
  await withServer(async ({ server, backend }) => {
    using peer = await Peer.ready(server.address);
    await peer.ask("tags", { Tags: { a: "1" }, DeleteTags: ["b"] });
    await peer.ask("tags", {});
    assert.deepEqual(backend.calls, [["updateTags", { a: "1" }, ["b"]], ["updateTags", {}, []]]);
  });
});

Deno.test("members are encoded once until they change", async () => {
  await withServer(async ({ server, backend }) => {
    using peer = await Peer.ready(server.address);
    const names = async () => {
      await peer.request("members");
      const [, body] = await peer.take(2) as [unknown, { Members: { Name: string }[] }];
      return body.Members.map(({ Name }) => Name);
    };
    assert.deepEqual(await names(), ["a"]);
    assert.deepEqual(await names(), ["a"]);
    assert.deepEqual(backend.calls, [["members"]]);
    backend.list = [member("a"), member("b")];
    backend.membersVersion++;
    assert.deepEqual(await names(), ["a", "b"]);
    backend.list = [];
    backend.membersVersion++;
    assert.deepEqual(await names(), []);
  });
});

Deno.test("members-filtered follows Serf's rules for patterns", async () => {
  await withServer(async ({ server, backend }) => {
    backend.list = [
      member("web-1", { tags: { role: "web" } }),
      member("web-2", { tags: { role: "web", dc: "east" }, status: "failed" }),
      member("db", { tags: { role: "db" } }),
    ];
    using peer = await Peer.ready(server.address);
    const filtered = async (filter: Record<string, string | Record<string, string> | null>) => {
      await peer.request("members-filtered", { Tags: null, Status: "", Name: "", ...filter });
      const [header, body] = await peer.take(2) as [
        { Error: string },
        { Members: { Name: string }[] },
      ];
      return header.Error || body.Members.map(({ Name }) => Name).join(" ");
    };
    assert.equal(await filtered({}), "web-1 web-2 db");
    assert.equal(await filtered({ Name: "web" }), "", "anchored at both ends");
    assert.equal(await filtered({ Name: "web-1|b" }), "web-1 db", "starts with or ends with");
    assert.equal(await filtered({ Name: "(?i)WEB-." }), "web-1 web-2");
    assert.equal(await filtered({ Status: "*" }), "web-1 web-2 db");
    assert.equal(await filtered({ Status: "alive", Tags: { role: "web" } }), "web-1");
    assert.equal(await filtered({ Tags: { dc: "" } }), "web-1 db", "missing counts as empty");
    assert.equal(await filtered({ Tags: { dc: ".*" } }), "web-1 web-2 db");
    assert.equal(await filtered({ Tags: { constructor: "" } }), "web-1 web-2 db");
    assert.equal(await filtered({ Name: "nobody" }), "");
    assert.match(await filtered({ Name: "[a" }), /^Failed to compile regex: /);
    assert.match(await filtered({ Name: "ok", Status: "(" }), /^Failed to compile regex: /);
    assert.equal(await filtered({ Name: "(a*)*x" }), "");
    assert.match(await filtered({ Tags: { a: "x{1000}", b: "x{1000}{1000}" } }), /^Failed to/);
  });
});

Deno.test("stats are those of the agent and of the RPC server", async () => {
  await withServer(async ({ server }) => {
    using peer = await Peer.ready(server.address);
    await peer.request("stats");
    assert.deepEqual(await peer.take(2), [ok(2), {
      agent: { name: "a" },
      event_handlers: {},
      rpc: {
        clients: "1",
        streams: "0",
        monitors: "0",
        queries: "0",
        pending_queries: "0",
        dropped_events: "0",
        dropped_logs: "0",
        own_dropped_events: "0",
        own_dropped_logs: "0",
      },
    }]);
  });
});

Deno.test("leave answers, then the agent shuts down and the connection ends", async () => {
  await withServer(async ({ server, backend, lines }) => {
    using peer = await Peer.ready(server.address);
    await peer.request("leave");
    assert.deepEqual(await peer.rest(), [ok(2)]);
    assert.deepEqual(backend.calls, [["leave"], ["shutdown"]]);
    assert.ok(lines().includes("[INFO] agent.ipc: Graceful leave triggered"));
  });
});

Deno.test("a leave that fails tells why and still ends the agent", async () => {
  await withServer(async ({ server, backend, lines }) => {
    backend.on.leave = () => {
      throw new Error("no luck");
    };
    using peer = await Peer.ready(server.address);
    await peer.request("leave");
    assert.deepEqual(await peer.rest(), [{ Error: "no luck", Seq: 2 }]);
    assert.deepEqual(backend.calls, [["leave"], ["shutdown"]]);
    assert.ok(lines().includes("[ERR] agent.ipc: leave failed: no luck"));
  });
});

Deno.test("a second leave is refused and does not take the answer from the first", async () => {
  await withServer(async ({ server, backend }) => {
    const slow = Promise.withResolvers<void>();
    backend.on.leave = () => {
      if (backend.calls.length > 1) throw new Error("Leave already in progress");
      return slow.promise;
    };
    using first = await Peer.ready(server.address);
    using second = await Peer.ready(server.address);
    await first.request("leave");
    await until(() => backend.calls.length === 1);
    assert.deepEqual(await second.ask("leave"), { Error: "Leave already in progress", Seq: 2 });
    assert.deepEqual(backend.calls, [["leave"], ["leave"]]);
    slow.resolve();
    assert.deepEqual(await first.rest(), [ok(2)]);
    assert.deepEqual(await second.rest(), []);
  });
});
