/**
 * Locks: the client over a port, and the agent's own store, do the same.
 *
 * @module
 */

import assert from "node:assert/strict";
import { KvClient, type KvLock, LockLostError, LockTimeoutError } from "../../../client/mod.ts";
import { eventually } from "../../support/agents.ts";
import { NO_LEADER } from "../../../server/replica/service.ts";
import { AgentKv } from "../../../server/kv/local/local.ts";
import { serve, type Stage } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();

/** What both have. */
type Store = Pick<KvClient, "set" | "get" | "delete" | "transaction" | "lock">;

/** Registers a test of the client, and of the agent's own store. */
function bothTest(name: string, body: (kv: Store, stage: Stage) => Promise<void>): void {
  Deno.test(`KvClient: ${name}`, async () => {
    await using stage = serve(HOST);
    const { hostname, port } = stage.port.address;
    await using client = await KvClient.connect({ address: `${hostname}:${port}` });
    await body(client, stage);
  });
  Deno.test(`AgentKv: ${name}`, async () => {
    await using stage = serve(HOST);
    await body(new AgentKv(stage.state, stage.pubsub), stage);
  });
}

bothTest("a lock is held by one at a time, with numbers that grow", async (kv) => {
  const first = await kv.lock("jobs^nightly", { name: "one" });
  assert.equal(first.fence, 1);
  const { value, rev, ttlMs } = await kv.get("jobs^nightly") ?? assert.fail();
  assert.deepEqual([(value as { name: string }).name, rev, ttlMs], ["one", 1, 15_000]);
  assert.ok(first.leftMs > 13_000 && first.leftMs <= 13_500);
  await assert.rejects(kv.lock("jobs^nightly", { waitMs: 0 }), (error) => {
    assert.ok(error instanceof LockTimeoutError);
    assert.deepEqual([error.key, error.heldBy], ["jobs^nightly", 1]);
    return true;
  });
  await first.renew();
  assert.equal((await kv.get("jobs^nightly"))?.rev, 1);

  let isTaken = false;
  const waiting = kv.lock(["jobs", "nightly"]).then((held) => {
    isTaken = true;
    return held;
  });
  await kv.get("jobs^nightly");
  assert.equal(isTaken, false);
  assert.equal(await first.release(), true);
  assert.equal(await first.release(), true);
  await using second = await waiting;
  assert.ok(second.fence > first.fence);
  assert.throws(() => first.assertHeld(), { name: "LockLostError", reason: "RELEASED" });
  assert.equal((first.signal.reason as LockLostError).fence, first.fence);
  await assert.rejects(first.renew(), LockLostError);
  second.assertHeld();
});

bothTest("a transaction with the condition of a lock is done by its holder alone", async (kv) => {
  const write = ({ condition, fence }: KvLock) =>
    kv.transaction({ if: [condition], then: [{ action: "set", key: "register", value: fence }] });
  const old = await kv.lock("l");
  assert.equal((await write(old)).succeeded, true);
  await old.release();
  assert.equal((await write(old)).succeeded, false);
  await using held = await kv.lock("l");
  assert.equal((await write(old)).succeeded, false);
  assert.equal((await write(held)).succeeded, true);
  assert.equal((await kv.get("register"))?.value, held.fence);
});

bothTest("who waits hears of a lock that is released, deleted or expired", async (kv, stage) => {
  await kv.set("l", "by hand", { ttlMs: 1 });
  const waiting = kv.lock("l", { waitMs: 30_000 });
  await eventually("the watch", () => stage.state.watches.figures.watches === 1);
  stage.state.sweep();
  const held = await waiting;
  const next = kv.lock("l", { waitMs: 30_000 });
  await eventually("the watch", () => stage.state.watches.figures.watches === 1);
  await kv.delete("l");
  await using after = await next;
  assert.ok(after.fence > held.fence);
  // The holder finds out with the next renewal.
  await assert.rejects(held.renew(), { name: "LockLostError", reason: "GONE" });
  assert.equal(held.signal.aborted, true);
  assert.equal(await held.release(), true);
  after.assertHeld();
});

bothTest("a wait can be given up, and leaves nothing behind", async (kv, stage) => {
  await using held = await kv.lock("l");
  const giveUp = new AbortController();
  const waiting = kv.lock("l", { signal: giveUp.signal });
  await eventually("the watch", () => stage.state.watches.figures.watches === 1);
  giveUp.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
  await eventually("the end of the watch", () => stage.state.watches.figures.watches === 0);
  await assert.rejects(kv.lock("l", { signal: giveUp.signal }), { message: "enough" });
  assert.equal((await kv.get("l"))?.rev, held.fence);
});

bothTest("a lock that comes after it was given up is released", async (kv, stage) => {
  const giveUp = new AbortController();
  stage.state.hold();
  const waiting = kv.lock("l", { signal: giveUp.signal });
  await eventually("the request", () => stage.state.waiting === 1);
  giveUp.abort(new Error("enough"));
  await assert.rejects(waiting, { message: "enough" });
  stage.state.release();
  await eventually("the lock is free", async () => await kv.get("l") === undefined);
});

bothTest("without a leader it is waited for one, as long as it is said", async (kv, stage) => {
  stage.state.failure = NO_LEADER;
  await assert.rejects(kv.lock("l", { waitMs: 50, ttlMs: 1_000 }), (error) => {
    assert.ok(error instanceof LockTimeoutError);
    assert.equal((error.cause as Error).name, "NoLeaderError");
    return true;
  });
  const waiting = kv.lock("l", { waitMs: 30_000, ttlMs: 1_000 });
  stage.state.failure = undefined;
  await using held = await waiting;
  assert.equal(held.fence, 1);
});

bothTest("a mistake is told at once", async (kv) => {
  await assert.rejects(kv.lock("a^^b"), { name: "KvError", reason: "BAD_KEY" });
  for (const ttlMs of [0, 99, 1_000.5, 86_400_001]) {
    await assert.rejects(kv.lock("l", { ttlMs }), {
      name: "RangeError",
      message: `Lease must be a whole number of milliseconds from 100 to 86400000, got ${ttlMs}`,
    });
  }
  await assert.rejects(kv.lock("l", { waitMs: -1 }), { name: "RangeError" });
  assert.equal(await kv.get("l"), undefined);
});

Deno.test("KvClient: a lock outlives its connection, and not its client", async () => {
  await using stage = serve(HOST);
  const { hostname, port } = stage.port.address;
  const client = await KvClient.connect({ address: `${hostname}:${port}` });
  const held = await client.lock("l", { ttlMs: 300 });
  await client.close();
  held.assertHeld();
  await eventually("the end of the lease", () => held.signal.aborted);
  assert.equal(held.signal.reason.reason, "EXPIRED");
  assert.equal(held.signal.reason.cause.name, "ConnectionClosedError");
  assert.equal(await held.release(), false);
});
