import assert from "node:assert/strict";
import type { RaftStatus } from "../../../server/replica/driver/status.ts";
import { type Self, stateStatus } from "../../../server/replica/state_status.ts";
import { CLUSTER, member, server, status } from "../../support/replica/planted.ts";

const CLUSTER_ID = CLUSTER.padEnd(32, "f");

function self(status: RaftStatus, changes: Partial<Self["replica"]> = {}): Self {
  const replica = { status, loopLagMs: 1.26, isFull: false, leader: "a", leaderId: "a" };
  return { id: "a", clusterId: CLUSTER_ID, replica: { ...replica, ...changes } };
}

Deno.test("each value of the status is the server's own", () => {
  const own = status([member("a")], {
    term: 7,
    lastIndex: 40,
    commitIndex: 30,
    appliedIndex: 20,
    snapshotIndex: 10,
  });
  const { peers, ...values } = stateStatus(self(own, { isFull: true }), [], "one");
  assert.deepEqual(values, {
    node: "one",
    id: "a",
    cluster_id: CLUSTER_ID,
    role: "leader",
    leader: "a",
    term: 7,
    last_index: 40,
    commit_index: 30,
    applied_index: 20,
    snapshot_index: 10,
    failure_tolerance: 0,
    storage_full: true,
    loop_lag_ms: 1.3,
    session_addr: null,
    topics_addr: null,
    other_clusters: [],
  });
  assert.deepEqual(peers.map(({ name, address }) => [name, address]), [["one", null]]);
});

Deno.test("who is silent or far behind is not healthy", () => {
  const told = (changes: Parameters<typeof member>[1]) => {
    const own = status([member("a", { matchIndex: 5_000 }), member("b", changes)], {
      lastIndex: 5_000,
    });
    return stateStatus(self(own), [server("b")], "one").peers[1]?.healthy;
  };
  assert.equal(told({ matchIndex: 4_000, lastContactMs: 999 }), true);
  assert.equal(told({ matchIndex: 3_999, lastContactMs: 999 }), false);
  assert.equal(told({ matchIndex: 5_000, lastContactMs: 1_000 }), false);
  assert.equal(told({ matchIndex: 5_000, lastContactMs: undefined }), false);
  assert.equal(told({ matchIndex: undefined, lastContactMs: 0 }), false);
});

Deno.test("what only the leader knows is null elsewhere", () => {
  const follower = status([member("a"), member("b")], { role: "follower" });
  const told = stateStatus(self(follower, { leader: undefined, leaderId: "b" }), [], "one");
  assert.equal(told.leader, "b", "the id, while gossip has no name for it");
  assert.equal(told.failure_tolerance, null);
  for (const { match_index, last_contact_ms, healthy } of told.peers) {
    assert.deepEqual([match_index, last_contact_ms, healthy], [null, null, null]);
  }
  const { leader } = stateStatus(
    self(follower, { leader: undefined, leaderId: undefined }),
    [],
    "one",
  );
  assert.equal(leader, null);
});

Deno.test("members have the names and addresses that gossip shows, and servers of others are named", () => {
  const servers = [server("b", { name: "two" }), server("x", { cluster: "99999999" })];
  const told = stateStatus(self(status([member("a"), member("b")])), servers, "one");
  assert.deepEqual(told.peers.map(({ name, address }) => [name, address]), [
    ["one", null],
    ["two", "127.0.0.1:1"],
  ]);
  assert.deepEqual(told.other_clusters, ["x"]);
  const without = stateStatus({ ...self(status([])), clusterId: undefined }, servers, "one");
  assert.deepEqual([without.cluster_id, without.other_clusters], [null, []]);
});
