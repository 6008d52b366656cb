/**
 * Event streams and monitors: what they get and when they end (docs/spec/agent.md 1.8, 3, 4).
 *
 * @module
 */

import assert from "node:assert/strict";
import { PayloadBytes } from "../../../protocol/payload.ts";
import { member } from "../../support/rpc/backend.ts";
import { Peer, type Plain, request, until } from "../../support/rpc/peer.ts";
import { ok, records, withServer } from "../../support/rpc/stage.ts";

Deno.test("a stream gets member and user events in Serf's form", async () => {
  await withServer(async ({ backend, server }) => {
    using peer = await Peer.ready(server.address);
    assert.deepEqual(await peer.ask("stream", { Type: "*" }), ok(2));
    const node = member("b", { tags: { k: "v" }, status: "failed" });
    backend.emit({ type: "member-failed", members: [node, member("c")] });
    backend.emit({
      type: "user",
      ltime: 2n ** 40n,
      name: "deploy",
      payload: new PayloadBytes([1, 2]),
      coalesce: true,
    });
    backend.emitUser("none");
    const [members, user, none] = await records(peer, 3);
    assert.deepEqual(members, [2, {
      Event: "member-failed",
      Members: [
        {
          Addr: new Uint8Array([127, 0, 0, 1]),
          DelegateCur: 5,
          DelegateMax: 5,
          DelegateMin: 2,
          Name: "b",
          Port: 7946,
          ProtocolCur: 2,
          ProtocolMax: 5,
          ProtocolMin: 1,
          Status: "failed",
          Tags: { k: "v" },
        },
        (members?.[1].Members as Plain[])[1],
      ],
    }]);
    assert.deepEqual(user, [2, {
      Coalesce: true,
      Event: "user",
      LTime: 2 ** 40,
      Name: "deploy",
      Payload: new Uint8Array([1, 2]),
    }]);
    assert.equal(none?.[1].Payload, null);
  });
});

Deno.test("queries get numbers of the connection, one for each stream that wants them", async () => {
  await withServer(async ({ backend, server }) => {
    using peer = await Peer.ready(server.address);
    await peer.ask("stream", { Type: "query" });
    await peer.ask("stream", { Type: "query:load" });
    const query = {
      type: "query" as const,
      ltime: 7n,
      id: 1,
      name: "load",
      payload: null,
      sourceNode: "b",
      deadline: 0,
      respond: () => {},
    };
    backend.emit(query);
    backend.emit({ ...query, name: "other" });
    const got = await records(peer, 3);
    assert.deepEqual(got.map(([seq, { ID, Name }]) => [seq, ID, Name]), [
      [2, 1, "load"],
      [3, 2, "load"],
      [2, 3, "other"],
    ]);
    assert.deepEqual(got[0]?.[1], { Event: "query", ID: 1, LTime: 7, Name: "load", Payload: null });
  });
});

Deno.test("filters pick types and names", async () => {
  await withServer(async ({ backend, server }) => {
    const wanted: Record<string, string[]> = {
      "": ["a", "a:b", "member-join", "member-leave"],
      "*": ["a", "a:b", "member-join", "member-leave"],
      "user": ["a", "a:b"],
      "user:": ["a", "a:b"],
      "user:a": ["a"],
      "user:a:b": ["a:b"],
      "member-join,user:a": ["a", "member-join"],
      "user,user:a": ["a", "a:b"],
      "query:a": [],
    };
    for (const [filter, expected] of Object.entries(wanted)) {
      using peer = await Peer.ready(server.address);
      await peer.ask("stream", { Type: filter });
      await peer.ask("stream", { Type: "user:end" });
      backend.emitUser("a");
      backend.emitUser("a:b");
      backend.emit({ type: "member-join", members: [member("x")] });
      backend.emit({ type: "member-leave", members: [member("x")] });
      backend.emitUser("end");
      const got: string[] = [];
      for (;;) {
        const [record] = await records(peer, 1);
        const [seq, body] = record ?? assert.fail();
        if (seq === 3) break;
        if (body.Name !== "end") got.push(String(body.Name ?? body.Event));
      }
      assert.deepEqual(got, expected, filter);
    }
  });
});

Deno.test("filters that are none are refused before anything else", async () => {
  await withServer(async ({ server }) => {
    using peer = await Peer.ready(server.address);
    const invalid = [
      "foo",
      "**",
      ",",
      "user,",
      "member-join, user",
      "USER",
      "*:x",
      "member-join:x",
    ];
    for (const Type of invalid) {
      const { Error: error } = await peer.ask("stream", { Type }) as { Error: string };
      assert.equal(error, "Invalid event filter", Type);
    }
  });
});

Deno.test("a Seq has one stream at a time, and a monitor may share it", async () => {
  await withServer(async ({ backend, server }) => {
    using peer = await Peer.ready(server.address);
    await peer.send(request("stream", 9, { Type: "user" }));
    assert.deepEqual(await peer.next(), ok(9));
    await peer.send(request("stream", 9, { Type: "user" }));
    assert.deepEqual(await peer.next(), { Error: "Stream with given sequence exists", Seq: 9 });
    await peer.send(request("stream", 9, { Type: "nonsense" }));
    assert.deepEqual(await peer.next(), { Error: "Invalid event filter", Seq: 9 });
    await peer.send(request("monitor", 9, { LogLevel: "ERR" }));
    assert.deepEqual(await peer.next(), ok(9));
    backend.log.write("ERR", "x", "line");
    assert.match(String((await records(peer, 1))[0]?.[1].Log), /\[ERR\] x: line$/);
    await peer.send(request("stop", 10, { Stop: 9 }));
    assert.deepEqual(await peer.next(), ok(10));
    assert.equal(backend.log.monitors, 0, "stop ends both");
    await peer.send(request("stream", 9, { Type: "user" }));
    assert.deepEqual(await peer.next(), ok(9));
  });
});

Deno.test("stop of anything succeeds; records that waited before still come", async () => {
  await withServer(async ({ backend, server }) => {
    using peer = await Peer.ready(server.address);
    assert.deepEqual(await peer.ask("stop", { Stop: 77 }), ok(2));
    assert.deepEqual(await peer.ask("stream", { Type: "*" }), ok(3));
    backend.on.event = (name) => backend.emitUser(String(name));
    await peer.send(
      request("event", 4, { Name: "before" }),
      request("stop", 5, { Stop: 3 }),
      request("event", 6, { Name: "after" }),
    );
    const values = await peer.take(5) as Record<string, Plain>[];
    assert.deepEqual(values.map(({ Seq, Name }) => Seq ?? Name), [3, "before", 4, 5, 6]);
  });
});

Deno.test("a monitor replays the retained lines of its level, then follows", async () => {
  await withServer(async ({ backend, server }) => {
    using peer = await Peer.ready(server.address);
    for (let i = 0; i < 600; i++) {
      backend.log.write(i % 2 === 0 ? "DEBUG" : "WARN", "x", `old ${i}`);
    }
    assert.deepEqual(await peer.ask("monitor", { LogLevel: "warn" }), ok(2));
    backend.log.write("DEBUG", "x", "not shown");
    backend.log.write("WARN", "x", "live");
    const logs = (await records(peer, 257)).map(([, { Log }]) => String(Log).slice(20));
    assert.equal(logs[0], "[WARN] x: old 89");
    assert.equal(logs[255], "[WARN] x: old 599");
    assert.equal(logs[256], "[WARN] x: live");
  });
});

Deno.test("a line of several lines is one record, without its last line break", async () => {
  await withServer(async ({ backend, server }) => {
    using peer = await Peer.ready(server.address);
    await peer.ask("monitor", { LogLevel: "ERR" });
    backend.log.write("ERR", "x", "1 error occurred:\n\t* y\n", { multiline: true });
    const [record] = await records(peer, 1);
    assert.deepEqual(Object.keys(record?.[1] ?? {}), ["Log"]);
    assert.match(String(record?.[1].Log), /^\d{4}\/.* \[ERR\] x: 1 error occurred:\n\t\* y$/);
  });
});

Deno.test("a monitor needs a known level, and a connection has one", async () => {
  await withServer(async ({ server }) => {
    using peer = await Peer.ready(server.address);
    for (const [LogLevel, name] of [["foo", "FOO"], ["error", "ERROR"], ["", ""]]) {
      const { Error: error } = await peer.ask("monitor", { LogLevel: LogLevel ?? "" }) as {
        Error: string;
      };
      assert.equal(error, `Unknown log level: ${name}`);
    }
    assert.deepEqual(await peer.ask("monitor", { LogLevel: "Err" }), ok(5));
    assert.deepEqual(await peer.ask("monitor", { LogLevel: "foo" }), {
      Error: "Unknown log level: FOO",
      Seq: 6,
    });
    assert.deepEqual(await peer.ask("monitor", { LogLevel: "INFO" }), {
      Error: "Monitor already exists",
      Seq: 7,
    });
    await peer.ask("stop", { Stop: 5 });
    assert.deepEqual(await peer.ask("monitor", { LogLevel: "ERR" }), ok(9));
  });
});

Deno.test("a client that goes away leaves nothing behind", async () => {
  await withServer(async ({ backend, server }) => {
    using stays = await Peer.ready(server.address);
    for (let round = 0; round < 20; round++) {
      using peer = await Peer.ready(server.address);
      await peer.ask("stream", { Type: "*" });
      await peer.ask("stream", { Type: "user" });
      await peer.ask("monitor", { LogLevel: "ERR" });
    }
    await until(() => server.stats().clients === "1");
    assert.equal(server.stats().streams, "0");
    assert.equal(backend.log.monitors, 0);
    assert.deepEqual(await stays.ask("stop", { Stop: 0 }), ok(2));
  });
});

Deno.test("too many streams on one connection are refused", async () => {
  await withServer(async ({ server }) => {
    using peer = await Peer.ready(server.address);
    const requests = Array.from({ length: 1_025 }, (_, i) => request("stream", i, { Type: "*" }));
    await peer.send(...requests);
    const answers = await peer.take(1_025) as Record<string, Plain>[];
    assert.deepEqual(answers.filter(({ Error }) => Error !== ""), [
      { Error: "Connection has 1024 streams, the most that are allowed", Seq: 1_024 },
    ]);
  });
});
