/**
 * What faults of the program do to a client: it gets no second answer, the log tells where the fault is, others go on.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeQuery } from "../../support/rpc/backend.ts";
import { Peer, until } from "../../support/rpc/peer.ts";
import { ok, withServer } from "../../support/rpc/stage.ts";

/** What the fake agent is made to throw. */
function fault(): never {
  throw new TypeError("a fault of the program");
}

Deno.test("what goes wrong after an answer is no second answer: the connection ends, with the stack in the log", async () => {
  await withServer(async ({ server, backend }) => {
    using other = await Peer.ready(server.address);
    using peer = await Peer.ready(server.address);
    const { monitor } = backend.log;
    backend.log.monitor = fault;
    await peer.request("monitor", { LogLevel: "ERR" });
    const answers = await peer.rest();
    assert.deepEqual(answers, answers.length === 0 ? [] : [ok(2)]);
    backend.log.monitor = monitor;
    const line = backend.log.lines("ERR").at(-1) ?? "";
    assert.match(line, /\[ERR\] agent: Unexpected error: TypeError: a fault of the program\n/);
    assert.match(line, /\n +at .*fault.*faults_test\.ts/);
    assert.deepEqual(await other.ask("stop", { Stop: 0 }), ok(2));
  });
});

Deno.test("an answer that cannot be written is answered with why, once", async () => {
  await withServer(async ({ server, backend }) => {
    using peer = await Peer.ready(server.address);
    backend.stats = () => ({ agent: { name: 5 as unknown as string } });
    const answer = await peer.ask("stats") as { Error: string; Seq: number };
    assert.equal(answer.Seq, 2);
    assert.notEqual(answer.Error, "");
    assert.deepEqual(await peer.ask("stop", { Stop: 0 }), ok(3));
  });
});

Deno.test("faults apart from any request reach the agent", async () => {
  await withServer(async ({ server, backend }) => {
    const unexpected: Error[] = [];
    backend.log.onUnexpected((error) => unexpected.push(error));
    using peer = await Peer.ready(server.address);
    const query = new FakeQuery();
    Object.assign(query.acks, { [Symbol.asyncIterator]: fault });
    backend.on.query = () => query;
    assert.deepEqual(await peer.ask("query", { Name: "x" }), ok(2));
    await until(() => unexpected.length === 1);
    query.close();
    backend.on.shutdown = fault;
    assert.deepEqual(await peer.ask("leave"), ok(3));
    await until(() => unexpected.length === 2);
    assert.deepEqual(unexpected.map(String), Array(2).fill("TypeError: a fault of the program"));
  });
});

Deno.test("a client that vanishes leaves no word of it in the log", async () => {
  await withServer(async ({ server, backend }) => {
    for (let i = 0; i < 5; i++) {
      using peer = await Peer.ready(server.address);
      await peer.request("members");
      await peer.arrived();
    }
    await until(() => server.stats().clients === "0");
    assert.deepEqual(backend.log.lines("WARN"), []);
  });
});
