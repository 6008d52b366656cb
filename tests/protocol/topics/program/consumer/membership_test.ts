/**
 * Members of groups: what they read and when, whatever happens to what they ask.
 *
 * @module
 */

import assert from "node:assert/strict";
import { below } from "../../../../support/random_value.ts";
import { SeededRandom } from "../../../../support/simulation/random.ts";
import { Crew, type Fate, refused, type Sailor } from "../../../../support/topics/groups/crew.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));

const reads = ({ reading }: Sailor): number[] => [...reading].sort((a, b) => a - b);
const count = ({ asked }: Sailor, kind: string): number =>
  asked.filter((one) => one === kind).length;

/** A member that has joined. */
async function joined(crew: Crew, options: Parameters<Crew["hire"]>[0] = {}): Promise<Sailor> {
  const sailor = crew.hire(options);
  await sailor.membership.start();
  return sailor;
}

Deno.test("a member alone has all partitions, and others have them at once when it leaves", async () => {
  const crew = new Crew(4);
  const first = await joined(crew);
  assert.deepEqual(reads(first), [0, 1, 2, 3]);
  assert.deepEqual(first.asked, ["joinGroup", "syncGroup"]);
  await first.membership.leave(1_000);
  const second = await joined(crew);
  assert.deepEqual(reads(second), [0, 1, 2, 3]);
  await crew.dismiss();
});

Deno.test("partitions are handed over one by one: the others stay, and nobody has one before it is free", async () => {
  const crew = new Crew(4);
  const first = await joined(crew);
  let handOver = (): void => {};
  first.beforeRevoke = () => new Promise((resolve) => handOver = resolve);
  const second = await joined(crew);
  assert.deepEqual([reads(first), reads(second)], [[0, 1, 2, 3], []]);
  // The first one learns of it with its next heartbeat.
  await crew.clock.advance(3_000);
  assert.deepEqual([reads(first), reads(second)], [[0, 1, 2, 3], []]);
  await crew.clock.advance(10_000);
  assert.deepEqual(reads(second), [], "it waits for as long as that takes");
  // While it hands over it commits for what it still owns.
  for (const partition of [0, 1, 2, 3]) assert.equal(await first.commit(partition, 7), 0);
  handOver();
  await crew.clock.advance(500);
  assert.deepEqual([reads(first), reads(second)], [[0, 1], [2, 3]]);
  assert.deepEqual(first.log, ["+0,1,2,3", "-2,3"]);
  await assert.doesNotReject(second.commit(2, 8));
  assert.equal(await first.commit(2, 9), 22, "it is another member's");
  await crew.dismiss();
});

Deno.test("heartbeats come every 3 s, or three in the time of a session, and sooner while it waits", async () => {
  for (
    const [sessionTimeoutMs, every] of [[30_000, 3_000], [6_000, 2_000], [1_000, 333]] as const
  ) {
    const crew = new Crew(1);
    const sailor = await joined(crew, { sessionTimeoutMs });
    await crew.clock.advance(10 * every);
    assert.equal(count(sailor, "heartbeat"), 10);
    await crew.dismiss();
  }
  const crew = new Crew(2);
  const first = await joined(crew);
  let handOver = (): void => {};
  first.beforeRevoke = () => new Promise((resolve) => handOver = resolve);
  const waiting = await joined(crew);
  await crew.clock.advance(4_000);
  assert.equal(count(waiting, "heartbeat"), 8);
  assert.equal(count(first, "heartbeat"), 1);
  handOver();
  await crew.dismiss();
});

Deno.test("a member that is none any more loses what it has, and joins anew", async () => {
  const table = [
    // The servers have removed it.
    ["heartbeat", "UNKNOWN_MEMBER", true],
    ["commitOffsets", "UNKNOWN_MEMBER", true],
    // They know it, and have never told it what it says.
    ["heartbeat", "INVALID_GENERATION", false],
  ] as const;
  for (const [asked, reason, isNew] of table) {
    const crew = new Crew(2);
    const sailor = await joined(crew);
    const { id } = sailor;
    if (isNew) crew.expel(sailor);
    let isFirst = true;
    sailor.fate = (kind) => {
      if (kind !== asked || !isFirst) return "done";
      isFirst = false;
      return refused(reason);
    };
    if (asked === "commitOffsets") {
      await Promise.all([
        assert.rejects(sailor.commit(0, 5), { reason }),
        // Under no name it would be taken for somebody else.
        assert.rejects(sailor.commit(0, 5), { reason: "UNKNOWN_MEMBER" }),
      ]);
      assert.equal(count(sailor, "commitOffsets"), 1);
    }
    await crew.clock.advance(3_000);
    assert.deepEqual(sailor.log, ["+0,1", "lost 0,1", "+0,1"]);
    assert.equal(sailor.id !== id, isNew, "its id");
    assert.ok(sailor.membership.isCurrent);
    assert.equal(await sailor.commit(0, 6), 0);
    await crew.dismiss();
  }
});

Deno.test("who is never taken for a member is told so, and tries again after a while", async () => {
  const crew = new Crew(1);
  const sailor = crew.hire();
  sailor.fate = (kind) => kind === "syncGroup" ? refused("UNKNOWN_MEMBER") : "done";
  await assert.rejects(sailor.membership.start(), { reason: "UNKNOWN_MEMBER" });
  sailor.fate = () => "done";
  // Those that it was are silent.
  crew.groups.group("g").members.clear();
  await sailor.membership.start();
  assert.deepEqual(reads(sailor), [0]);
  sailor.fate = (kind) => kind === "heartbeat" ? "done" : refused("UNKNOWN_MEMBER");
  crew.expel(sailor);
  await crew.clock.advance(4_000);
  assert.ok(sailor.failures.length > 0 && sailor.failures.length < 4, `${sailor.failures.length}`);
  sailor.fate = () => "done";
  crew.groups.group("g").members.clear();
  await crew.clock.advance(2_000);
  assert.deepEqual(reads(sailor), [0]);
  await crew.dismiss();
});

Deno.test("lost answers cost nothing but time", async () => {
  const table: readonly (readonly [kind: string, fate: Fate])[] = [
    ["syncGroup", "lost"],
    ["syncGroup", "answerLost"],
    ["heartbeat", "lost"],
    ["heartbeat", "answerLost"],
    ["heartbeat", refused("NOT_LEADER")],
    ["syncGroup", refused("OVERLOADED")],
  ];
  for (const [lost, fate] of table) {
    const crew = new Crew(4);
    const first = await joined(crew);
    let left = 3;
    first.fate = (kind) => kind === lost && left-- > 0 ? fate : "done";
    const second = await joined(crew);
    await crew.clock.advance(12_000);
    assert.deepEqual([reads(first), reads(second)], [[0, 1], [2, 3]], lost);
    assert.deepEqual(first.log, ["+0,1,2,3", "-2,3"], "it keeps the others all the while");
    assert.equal(await first.commit(0, 1), 0);
    await crew.dismiss();
  }
});

Deno.test("a commit of another generation is refused, and nothing is lost by it", async () => {
  const crew = new Crew(2);
  const sailor = await joined(crew);
  sailor.fate = (kind) => kind === "commitOffsets" ? refused("INVALID_GENERATION") : "done";
  await assert.rejects(sailor.commit(0, 5), { reason: "INVALID_GENERATION" });
  await crew.clock.advance(100);
  assert.deepEqual(sailor.asked, ["joinGroup", "syncGroup", "commitOffsets", "syncGroup"]);
  assert.deepEqual(sailor.log, ["+0,1"]);
  await crew.dismiss();
});

Deno.test("a commit does not go out between a sync and its answer", async () => {
  const crew = new Crew(2);
  const first = await joined(crew);
  let answer = (): void => {};
  first.fate = (kind) => {
    return kind === "syncGroup" ? new Promise((resolve) => answer = resolve) : "done";
  };
  const second = crew.hire();
  await second.membership.start();
  await crew.clock.advance(3_000);
  const committed = first.commit(0, 3);
  await crew.clock.advance(1_000);
  assert.equal(count(first, "commitOffsets"), 0);
  first.fate = () => "done";
  answer();
  assert.equal(await committed, 0);
  await crew.dismiss();
});

Deno.test("a member that leaves while it joins is no member after that", async () => {
  for (const held of ["joinGroup", "syncGroup"] as const) {
    const crew = new Crew(2);
    const sailor = crew.hire();
    let answer = (): void => {};
    sailor.fate = (kind) => kind === held ? new Promise((resolve) => answer = resolve) : "done";
    const starting = sailor.membership.start();
    await crew.clock.advance(100);
    const left = sailor.membership.leave(5_000);
    await crew.clock.advance(100);
    answer();
    await Promise.all([starting, left]);
    assert.equal(crew.groups.group("g").members.size, 0, held);
    assert.equal(sailor.asked.at(-1), "leaveGroup");
    await crew.dismiss();
  }
});

Deno.test("what cannot be begun is given back, and begun later", async () => {
  const crew = new Crew(2);
  const sailor = crew.hire();
  sailor.cannotRead = true;
  await assert.rejects(sailor.membership.start(), /Cannot read/);
  sailor.cannotRead = false;
  await sailor.membership.start();
  assert.deepEqual(reads(sailor), [0, 1]);
  const second = crew.hire();
  await second.membership.start();
  second.cannotRead = true;
  await crew.clock.advance(4_000);
  assert.ok(second.failures.length > 0);
  assert.deepEqual([reads(sailor), reads(second)], [[0], []]);
  second.cannotRead = false;
  await crew.clock.advance(4_000);
  assert.deepEqual([reads(sailor), reads(second)], [[0], [1]]);
  await crew.dismiss();
});

Deno.test("a member of which servers have not heard for a session is not current until they have", async () => {
  const crew = new Crew(1);
  const sailor = await joined(crew, { sessionTimeoutMs: 9_000 });
  sailor.fate = () => "lost";
  await crew.clock.advance(8_999);
  assert.ok(sailor.membership.isCurrent);
  await crew.clock.advance(1);
  assert.ok(!sailor.membership.isCurrent);
  sailor.fate = () => "done";
  await crew.clock.advance(3_000);
  assert.ok(sailor.membership.isCurrent);
  assert.equal(sailor.resumptions, 2);
  await crew.dismiss();
});

Deno.test("who waits for a leader does so for the time of a request, however short its session is", async () => {
  const errors = [refused("NOT_LEADER"), new Error("Servers did not answer")];
  for (const error of errors) {
    const crew = new Crew(1);
    const sailor = await joined(crew, { sessionTimeoutMs: 3_000 });
    let isLeading = false;
    sailor.fate = () => isLeading ? "done" : { error, earlyMs: 100 };
    const committed = sailor.commit(0, 5);
    await crew.clock.advance(9_000);
    isLeading = true;
    await crew.clock.advance(2_000);
    assert.equal(await committed, 0);
    // And no longer.
    isLeading = false;
    const late = assert.rejects(sailor.commit(0, 6), error);
    await crew.clock.advance(30_000);
    await late;
    isLeading = true;
    await crew.dismiss();
  }
});

Deno.test("leaving ends in time, whatever does not answer", async () => {
  const crew = new Crew(1);
  const sailor = await joined(crew);
  sailor.fate = () => "lost";
  await sailor.membership.leave(5_000);
  assert.equal(crew.clock.pending, 0);
});

Deno.test("leaving ends in time, also while what is handed over is committed", async () => {
  const crew = new Crew(2);
  const first = await joined(crew);
  first.beforeRevoke = () => first.commit(1, 5).then(() => {}, () => {});
  first.fate = (kind) =>
    kind === "commitOffsets" ? { error: new Error("Late"), earlyMs: 0 } : "done";
  await joined(crew);
  await crew.clock.advance(4_000);
  assert.equal(first.asked.at(-1), "commitOffsets");
  let hasLeft = false;
  const left = first.membership.leave(1_000).then(() => hasLeft = true);
  await crew.clock.advance(1_000);
  assert.ok(hasLeft);
  await left;
  await crew.dismiss();
});

Deno.test("who is a member no more is not current, however late the answer to what it has said before", async () => {
  const crew = new Crew(2);
  const sailor = await joined(crew);
  let [answer, handOver] = [(): void => {}, (): void => {}];
  sailor.beforeRevoke = () => new Promise((resolve) => handOver = resolve);
  await joined(crew);
  // It is busy with what it hands over.
  await crew.clock.advance(3_000);
  const answered = new Promise<void>((resolve) => answer = resolve);
  sailor.fate = (kind) => kind === "commitOffsets" ? { answered } : "done";
  const committed = sailor.commit(0, 5);
  await crew.clock.advance(100);
  crew.expel(sailor);
  await crew.clock.advance(3_000);
  assert.ok(!sailor.membership.isCurrent);
  answer();
  await committed;
  assert.ok(!sailor.membership.isCurrent);
  handOver();
  await crew.dismiss();
});

Deno.test("members come, go, are removed and get no answers: nobody reads what is not its, commits never go back, and all is read in the end", async () => {
  const random = new SeededRandom(SEED);
  const crew = new Crew(7);
  let offset = 0;
  for (let step = 0; step < 400; step++) {
    const active = crew.all.filter(({ id, reading }) => id !== "" || reading.size > 0);
    const someone = active[below(random, Math.max(1, active.length))];
    switch (below(random, 8)) {
      case 0: {
        if (active.length >= 6) break;
        const sailor = crew.hire({ sessionTimeoutMs: 3_000 + below(random, 9_000) });
        sailor.fate = () => {
          const chance = below(random, 12);
          return chance === 0 ? "lost" : chance === 1 ? "answerLost" : "done";
        };
        sailor.membership.start().catch(() => {});
        break;
      }
      case 1:
        if (someone && below(random, 3) === 0) {
          crew.all.splice(crew.all.indexOf(someone), 1);
          someone.membership.leave(2_000);
        }
        break;
      case 2:
        if (someone && crew.groups.group("g").members.has(someone.id)) crew.expel(someone);
        break;
      default: {
        const partition = someone === undefined ? undefined : reads(someone)[0];
        if (someone === undefined || partition === undefined) break;
        someone.commit(partition, ++offset).then(() => {}, () => {});
      }
    }
    await crew.clock.advance(below(random, 1_500));
    // The end of a session, for those that keep partitions from all others until then.
    if (step % 20 === 19) crew.expelSilent();
    crew.check();
  }
  for (const sailor of crew.all) sailor.fate = () => "done";
  crew.hire();
  const started = Promise.all(crew.all.map(({ membership }) => membership.start()));
  await crew.clock.advance(60_000);
  await started;
  crew.expelSilent();
  await crew.clock.advance(20_000);
  assert.deepEqual(crew.all.flatMap(reads).sort(), [0, 1, 2, 3, 4, 5, 6], `seed ${SEED}`);
  assert.ok(crew.commits > 20, `${crew.commits} commits, seed ${SEED}`);
  await crew.dismiss();
});
