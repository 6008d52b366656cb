/**
 * What a server does with answers that come late, twice, or not at all: from its disk, from its driver, from its peers. Scripts
 * cannot tell these, since a laboratory's disk and driver answer at once.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  createRaft,
  DEFAULT_RAFT_OPTIONS,
  type Effects,
  type Entry,
  foundingEntry,
  type Input,
  type Message,
  NOTHING,
  type Raft,
  type RaftOptions,
  type SnapshotMeta,
  step,
} from "../../../cluster/raft/mod.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

const TIMEOUT = DEFAULT_RAFT_OPTIONS.electionTimeoutMs;

/** One server between peers that say what a test has them say; its own disk is done at once, unless a test holds it. */
class Bench {
  readonly raft: Raft;
  now = 0;
  holds = false;

  constructor(entries: readonly Entry[], options: Partial<RaftOptions> = {}) {
    const restored = { ...NOTHING, term: 1, entries: [founding, ...entries], applied: 1 };
    const all = { ...DEFAULT_RAFT_OPTIONS, trailing: 0, ...options };
    this.raft = createRaft("a", all, new SeededRandom(1), this.now, restored);
  }

  take(input: Input): Effects {
    const effects = step(this.raft, this.now, input);
    if (this.holds) return effects;
    const written = (more: Effects): void => {
      effects.messages.push(...more.messages);
      effects.loads.push(...more.loads);
    };
    if (effects.vote) {
      written(step(this.raft, this.now, { type: "vote-written", seq: effects.vote.seq }));
    }
    if (effects.log) {
      written(step(this.raft, this.now, { type: "log-written", seq: effects.log.seq }));
    }
    const { applying } = this.raft;
    if (applying > this.raft.applied) {
      step(this.raft, this.now, { type: "applied", index: applying });
    }
    return effects;
  }

  hear(from: string, message: Message): Effects {
    return this.take({ type: "message", from, message });
  }

  /** Has it elected by b. */
  lead(): void {
    const { role } = this.raft;
    assert.ok(role.name !== "leader");
    this.now = Math.max(this.now, role.deadline);
    this.take({ type: "tick" });
    this.hear("b", { type: "pre-vote-reply", term: this.raft.term + 1, granted: true });
    this.hear("b", { type: "vote-reply", term: this.raft.term, granted: true });
    assert.equal(this.raft.role.name, "leader");
  }

  /** A peer has the log up to `match`, and hears the newest round. */
  answer(from: string, match: number): Effects {
    const { term, log, role } = this.raft;
    const round = role.name === "leader" ? role.round : 0;
    return this.hear(from, {
      type: "append-reply",
      term,
      success: true,
      prevIndex: match,
      matchIndex: match,
      conflictTerm: 0,
      conflictIndex: 0,
      lastIndex: log.lastIndex,
      round,
    });
  }

  propose(count: number, bytes = 1): Effects {
    const proposals = Array.from({ length: count }, () => ({
      type: "command" as const,
      data: new Uint8Array(bytes),
    }));
    return this.take({ type: "propose", proposals, time: 0 });
  }

  snapshot(index: number): SnapshotMeta {
    const snapshot: SnapshotMeta = {
      index,
      term: this.raft.log.term(index) as number,
      configuration: this.raft.members.configuration,
      configurationIndex: 1,
      size: 30,
      hash: `at ${index}`,
    };
    this.take({ type: "snapshot-saved", snapshot });
    return snapshot;
  }

  peer(id: string) {
    assert.ok(this.raft.role.name === "leader");
    const peer = this.raft.role.peers.get(id);
    assert.ok(peer !== undefined);
    return peer;
  }
}

const founding = foundingEntry(
  ["a", "b", "c"].map((id) => ({ id, role: "voter" as const })),
  0,
);

function entry(index: number, term: number): Entry {
  return { index, term, type: "command", time: 0, data: new Uint8Array(1) };
}

/** A leader that has only its newest entries in memory, and a peer that needs older ones. */
function leaderThatLoads(): Bench {
  const bench = new Bench([2, 3, 4, 5, 6].map((index) => entry(index, 1)), { cacheBytes: 0 });
  bench.lead();
  bench.hear("c", {
    type: "append-reply",
    term: bench.raft.term,
    success: false,
    prevIndex: 6,
    matchIndex: 0,
    conflictTerm: 0,
    conflictIndex: 2,
    lastIndex: 1,
    round: 1,
  });
  assert.ok(bench.peer("c").loading);
  return bench;
}

Deno.test("entries that were loaded before others cut them off are not sent", () => {
  const bench = leaderThatLoads();
  // Read in an earlier life as leader: 5 and 6 have been replaced since.
  const old = [2, 3, 4].map((index) => entry(index, 1)).concat([entry(5, 0), entry(6, 0)]);
  const { messages, loads } = bench.take({ type: "entries-loaded", to: "c", entries: old });
  assert.deepEqual(messages, []);
  assert.deepEqual(loads.map(({ to, from }) => ({ to, from })), [{ to: "c", from: 2 }]);
});

Deno.test("entries that are loaded are sent", () => {
  const bench = leaderThatLoads();
  const entries = [2, 3, 4].map((index) => entry(index, 1));
  const { messages } = bench.take({ type: "entries-loaded", to: "c", entries });
  assert.deepEqual(messages.map(({ to, message }) => [to, message.type]), [["c", "append"]]);
});

Deno.test("entries that cannot be loaded are asked for again with the next round, not at once", () => {
  const bench = leaderThatLoads();
  assert.deepEqual(bench.take({ type: "entries-loaded", to: "c", entries: [] }).loads, []);
  bench.now += DEFAULT_RAFT_OPTIONS.heartbeatMs;
  assert.equal(bench.take({ type: "tick" }).loads.length, 1);
});

/** A leader that has snapshot 3 on its way to c. */
function leaderThatInstalls(): { readonly bench: Bench; readonly snapshot: SnapshotMeta } {
  const bench = new Bench([2, 3].map((index) => entry(index, 1)));
  bench.lead();
  bench.answer("b", 4);
  const snapshot = bench.snapshot(4);
  bench.now += TIMEOUT / 2;
  const { chunks } = bench.hear("c", {
    type: "append-reply",
    term: bench.raft.term,
    success: false,
    prevIndex: 3,
    matchIndex: 0,
    conflictTerm: 0,
    conflictIndex: 1,
    lastIndex: 0,
    round: 1,
  });
  assert.deepEqual(chunks, [{ to: "c", index: 4, offset: 0 }]);
  return { bench, snapshot };
}

function pieceOf(bench: Bench, offset: number): Effects {
  const chunk = new Uint8Array(10);
  return bench.take({ type: "chunk-loaded", to: "c", index: 4, offset, chunk });
}

function stored(bench: Bench, nextOffset: number): Effects {
  const { term } = bench.raft;
  return bench.hear("c", { type: "install-reply", term, index: 4, nextOffset, installed: false });
}

Deno.test("a snapshot on its way goes on when there is a newer one", () => {
  const { bench } = leaderThatInstalls();
  bench.propose(1);
  bench.answer("b", 5);
  bench.snapshot(5);
  const { messages } = pieceOf(bench, 0);
  assert.ok(messages[0]?.message.type === "install");
  assert.equal(messages[0].message.snapshot.index, 4);
});

Deno.test("a snapshot that is gone gives way to the newest; the newest is waited for", () => {
  const { bench } = leaderThatInstalls();
  const gone: Input = { type: "chunk-loaded", to: "c", index: 4, offset: 0, chunk: undefined };
  assert.deepEqual(bench.take(gone).chunks, []);
  bench.propose(1);
  bench.answer("b", 5);
  bench.snapshot(5);
  assert.deepEqual(bench.take(gone).chunks, [{ to: "c", index: 5, offset: 0 }]);
});

Deno.test("an answer to a piece of a snapshot that comes twice asks for one piece", () => {
  const { bench } = leaderThatInstalls();
  pieceOf(bench, 0);
  assert.deepEqual(stored(bench, 10).chunks, [{ to: "c", index: 4, offset: 10 }]);
  assert.deepEqual(stored(bench, 10).chunks, []);
  assert.deepEqual(stored(bench, 20).chunks, [{ to: "c", index: 4, offset: 20 }]);
  // Late.
  assert.deepEqual(stored(bench, 10).chunks, []);
  // What the peer had was thrown away.
  assert.deepEqual(stored(bench, 0).chunks, [{ to: "c", index: 4, offset: 0 }]);
});

Deno.test("a snapshot of which no piece is answered goes on from where the peer says", () => {
  const { bench } = leaderThatInstalls();
  // Late: the peer has begun anew, and is not there.
  stored(bench, 20);
  assert.deepEqual(stored(bench, 10).chunks, []);
  bench.now += TIMEOUT / 2;
  bench.answer("b", 4);
  assert.deepEqual(bench.take({ type: "tick" }).chunks, []);
  bench.now += TIMEOUT / 2;
  bench.answer("b", 4);
  assert.deepEqual(bench.take({ type: "tick" }).chunks, [{ to: "c", index: 4, offset: 0 }]);
  assert.deepEqual(stored(bench, 10).chunks, [{ to: "c", index: 4, offset: 10 }]);
});

Deno.test("a piece of another leader's snapshot of the same index moves nothing", () => {
  const bench = new Bench([]);
  const install = (term: number, hash: string, offset: number) => {
    const configuration = bench.raft.members.configuration;
    const snapshot = { index: 9, term: 2, configuration, configurationIndex: 1, size: 30, hash };
    const chunk = new Uint8Array(10);
    return bench.hear("b", { type: "install", term, snapshot, offset, chunk });
  };
  assert.ok(install(2, "b's", 0).store);
  bench.take({ type: "chunk-stored", index: 9, nextOffset: 10 });
  assert.ok(install(2, "b's", 10).store);
  assert.ok(install(3, "c's", 0).store);
  assert.deepEqual(bench.take({ type: "chunk-stored", index: 9, nextOffset: 20 }).messages, []);
  const { messages } = bench.take({ type: "chunk-stored", index: 9, nextOffset: 10 });
  assert.ok(messages[0]?.message.type === "install-reply");
  assert.equal(messages[0].message.nextOffset, 10);
});

Deno.test("a peer that gets a snapshot is asked for a sign of life without a word about its log", () => {
  const { bench } = leaderThatInstalls();
  // Late: what it had before, and will not show again until the snapshot is its own.
  bench.answer("c", 4);
  bench.now += TIMEOUT / 2;
  bench.answer("b", 4);
  const shown = bench.take({ type: "tick" }).messages.map(({ to, message }) => {
    assert.ok(message.type === "append");
    return [to, message.prevIndex];
  });
  assert.deepEqual(shown, [["b", 4], ["c", 0]]);
});

Deno.test("while a snapshot replaces the log, a server answers what says nothing of it, and nothing else", () => {
  const bench = new Bench([]);
  const ask = (prevIndex: number, entries: readonly Entry[]) =>
    bench.hear("b", {
      type: "append",
      term: 2,
      prevIndex,
      prevTerm: prevIndex > 1 ? 2 : prevIndex,
      entries,
      commit: 9,
      round: 1,
    }).messages.map(({ message }) => message.type === "append-reply" && message.matchIndex);
  assert.deepEqual(ask(1, [entry(2, 2), entry(3, 2)]), [3]);
  bench.holds = true;
  const { configuration } = bench.raft.members;
  const snapshot = { index: 9, term: 2, configuration, configurationIndex: 1, size: 3, hash: "" };
  bench.take({ type: "snapshot-received", snapshot });
  assert.equal(bench.raft.log.beforeIndex, 9);
  assert.deepEqual(ask(0, []), [0]);
  assert.deepEqual(ask(3, []), []);
});

Deno.test("a vote that is given stays given", () => {
  const bench = new Bench([]);
  const { role } = bench.raft;
  assert.ok(role.name !== "leader");
  bench.now = role.deadline;
  bench.take({ type: "tick" });
  bench.holds = true;
  const { vote } = bench.hear("b", { type: "pre-vote-reply", term: 2, granted: true });
  bench.hear("b", { type: "vote-reply", term: 2, granted: true });
  // It may answer a request of an earlier term.
  bench.hear("b", { type: "vote-reply", term: 2, granted: false });
  assert.ok(vote !== undefined);
  bench.take({ type: "vote-written", seq: vote.seq });
  assert.equal(bench.raft.role.name, "leader");
});

Deno.test("a server whose disk hangs holds back no more than so many answers", () => {
  const bench = new Bench([]);
  bench.holds = true;
  for (let i = 0; i < 2_000; i++) {
    bench.hear("b", {
      type: "append",
      term: 2,
      prevIndex: 1,
      prevTerm: 1,
      entries: [],
      commit: 0,
      round: i,
    });
  }
  assert.equal(bench.raft.held.length, 1_024);
});

Deno.test("who takes over is one that is heard, if one is", () => {
  const bench = new Bench([]);
  bench.lead();
  bench.answer("b", 2);
  bench.now += 2 * TIMEOUT;
  bench.answer("c", 1);
  const { messages } = bench.take({ type: "transfer" });
  assert.ok(bench.raft.role.name === "leader");
  assert.equal(bench.raft.role.transfer?.target, "c");
  assert.ok(messages.every(({ message }) => message.type !== "timeout-now"));
});

Deno.test("an answer to a round that never was stops the server", () => {
  const bench = new Bench([]);
  bench.lead();
  assert.ok(bench.raft.role.name === "leader");
  bench.raft.role.round--;
  assert.throws(() =>
    bench.hear("b", {
      type: "append-reply",
      term: bench.raft.term,
      success: true,
      prevIndex: 2,
      matchIndex: 2,
      conflictTerm: 0,
      conflictIndex: 0,
      lastIndex: 2,
      round: 1,
    }), /answers round 1, the last is 0/);
});

Deno.test("what comes from an earlier term is answered with the term, and fits no question of this one", () => {
  const bench = new Bench([]);
  bench.hear("b", { type: "vote", term: 5, lastIndex: 9, lastTerm: 4, transfer: true });
  const { configuration } = bench.raft.members;
  const snapshot = { index: 9, term: 2, configuration, configurationIndex: 1, size: 3, hash: "" };
  const install = {
    type: "install",
    term: 2,
    snapshot,
    offset: 0,
    chunk: new Uint8Array(3),
  } as const;
  assert.deepEqual(bench.hear("c", install).messages, [{
    to: "c",
    message: { type: "install-reply", term: 5, index: 0, nextOffset: 0, installed: false },
  }]);
  const append = { prevIndex: 7, prevTerm: 2, entries: [], commit: 0, round: 8 };
  const { messages } = bench.hear("c", { type: "append", term: 2, ...append });
  assert.ok(messages[0]?.message.type === "append-reply");
  const { term, prevIndex, round } = messages[0].message;
  assert.deepEqual({ term, prevIndex, round }, { term: 5, prevIndex: 0, round: 0 });
});

Deno.test("a peer that has lost what was on its disk gets it again, and an answer that comes late does not say so", () => {
  const bench = new Bench([2, 3, 4, 5, 6].map((index) => entry(index, 1)));
  bench.lead();
  const { lastIndex } = bench.raft.log;
  bench.answer("b", lastIndex);
  assert.equal(bench.peer("b").match, lastIndex);
  const fail = (round: number): Effects =>
    bench.hear("b", {
      type: "append-reply",
      term: bench.raft.term,
      success: false,
      prevIndex: lastIndex,
      matchIndex: 0,
      conflictTerm: 0,
      conflictIndex: 3,
      lastIndex: 2,
      round,
    });
  const { role } = bench.raft;
  assert.ok(role.name === "leader");
  const late = role.round;
  fail(late);
  assert.equal(bench.peer("b").match, lastIndex);
  for (let i = 0; i < 3; i++) {
    bench.now += DEFAULT_RAFT_OPTIONS.heartbeatMs;
    bench.take({ type: "tick" });
  }
  assert.ok(role.round > late);
  const appends = (effects: Effects) =>
    effects.messages.flatMap(({ to, message }) => {
      return to === "b" && message.type === "append" ? [message.prevIndex] : [];
    });
  fail(late);
  assert.equal(bench.peer("b").match, lastIndex);
  assert.deepEqual(appends(fail(role.round)), [2]);
  assert.equal(bench.peer("b").match, 0);
  bench.answer("b", lastIndex);
  assert.equal(bench.peer("b").match, lastIndex);
});
