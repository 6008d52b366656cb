/**
 * A simulated cluster under faults: one seed, one run.
 *
 * @module
 */

import {
  DEFAULT_RAFT_OPTIONS,
  foundingEntry,
  type RaftOptions,
} from "../../../cluster/raft/mod.ts";
import { SeededRandom } from "../simulation/random.ts";
import { Checker } from "./checker.ts";
import { EventQueue } from "./event_queue.ts";
import { type Mood, MOODS } from "./mood.ts";
import { Nemesis, newestLeader } from "./nemesis.ts";
import { type NetworkFaults, SimulatedNetwork, STRAYING_DELAYS } from "./network.ts";
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
  readonly mood: Mood["name"];
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

/** Clients wait while so many writes do: a slow disk would have a backlog that takes long to go. */
const MAX_WAITING_WRITES = 300;

/** One run. */
export class SimulatedCluster {
  readonly checker = new Checker();
  readonly servers = new Map<string, SimulatedServer>();
  readonly #world: World;
  readonly #mood: Mood;
  readonly #nemesis: Nemesis;
  #texts = 0;

  constructor(private readonly options: RunOptions) {
    const random = new SeededRandom(options.seed);
    const queue = new EventQueue();
    this.#mood = MOODS[Math.floor(random.float() * MOODS.length)] as Mood;
    const faults: NetworkFaults = {
      loss: random.float() < 0.5 ? 0 : random.float() * 0.2,
      duplication: random.float() < 0.5 ? 0 : random.float() * 0.2,
      delayMs: 1 + random.float() * 20 * this.#mood.slowness,
      straying: random.float() < 0.5 ? 0 : random.float() * 0.01,
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
      timings: { diskMs: random.float() * 20 * this.#mood.slowness, tickMs: 7, snapshotEvery: 30 },
      options: { ...SIMULATED_OPTIONS, ...this.#mood.raft, ...options.raft },
      died: (server) => this.#nemesis.restartLater(server),
      leads: (server) => this.#nemesis.troubleLeader(server),
    };
    this.#nemesis = new Nemesis(this.#world, this.#mood, this.servers, (id) => this.#add(id));
    const { sizes } = this.#mood;
    const ids = ["a", "b", "c", "d", "e"].slice(0, sizes[this.#dice(sizes.length)]);
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
    this.#nemesis.start();
    this.#clients();
    for (let count = 0; count < steps; count++) queue.runNext();
    this.#recover();
    if (this.#dice(2) === 0) this.#steady();
    let terms = 0;
    for (const { raft } of this.servers.values()) terms = Math.max(terms, raft.term);
    return {
      seed,
      mood: this.#mood.name,
      committed: this.checker.committed.length - 1,
      acknowledged: this.checker.acknowledged,
      terms,
      crashes: this.#nemesis.crashes,
    };
  }

  /** The faults end; then everything must go on, and all must agree, in bounded time. */
  #recover(): void {
    const { network } = this.#world;
    this.#nemesis.end();
    network.heal();
    Object.assign(network.faults, { loss: 0, duplication: 0, straying: 0 });
    for (const server of this.servers.values()) {
      server.pause(0);
      server.crashAfter(Infinity);
      if (!server.running) server.start();
    }
    this.#untilWritten("after the faults");
    this.#writing = false;
    const indexes = () => {
      const leader = newestLeader(this.servers.values())?.raft;
      return [
        leader?.log.lastIndex,
        ...leader?.members.configuration.map(({ id }) => this.servers.get(id)?.raft.applied) ?? [],
      ];
    };
    this.#until(
      () => indexes()[0] !== undefined && new Set(indexes()).size === 1,
      () => `Members do not agree after the faults: ${indexes().join(", ")}`,
    );
  }

  /**
   * A majority of voters that hear each other goes on, and keeps its leader, whatever the network does to the others: "deaf" are
   * heard, but hear nothing; "flapping" come and go; "apart" hear all but the leader, and are heard by all but it. Those would
   * be elected if it went by their logs, since nobody writes then.
   *
   * @throws {LivenessError} when it does not
   */
  #steady(): void {
    const { queue, network, random, options } = this.#world;
    const { electionTimeoutMs } = options;
    this.#runFor(STRAYING_DELAYS * network.faults.delayMs);
    Object.assign(network.faults, { delayMs: Math.min(network.faults.delayMs, 5) });
    // Until now a message of many may have come too late for a leader that needs it.
    const leading = () => newestLeader(this.servers.values());
    this.#until(() => leading() !== undefined, () => "Nobody leads after the faults");
    const leader = leading() as SimulatedServer;
    const kind = (["deaf", "flapping", "apart"] as const)[this.#dice(3)];
    const { voters } = leader.raft.members;
    const others = voters.filter((id) => kind !== "apart" || id !== leader.id)
      .sort(() => random.float() - 0.5).slice(0, (voters.length - 1) >> 1);
    const cut = (): void => {
      for (const server of others) {
        for (const id of kind === "apart" ? [leader.id] : this.servers.keys()) {
          if (id === server) continue;
          network.block(id, server);
          if (kind !== "deaf") network.block(server, id);
        }
      }
    };
    const flap = (isCut: boolean): void => {
      if (isCut) network.heal();
      else cut();
      queue.after((2 + random.float() * 4) * electionTimeoutMs, () => flap(!isCut));
    };
    if (kind === "flapping") flap(false);
    else cut();
    const what = `while ${others.join(", ")} of ${voters.join(", ")} are ${kind}`;
    if (kind !== "apart") {
      this.#writing = true;
      this.#untilWritten(what);
      this.#runFor(6 * electionTimeoutMs);
    }
    const term = leading()?.raft.term;
    this.#runFor(15 * electionTimeoutMs);
    const now = leading()?.raft.term;
    if (now !== term) throw new LivenessError(`Term went from ${term} to ${now} ${what}`);
  }

  #runFor(ms: number): void {
    const { queue } = this.#world;
    const end = queue.now + ms;
    while (queue.now < end && queue.runNext());
  }

  #until(isDone: () => boolean, problem: () => string): void {
    const { queue, options } = this.#world;
    const end = queue.now + RECOVERY_TIMEOUTS * options.electionTimeoutMs;
    while (!isDone()) {
      if (queue.now > end || !queue.runNext()) throw new LivenessError(problem());
    }
  }

  #untilWritten(when: string): void {
    const { acknowledged } = this.checker;
    this.#until(
      () => this.checker.acknowledged > acknowledged + 100,
      () => `${this.checker.acknowledged - acknowledged} writes came through ${when}`,
    );
  }

  #writing = true;

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
        const { log, commit } = server.raft;
        const isBusy = log.lastIndex - commit > MAX_WAITING_WRITES;
        const count = isBusy ? 0 : this.#dice(20) === 0 ? 30 : this.#dice(3);
        if (count > 0) server.propose(Array.from({ length: count }, () => `w${this.#texts++}`));
        if (!server.running) continue;
        server.read(random.float() < this.#mood.leaseReads);
      }
      this.#clients();
    });
  }

  /** A whole number below `limit`. */
  #dice(limit: number): number {
    return Math.floor(this.#world.random.float() * limit);
  }
}
