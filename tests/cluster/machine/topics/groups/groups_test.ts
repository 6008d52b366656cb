/**
 * What becomes of groups in particular cases.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  commitOffsetsCommand,
  decodeGroup,
  decodeGroupOffsets,
  decodeGroups,
  decodeMembers,
  deleteTopicCommand,
  describeGroupQuestion,
  GROUP_LIFE_MS,
  groupMembersQuestion,
  groupOffsetsQuestion,
  heartbeatCall,
  leaveCommand,
  listGroupsQuestion,
  removeMembersCommand,
  sweepTopicsCommand,
} from "../../../../../cluster/machine/topics/mod.ts";
import { decodeUtf8 } from "../../../../../protocol/text.ts";
import { GroupStage, joinOf, textOf } from "../../../../support/topics/group_stage.ts";
import { bodyOf, refused, totalsOf, utf8 } from "../../../../support/topics/answers.ts";

const G = utf8("g");

/** A commit of an offset of the first partition of `t`. */
const commit = (member = 0, generation = 0) =>
  commitOffsetsCommand(
    G,
    [{ topic: utf8("t"), partition: 0, offset: 7, metadata: new Uint8Array() }],
    { member, generation },
  );

/** The rows of members. */
function rowsOf({ store }: GroupStage) {
  return store.range(Uint8Array.of(0x15, 3, 0x15, 11), Uint8Array.of(0x15, 4), Infinity);
}

/** What is committed there. */
function committed({ machine }: GroupStage): number | undefined {
  const question = groupOffsetsQuestion(G, [{ topic: utf8("t"), partition: 0 }]);
  return decodeGroupOffsets(bodyOf(machine.query(question))).offsets[0]?.offset;
}

Deno.test("one who joins and goes before anything is handed over moves nothing", () => {
  const stage = new GroupStage();
  stage.create("t", 12);
  const [one, two] = [stage.join(), stage.join()];
  stage.settle(one, two);
  const before = [one, two].map(({ held }) => textOf(held));
  const three = stage.join();
  assert.deepEqual(
    [one, two].map((one) => stage.beat(one)),
    new Array(2).fill("REBALANCE_IN_PROGRESS"),
  );
  stage.do(leaveCommand(G, three.member));
  assert.deepEqual([one, two].map((one) => stage.beat(one)), ["done", "done"]);
  stage.settle(one, two);
  assert.deepEqual([one, two].map(({ held }) => textOf(held)), before);
});

Deno.test("a member that keeps what it has notices nothing of a change, and its commits count", () => {
  const stage = new GroupStage();
  for (const topic of ["t", "u"]) stage.create(topic, 1);
  const one = stage.join();
  stage.sync(one);
  const { generation } = one;
  const two = stage.join({ topics: ["u"] });
  stage.sync(two);
  assert.equal(stage.beat(one), "done");
  assert.equal(stage.do(commit(one.member, generation)), "done");
});

Deno.test("who joins again with the same subscription changes nothing but its times", () => {
  const stage = new GroupStage();
  stage.create("t", 2);
  const one = stage.join();
  stage.sync(one);
  const again = stage.join({ member: one.member, sessionTimeoutMs: 9_000 });
  assert.deepEqual(again, { group: "g", held: [], member: one.member, generation: one.generation });
  const members = decodeMembers(bodyOf(stage.machine.query(groupMembersQuestion(G))));
  assert.deepEqual(members.map(({ sessionTimeoutMs }) => sessionTimeoutMs), [9_000]);
  assert.equal(stage.beat(one), "done");
});

Deno.test("a topic that is made, deleted and made anew is shared as it is, and handed over", () => {
  const stage = new GroupStage();
  const [one, two] = [stage.join(), stage.join()];
  stage.settle(one, two);
  assert.deepEqual([stage.beat(one), stage.beat(two)], ["done", "done"]);
  stage.create("t", 1);
  assert.deepEqual([stage.beat(one), stage.beat(two)], new Array(2).fill("REBALANCE_IN_PROGRESS"));
  stage.settle(two, one);
  assert.deepEqual([one, two].map(({ held }) => textOf(held)), ["t 0", ""]);
  // Who may be reading the old one may take the new one for it.
  stage.do(deleteTopicCommand(utf8("t")));
  stage.create("t", 2);
  assert.equal(stage.sync(two), false);
  assert.equal(textOf(two.held), "t 1");
  stage.sync(one);
  assert.equal(textOf(one.held), "t 0");
  stage.do(deleteTopicCommand(utf8("t")));
  assert.equal(stage.beat(one), "REBALANCE_IN_PROGRESS");
  stage.settle(one, two);
  assert.deepEqual([one, two].map(({ held }) => textOf(held)), ["", ""]);
});

Deno.test("what a member reads of topics that it does not subscribe to any more is its own until it says so", () => {
  const stage = new GroupStage();
  for (const topic of ["t", "u"]) stage.create(topic, 1);
  const one = stage.join();
  stage.sync(one);
  const before = one.held;
  Object.assign(one, stage.join({ member: one.member, topics: ["u"] }), { held: before });
  const two = stage.join();
  assert.equal(stage.sync(two), true);
  assert.equal(textOf(two.held), "");
  stage.sync(one);
  assert.equal(textOf(one.held), "u 0");
  stage.sync(two);
  assert.equal(textOf(two.held), "");
  stage.sync(one);
  assert.equal(stage.sync(two), false);
  assert.equal(textOf(two.held), "t 0");
});

Deno.test("a member that is removed cannot commit, nor one whose partition is another's now, nor one of an old answer", () => {
  const stage = new GroupStage();
  stage.create("t", 1);
  assert.equal(stage.do(commit()), "done");
  const one = stage.join();
  // Nobody commits beside the members.
  assert.equal(stage.do(commit()), "UNKNOWN_MEMBER");
  assert.equal(stage.do(commit(0, 3)), "UNKNOWN_MEMBER");
  assert.equal(stage.do(commit(one.member + 1, one.generation)), "UNKNOWN_MEMBER");
  const { generation: joined } = one;
  assert.deepEqual([...bodyOf(stage.apply(commit(one.member, joined)))], [5]);
  stage.sync(one);
  assert.equal(stage.do(commit(one.member, joined)), "INVALID_GENERATION");
  assert.deepEqual([...bodyOf(stage.apply(commit(one.member, one.generation)))], [0]);
  const two = stage.join();
  const silent = { member: one.member, generation: one.generation };
  bodyOf(stage.apply(removeMembersCommand(G, [{ ...silent, generation: 999 }])));
  assert.equal(stage.do(commit(one.member, one.generation)), "done");
  bodyOf(stage.apply(removeMembersCommand(G, [silent])));
  assert.equal(stage.do(commit(one.member, one.generation)), "UNKNOWN_MEMBER");
  stage.sync(two);
  assert.equal(textOf(two.held), "t 0");
  stage.do(leaveCommand(G, two.member));
  assert.equal(stage.do(commit()), "done");
});

Deno.test("offsets of a group live while it has members, and a week more", () => {
  const stage = new GroupStage();
  stage.create("t", 1);
  const one = stage.join();
  stage.sync(one);
  assert.equal(stage.do(commit(one.member, one.generation)), "done");
  const sweep = (): void => void bodyOf(stage.apply(sweepTopicsCommand()));
  for (let i = 0; i < 3; i++) {
    stage.time += GROUP_LIFE_MS;
    sweep();
    assert.equal(committed(stage), 7);
  }
  stage.time += 1_000;
  stage.do(leaveCommand(G, one.member));
  stage.time += GROUP_LIFE_MS - 1;
  sweep();
  assert.equal(committed(stage), 7);
  assert.deepEqual(decodeGroup(bodyOf(stage.machine.query(describeGroupQuestion(G)))), {
    generation: 0,
    topics: [],
    members: [],
  });
  // It is looked at again a week after the last look.
  stage.time += GROUP_LIFE_MS;
  sweep();
  assert.equal(committed(stage), -1);
  refused(stage.machine.query(describeGroupQuestion(G)), "UNKNOWN_GROUP");
});

Deno.test("a heartbeat by the log is told of and changes nothing", () => {
  const stage = new GroupStage();
  stage.create("t", 1);
  const one = stage.join();
  stage.sync(one);
  const rows = rowsOf(stage);
  const call = (member: number) => heartbeatCall({ group: G, member, generation: one.generation });
  assert.equal(stage.do(call(one.member)), "done");
  assert.deepEqual(stage.changes, [{ kind: "heard", member: one.member }]);
  assert.deepEqual(rowsOf(stage), rows);
  assert.equal(stage.do(call(one.member + 1)), "UNKNOWN_MEMBER");
  assert.deepEqual(stage.changes, []);
});

Deno.test("groups are listed by name, page by page, with the topics that they have to do with", () => {
  const stage = new GroupStage();
  for (const topic of ["t", "u", "v"]) stage.create(topic, 1);
  const names = Array.from({ length: 250 }, (_, i) => `g${String(i).padStart(3, "0")}`);
  for (const name of names) {
    const place = { partition: 0, offset: 1, metadata: new Uint8Array() };
    const commits = ["u", "v"].map((topic) => ({ topic: utf8(topic), ...place }));
    if (name !== "g100") stage.do(commitOffsetsCommand(utf8(name), commits));
    if (name.endsWith("00")) stage.join({ group: name });
  }
  stage.do(deleteTopicCommand(utf8("v")));
  const told: string[] = [];
  let after: Uint8Array | undefined = new Uint8Array();
  for (let pages = 1; after !== undefined; pages++) {
    const { groups, more } = decodeGroups(bodyOf(stage.machine.query(listGroupsQuestion(after))));
    for (const { group, generation, members, topics } of groups) {
      told.push(decodeUtf8(group));
      const isOfMembers = told.at(-1)?.endsWith("00");
      assert.deepEqual([generation, members], isOfMembers ? [1, 1] : [0, 0]);
      const expected = !isOfMembers ? ["u"] : told.at(-1) === "g100" ? ["t"] : ["t", "u"];
      assert.deepEqual(topics.map(decodeUtf8), expected);
    }
    assert.ok(pages < 10);
    after = more ? groups.at(-1)?.group.slice() : undefined;
  }
  assert.deepEqual(told, names);
  assert.equal(totalsOf(stage.machine).members, 3);
});

Deno.test("once all members have gone nothing is left of a group that has committed nothing", () => {
  const stage = new GroupStage();
  stage.create("t", 3);
  const [one, two] = [stage.join(), stage.join({ topics: ["t", "none"] })];
  stage.settle(one, two);
  assert.equal(rowsOf(stage).length, 1);
  assert.equal(totalsOf(stage.machine).groupBytes, rowsOf(stage)[0]?.value.length);
  stage.do(leaveCommand(G, one.member));
  stage.do(leaveCommand(G, two.member));
  assert.deepEqual(rowsOf(stage), []);
  const { members, groupBytes } = totalsOf(stage.machine);
  assert.deepEqual([members, groupBytes], [0, 0]);
  // Who comes then is somebody else.
  assert.equal(stage.join().member, two.member + 1);
  assert.equal(stage.do(joinOf({ member: one.member })), "UNKNOWN_MEMBER");
});
