/**
 * Our core as `tests/interop/raft_oracle/main.go` drives etcd's: the same phases, the same order of deliveries.
 *
 * @module
 */

import {
  createRaft,
  DEFAULT_RAFT_OPTIONS,
  type Effects,
  foundingEntry,
  type Input,
  NOTHING,
  type Outgoing,
  type Raft,
  type RaftOptions,
  step,
} from "../../../cluster/raft/mod.ts";
import { leaderOf } from "../../../cluster/raft/state/raft.ts";
import { SeededRandom } from "../simulation/random.ts";
import { SimulatedDisk } from "./disk.ts";

/** What happens: one input, and how the network is meanwhile. The fields are explained in `main.go`. */
export interface Phase {
  readonly Input: "start" | "campaign" | "propose" | "transfer" | "restart" | "nothing";
  readonly ID: number;
  readonly Data?: readonly string[];
  readonly Rival?: number;
  readonly Target?: number;
  readonly MaxSize?: number;
  readonly Order: readonly string[];
  readonly Cut: readonly string[];
  readonly Lost: readonly string[];
  readonly Late: readonly string[];
  readonly Twice: readonly string[];
}

/** What a server has come to. */
export interface LockstepState {
  readonly id: number;
  readonly role: string;
  readonly term: number;
  /** 0 for nobody, here and in `leader`. */
  readonly vote: number;
  readonly leader: number;
  readonly commit: number;
  /** Term and data of each entry but the first, which says who the members are. */
  readonly log: readonly string[] | null;
}

interface Sent extends Outgoing {
  readonly from: string;
}

interface Server {
  raft: Raft;
  readonly disk: SimulatedDisk;
}

/** Rounds of heartbeats at the end of a phase. */
const HEARTBEATS = 2;

/** Rounds of deliveries that a phase may take. */
const MAX_ROUNDS = 10_000;

/** Time does not matter here, so nobody may refuse anything for having heard of a leader lately, or not. */
const OPTIONS: RaftOptions = {
  ...DEFAULT_RAFT_OPTIONS,
  without: ["stickiness", "check-quorum"],
};

/** The cluster. */
export class LockstepCluster {
  readonly #servers = new Map<string, Server>();
  readonly #random = new SeededRandom(1);
  #options = OPTIONS;
  #flying: Sent[] = [];
  #late: Sent[] = [];
  #now = 0;

  /** Carries out a phase. Returns what all have come to. */
  run(phase: Phase): LockstepState[] {
    this.#flying = this.#late.splice(0);
    this.#settle({ ...phase, Lost: [], Late: [], Twice: [] });
    const server = this.#servers.get(String(phase.ID));
    const rival = this.#servers.get(String(phase.Rival));
    if (phase.Input === "start") this.#start(phase.ID, phase.MaxSize ?? 0);
    else if (server !== undefined) this.#input(server, phase);
    if (rival !== undefined) this.#input(rival, phase);
    this.#settle(phase);
    for (let round = 0; round < HEARTBEATS; round++) {
      this.#now += this.#options.electionTimeoutMs;
      for (const one of this.#servers.values()) {
        if (one.raft.role.name === "leader") this.#take(one, { type: "tick" });
      }
      this.#settle({ ...phase, Lost: [], Late: [] });
    }
    return [...this.#servers.values()].map(stateOf);
  }

  #start(count: number, maxSize: number): void {
    this.#options = { ...OPTIONS, ...(maxSize === 0 && { maxEntries: 1 }) };
    const ids = Array.from({ length: count }, (_, i) => String(i + 1));
    const entries = [foundingEntry(ids.map((id) => ({ id, role: "voter" as const })), 0)];
    for (const id of ids) {
      const disk = new SimulatedDisk();
      disk.durable.term = 1;
      disk.durable.entries = [...entries];
      const restored = { ...NOTHING, term: 1, entries, applied: 1 };
      const raft = createRaft(id, this.#options, this.#random, this.#now, restored);
      this.#servers.set(id, { raft, disk });
    }
  }

  #input(server: Server, phase: Phase): void {
    const { raft, disk } = server;
    switch (phase.Input) {
      case "campaign":
        if (raft.role.name !== "leader") this.#now = Math.max(this.#now, raft.role.deadline);
        return this.#take(server, { type: "tick" });
      case "propose": {
        const data = (text: string): Uint8Array => new TextEncoder().encode(text);
        const proposals = (phase.Data ?? []).map((text) => ({
          type: "command" as const,
          data: data(text),
        }));
        return this.#take(server, { type: "propose", proposals, time: 0 });
      }
      case "transfer":
        return this.#take(server, { type: "transfer", target: String(phase.Target) });
      case "restart": {
        const restored = disk.restored(raft.applied);
        server.raft = createRaft(raft.id, this.#options, this.#random, this.#now, restored);
      }
    }
  }

  #settle({ Order, Cut, Lost, Late, Twice }: Phase): void {
    for (let count = 0; this.#flying.length > 0; count++) {
      if (count > MAX_ROUNDS) throw new RangeError("Messages never end");
      const round = this.#flying.splice(0);
      round.sort((a, b) => Order.indexOf(linkOf(a)) - Order.indexOf(linkOf(b)));
      for (const sent of round) {
        const link = linkOf(sent);
        if (Late.includes(`${link} ${sent.message.type}`)) this.#late.push(sent);
        if (Cut.includes(link) || Lost.includes(`${link} ${sent.message.type}`)) continue;
        const server = this.#servers.get(sent.to) as Server;
        const input = { type: "message" as const, from: sent.from, message: sent.message };
        this.#take(server, input);
        if (Twice.includes(link)) this.#take(server, input);
      }
    }
  }

  #take(server: Server, input: Input): void {
    this.#carryOut(server, step(server.raft, this.#now, input));
  }

  #carryOut(server: Server, effects: Effects): void {
    const { disk, raft } = server;
    if (effects.vote !== undefined) disk.queueVote(effects.vote);
    if (effects.log !== undefined) disk.queueLog(effects.log);
    for (const outgoing of effects.messages) this.#flying.push({ ...outgoing, from: raft.id });
    if (effects.apply !== undefined) this.#take(server, { type: "applied", index: effects.apply });
    for (let seq; (seq = disk.finishVote()) !== undefined;) {
      this.#take(server, { type: "vote-written", seq });
    }
    for (let seq; (seq = disk.finishLog(1)) !== undefined;) {
      this.#take(server, { type: "log-written", seq });
    }
  }
}

function linkOf({ from, to }: { readonly from: string; readonly to: string }): string {
  return `${from}>${to}`;
}

/** The roles by the names that etcd gives them. */
const ROLES = {
  follower: "StateFollower",
  "pre-candidate": "StatePreCandidate",
  candidate: "StateCandidate",
  leader: "StateLeader",
} as const;

function stateOf({ raft, disk }: Server): LockstepState {
  const log = disk.durable.entries.slice(1)
    .map(({ term, data }) => `${term} ${new TextDecoder().decode(data)}`);
  return {
    id: Number(raft.id),
    role: ROLES[raft.role.name],
    term: raft.term,
    vote: Number(raft.vote ?? 0),
    leader: Number(leaderOf(raft) ?? 0),
    commit: raft.commit,
    log: log.length === 0 ? null : log,
  };
}
