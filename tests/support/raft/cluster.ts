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
import { type Harm, type Mood, MOODS } from "./mood.ts";
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

/** A cluster that grows to at most so many servers. */
const MAX_SERVERS = 6;

/** One run. */
export class SimulatedCluster {
  readonly checker = new Checker();
  readonly servers = new Map<string, SimulatedServer>();
  readonly #world: World;
  readonly #mood: Mood;
  #crashes = 0;
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
      died: (server) => this.#restartLater(server),
      leads: (server) => this.#troubleLeader(server),
    };
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
    this.#nemesis();
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
      crashes: this.#crashes,
    };
  }

  /** The faults end; then everything must go on, and all must agree, in bounded time. */
  #recover(): void {
    const { network } = this.#world;
    this.#faulty = false;
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
      const leader = this.#leader()?.raft;
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
   * A majority of voters that hear each other goes on, whatever the network does to the others, and keeps its leader: "deaf" are
   * heard, but hear nothing; "flapping" come and go.
   *
   * @throws {LivenessError} when it does not
   */
  #steady(): void {
    const { queue, network, random, options } = this.#world;
    const { electionTimeoutMs } = options;
    Object.assign(network.faults, { delayMs: Math.min(network.faults.delayMs, 5) });
    const voters = [...this.#leader()?.raft.members.voters ?? []];
    const others = voters.sort(() => random.float() - 0.5).splice(0, (voters.length - 1) >> 1);
    const flapping = this.#dice(2) === 0;
    const cut = (): void => {
      for (const server of others) {
        for (const id of this.servers.keys()) {
          if (id === server) continue;
          network.block(id, server);
          if (flapping) network.block(server, id);
        }
      }
    };
    const flap = (isCut: boolean): void => {
      if (isCut) network.heal();
      else cut();
      queue.after((2 + random.float() * 4) * electionTimeoutMs, () => flap(!isCut));
    };
    if (flapping) flap(false);
    else cut();
    this.#writing = true;
    const what = `while ${others.join(", ")} ${flapping ? "come and go" : "are deaf"}`;
    this.#untilWritten(what);
    this.#runFor((others.length > 0 ? 6 : 0) * electionTimeoutMs);
    const term = this.#leader()?.raft.term;
    this.#runFor(15 * electionTimeoutMs);
    const now = this.#leader()?.raft.term;
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
    const { harm } = this.#mood;
    switch (harm[this.#dice(harm.length)] as Harm) {
      case "crash":
        return this.#dice(2) === 0 ? victim.crash() : victim.crashAfter(this.#dice(30));
      case "crash-all":
        for (const server of this.servers.values()) server.crash();
        return;
      case "pause":
        return victim.pause(this.#dice(10) * options.electionTimeoutMs / 2);
      case "partition":
        return this.#partition(victim);
      case "change":
        return this.#changeMembers(this.#leader());
      case "transfer": {
        const target = this.#dice(2) === 0 ? undefined : ids[this.#dice(ids.length)];
        this.#leader()?.take({ type: "transfer", ...(target !== undefined && { target }) });
        return;
      }
      case "heal":
        network.heal();
    }
  }

  #partition(victim: SimulatedServer): void {
    const { network } = this.#world;
    const ids = [...this.servers.keys()];
    const side = new Set(ids.filter(() => this.#dice(2) === 0));
    const oneWay = this.#dice(2) === 0;
    // Or between two servers that both hear the others.
    const link = this.#dice(3) === 0 ? [victim.id, ids[this.#dice(ids.length)]] : ids;
    for (const a of ids) {
      for (const b of ids) {
        if (!link.includes(a) || !link.includes(b)) continue;
        if (side.has(a) !== side.has(b) && (!oneWay || side.has(a))) network.block(a, b);
      }
    }
  }

  #restartLater(server: SimulatedServer): void {
    this.#crashes++;
    const { queue, random, options } = this.#world;
    const most = this.#dice(3) === 0 ? 0.1 : 4;
    queue.after(random.float() * most * options.electionTimeoutMs, () => {
      if (!server.running) server.start();
    });
  }

  /** A leader adds or removes a voter, and only one other server hears of it: the next leader may not know. */
  #changeApart(leader: SimulatedServer): void {
    const { network } = this.#world;
    const { voters } = leader.raft.members;
    const adds = this.#dice(2) === 0;
    if (adds) this.#maybeAdd();
    const ids = [...this.servers.keys()];
    const chosen = adds ? ids.filter((id) => !voters.includes(id)) : voters;
    const id = chosen[this.#dice(chosen.length)];
    if (id === undefined) return;
    const change = adds
      ? { kind: "add", id, role: "voter" } as const
      : { kind: "remove", id } as const;
    leader.take({ type: "change", change, time: 0 });
    const apart = [leader.id, adds ? id : ids[this.#dice(ids.length)] as string];
    network.heal();
    for (const other of ids.filter((it) => !apart.includes(it))) {
      for (const one of apart) {
        network.block(one, other);
        network.block(other, one);
      }
    }
  }

  #maybeAdd(): void {
    const count = this.servers.size;
    if (count < MAX_SERVERS) this.#add(String.fromCharCode(97 + count)).start();
  }

  /** Just elected, a leader is at its most vulnerable. */
  #troubleLeader(server: SimulatedServer): void {
    const { toLeaders } = this.#mood;
    if (!this.#faulty || toLeaders === "nothing" || this.#dice(3) === 0) return;
    if (toLeaders === "crash") return server.crashAfter(this.#dice(40));
    if (toLeaders === "change") return this.#changeApart(server);
    for (const other of this.servers.values()) {
      if (other !== server && other.running && other.raft.role.name === "leader") {
        other.pause(2 * this.#world.options.electionTimeoutMs);
      }
    }
  }

  #changeMembers(leader: SimulatedServer | undefined): void {
    if (leader === undefined) return;
    if (this.#dice(2) === 0) this.#maybeAdd();
    const ids = [...this.servers.keys()];
    const id = ids[this.#dice(ids.length)] as string;
    const roles: readonly MemberRole[] = ["voter", "voter", "staging", "learner"];
    // Twice, as two operators would.
    for (let i = 0; i < 2; i++) {
      const remove = this.#dice(3) === 0;
      const other = i === 0 ? id : ids[this.#dice(ids.length)] as string;
      const change = remove
        ? { kind: "remove" as const, id: other }
        : { kind: "add" as const, id: other, role: roles[this.#dice(4)] as MemberRole };
      if (leader.running) leader.take({ type: "change", change, time: 0 });
    }
  }

  /** A whole number below `limit`. */
  #dice(limit: number): number {
    return Math.floor(this.#world.random.float() * limit);
  }
}
