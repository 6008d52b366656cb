/**
 * Asking queries, and answering those of others (docs/spec/agent.md 1.8, 3 and 4.3).
 *
 * @module
 */

import assert from "node:assert/strict";
import { QueryError, RespondError } from "../../../cluster/serf/mod.ts";
import { ownPayload } from "../../../protocol/payload.ts";
import { RpcServer } from "../../../server/rpc/server.ts";
import { loopback } from "../../support/loopback.ts";
import { FakeBackend, FakeQuery, queryEvent } from "../../support/rpc/backend.ts";
import { Peer, type Plain, request, until } from "../../support/rpc/peer.ts";

const HOST = loopback();

interface Stage {
  backend: FakeBackend;
  server: RpcServer;
  peer: Peer;
}

async function withPeer(use: (stage: Stage) => Promise<void>): Promise<void> {
  const backend = new FakeBackend();
  await using server = RpcServer.listen(backend, { address: `${HOST}:0` });
  using peer = await Peer.ready(server.address);
  await use({ backend, server, peer });
}

const ok = (seq: number): Plain => ({ Error: "", Seq: seq });
const ack = (From: string): Plain => ({ From, Payload: null, Type: "ack" });
const done: Plain = { From: "", Payload: null, Type: "done" };
const NO_SUCH_QUERY = "No pending queries matching ID";

Deno.test("a query reaches the agent with every parameter, its time in milliseconds", async () => {
  await withPeer(async ({ backend, peer }) => {
    backend.on.query = () => new FakeQuery();
    await peer.ask("query", {
      FilterNodes: ["a", "b"],
      FilterTags: { role: "web.*" },
      RequestAck: true,
      RelayFactor: 3,
      Timeout: 1_500_000_000n,
      Name: "load",
      Payload: new Uint8Array([1, 2]),
    });
    await peer.ask("query", { Name: "plain", Timeout: -1 });
    assert.deepEqual(backend.calls, [
      ["query", "load", new Uint8Array([1, 2]), {
        nodes: ["a", "b"],
        tags: { role: "web.*" },
        requestAck: true,
        relayFactor: 3,
        timeoutMs: 1_500,
      }],
      ["query", "plain", null, {
        nodes: [],
        tags: {},
        requestAck: false,
        relayFactor: 0,
        timeoutMs: -1e-6,
      }],
    ]);
  });
});

Deno.test("acks and responses come as records of the query, and done after the last", async () => {
  await withPeer(async ({ backend, server, peer }) => {
    const query = new FakeQuery();
    backend.on.query = () => query;
    assert.deepEqual(await peer.ask("query", { Name: "load", RequestAck: true }), ok(2));
    assert.equal(server.stats().queries, "1");
    query.acks.push("a");
    assert.deepEqual(await peer.take(2), [ok(2), ack("a")]);
    query.answers.push({ from: "a", payload: ownPayload(new TextEncoder().encode("0.5")) });
    assert.deepEqual(await peer.take(2), [ok(2), {
      From: "a",
      Payload: new TextEncoder().encode("0.5"),
      Type: "response",
    }]);
    query.answers.push({ from: "b", payload: null });
    assert.deepEqual(await peer.take(2), [ok(2), { From: "b", Payload: null, Type: "response" }]);
    query.acks.push("b");
    query.close();
    assert.deepEqual(await peer.take(4), [ok(2), ack("b"), ok(2), done]);
    await until(() => server.stats().queries === "0");
    assert.deepEqual(await peer.ask("stop", { Stop: 0 }), ok(3), "nothing follows done");
  });
});

Deno.test("a query that is over at once sends done alone, and never before its response", async () => {
  await withPeer(async ({ backend, peer }) => {
    backend.on.query = () => {
      const query = new FakeQuery();
      query.close();
      return query;
    };
    await peer.request("query", { Name: "x", Timeout: -1 });
    assert.deepEqual(await peer.take(3), [ok(2), ok(2), done]);
  });
});

Deno.test("an answer of a node without a name is no record, since clients take it for the last", async () => {
  await withPeer(async ({ backend, peer }) => {
    const query = new FakeQuery();
    backend.on.query = () => query;
    await peer.ask("query", { Name: "x", RequestAck: true });
    query.acks.push("");
    query.answers.push({ from: "", payload: null });
    query.acks.push("a");
    query.close();
    assert.deepEqual(await peer.take(4), [ok(2), ack("a"), ok(2), done]);
  });
});

Deno.test("a query that cannot be asked has an error and no records", async () => {
  await withPeer(async ({ backend, peer }) => {
    backend.on.query = () => {
      throw new QueryError("query exceeds limit of 1024 bytes");
    };
    assert.deepEqual(await peer.ask("query", { Name: "x" }), {
      Error: "query exceeds limit of 1024 bytes",
      Seq: 2,
    });
    assert.deepEqual(await peer.ask("stop", { Stop: 0 }), ok(3));
  });
});

Deno.test("queries cannot be stopped, may share a Seq, and take turns with other records", async () => {
  await withPeer(async ({ backend, peer }) => {
    const queries = [new FakeQuery(), new FakeQuery()];
    backend.on.query = () => queries[backend.calls.length - 1];
    for (const command of ["query", "query", "stream", "monitor"]) {
      await peer.send(request(command, 9, { Name: "q", Type: "user", LogLevel: "ERR" }));
      assert.deepEqual(await peer.next(), ok(9), command);
    }
    await peer.send(request("stop", 10, { Stop: 9 }));
    assert.deepEqual(await peer.next(), ok(10));
    queries[0]?.acks.push("a");
    assert.deepEqual(await peer.take(2), [ok(9), ack("a")], "the stop ended the others only");
    queries[1]?.close();
    assert.deepEqual(await peer.take(2), [ok(9), done]);
    queries[0]?.close();
    assert.deepEqual(await peer.take(2), [ok(9), done]);
  });
});

Deno.test("the queries of one connection are bounded, and those that ended count no more", async () => {
  await withPeer(async ({ backend, peer }) => {
    const queries: FakeQuery[] = [];
    backend.on.query = () => {
      queries.push(new FakeQuery());
      return queries.at(-1);
    };
    const requests = Array.from({ length: 1_025 }, (_, i) => request("query", i, { Name: "x" }));
    await peer.send(...requests);
    const answers = await peer.take(1_025) as Record<string, Plain>[];
    assert.deepEqual(answers.filter(({ Error }) => Error !== ""), [
      { Error: "Connection has 1024 running queries, the most that are allowed", Seq: 1_024 },
    ]);
    assert.equal(queries.length, 1_024);
    queries[7]?.close();
    assert.deepEqual(await peer.take(2), [ok(7), done]);
    await peer.send(request("query", 7, { Name: "x" }));
    assert.deepEqual(await peer.next(), ok(7));
  });
});

Deno.test("answers wait in the query while the client does not read, and done is never lost", async () => {
  await withPeer(async ({ backend, peer }) => {
    const query = new FakeQuery();
    backend.on.query = () => query;
    await peer.ask("query", { Name: "x" });
    const payload = new Uint8Array(60_000);
    const count = 300;
    for (let i = 0; i < count; i++) {
      query.answers.push({ from: `n${i}`, payload: ownPayload(payload) });
    }
    query.close();
    using other = await Peer.ready(peer.remote);
    await until(() => query.answers.waiting < count);
    let before: number;
    do {
      before = query.answers.waiting;
      for (let i = 0; i < 50; i++) await other.ask("stop", { Stop: 0 });
    } while (query.answers.waiting < before);
    assert.ok(before > 100, `${before} of ${count} answers wait: the kernel holds a few MB`);
    const values = await peer.take(2 * count + 2);
    assert.deepEqual(values.at(-1), done);
    assert.equal((values.at(-3) as Record<string, Plain>).From, `n${count - 1}`);
  });
});

Deno.test("respond answers the query that a stream delivered, until its deadline", async () => {
  await withPeer(async ({ backend, server, peer }) => {
    const answers: unknown[] = [];
    const respond = (payload: unknown) => void answers.push(payload);
    assert.deepEqual(await peer.ask("stream", { Type: "query" }), ok(2));
    backend.emit(queryEvent("load", { respond, deadline: performance.now() + 500 }));
    await peer.take(2);
    const payload = new TextEncoder().encode("0.5");
    assert.deepEqual(await peer.ask("respond", { ID: 1, Payload: payload }), ok(3));
    assert.deepEqual(await peer.ask("respond", { ID: 1, Payload: null }), ok(4));
    assert.deepEqual(answers, [payload, null]);
    assert.equal(server.stats().pending_queries, "1");
    await until(() => server.stats().pending_queries === "0");
    assert.deepEqual(await peer.ask("respond", { ID: 1, Payload: payload }), {
      Error: NO_SUCH_QUERY,
      Seq: 5,
    });
  });
});

Deno.test("what respond fails with is told, and leaves the query open", async () => {
  await withPeer(async ({ backend, peer }) => {
    const respond = (payload: Uint8Array | null) => {
      if ((payload?.length ?? 0) < 10) return;
      throw new RespondError(
        "failed to respond to key query: response exceeds limit of 1024 bytes",
      );
    };
    await peer.ask("stream", { Type: "query" });
    backend.emit(queryEvent("load", { respond }));
    await peer.take(2);
    assert.deepEqual(await peer.ask("respond", { ID: 1, Payload: new Uint8Array(10) }), {
      Error: "failed to respond to key query: response exceeds limit of 1024 bytes",
      Seq: 3,
    });
    assert.deepEqual(await peer.ask("respond", { ID: 1, Payload: new Uint8Array(9) }), ok(4));
  });
});

Deno.test("an ID is good on its own connection only, also after the stream has ended", async () => {
  await withPeer(async ({ backend, peer }) => {
    using other = await Peer.ready(peer.remote);
    let answered = 0;
    await peer.ask("stream", { Type: "query" });
    backend.emit(queryEvent("load", { respond: () => void answered++ }));
    await peer.take(2);
    for (const ID of [0, 1, 2, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
      const { Error } = await other.ask("respond", { ID, Payload: null }) as { Error: string };
      assert.equal(Error, NO_SUCH_QUERY);
    }
    await peer.ask("stop", { Stop: 2 });
    assert.deepEqual(await peer.ask("respond", { ID: 1, Payload: null }), ok(4));
    assert.equal(answered, 1);
  });
});

Deno.test("a query whose deadline is past has an ID but cannot be answered", async () => {
  await withPeer(async ({ backend, server, peer }) => {
    await peer.ask("stream", { Type: "query" });
    backend.emit(queryEvent("late", { deadline: performance.now() - 1 }));
    backend.emit(queryEvent("now"));
    const [, late, , now] = await peer.take(4) as Record<string, Plain>[];
    assert.deepEqual([late?.ID, now?.ID], [1, 2]);
    assert.equal(server.stats().pending_queries, "1");
    assert.deepEqual(await peer.ask("respond", { ID: 1, Payload: null }), {
      Error: NO_SUCH_QUERY,
      Seq: 3,
    });
  });
});

Deno.test("the queries that a connection may answer are bounded: the oldest make room", async () => {
  await withPeer(async ({ backend, server, peer }) => {
    await peer.ask("stream", { Type: "query" });
    for (let i = 0; i < 1_030; i++) backend.emit(queryEvent("q"));
    await peer.take(2 * 1_030);
    assert.equal(server.stats().pending_queries, "1024");
    assert.deepEqual(await peer.ask("respond", { ID: 6 }), { Error: NO_SUCH_QUERY, Seq: 3 });
    assert.deepEqual(await peer.ask("respond", { ID: 7 }), ok(4));
    assert.deepEqual(await peer.ask("respond", { ID: 1_030 }), ok(5));
  });
});

Deno.test("a query that a slow client never heard of is not pending", async () => {
  await withPeer(async ({ backend, server, peer }) => {
    await peer.ask("stream", { Type: "query" });
    const payload = new Uint8Array(1_000_000);
    let sent = 0;
    while (Number(server.stats().dropped_events) < 10) {
      backend.emit(queryEvent("q", { payload: ownPayload(payload) }));
      sent++;
      if (sent % 5 === 0) await new Promise((resolve) => setTimeout(resolve));
      assert.ok(sent < 1_000, "the queue has no bound");
    }
    const heard = sent - Number(server.stats().dropped_events);
    assert.equal(server.stats().pending_queries, String(heard));
    await peer.take(2 * heard);
  });
});
