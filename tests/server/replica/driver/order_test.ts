/**
 * What the clients of one server ask for, when the leadership comes to that server while something is on its way elsewhere.
 *
 * @module
 */

import assert from "node:assert/strict";
import { incrementCommand, resolvePath } from "../../../../cluster/machine/kv/mod.ts";
import type { Result } from "../../../../cluster/machine/mod.ts";
import { Replicas, type Server } from "../../../support/replica/replicas.ts";

const INCREMENT = incrementCommand(resolvePath("n") as Uint8Array, 1);

interface Scene extends Disposable {
  readonly cluster: Replicas;
  /** Leads now, ... */
  readonly next: Server;
  /** ... and led before: it hangs, with a command on its way to it that `next` has sent there. */
  readonly former: Server;
  readonly first: Promise<Result>;
  /** Has it go on. */
  readonly goOn: () => void;
}

/** A leader hangs, and another one is elected; `idle` has asked for nothing. */
async function hang(idle?: string): Promise<Scene> {
  const cluster = await Replicas.found(["a", "b", "c", "d"]);
  const former = await cluster.leader();
  await cluster.set(former.id, "k", 0);
  const followers = [...cluster.servers.values()].filter(({ id }) => {
    return id !== former.id && id !== idle;
  });
  const release = cluster.hold(former.id);
  const sent = followers.map(({ id }) => propose(cluster, id));
  await cluster.clock.advance(2);
  cluster.cut(former.id);
  const next = await cluster.leader();
  return {
    cluster,
    former,
    next,
    first: sent[followers.indexOf(next)] as Promise<Result>,
    goOn: release,
    [Symbol.dispose]: () => cluster.close(),
  };
}

function propose(cluster: Replicas, id: string): Promise<Result> {
  return new Promise((resolve) => cluster.at(id).replica.propose(INCREMENT, 5_000, resolve));
}

Deno.test("what was sent on before is done before what a new leader is asked itself", async () => {
  using scene = await hang();
  const { cluster, former, next } = scene;
  const second = propose(cluster, next.id);
  cluster.cut(former.id, false);
  await cluster.clock.until(() => former.replica.leaderId === next.id, 1_000);
  // It does not lead any more, and sends back what has reached it so late.
  scene.goOn();
  await cluster.clock.advance(1_000);
  const [first, then] = await Promise.all([scene.first, second]);
  assert.ok(first.ok && then.ok);
  assert.ok(first.rev < then.rev, `${first.rev} before ${then.rev}`);
});

Deno.test("a new leader does not wait for long for what it has sent to one that hangs", async () => {
  using scene = await hang();
  const { cluster, next } = scene;
  const [first, second] = [scene.first, propose(cluster, next.id)];
  await cluster.clock.advance(1_100);
  assert.equal((await second).ok, true);
  assert.equal((await first as { reason?: string }).reason, "OUTCOME_UNKNOWN");
  // What comes of it after all is nobody's any more.
  scene.goOn();
  await cluster.clock.advance(1_000);
  assert.equal((await cluster.set(next.id, "k", 1)).ok, true);
});

Deno.test("what other servers send to a new leader does not wait for that", async () => {
  using scene = await hang("d");
  const { cluster, next } = scene;
  assert.notEqual(next.id, "d", "another seed is needed");
  const [own, other] = [propose(cluster, next.id), propose(cluster, "d")];
  await cluster.clock.advance(100);
  const early = await Promise.race([own.then(() => "own"), other.then(({ ok }) => ok)]);
  assert.equal(early, true);
  scene.goOn();
});
