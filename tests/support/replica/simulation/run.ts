/**
 * One run of simulated servers: one seed, with faults and then without.
 *
 * @module
 */

import { getQuestion, resolvePath } from "../../../../cluster/machine/kv/mod.ts";
import { SeededRandom } from "../../simulation/random.ts";
import { Simulation } from "../../simulation/simulation.ts";
import { Checker } from "./checker.ts";
import { SimulatedClients } from "./clients.ts";
import { Expiries } from "./expiries.ts";
import { Parcels } from "./links.ts";
import type { MessageRule } from "./messages.ts";
import { Nemesis, newestLeader } from "./nemesis.ts";
import { SimulatedSessions } from "./sessions.ts";
import { SimulatedTopics } from "./topics.ts";
import { SimulatedServer, type World } from "./server.ts";

/** Numbers of voters that a cluster may begin with. */
const SIZES = [1, 2, 3, 3, 3, 4, 5];

const ROUNDS = 2_000;
const CLIENTS = 6;

/** Longest pause of clients in virtual milliseconds. */
const PAUSE_MS = 60;

/** How long a cluster that is well again may need to go on, and to agree, in virtual milliseconds. */
const LIVE_MS = 20_000;

/** How long values may be there that were set last: clocks of servers differ by seconds, and the highest stamp counts. */
const EXPIRE_MS = 60_000;

/** How long damaged messages may be missing. */
const REPAIR_MS = 120_000;

/** The machine of the clients. */
const CLIENT_HOST = "10.0.1.1";

/** What came of a run. */
export interface RunReport {
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly read: number;
  readonly crashes: number;
  readonly damaged: number;
  readonly rebuilt: number;
  readonly full: number;
  readonly changes: number;
  readonly installed: number;
  readonly compared: number;
  /** Values that were there until they were due, and then no more. */
  readonly expired: number;
  /** Requests of sessions that were answered, answers that came again, and server requests. */
  readonly sessions: number;
  readonly again: number;
  readonly told: number;
  /** Messages of topics that were acknowledged, times that some were read, and times that some were damaged. */
  readonly produced: number;
  readonly fetched: number;
  readonly flipped: number;
}

/** What happens in a run besides. What a seed did before there was a kind, it does without it. */
export interface RunKind {
  /** Whether directories are rebuilt. */
  readonly rebuilds?: boolean;
  /** Whether values expire. */
  readonly expiring?: boolean;
  /** Whether clients have sessions. */
  readonly sessions?: boolean;
  /** Whether there are topics. */
  readonly topics?: boolean;
  /** A rule of messages that is left out. */
  readonly without?: MessageRule;
}

/** Something happened that must not. */
export class RunError extends Error {
  /** "RunError". */
  override readonly name = "RunError";
}

/** A run. */
export class SimulatedRun {
  readonly #world: World;
  readonly #expiries: Expiries | undefined;
  readonly #sessions: SimulatedSessions | undefined;
  readonly #servers: SimulatedServer[] = [];
  readonly #clients: SimulatedClients;
  readonly #nemesis: Nemesis;

  /** `log` gets each line of every server. */
  constructor(
    seed: number,
    { rebuilds = false, expiring = false, sessions = false, topics = false, without }: RunKind = {},
    log?: (line: string) => void,
  ) {
    const random = new SeededRandom(seed, 77);
    const checker = new Checker();
    this.#expiries = expiring ? new Expiries(checker) : undefined;
    this.#sessions = sessions ? new SimulatedSessions(checker) : undefined;
    this.#world = {
      simulation: new Simulation(seed, { latencyMs: [0.1, 3], ...(log && { log }) }),
      random,
      checker,
      followers: [this.#expiries, this.#sessions].filter((one) => one !== undefined),
      topics: topics ? new SimulatedTopics(checker) : undefined,
      without,
      parcels: new Parcels(),
      rebuilds,
      snapshots: random.float() < 0.5 ? { every: 15, trailing: 3 } : { every: 60, trailing: 20 },
    };
    const count = SIZES[Math.floor(random.float() * SIZES.length)] as number;
    for (let i = 0; i < count; i++) this.#add();
    const besides = {
      expiries: this.#expiries,
      sessions: this.#sessions,
      topics: this.#world.topics,
    };
    this.#clients = new SimulatedClients(CLIENTS, this.#servers, random, checker, besides);
    this.#nemesis = new Nemesis(this.#world, this.#servers, this.#clients, () => this.#add());
  }

  /** A fingerprint of all that has happened. */
  get traceHash(): string {
    return this.#world.simulation.traceHash;
  }

  /**
   * Does it. Rejects with a {@linkcode RunError}, or an `InvariantError`, when something happens that must not.
   */
  async run(): Promise<RunReport> {
    const { simulation, random } = this.#world;
    const ids = this.#servers.map(({ id }) => id);
    for (const [i, server] of this.#servers.entries()) server.start(i === 0 ? ids : undefined);
    await this.#nemesis.startAll();
    this.#askOn();
    for (let round = 0; round < ROUNDS; round++) {
      await simulation.runFor(1 + random.float() * PAUSE_MS);
      if (random.float() < 0.025) await this.#nemesis.act();
      this.#check();
    }
    await this.#heal();
    for (const server of this.#servers) server.end("killed");
    return this.#report();
  }

  #add(): SimulatedServer {
    const server = new SimulatedServer(`s${this.#servers.length + 1}`, this.#world);
    this.#servers.push(server);
    return server;
  }

  #askOn(): void {
    const { simulation, random } = this.#world;
    const { clock } = simulation.addHost(CLIENT_HOST);
    const ask = (): void => {
      if (this.#isAsking) this.#clients.ask(this.#isWell ? this.#members() : this.#servers);
      clock.setTimer(random.float() * PAUSE_MS, ask);
    };
    ask();
  }

  #isAsking = true;
  /** Who was taken out knows of no leader: from now on clients ask members. */
  #isWell = false;

  #check(): void {
    const { problem } = this.#world.checker;
    if (problem !== undefined) throw new RunError(problem);
  }

  /** All is well from here on: a majority goes on, all members come to the same, and it is what clients were told. */
  async #heal(): Promise<void> {
    this.#nemesis.calm();
    this.#nemesis.goodNetwork();
    await this.#nemesis.startAll();
    this.#check();
    const known = this.#servers.flatMap(({ raft }) => raft === undefined ? [] : [raft.members]);
    // Too many changes were under way when one was damaged.
    if (!known.every(({ voters }) => this.#nemesis.canGoOn(voters))) return;
    this.#isWell = true;
    const before = this.#clients.acknowledged;
    await this.#until(
      () => this.#clients.acknowledged > before,
      () => `No write after all faults have ended: ${this.#tell(this.#servers)}`,
    );
    if (this.#world.rebuilds) await this.#tend();
    this.#isAsking = false;
    await this.#until(() => this.#clients.waiting === 0, () => "Clients get no answer");
    // Clocks differ by seconds, and the last stamp counts.
    const living = () => this.#expiries?.living ?? 0;
    await this.#until(() => living() === 0, () => `${living()} values do not expire`, EXPIRE_MS);
    await this.#until(
      () => this.#agree(),
      () => `Servers do not agree: ${this.#tell(this.#members())}`,
    );
    for (const server of this.#members()) this.#world.checker.compare(server);
    await this.#readMessages();
    const { replica } = newestLeader(this.#servers) as SimulatedServer;
    this.#clients.check((key) => {
      const path = resolvePath(key) as Uint8Array;
      const result = replica?.machine.query(getQuestion(path));
      return result?.ok ? new TextDecoder().decode(result.body) : undefined;
    });
    this.#check();
  }

  /** Every member has all messages that the state tells of, as they were appended. */
  async #readMessages(): Promise<void> {
    const { topics } = this.#world;
    if (topics === undefined) return;
    const found = new Map(this.#members().map((server) => [server, false]));
    const look = async (): Promise<void> => {
      for (const [{ messages }, isWhole] of found) {
        if (isWhole || messages === undefined) continue;
        const server = this.#servers.find((one) => one.messages === messages) as SimulatedServer;
        found.set(server, await topics.checkAll(messages));
      }
    };
    let isLooking = false;
    const isDone = (): boolean => {
      if ([...found.values()].every((isWhole) => isWhole)) return true;
      if (!isLooking) {
        isLooking = true;
        look().then(() => isLooking = false, (error) => this.#world.checker.note(error.stack));
      }
      return false;
    };
    const missing = (): string => [...found].filter(([, is]) => !is).map(([{ id }]) => id).join();
    await this.#until(isDone, () => `Messages are missing at ${missing()}`, REPAIR_MS);
  }

  /** Those that were rebuilt become members, and what they were is none any more. */
  async #tend(): Promise<void> {
    // With topics, snapshots that come every few entries take several steps each.
    const limitMs = this.#world.topics === undefined ? LIVE_MS : 3 * LIVE_MS;
    for (let i = 0; i < 40 && !this.#nemesis.isTended; i++) {
      this.#nemesis.tend();
      await this.#world.simulation.runFor(limitMs / 40);
      this.#check();
    }
    if (!this.#nemesis.isTended) {
      throw new RunError(`What was rebuilt is not taken in: ${this.#tell(this.#servers)}`);
    }
  }

  async #until(holds: () => boolean, problem: () => string, limitMs = LIVE_MS): Promise<void> {
    const isDone = await this.#world.simulation.runUntil(holds, limitMs);
    this.#check();
    if (!isDone) throw new RunError(problem());
  }

  /** Those that belong to the cluster and can run. */
  #members(): SimulatedServer[] {
    const members = newestLeader(this.#servers)?.raft?.members.configuration ?? [];
    return this.#servers.filter(({ id, isDamaged }) =>
      !isDamaged && members.some((member) => member.id === id)
    );
  }

  #agree(): boolean {
    const leader = newestLeader(this.#servers)?.raft;
    return leader !== undefined &&
      this.#members().every(({ replica }) =>
        replica?.machine.context.index === leader.log.lastIndex
      );
  }

  #tell(servers: readonly SimulatedServer[]): string {
    return servers.map(({ id, replica }) => `${id} ${JSON.stringify(replica?.status)}`).join(", ");
  }

  #report(): RunReport {
    const { acknowledged, refused, unknown, read } = this.#clients;
    const { crashes, damaged, rebuilt, full, changes } = this.#nemesis;
    const { checker: { compared }, topics } = this.#world;
    const { expired = 0 } = this.#expiries ?? {};
    const { answered = 0, repeated = 0, told = 0 } = this.#sessions ?? {};
    const { produced = 0, read: fetched = 0 } = topics ?? {};
    const { flipped } = this.#nemesis;
    const installed = this.#servers.reduce((sum, server) => sum + server.installed, 0);
    return {
      acknowledged,
      refused,
      unknown,
      read,
      crashes,
      damaged,
      rebuilt,
      full,
      changes,
      installed,
      compared,
      expired,
      sessions: answered,
      again: repeated,
      told,
      produced,
      fetched,
      flipped,
    };
  }
}
