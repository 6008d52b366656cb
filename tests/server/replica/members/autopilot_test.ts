import assert from "node:assert/strict";
import { advise, canLose, failureTolerance } from "../../../../server/replica/members/autopilot.ts";
import { CLUSTER, member, server, status } from "../../../support/replica/planted.ts";

const THREE = ["a", "b", "c"].map((id) => member(id));

Deno.test("a server that gossip shows is taken in, but none of another cluster", () => {
  const add = { kind: "add", id: "d", role: "staging" };
  for (const cluster of [undefined, CLUSTER]) {
    assert.deepEqual(advise(status(THREE), [server("d", { cluster })], CLUSTER, 0)?.change, add);
  }
  assert.equal(
    advise(status(THREE), [server("d", { cluster: "99999999" })], CLUSTER, 0),
    undefined,
  );
  assert.equal(advise(status(THREE), [server("d", { status: "failed" })], CLUSTER, 0), undefined);
  assert.equal(advise(status(THREE), [server("b")], CLUSTER, 0), undefined);
  assert.equal(advise(status(THREE), [server("d", { isLeaving: true })], CLUSTER, 0), undefined);
  const follower = status(THREE, { role: "follower" });
  assert.equal(advise(follower, [server("d")], CLUSTER, 0), undefined);
});

Deno.test("one that has left is taken out, one that has failed is not", () => {
  const left = server("c", { status: "left" });
  assert.deepEqual(advise(status(THREE), [left], CLUSTER, 0)?.change, { kind: "remove", id: "c" });
  assert.equal(advise(status(THREE), [server("c", { status: "failed" })], CLUSTER, 0), undefined);
  const silent = [member("a"), member("b", { lastContactMs: 9_000 }), member("c")];
  assert.equal(
    advise(status(silent), [left], CLUSTER, 0),
    undefined,
    "b is silent: two would be one",
  );
});

Deno.test("a setting takes out who was silent for long, if the others go on", () => {
  const members = [...THREE.slice(0, 2), member("c", { lastContactMs: 61_000 })];
  const failed = [server("c", { status: "failed" })];
  assert.deepEqual(advise(status(members), failed, CLUSTER, 60_000)?.change, {
    kind: "remove",
    id: "c",
  });
  assert.equal(advise(status(members), failed, CLUSTER, 0), undefined);
  assert.equal(advise(status(members), [server("c")], CLUSTER, 60_000), undefined, "it is alive");
  const two = [member("a"), member("c", { lastContactMs: 61_000 })];
  assert.deepEqual(advise(status(two), failed, CLUSTER, 60_000)?.change.id, "c");
});

Deno.test("how many may fail counts those that are heard", () => {
  assert.equal(failureTolerance(status(THREE)), 1);
  assert.equal(
    failureTolerance(status([...THREE.slice(0, 2), member("c", { lastContactMs: 9_000 })])),
    0,
  );
  assert.equal(failureTolerance(status([member("a")])), 0);
  const five = ["a", "b", "c", "d", "e"].map((id) => member(id));
  assert.equal(failureTolerance(status(five)), 2);
  const learner = member("l", { role: "learner" });
  assert.equal(failureTolerance(status([...THREE, learner])), 1);
  assert.equal(canLose(status([member("a")]), "a"), false);
  assert.equal(canLose(status(THREE), "a"), true);
});
