/**
 * Which members of groups the server that leads removes, and when.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../../../cluster/machine/mod.ts";
import {
  commitOffsetsCommand,
  decodeMembers,
  groupMembersQuestion,
  heartbeatCall,
  leaveCommand,
} from "../../../../cluster/machine/topics/mod.ts";
import { Groups } from "../../../../server/replica/groups/groups.ts";
import type { Leadership } from "../../../../server/replica/leading/leadership.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { GroupStage, type TestMember } from "../../../support/topics/group_stage.ts";
import { bodyOf, utf8 } from "../../../support/topics/answers.ts";

/** How long members of the tests may be silent, and hand over, in milliseconds. */
const SESSION_MS = 30_000;
const REBALANCE_MS = 60_000;
/** Deadlines are kept so exactly. */
const GRAIN_MS = 250;

/** A server that leads as long as a test wants. */
class Leader implements Leadership {
  readonly clock = new ManualClock();
  readonly stage = new GroupStage();
  readonly groups = new Groups(this.clock, () => this);
  readyTerm: number | undefined = 1;
  /** What becomes of commands of the server itself instead; `undefined`: they are done. */
  instead: (() => Result | undefined) | undefined;
  /** Commands of the server itself. */
  asked = 0;

  constructor() {
    this.stage.told = (changes) => this.groups.changed(changes);
    this.stage.applied = () => this.groups.look();
    this.stage.create("t", 6);
  }

  get machine() {
    return this.stage.machine;
  }

  askHere(
    _kind: "command" | "question",
    bytes: Uint8Array,
    _timeoutMs: number,
    done: (result: Result | undefined) => void,
  ): void {
    this.asked++;
    queueMicrotask(() => done(this.instead ? this.instead() : this.stage.apply(bytes)));
  }

  /** Another one leads, or this one again. */
  lead(term: number | undefined): void {
    this.readyTerm = term;
    this.groups.look();
  }

  /** A member that has what it is to have. */
  member(group = "g"): TestMember {
    const member = this.stage.join({ group });
    this.stage.sync(member);
    return member;
  }

  has({ group, member }: TestMember): boolean {
    const members = decodeMembers(bodyOf(this.machine.query(groupMembersQuestion(utf8(group)))));
    return members.some((one) => one.member === member);
  }
}

Deno.test("a silent member is removed after its time, not before and at most a quarter of a second late", async () => {
  const leader = new Leader();
  await leader.clock.advance(130);
  const member = leader.member();
  await leader.clock.advance(SESSION_MS / 2);
  leader.groups.heard(member.member);
  const heard = leader.clock.now();
  // What becomes of others is no sign of it.
  await leader.clock.advance(SESSION_MS / 2);
  const other = leader.stage.join();
  await leader.clock.until(() => !leader.has(member), 2 * SESSION_MS);
  const lasted = leader.clock.now() - heard;
  assert.ok(lasted >= SESSION_MS && lasted <= SESSION_MS + GRAIN_MS, `${lasted}`);
  leader.stage.do(leaveCommand(utf8("g"), other.member));
  assert.equal(leader.clock.pending, 0, "nobody is waited for any more");
});

Deno.test("each request of a member is a sign of its life, by the log too", async () => {
  const leader = new Leader();
  const { stage } = leader;
  const member = leader.member();
  const g = utf8("g");
  const one = { topic: utf8("t"), partition: 0, offset: 1, metadata: new Uint8Array() };
  const signs = [
    () => leader.groups.heard(member.member),
    () => void stage.sync(member),
    () => void stage.apply(heartbeatCall({ ...member, group: g })),
    () => void stage.apply(commitOffsetsCommand(g, [one], member)),
    () => void stage.join({ member: member.member }),
  ];
  for (const sign of signs) {
    await leader.clock.advance(SESSION_MS - 1);
    sign();
  }
  await leader.clock.advance(SESSION_MS - 1);
  assert.equal(leader.has(member), true);
  // Who is refused is one that lives, but who is somebody else is not.
  stage.apply(commitOffsetsCommand(g, [one], { ...member, member: member.member + 1 }));
  await leader.clock.advance(GRAIN_MS + 1);
  assert.equal(leader.has(member), false);
});

Deno.test("a member that gives itself another time has that", async () => {
  const leader = new Leader();
  const member = leader.member();
  leader.stage.join({ member: member.member, sessionTimeoutMs: 5_000 });
  const took = await leader.clock.until(() => !leader.has(member), SESSION_MS);
  assert.ok(took >= 5_000 && took <= 5_000 + GRAIN_MS, `${took}`);
});

Deno.test("one that does not hand over what another one is to read is removed, although it lives", async () => {
  const leader = new Leader();
  const { stage, clock } = leader;
  const [slow, quick] = [leader.member(), stage.join()];
  const since = clock.now();
  const live = setLiving(leader, [slow, quick]);
  // That others come does not give it more time.
  await clock.advance(REBALANCE_MS / 2);
  const third = stage.join();
  live.push(third);
  await clock.until(() => !leader.has(slow), REBALANCE_MS);
  const took = clock.now() - since;
  assert.ok(took >= REBALANCE_MS && took <= REBALANCE_MS + GRAIN_MS, `${took}`);
  stage.settle(quick, third);
  await clock.advance(3 * REBALANCE_MS);
  assert.ok(leader.has(quick) && leader.has(third));
  live.length = 0;
  await clock.advance(2 * SESSION_MS);
});

Deno.test("one that hands over in time stays, and has as long again the next time", async () => {
  const leader = new Leader();
  const { stage, clock } = leader;
  const [one, two] = [leader.member(), stage.join()];
  const live = setLiving(leader, [one, two]);
  await clock.advance(REBALANCE_MS - GRAIN_MS);
  stage.settle(one, two);
  live.push(stage.join());
  await clock.advance(REBALANCE_MS - GRAIN_MS);
  assert.ok(leader.has(one) && leader.has(two));
  stage.settle(one, two);
  await clock.advance(3 * REBALANCE_MS);
  assert.ok(leader.has(one) && leader.has(two));
  live.length = 0;
  await clock.advance(2 * SESSION_MS);
});

Deno.test("a server that begins to lead gives all members their full time, however many groups there are", async () => {
  const leader = new Leader();
  const members = Array.from({ length: 250 }, (_, i) => leader.member(`g${i}`));
  const slow = leader.member("slow");
  const other = leader.stage.join({ group: "slow" });
  await leader.clock.advance(SESSION_MS - 1_000);
  leader.lead(undefined);
  assert.equal(leader.clock.pending, 0, "who does not lead waits for nobody");
  await leader.clock.advance(SESSION_MS);
  leader.lead(2);
  const live = setLiving(leader, [slow, other]);
  const began = leader.clock.now();
  await leader.clock.advance(SESSION_MS - 1);
  const [first, ...others] = members;
  assert.ok(first);
  leader.groups.heard(first.member);
  assert.ok(members.every((member) => leader.has(member)));
  await leader.clock.advance(1_000);
  assert.ok(!others.some((member) => leader.has(member)));
  assert.ok(leader.has(first) && leader.has(slow));
  await leader.clock.until(() => !leader.has(slow), REBALANCE_MS);
  assert.ok(leader.clock.now() - began >= REBALANCE_MS);
  live.length = 0;
  await leader.clock.advance(2 * SESSION_MS);
});

Deno.test("all members have one timer, and those of a group go by one entry", async () => {
  const leader = new Leader();
  const members = Array.from({ length: 40 }, () => leader.member());
  await leader.clock.advance(1_000);
  for (const { member } of members.slice(20)) leader.groups.heard(member);
  assert.equal(leader.clock.pending, 1);
  await leader.clock.advance(SESSION_MS - 1_000 + GRAIN_MS);
  assert.equal(leader.asked, 1);
  assert.deepEqual(members.map((member) => leader.has(member)).indexOf(true), 20);
  await leader.clock.advance(SESSION_MS);
  assert.equal(leader.asked, 2);
  assert.equal(leader.clock.pending, 0);
});

Deno.test("after a look that comes much too late nobody is removed before the next one", async () => {
  const leader = new Leader();
  const member = leader.member();
  const { clock, groups } = leader;
  // The server stands still: the clock goes on, and nothing is done.
  const { now } = clock;
  clock.now = () => now.call(clock) + 20_000;
  await clock.advance(SESSION_MS + GRAIN_MS);
  assert.equal(leader.has(member), true);
  groups.heard(member.member);
  await clock.advance(SESSION_MS - 1_000);
  assert.equal(leader.has(member), true);
  await clock.advance(2_000);
  assert.equal(leader.has(member), false);
});

Deno.test("a removal that comes to nothing is tried again", async () => {
  const leader = new Leader();
  const member = leader.member();
  leader.instead = () => undefined;
  await leader.clock.advance(SESSION_MS + GRAIN_MS);
  assert.deepEqual([leader.asked, leader.has(member)], [1, true]);
  leader.instead = undefined;
  await leader.clock.until(() => !leader.has(member), 10_000);
  assert.equal(leader.asked, 2);
});

Deno.test("members that are silent and do not hand over, as many as a group has, go by one entry all the same", async () => {
  const leader = new Leader();
  const { stage } = leader;
  stage.create("wide", 512);
  const first = Array.from({ length: 150 }, () => stage.join({ topics: ["wide"] }));
  for (const member of first) stage.sync(member);
  for (let i = 0; i < 106; i++) stage.join({ topics: ["wide"] });
  // Nothing comes about until all of them are silent, and many are slow as well.
  leader.instead = () => undefined;
  await leader.clock.advance(2 * REBALANCE_MS);
  leader.instead = undefined;
  await leader.clock.advance(10_000);
  assert.ok(!first.some((member) => leader.has(member)));
});

Deno.test("one that is told something between its removal's proposal and entry stays", async () => {
  const leader = new Leader();
  const member = leader.member();
  const { stage } = leader;
  leader.instead = () => {
    leader.instead = undefined;
    // Something is handed to it by an entry that comes first.
    stage.do(leaveCommand(utf8("g"), other.member));
    stage.sync(member);
    return stage.apply(removal);
  };
  let removal = new Uint8Array();
  const { askHere } = leader;
  leader.askHere = (...[kind, bytes, timeoutMs, done]) => {
    removal = bytes.slice();
    askHere.call(leader, kind, bytes, timeoutMs, done);
  };
  const other = stage.join();
  stage.settle(member, other);
  await leader.clock.advance(SESSION_MS - 1_000);
  leader.groups.heard(other.member);
  await leader.clock.advance(1_000 + GRAIN_MS);
  assert.equal(leader.asked, 1);
  assert.equal(leader.has(member), true);
  await leader.clock.advance(SESSION_MS - 1_000);
  assert.equal(leader.has(member), true);
  await leader.clock.advance(2_000);
  assert.equal(leader.has(member), false);
});

/** Has members give signs of life, until there is none in the list. */
function setLiving(leader: Leader, members: TestMember[]): TestMember[] {
  const beat = (): void => {
    for (const { member } of members) leader.groups.heard(member);
    if (members.length > 0) leader.clock.setTimer(3_000, beat);
  };
  beat();
  return members;
}
