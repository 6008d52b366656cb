/**
 * What must be true of all servers together, looked at after every step of one.
 *
 * @module
 */

import type { Invariant } from "../../simulation/invariants/invariant.ts";
import { dumpOf } from "./lagging_store.ts";
import type { SimulatedServer } from "./server.ts";

/** States are compared at entries whose index is a multiple of this. */
const COMPARED_EVERY = 25;

/** Watches a cluster from outside. */
export class Checker {
  /** States that were compared with that of another server. */
  compared = 0;
  readonly #leaders = new Map<number, string>();
  /** Terms of entries that somebody knows to be committed, by index. */
  readonly #committed: number[] = [];
  /** Hashes of states, by the index of their last entry. */
  readonly #states = new Map<number, string>();
  /** Votes that are on a disk, by id and term. */
  readonly #votes = new Map<string, string>();
  #problem: string | undefined;

  /** The newest term that somebody has led. */
  get lastTerm(): number {
    return Math.max(0, ...this.#leaders.keys());
  }

  /** How many terms had a leader. */
  get leaders(): number {
    return this.#leaders.size;
  }

  /** Something must not have happened. */
  note(problem: string): void {
    this.#problem ??= problem;
  }

  /** What has happened that must not, if something has. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** To be looked at after each step of a server. */
  watching(server: SimulatedServer): Invariant {
    let compared = 0;
    return {
      sentence: "Servers keep what they have agreed on",
      broken: () => {
        const { replica, raft, store } = server;
        if (replica === undefined || raft === undefined || store === undefined) {
          return this.#problem;
        }
        this.#vote(raft);
        if (raft.role.name === "leader") this.#lead(raft.term, server.id);
        this.#commit(server);
        const { index } = replica.machine.context;
        if (index !== compared && index % COMPARED_EVERY === 0) {
          compared = index;
          this.compare(server);
        }
        return this.#problem;
      },
    };
  }

  /** The state of a server is that of any other at the same entry. */
  compare({ id, store }: SimulatedServer): void {
    if (store === undefined) return;
    const { index, hash } = dumpOf(store).summary;
    const known = this.#states.get(index);
    if (known === undefined) this.#states.set(index, hash);
    else if (known === hash) this.compared++;
    else this.note(`The state of ${id} at entry ${index} is not that of another server`);
  }

  #lead(term: number, id: string): void {
    const known = this.#leaders.get(term);
    if (known === undefined) this.#leaders.set(term, id);
    else if (known !== id) this.note(`Term ${term} has two leaders: ${known} and ${id}`);
  }

  /** Who has voted once under an id, has voted: whatever became of its directory. */
  #vote({ id, term, vote, votes }: NonNullable<SimulatedServer["raft"]>): void {
    if (vote === undefined || votes.durable < votes.written) return;
    const ballot = `${id} in term ${term}`;
    const known = this.#votes.get(ballot);
    if (known === undefined) this.#votes.set(ballot, vote);
    else if (known !== vote) this.note(`${ballot} has voted for ${known} and ${vote}`);
  }

  #commit(server: SimulatedServer): void {
    const raft = server.raft as NonNullable<SimulatedServer["raft"]>;
    for (let index = server.checkedIndex + 1; index <= raft.commit; index++) {
      const term = raft.log.term(index);
      if (term === undefined) continue;
      const known = this.#committed[index] ??= term;
      if (known !== term) {
        this.note(`Entry ${index} of term ${known} is of term ${term} at ${server.id}`);
      }
    }
    server.checkedIndex = Math.max(server.checkedIndex, raft.commit);
  }
}
