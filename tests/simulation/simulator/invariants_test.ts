import assert from "node:assert/strict";
import { type MemberNode, NodeState } from "../../../cluster/memberlist/mod.ts";
import type { Member, MemberEvent, SerfEvent } from "../../../cluster/serf/mod.ts";
import { ownPayload } from "../../../protocol/payload.ts";
import { Cluster } from "../../support/simulation/cluster.ts";
import { BELIEF_RULES, Beliefs } from "../../support/simulation/invariants/beliefs.ts";
import {
  type Invariant,
  InvariantError,
  Noted,
} from "../../support/simulation/invariants/invariant.ts";
import { Names } from "../../support/simulation/invariants/names.ts";
import { clocksGoOn, namesAreUnique } from "../../support/simulation/invariants/process.ts";
import { Tellings } from "../../support/simulation/invariants/tellings.ts";
import { startMemberlist } from "../../support/simulation/memberlist_node.ts";
import { Simulation } from "../../support/simulation/simulation.ts";

const { alive, suspect, dead, left } = NodeState;

/** A statement about `node-1`. */
function fact(state: NodeState, incarnation: number, other: Partial<MemberNode> = {}): MemberNode {
  return {
    name: "node-1",
    addr: Uint8Array.of(10, 0, 0, 1),
    host: "10.0.0.1",
    port: 7946,
    meta: new Uint8Array(0),
    incarnation,
    state,
    versions: [1, 5, 2, 2, 5, 4],
    ...other,
  };
}

/** The sentences that are broken. */
function brokenOf(invariants: readonly Invariant[]): string[] {
  return invariants.filter((each) => each.broken() !== undefined).map(({ sentence }) => sentence);
}

/** Beliefs of `node-0`, each some milliseconds after the one before. */
function believed(...facts: readonly (MemberNode | number)[]): string[] {
  let now = 0;
  const beliefs = new Beliefs("node-0", { now: () => now }, new Names());
  for (const each of facts) {
    if (typeof each === "number") now += each;
    else beliefs.learn(each);
  }
  return brokenOf(beliefs.invariants);
}

const [older, revived, changed, doubt, selfOld] = BELIEF_RULES.map(({ sentence }) => sentence);

Deno.test("what nodes may believe one after the other breaks nothing", () => {
  const moved = { host: "10.0.0.9", port: 1 };
  const own = { name: "node-0" };
  const lives = [
    [fact(alive, 1), fact(suspect, 1), fact(alive, 2), fact(suspect, 2), fact(dead, 2)],
    [fact(alive, 1), fact(dead, 1), fact(alive, 2), fact(left, 2), fact(alive, 3)],
    [fact(left, 5), fact(alive, 1, moved)],
    [fact(dead, 5), 30_001, fact(alive, 1)],
    [fact(dead, 5), 30_001, fact(alive, 1), fact(dead, 1), fact(alive, 2)],
    [fact(alive, 1, own), fact(alive, 3, own), fact(left, 3, own)],
  ];
  for (const life of lives) assert.deepEqual(believed(...life), []);
});

Deno.test("each rule of what nodes believe catches what breaks it", () => {
  const own = { name: "node-0" };
  const moved = { host: "10.0.0.9" };
  const planted = [
    { facts: [fact(alive, 3), fact(alive, 2)], broken: [older] },
    { facts: [fact(dead, 3), 30_000, fact(alive, 2)], broken: [older, revived] },
    { facts: [fact(alive, 3), 99_999, fact(alive, 2)], broken: [older] },
    { facts: [fact(dead, 3), fact(alive, 2, moved)], broken: [older, revived] },
    { facts: [fact(dead, 3), fact(alive, 3)], broken: [revived] },
    { facts: [fact(left, 3), fact(dead, 3)], broken: [changed] },
    { facts: [fact(dead, 3), fact(left, 3)], broken: [changed] },
    { facts: [fact(left, 3), fact(dead, 4)], broken: [changed] },
    { facts: [fact(dead, 3), fact(suspect, 4)], broken: [changed] },
    { facts: [fact(alive, 1, own), fact(suspect, 1, own)], broken: [doubt] },
    { facts: [fact(alive, 1, own), fact(dead, 1, own)], broken: [doubt] },
    { facts: [fact(alive, 1, own), fact(alive, 1, own)], broken: [selfOld] },
  ];
  for (const { facts, broken } of planted) assert.deepEqual(believed(...facts), broken);
  const caught = new Set(planted.flatMap(({ broken }) => broken));
  assert.equal(caught.size, BELIEF_RULES.length, "Every rule is planted against");
});

function about(type: MemberEvent["type"], name = "a"): SerfEvent {
  return { type, members: [{ name } as Member] };
}

function user(ltime: bigint, name = "deploy", payload: Uint8Array | null = null): SerfEvent {
  return { type: "user", ltime, name, payload: ownPayload(payload), coalesce: false };
}

function query(ltime: bigint, id: number): SerfEvent {
  const event = { ltime, id, name: "load", payload: null, sourceNode: "a", deadline: 0 };
  return { type: "query", ...event, respond: () => {} };
}

/** How many invariants such tellings of one process break. */
function told(...events: readonly SerfEvent[]): string[] {
  const tellings = new Tellings(new Names());
  for (const event of events) tellings.tell(event);
  return brokenOf(tellings.invariants);
}

Deno.test("what a process may tell breaks nothing", () => {
  const [join, fail, leave] = (["member-join", "member-failed", "member-leave"] as const)
    .map((type) => about(type)) as [SerfEvent, SerfEvent, SerfEvent];
  const lives = [
    [join, about("member-update"), fail, join, leave, join],
    [join, fail, leave, about("member-reap"), join],
    [join, about("member-join", "b"), fail, about("member-failed", "b")],
    [user(1n), user(2n), user(1n, "other"), user(1n, "deploy", Uint8Array.of(1))],
    [query(1n, 1), query(1n, 2), query(2n, 1), user(1n)],
  ];
  for (const life of lives) assert.deepEqual(told(...life), []);
});

Deno.test("whatever a process must not tell is caught", () => {
  const [events, queries, members] = new Tellings(new Names()).invariants.map((i) => i.sentence);
  const bytes = Uint8Array.of(1, 2);
  const planted = [
    { life: [user(1n), user(2n), user(1n)], broken: [events] },
    { life: [user(1n, "a", bytes), user(1n, "a", bytes.slice())], broken: [events] },
    { life: [query(1n, 1), query(1n, 1)], broken: [queries] },
    { life: [about("member-join"), about("member-join")], broken: [members] },
    { life: [about("member-failed")], broken: [members] },
    { life: [about("member-leave")], broken: [members] },
    { life: [about("member-update")], broken: [members] },
    {
      life: [about("member-join"), about("member-leave"), about("member-failed")],
      broken: [members],
    },
    {
      life: [about("member-join"), about("member-failed"), about("member-failed")],
      broken: [members],
    },
  ];
  for (const { life, broken } of planted) assert.deepEqual(told(...life), broken);
});

Deno.test("a name that stands twice in a table is caught", () => {
  const names = ["a", "b", "c"];
  const table = {
    get numNodes() {
      return names.length;
    },
    nodes: () => names.map((name) => fact(alive, 1, { name })),
  };
  const unique = namesAreUnique(table);
  const look = (): boolean => names.some(() => unique.broken() !== undefined);
  assert.ok(!look());
  names.push("b");
  assert.ok(look());
});

Deno.test("a clock that goes back is caught, however large", () => {
  const stats: Record<string, string> = { member_time: "9", event_time: "0", query_time: "1" };
  const clocks = clocksGoOn({ stats: () => stats });
  assert.equal(clocks.broken(), undefined);
  Object.assign(stats, { member_time: "10", event_time: String(2n ** 63n) });
  assert.equal(clocks.broken(), undefined);
  stats.event_time = String(2n ** 63n - 1n);
  assert.match(clocks.broken() ?? "", /^event_time was 9223372036854775808 and is /);
});

Deno.test("a run ends with the step that broke an invariant, and names it", async () => {
  const simulation = new Simulation(1);
  const [a, b] = ["10.0.0.1", "10.0.0.2"];
  const { clock } = simulation.addHost(a);
  simulation.addHost(b).clock.setTimer(30, () => {});
  const noted = new Noted("The clock does not strike 20");
  simulation.watch(a, [noted]);
  for (const ms of [10, 20, 40]) {
    clock.setTimer(ms, async () => {
      for (let i = 0; i < 100; i++) await null;
      if (ms === 20) noted.note("It did");
    });
  }
  await assert.rejects(simulation.runFor(100), (error) => {
    assert.ok(error instanceof InvariantError);
    assert.deepEqual(error.step, { number: 2, time: 20, host: a });
    assert.equal(
      error.message,
      "Step 2, at 20.000 ms on 10.0.0.1, broke 'The clock does not strike 20': It did",
    );
    return true;
  });
  assert.deepEqual([simulation.now, simulation.events], [20, 2]);
});

Deno.test("a step of another process does not look at an invariant", async () => {
  const simulation = new Simulation(1);
  const [a, b] = ["10.0.0.1", "10.0.0.2"];
  simulation.addHost(a);
  let looks = 0;
  simulation.watch(a, [{ sentence: "None", broken: () => void looks++ as undefined }]);
  const { clock } = simulation.addHost(b);
  clock.setTimer(1, () => {});
  await simulation.runFor(10);
  assert.equal(looks, 0);
});

Deno.test("a live node that is declared failed is caught where that is forbidden", async () => {
  const simulation = new Simulation(1);
  const cluster = new Cluster(simulation, startMemberlist());
  await cluster.form(5);
  const cutOff = async (): Promise<void> => {
    const [first, ...others] = cluster.live.map(({ address }) => address.host);
    simulation.partition([first!], others);
    await simulation.runFor(30_000);
    simulation.heal();
    await cluster.agree(5 * 60_000);
  };
  cluster.forbidFalseDeaths();
  await assert.rejects(cutOff(), {
    name: "InvariantError",
    sentence: "No live node is declared failed",
  });
});

Deno.test("a memberlist that believes what is not so is caught at that step", async () => {
  const tampered = async (tamper: (node: MemberNode) => MemberNode): Promise<InvariantError> => {
    const simulation = new Simulation(1);
    const shared = { known: [], intern: tamper, views: new WeakMap<MemberNode, object>() };
    const cluster = new Cluster(simulation, startMemberlist({ shared }));
    const life = async (): Promise<void> => {
      await cluster.form(5);
      cluster.kill(cluster.live[2]!);
      await simulation.runFor(30_000);
    };
    const error = await life().then(() => assert.fail("Nothing was caught"), (error) => error);
    assert.ok(error instanceof InvariantError, String(error));
    assert.equal(error.step.number, simulation.events);
    return error;
  };
  const forgetful = await tampered((node) =>
    node.state === dead ? { ...node, incarnation: node.incarnation - 1 } : node
  );
  assert.equal(forgetful.sentence, older);
  const desperate = await tampered((node) =>
    node.name === "node-0" && node.incarnation === 1 ? { ...node, state: dead } : node
  );
  assert.equal(desperate.sentence, doubt);
});
