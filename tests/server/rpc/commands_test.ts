/**
 * The commands about members, and `stats` (docs/spec/agent.md 3).
 *
 * @module
 */

import assert from "node:assert/strict";
import { LeaveInProgressError } from "../../../cluster/serf/mod.ts";
import { member } from "../../support/rpc/backend.ts";
import { Peer, until } from "../../support/rpc/peer.ts";
import { ok, withServer } from "../../support/rpc/stage.ts";

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
    Object.assign(backend.on, { event: fail, updateTags: fail, forceLeave: fail });
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
    assert.deepEqual(backend.calls, [["updateTags", { set: { a: "1" }, delete: ["b"] }], [
      "updateTags",
      { set: {}, delete: [] },
    ]]);
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
      // Only the class tells a leave that goes on.
      throw new Error("Leave already in progress");
    };
    using peer = await Peer.ready(server.address);
    await peer.request("leave");
    assert.deepEqual(await peer.rest(), [{ Error: "Leave already in progress", Seq: 2 }]);
    assert.deepEqual(backend.calls, [["leave"], ["shutdown"]]);
    assert.ok(lines().includes("[ERR] agent.ipc: leave failed: Leave already in progress"));
  });
});

Deno.test("a second leave is refused and does not take the answer from the first", async () => {
  await withServer(async ({ server, backend }) => {
    const slow = Promise.withResolvers<void>();
    backend.on.leave = () => {
      if (backend.calls.length > 1) throw new LeaveInProgressError();
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
