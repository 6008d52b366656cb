import assert from "node:assert/strict";
import {
  createRaft,
  DEFAULT_RAFT_OPTIONS,
  foundingEntry,
  leaderOf,
  NOTHING,
  type Raft,
  step,
  tickDueAt,
} from "../../../cluster/raft/mod.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

const options = { ...DEFAULT_RAFT_OPTIONS, heartbeatMs: 300 };

/** A voter of three that leads, by the votes of `b`. */
function leader(): Raft {
  const members = ["a", "b", "c"].map((id) => ({ id, role: "voter" as const }));
  const entries = [foundingEntry(members, 0)];
  const raft = createRaft("a", options, new SeededRandom(1), 0, { ...NOTHING, entries });
  const take = (input: Parameters<typeof step>[2]) => step(raft, raft.now, input);
  step(raft, tickDueAt(raft), { type: "tick" });
  const term = raft.term + 1;
  take({ type: "message", from: "b", message: { type: "pre-vote-reply", term, granted: true } });
  take({ type: "vote-written", seq: raft.votes.written });
  take({ type: "message", from: "b", message: { type: "vote-reply", term, granted: true } });
  assert.equal(leaderOf(raft), "a");
  return raft;
}

/** Ticks when one is due, until `holds`; gives the time since the beginning, after which the next millisecond is due. */
function until(raft: Raft, holds: () => boolean): number {
  const begin = raft.now;
  for (let ticks = 0; !holds(); ticks++) {
    assert.ok(ticks < 20, "it never comes");
    const at = Math.max(tickDueAt(raft), raft.now + 1);
    step(raft, at, { type: "tick" });
  }
  return raft.now - begin;
}

Deno.test("a tick is due when a patience ends, and before that it does nothing", () => {
  const raft = createRaft("a", options, new SeededRandom(1), 0);
  const at = tickDueAt(raft);
  assert.ok(at >= options.electionTimeoutMs && at <= 2 * options.electionTimeoutMs, `${at}`);
  const early = step(raft, at - 1, { type: "tick" });
  assert.deepEqual([early.messages, tickDueAt(raft)], [[], at]);
  step(raft, at, { type: "tick" });
  assert.ok(tickDueAt(raft) > at, "another patience begins");
});

Deno.test("ticks are due for rounds of heartbeats, and when the leader has heard no majority for too long", () => {
  const raft = leader();
  const since = raft.now;
  assert.equal(tickDueAt(raft), since + 300);
  const { messages } = step(raft, tickDueAt(raft), { type: "tick" });
  assert.deepEqual(messages.map(({ to }) => to).slice(0, 2), ["b", "c"]);
  assert.equal(tickDueAt(raft), since + 600);
  until(raft, () => leaderOf(raft) === undefined);
  assert.equal(raft.now - since, options.electionTimeoutMs + 1, "not with the next round");
});

Deno.test("a tick is due when a target has not taken over in time", () => {
  const raft = leader();
  until(raft, () => raft.now >= tickDueAt(raft) - 300 && raft.role.name === "leader");
  step(raft, raft.now + 50, { type: "transfer", target: "b" });
  const { role } = raft;
  assert.ok(role.name === "leader" && role.transfer !== undefined);
  role.confirmedAt = raft.now + 5_000;
  const took = until(raft, () => role.transfer === undefined);
  assert.equal(took, options.electionTimeoutMs);
});
