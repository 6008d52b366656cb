/**
 * What is for one server alone, as its leader: it is done there or not at all.
 *
 * @module
 */

import assert from "node:assert/strict";
import { getQuestion, incrementCommand, resolvePath } from "../../../../cluster/machine/kv/mod.ts";
import type { Result } from "../../../../cluster/machine/mod.ts";
import type { Replica } from "../../../../server/replica/driver/replica.ts";
import { Replicas } from "../../../support/replica/replicas.ts";

const IDS = ["a", "b", "c"];
const PATH = resolvePath("n") as Uint8Array;

Deno.test("only the leader does what is for one server alone, and the others say so at once", async () => {
  const cluster = await Replicas.found(IDS);
  const leader = await cluster.leader();
  for (const { id, replica } of cluster.servers.values()) {
    const isLeader = id === leader.id;
    const began = cluster.clock.now();
    const done = ask(replica, "command");
    if (!isLeader) {
      assert.equal(await done, "not here");
      assert.equal(await ask(replica, "question"), "not here");
      assert.equal(cluster.clock.now(), began);
      continue;
    }
    await cluster.clock.advance(1_000);
    assert.equal(await done, "1");
    const asked = ask(replica, "question");
    await cluster.clock.advance(1_000);
    assert.equal(await asked, "1");
  }
  await cluster.clock.advance(1_000);
  assert.equal(await cluster.get("a", "n"), "1");
  cluster.close();
});

Deno.test("what waits at a leader that hands over is not handed on", async () => {
  const cluster = await Replicas.found(IDS);
  const { replica } = await cluster.leader();
  await cluster.set("a", "n", 0);
  const handed = replica.transfer();
  const asked = [ask(replica, "command"), ask(replica, "command")];
  await cluster.clock.advance(1_000);
  await handed;
  assert.deepEqual(await Promise.all(asked), ["not here", "not here"]);
  const next = await cluster.leader();
  assert.notEqual(next.replica, replica);
  assert.equal(await cluster.get(next.id, "n"), "0");
  cluster.close();
});

Deno.test("a leader is ready once it has applied the first entry of its term", async () => {
  const cluster = await Replicas.found(IDS);
  const { id, replica } = await cluster.leader();
  await cluster.set(id, "n", 1);
  assert.equal(replica.readyTerm, replica.status.term);
  for (const server of cluster.servers.values()) {
    if (server.id !== id) assert.equal(server.replica.readyTerm, undefined);
  }
  cluster.cut(id);
  const next = await cluster.leader();
  // It leads, and its first entry is on no other disk.
  assert.equal(next.replica.status.role, "leader");
  assert.equal(next.replica.readyTerm, undefined);
  await cluster.clock.until(() => next.replica.readyTerm !== undefined, 5_000, "a ready leader");
  assert.equal(next.replica.readyTerm, next.replica.status.term);
  cluster.close();
  assert.equal(next.replica.readyTerm, undefined);
});

async function ask(replica: Replica, kind: "command" | "question"): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<Result | undefined>();
  const bytes = kind === "command" ? incrementCommand(PATH, 1) : getQuestion(PATH);
  replica.askHere(kind, bytes, 5_000, resolve);
  const result = await promise;
  if (result === undefined) return "not here";
  return result.ok ? new TextDecoder().decode(result.body) : result.reason;
}
