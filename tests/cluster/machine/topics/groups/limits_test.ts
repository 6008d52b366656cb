/**
 * The bounds of groups with members.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  leaveCommand,
  MAX_ALL_GROUP_BYTES,
  MAX_ALL_MEMBERS,
  MAX_GROUP_MEMBERS,
  MAX_GROUP_PARTITIONS,
  MAX_GROUP_TOPICS,
  MEMBER_TIMEOUT_MS,
  syncCommand,
} from "../../../../../cluster/machine/topics/mod.ts";
import { getTotals, putTotals } from "../../../../../cluster/machine/topics/rows/totals.ts";
import { GroupStage, joinOf, textOf } from "../../../../support/topics/group_stage.ts";
import { totalsOf, utf8 } from "../../../../support/topics/answers.ts";

const NAMES = Array.from({ length: MAX_GROUP_TOPICS }, (_, i) => `t${i}`);

Deno.test("who joins names a group, one to 256 topics each once, and times from a second to an hour", () => {
  const stage = new GroupStage();
  const wrong: [Parameters<typeof joinOf>[0], string][] = [
    [{ group: "" }, "INVALID group"],
    [{ group: "g".repeat(250) }, "INVALID group"],
    [{ client: "c".repeat(250) }, "INVALID client"],
    [{ topics: [] }, "INVALID topic"],
    [{ topics: ["."] }, "INVALID topic"],
    [{ topics: ["t", "t"] }, "INVALID topic"],
    [{ topics: [...NAMES, "t"] }, "INVALID"],
    [{ sessionTimeoutMs: MEMBER_TIMEOUT_MS.least - 1 }, "INVALID timeout"],
    [{ rebalanceTimeoutMs: MEMBER_TIMEOUT_MS.most + 1 }, "INVALID timeout"],
    [{ member: 1 }, "UNKNOWN_MEMBER"],
  ];
  for (const [joining, reason] of wrong) assert.equal(stage.do(joinOf(joining)), reason);
  assert.deepEqual([totalsOf(stage.machine).lastMember, stage.changes], [0, []]);
  stage.join({
    client: "",
    sessionTimeoutMs: MEMBER_TIMEOUT_MS.least,
    rebalanceTimeoutMs: MEMBER_TIMEOUT_MS.most,
  });
});

Deno.test("a group has so many members, and so do all groups", () => {
  const stage = new GroupStage();
  for (let i = 0; i < MAX_GROUP_MEMBERS; i++) stage.join();
  assert.equal(stage.do(joinOf({})), "QUOTA_EXCEEDED");
  assert.equal(stage.do(joinOf({ member: 1, topics: ["u"] })), "done");
  const { store, machine } = stage;
  const setTotals = (change: Partial<ReturnType<typeof getTotals>>): void => {
    store.transaction((state) => putTotals(state, { ...getTotals(state), ...change }));
  };
  setTotals({ members: MAX_ALL_MEMBERS - 1 });
  stage.join({ group: "h" });
  assert.equal(stage.do(joinOf({ group: "h" })), "QUOTA_EXCEEDED");
  stage.do(leaveCommand(utf8("g"), 1));
  stage.join({ group: "h" });
  setTotals({ members: 9, groupBytes: MAX_ALL_GROUP_BYTES - 10 });
  assert.equal(stage.do(joinOf({ group: "h" })), "QUOTA_EXCEEDED");
  assert.equal(totalsOf(machine).members, 9);
});

Deno.test("the members of a group subscribe to 256 topics and 10,000 partitions", () => {
  const stage = new GroupStage();
  assert.equal(stage.do(joinOf({ topics: NAMES })), "done");
  assert.equal(stage.do(joinOf({ topics: ["one-more"] })), "QUOTA_EXCEEDED");
  assert.equal(stage.do(joinOf({ topics: NAMES.slice(3) })), "done");
  for (let i = 0; i < 10; i++) stage.create(`p${i}`, 1_000);
  stage.create("q", 1);
  const topics = Array.from({ length: 10 }, (_, i) => `p${i}`);
  const member = stage.join({ group: "h", topics });
  stage.sync(member);
  assert.equal(member.held.flatMap((one) => one.partitions).length, MAX_GROUP_PARTITIONS);
  assert.equal(stage.do(joinOf({ group: "h", topics: ["q"] })), "QUOTA_EXCEEDED");
  // What it reads of topics that nobody subscribes to any more counts until it is free.
  const again = { group: "h", member: member.member, topics: ["p0"] };
  const { generation } = stage.join(again);
  assert.equal(stage.do(joinOf({ group: "h", topics: ["q"] })), "QUOTA_EXCEEDED");
  stage.sync({ ...member, generation, held: [] });
  assert.equal(stage.do(joinOf({ group: "h", topics: ["q"] })), "done");
});

Deno.test("a topic that is made when a group has no room for it is nobody's, and takes no other one's room", () => {
  const stage = new GroupStage();
  const one = stage.join({ topics: ["a", "b", "c"] });
  for (let i = 0; i < 9; i++) stage.create(`p${i}`, 1_000);
  const topics = Array.from({ length: 9 }, (_, i) => `p${i}`);
  const two = stage.join({ topics });
  stage.settle(one, two);
  stage.create("b", 900);
  stage.settle(one, two);
  stage.create("a", 900);
  stage.settle(one, two);
  assert.deepEqual([stage.beat(one), stage.beat(two)], ["done", "done"]);
  assert.deepEqual(one.held.map(({ partitions }) => partitions.length), [900]);
  // Members go on coming.
  const three = stage.join({ topics: ["a", "b", "c"] });
  stage.create("c", 100);
  stage.settle(one, two, three);
  assert.deepEqual(
    [one, three].map(({ held }) =>
      held.reduce((sum, { partitions }) => sum + partitions.length, 0)
    ),
    [500, 500],
  );
  assert.ok(![one, three].some(({ held }) => textOf(held).includes("a ")));
});

Deno.test("a member says no more than 10,000 partitions", () => {
  const stage = new GroupStage();
  const member = stage.join();
  const held = (count: number) => [{
    topic: utf8("t"),
    partitions: Array.from({ length: count }, (_, i) => i),
  }];
  const said = { ...member, group: utf8("g") };
  assert.equal(stage.do(syncCommand({ ...said, held: held(10_000) })), "done");
  assert.equal(stage.do(syncCommand({ ...said, held: held(10_001) })), "INVALID");
  assert.equal(
    stage.do(syncCommand({ ...said, held: [...held(9_000), ...held(1_001)] })),
    "INVALID",
  );
});
