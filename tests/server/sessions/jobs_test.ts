/**
 * Jobs of three servers: dispatched anywhere, done by sessions of both ports.
 *
 * @module
 */

import assert from "node:assert/strict";
import { KvClient, type KvError, SessionClient, type SessionJob } from "../../../client/mod.ts";
import { eventually } from "../../support/agents.ts";
import { brief } from "../../support/kv/stage.ts";
import {
  clientOf,
  folder,
  leaderOf,
  type Servers,
  startGateway,
  threeServers,
} from "../../support/replica/agents.ts";
import { oneServer } from "../../support/sessions/server.ts";

/** The addresses of the session ports of some servers. */
function sessionsOf({ agents }: Servers): string {
  return agents.map(({ state }) => state?.addresses.sessionAddr).join();
}

Deno.test("jobs go in turn to those who can do them, at both ports, from any agent", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const leader = await leaderOf(servers.agents);
  const follower = servers.agents.find(({ config }) => config.nodeName !== leader);
  assert.ok(follower);
  await using gateway = await startGateway("d", servers.agents);
  await using worker = new SessionClient({
    address: sessionsOf(servers),
    capabilities: { resize: "gpu" },
  });
  await worker.connect();
  using lines = await clientOf(follower);
  const capabilities = { resize: "cpu" };
  await lines.ask({ action: "SESSION", op: "create", capabilities });
  await using caller = await KvClient.connect({ address: gateway.state?.addresses.kvAddr ?? "" });
  await assert.rejects(caller.dispatch("paint", 1), { reason: "NO_WORKER", code: 404 });
  assert.equal(await caller.dispatch("resize", { image: 1 }), 1);
  assert.equal(await caller.dispatch("resize", { image: 2 }), 2);
  assert.equal(await caller.dispatch("resize", { image: 3 }, { value: "cpu" }), 3);
  const jobs = worker.jobs[Symbol.asyncIterator]();
  const { value: first } = await jobs.next() as { value: SessionJob };
  assert.deepEqual([first.job, first.capability, first.payload], [1, "resize", { image: 1 }]);
  assert.deepEqual(await lines.pushes(2), [
    { push: "job", job: 2, capability: "resize", payload: { image: 2 }, ack: 1 },
    { push: "job", job: 3, capability: "resize", value: "cpu", payload: { image: 3 }, ack: 2 },
  ]);
  first.done();
  await lines.ask({ action: "SESSION", op: "ack", ack: 1 });
  // Who leaves without having done its job leaves it to the other one.
  assert.equal(brief(await lines.ask({ action: "SESSION", op: "close" })), '"OK"');
  await assert.rejects(caller.dispatch("resize", 0, { value: "cpu" }), { reason: "NO_WORKER" });
  const { pending } = await eventually("all is acknowledged", async () => {
    const session = worker.sessionId ?? "";
    const shown = await follower.state?.administerSessions("show", session) as { pending: number };
    return shown.pending === 0 && shown;
  });
  assert.equal(pending, 0);
  // It is for those with another value, and waits for one.
  await using late = new SessionClient({ address: sessionsOf(servers), capabilities });
  await late.connect();
  for await (const job of late.jobs) {
    assert.deepEqual([job.job, job.payload], [3, { image: 3 }]);
    job.done();
    break;
  }
});

Deno.test("a job waits for the session that has it while that has no connection, and comes again until it is done", async () => {
  await using server = await oneServer();
  const address = server.agent.state?.addresses.sessionAddr ?? "";
  const capabilities = { work: "1" };
  const first = new SessionClient({ address, capabilities });
  await first.connect();
  const other = new SessionClient({ address });
  await other.connect();
  const id = first.sessionId as string;
  assert.equal(await other.kv.dispatch("work", "a"), 1);
  const { value } = await first.jobs[Symbol.asyncIterator]().next() as { value: SessionJob };
  assert.equal(value.payload, "a");
  await first.close({ keep: true });
  let more = 0;
  await eventually("nobody is connected", async () => {
    const told = await other.kv.dispatch("work", "b").catch((error: KvError) => error.reason);
    if (typeof told === "number") more++;
    return told === "NO_WORKER";
  });
  await using next = new SessionClient({ address, resume: id });
  await next.connect();
  const jobs = next.jobs[Symbol.asyncIterator]();
  const { value: again } = await jobs.next() as { value: SessionJob };
  assert.deepEqual([again.job, again.payload], [1, "a"]);
  again.done();
  // The state knows a moment later that it is there again.
  const last = await eventually("it is there", () => other.kv.dispatch("work", "c"));
  assert.equal(last, more + 2);
  for (let i = 0; i < more; i++) ((await jobs.next()) as { value: SessionJob }).value.done();
  assert.equal(((await jobs.next()) as { value: SessionJob }).value.payload, "c");
  await other.close();
});
