/**
 * A simulated cluster under faults: one seed, one run.
 *
 * @module
 */

import {
  DEFAULT_RAFT_OPTIONS,
  foundingEntry,
  type MemberRole,
  type RaftOptions,
} from "../../../cluster/raft/mod.ts";
import { SeededRandom } from "../simulation/random.ts";
import { Checker } from "./checker.ts";
import { EventQueue } from "./event_queue.ts";
import { type NetworkFaults, SimulatedNetwork } from "./network.ts";
import { SimulatedServer, type World } from "./server.ts";

/** What a run does. */
export interface RunOptions {
  /** Determines everything. */
  readonly seed: number;
  /** Events until the faults end. Default 20,000. */
  readonly steps?: number;
  /** The core's options that differ from the simulator's. */
  readonly raft?: Partial<RaftOptions>;
}

/** What came of a run. */
export interface RunReport {
  readonly seed: number;
  readonly committed: number;
  readonly acknowledged: number;
  readonly terms: number;
  readonly crashes: number;
}

/** A healed cluster does not go on. */
export class LivenessError extends Error {
  /** "LivenessError". */
  override readonly name = "LivenessError";
}

/** Short timings: more happens in a run. */
const SIMULATED_OPTIONS: RaftOptions = {
  ...DEFAULT_RAFT_OPTIONS,
  electionTimeoutMs: 150,
  heartbeatMs: 30,
  maxEntries: 8,
  windowMessages: 4,
  trailing: 20,
  cacheBytes: 2_000,
  stagingMs: 300,
  stagingGap: 10,
};

/** Virtual time in which a healed cluster has to agree again, in election timeouts. */
const RECOVERY_TIMEOUTS = 200;

/** A cluster that grows to at most so many servers. */
const MAX_SERVERS = 6;

/** One run. */
export class SimulatedCluster {
  readonly checker = new Checker();
  readonly servers = new Map<string, SimulatedServer>();
  readonly #world: World;
  #crashes = 0;
  #texts = 0;

  constructor(private readonly options: RunOptions) {
    const random = new SeededRandom(options.seed);
    const queue = new EventQueue();
    const faults: NetworkFaults = {
      loss: random.float() < 0.5 ? 0 : random.float() * 0.2,
      duplication: random.float() < 0.5 ? 0 : random.float() * 0.2,
      delayMs: 1 + random.float() * 20,
    };
    const network = new SimulatedNetwork(queue, random, faults, (from, to, message) => {
      const server = this.servers.get(to);
      if (server?.running) server.receive(from, message);
    });
    this.#world = {
      queue,
      random,
      network,
      checker: this.checker,
      timings: { diskMs: random.float() * 20, tickMs: 7, snapshotEvery: 30 },
      options: { ...SIMULATED_OPTIONS, ...options.raft },
    };
    const ids = ["a", "b", "c", "d", "e"].slice(0, [1, 3, 3, 3, 5][this.#dice(5)]);
    const founders = ids.map((id) => ({ id, role: "voter" as const }));
    const first = foundingEntry(founders, 0);
    for (const id of ids) {
      const server = this.#add(id);
      server.disk.durable.entries.push(first);
      server.disk.durable.term = 1;
    }
    this.checker.appended(first, 0);
    for (const server of this.servers.values()) server.start();
  }

  /**
   * Runs under faults, then without; checks after every event.
   *
   * @throws {LivenessError}, `SafetyError` or the core's own error, when something must not be
   */
  run(): RunReport {
    const { queue } = this.#world;
    const { steps = 20_000, seed } = this.options;
    this.#nemesis();
    this.#clients();
    for (let count = 0; count < steps; count++) queue.runNext();
    this.#recover();
    let terms = 0;
    for (const { raft } of this.servers.values()) terms = Math.max(terms, raft.term);
    return {
      seed,
      committed: this.checker.committed.length - 1,
      acknowledged: this.checker.acknowledged,
      terms,
      crashes: this.#crashes,
    };
  }

  /** The faults end; then everything must go on, and all must agree, in bounded time. */
  #recover(): void {
    const { queue, network, options } = this.#world;
    this.#faulty = false;
    network.heal();
    Object.assign(network.faults, { loss: 0, duplication: 0 });
    for (const server of this.servers.values()) {
      server.pause(0);
      if (!server.running) server.start();
    }
    const patience = RECOVERY_TIMEOUTS * options.electionTimeoutMs;
    const until = (isDone: () => boolean, problem: () => string): void => {
      const end = queue.now + patience;
      while (!isDone()) {
        if (queue.now > end || !queue.runNext()) throw new LivenessError(problem());
      }
    };
    const { acknowledged } = this.checker;
    until(
      () => this.checker.acknowledged > acknowledged + 100,
      () => `${this.checker.acknowledged - acknowledged} writes came through after the faults`,
    );
    this.#writing = false;
    const indexes = () => {
      const leader = this.#leader()?.raft;
      return [
        leader?.log.lastIndex,
        ...leader?.members.configuration.map(({ id }) => this.servers.get(id)?.raft.applied) ?? [],
      ];
    };
    until(
      () => indexes()[0] !== undefined && new Set(indexes()).size === 1,
      () => `Members do not agree after the faults: ${indexes().join(", ")}`,
    );
  }

  #faulty = true;
  #writing = true;

  #leader(): SimulatedServer | undefined {
    let newest: SimulatedServer | undefined;
    for (const server of this.servers.values()) {
      if (!server.running || server.raft.role.name !== "leader") continue;
      if (newest === undefined || server.raft.term > newest.raft.term) newest = server;
    }
    return newest;
  }

  #add(id: string): SimulatedServer {
    const server = new SimulatedServer(id, this.#world);
    this.servers.set(id, server);
    return server;
  }

  /** Clients ask whoever thinks that it leads: several may. */
  #clients(): void {
    const { queue, random } = this.#world;
    queue.after(random.float() * 10, () => {
      for (const server of this.servers.values()) {
        if (!server.running || server.raft.role.name !== "leader") continue;
        if (!this.#writing) continue;
        const count = this.#dice(20) === 0 ? 30 : this.#dice(3);
        if (count > 0) server.propose(Array.from({ length: count }, () => `w${this.#texts++}`));
        server.read(this.#dice(3) === 0);
      }
      this.#clients();
    });
  }

  #nemesis(): void {
    const { queue, random, options } = this.#world;
    queue.after(random.float() * 4 * options.electionTimeoutMs, () => {
      if (!this.#faulty) return;
      this.#doHarm();
      this.#nemesis();
    });
  }

  #doHarm(): void {
    const { network, options } = this.#world;
    const ids = [...this.servers.keys()];
    const anybody = this.servers.get(ids[this.#dice(ids.length)] as string) as SimulatedServer;
    const victim = this.#dice(2) === 0 ? this.#leader() ?? anybody : anybody;
    switch (this.#dice(10)) {
      case 0:
      case 1:
        return this.#crash(victim);
      case 2:
        for (const server of this.servers.values()) this.#crash(server);
        return;
      case 3:
        return victim.pause(this.#dice(10) * options.electionTimeoutMs / 2);
      case 4:
      case 5: {
        const side = new Set(ids.filter(() => this.#dice(2) === 0));
        const oneWay = this.#dice(2) === 0;
        for (const a of ids) {
          for (const b of ids) {
            if (side.has(a) === side.has(b)) continue;
            if (!oneWay || side.has(a)) network.block(a, b);
          }
        }
        return;
      }
      case 6:
        return this.#changeMembers();
      case 7: {
        const target = this.#dice(2) === 0 ? undefined : ids[this.#dice(ids.length)];
        this.#leader()?.take({ type: "transfer", ...(target !== undefined && { target }) });
        return;
      }
      default:
        network.heal();
    }
  }

  #crash(server: SimulatedServer): void {
    if (!server.running) return;
    this.#crashes++;
    server.crash();
    const { queue, random, options } = this.#world;
    queue.after(random.float() * 4 * options.electionTimeoutMs, () => {
      if (!server.running) server.start();
    });
  }

  #changeMembers(): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    const ids = [...this.servers.keys()];
    if (ids.length < MAX_SERVERS && this.#dice(2) === 0) {
      const id = String.fromCharCode(97 + ids.length);
      this.#add(id).start();
      ids.push(id);
    }
    const id = ids[this.#dice(ids.length)] as string;
    const roles: readonly MemberRole[] = ["voter", "voter", "staging", "learner"];
    // Twice, as two operators would.
    for (let i = 0; i < 2; i++) {
      const remove = this.#dice(3) === 0;
      const other = i === 0 ? id : ids[this.#dice(ids.length)] as string;
      const change = remove
        ? { kind: "remove" as const, id: other }
        : { kind: "add" as const, id: other, role: roles[this.#dice(4)] as MemberRole };
      leader.take({ type: "change", change, time: 0 });
    }
  }

  /** A whole number below `limit`. */
  #dice(limit: number): number {
    return Math.floor(this.#world.random.float() * limit);
  }
}
