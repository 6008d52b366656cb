/**
 * Our consensus core beside `go.etcd.io/raft`, which nobody here wrote: both get the same inputs through the same faults of the
 * network, and whenever nothing is under way both have the same leaders, terms, votes, logs and commit indexes.
 *
 * Made alike: both ask before they campaign (pre-vote), and neither refuses a vote because a leader was heard, nor steps down
 * because nobody is, since that goes by each one's own clock. Nobody campaigns by itself. Messages with entries are not the same
 * ones; so the network loses kinds of messages, and heartbeats end each phase.
 *
 * Left out, because the two differ there on purpose:
 * - A campaign of a server whose term is one below that of a server which hears it. etcd's grants a pre-vote for the term that it
 *   has already when it has neither voted nor heard of a leader in it; ours tells its term, and the next campaign is for a higher.
 * - The loss of pre-votes or their answers in a campaign that a server of a higher term hears. It may go on to ask for votes, and
 *   ours answers such a request with the higher term, where etcd's is silent.
 * - Two campaigns of different terms at once that ask the same server, for the same reason: it may come to the higher term between
 *   the pre-vote and the vote of the lower one.
 * - A leader that hears of a higher term while it brings others level: how far it gets first is a matter of pace. So the cuts
 *   change in phases of their own, and not then.
 * - Handing over to a server that is cut off or behind, where it depends on time when the leader gives up.
 * - Handing over to a server that hears one of a higher term, for the same reason as above: it asks for votes at once.
 *
 * `SKEIN_SEED=n` replays one run. Without Go the test is skipped, and fails where `CI` or `SKEIN_REQUIRE_GO` is set.
 *
 * @module
 */

import assert from "node:assert/strict";
import { hasGo, RaftOracle } from "../support/interop/raft_oracle.ts";
import { LockstepCluster, type LockstepState, type Phase } from "../support/raft/lockstep.ts";
import { SeededRandom } from "../support/simulation/random.ts";

const RUNS = 500;

/** Inputs of one run. */
const PHASES = 60;

const NAME = "our core and etcd's come to the same from the same inputs";

if (hasGo()) {
  Deno.test(NAME, async () => {
    const replayed = Deno.env.get("SKEIN_SEED");
    const first = replayed === undefined
      ? crypto.getRandomValues(new Uint32Array(1))[0] as number
      : Number(replayed);
    const runs = replayed === undefined ? RUNS : 1;
    console.log(`raft oracle: seeds ${first} to ${first + runs - 1}`);
    const seen = { terms: 0, entries: 0, leaders: 0 };
    await using oracle = await RaftOracle.start();
    for (let seed = first; seed < first + runs; seed++) await compare(oracle, seed, seen);
    console.log(`  ${seen.leaders} elections won, ${seen.terms} terms, ${seen.entries} entries`);
    assert.ok(seen.leaders > runs && seen.entries > runs);
  });
} else if (Deno.env.has("CI") || Deno.env.get("SKEIN_REQUIRE_GO") === "1") {
  Deno.test(NAME, () => {
    throw new Error("CI or SKEIN_REQUIRE_GO is set, but this machine has no Go");
  });
} else {
  Deno.stderr.writeSync(new TextEncoder().encode(
    `\n!!! SKIPPED, no Go on this machine (https://go.dev/dl/): ${NAME}\n\n`,
  ));
  Deno.test({ name: NAME, ignore: true, fn: () => {} });
}

/** Runs one seed on both. */
async function compare(
  oracle: RaftOracle,
  seed: number,
  seen: { terms: number; entries: number; leaders: number },
): Promise<void> {
  const random = new SeededRandom(seed);
  const ours = new LockstepCluster();
  const phases = new Phases(random);
  let states: LockstepState[] = [];
  for (let count = 0; count < PHASES; count++) {
    const phase = phases.next(states);
    const before = states;
    let problem: unknown;
    try {
      states = ours.run(phase);
      assert.deepEqual(states, await oracle.run(phase));
    } catch (error) {
      problem = error;
    }
    if (problem !== undefined) {
      throw new Error(
        `Seed ${seed}, phase ${count}: ${JSON.stringify(phase)} after ${JSON.stringify(before)}\n` +
          `Replay: SKEIN_SEED=${seed} deno test -A tests/interop/raft_oracle_test.ts`,
        { cause: problem },
      );
    }
    seen.leaders += states.filter(({ role, term }, i) =>
      role === "StateLeader" && term !== before[i]?.term
    ).length;
  }
  seen.terms += Math.max(...states.map(({ term }) => term));
  seen.entries += Math.max(...states.map(({ log }) => log?.length ?? 0));
}

const ELECTION_KINDS = ["pre-vote", "pre-vote-reply", "vote", "vote-reply"];
const KINDS = [...ELECTION_KINDS, "append", "append-reply"];

/** Chooses what happens next, by chance and by what the servers are. */
class Phases {
  readonly #random: SeededRandom;
  #links: string[] = [];
  #cut: string[] = [];
  #texts = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  next(states: readonly LockstepState[]): Phase {
    if (states.length === 0) return this.#start();
    if (this.#dice(3) === 0 && this.#cutAnew(states)) {
      return {
        Order: this.#links,
        Cut: this.#cut,
        Lost: [],
        Late: [],
        Twice: [],
        Input: "nothing",
        ID: 1,
      };
    }
    const someOf = (kinds: readonly string[]): string[] =>
      this.#some(this.#links).flatMap((link) => this.#some(kinds).map((kind) => `${link} ${kind}`));
    const faults = {
      Order: this.#shuffled(this.#links),
      Cut: this.#cut,
      Lost: someOf(KINDS),
      Late: someOf(["append", "append-reply"]),
      Twice: this.#dice(3) === 0 ? this.#links.filter(() => this.#dice(2) === 0) : [],
    };
    const state = states[this.#dice(states.length)] as LockstepState;
    const leaders = states.filter(({ role }) => role === "StateLeader");
    const leader = leaders[this.#dice(leaders.length)];
    const choice = this.#dice(10);
    if (choice < 4) return this.#campaign(state, states, faults);
    if (choice < 5) return { ...faults, Input: "restart", ID: state.id };
    const mayHandOver = leader !== undefined && this.#isLevel(leader, state) &&
      !states.some((one) => this.#reach(state, one) && one.term > state.term);
    if (choice < 6 && mayHandOver) {
      return { ...faults, Lost: [], Input: "transfer", ID: leader.id, Target: state.id };
    }
    if (choice < 9 && leader !== undefined) {
      const texts = Array.from({ length: 1 + this.#dice(4) }, () => `x${this.#texts++}`);
      return { ...faults, Input: "propose", ID: leader.id, Data: texts };
    }
    return { ...faults, Input: "nothing", ID: state.id };
  }

  #start(): Phase {
    const count = 1 + this.#dice(5);
    const ids = Array.from({ length: count }, (_, i) => i + 1);
    this.#links = ids.flatMap((a) => ids.filter((b) => b !== a).map((b) => `${a}>${b}`));
    const faults = { Order: this.#links, Cut: [], Lost: [], Late: [], Twice: [] };
    return { ...faults, Input: "start", ID: count, MaxSize: this.#dice(2) === 0 ? 0 : 1 << 20 };
  }

  /** With what is left out, see above. */
  #campaign(
    state: LockstepState,
    states: readonly LockstepState[],
    faults: Omit<Phase, "Input" | "ID">,
  ): Phase {
    const termsAround = (one: LockstepState): number[] =>
      states.filter((other) => this.#reach(one, other)).map(({ term }) => term);
    const may = (one: LockstepState): boolean =>
      one.role !== "StateLeader" && !termsAround(one).includes(one.term + 1);
    if (!may(state)) return { ...faults, Input: "nothing", ID: state.id };
    const rival = states[this.#dice(3 * states.length)];
    const asksOne = (rival: LockstepState): boolean =>
      states.some((one) => this.#reach(state, one) && this.#reach(rival, one));
    const hasRival = rival !== undefined && rival !== state && may(rival) &&
      (rival.term === state.term || !asksOne(rival));
    const candidates = hasRival ? [state, rival] : [state];
    const isBehind = candidates.some((one) => termsAround(one).some((term) => term > one.term));
    const lost = faults.Lost.filter((one) => !isBehind || !one.includes("pre-vote"));
    const campaign = { ...faults, Lost: lost, Input: "campaign" as const, ID: state.id };
    return hasRival ? { ...campaign, Rival: rival.id } : campaign;
  }

  #isLevel(leader: LockstepState, target: LockstepState): boolean {
    return leader !== target && this.#reach(leader, target) && target.leader === leader.id &&
      target.log?.length === leader.log?.length;
  }

  #reach(a: LockstepState, b: LockstepState): boolean {
    return !this.#cut.includes(`${a.id}>${b.id}`);
  }

  /** Cuts nobody off, groups, or some pairs. Returns false when that is left out, see above. */
  #cutAnew(states: readonly LockstepState[]): boolean {
    const before = this.#cut;
    const group = new Map(states.map(({ id }) => [String(id), this.#dice(2)]));
    const kind = this.#dice(3);
    const cut = new Set<string>();
    for (const link of this.#links) {
      const [a = "", b = ""] = link.split(">");
      if (a > b) continue;
      const isCut = kind === 1 ? group.get(a) !== group.get(b) : kind === 2 && this.#dice(3) === 0;
      if (isCut) cut.add(link).add(`${b}>${a}`);
    }
    this.#cut = [...cut];
    const isLeftOut = states.some((leader) => {
      if (leader.role !== "StateLeader") return false;
      const deposes = this.#island(leader, states).some(({ term }) => term > leader.term);
      const isLevel = (other: LockstepState) => other.log?.join() === leader.log?.join();
      return deposes && !states.every((other) => !this.#reach(leader, other) || isLevel(other));
    });
    if (isLeftOut) this.#cut = before;
    return !isLeftOut;
  }

  /** Those that a server reaches, if need be by way of others. */
  #island(state: LockstepState, states: readonly LockstepState[]): readonly LockstepState[] {
    const island = new Set([state]);
    for (const one of island) {
      for (const other of states) if (this.#reach(one, other)) island.add(other);
    }
    return [...island];
  }

  #some<T>(list: readonly T[]): T[] {
    return this.#dice(2) === 0 ? [] : list.filter(() => this.#dice(3) === 0);
  }

  #shuffled<T>(list: readonly T[]): T[] {
    return list.map((value) => ({ value, place: this.#random.float() }))
      .sort((a, b) => a.place - b.place).map(({ value }) => value);
  }

  #dice(limit: number): number {
    return Math.floor(this.#random.float() * limit);
  }
}
