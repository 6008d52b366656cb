/**
 * One run of servers and clients with sessions: one seed, with faults and then without.
 *
 * @module
 */

import { getQuestion, resolvePath } from "../../../../cluster/machine/kv/mod.ts";
import { Checker } from "../../replica/simulation/checker.ts";
import { Parcels } from "../../replica/simulation/links.ts";
import { Nemesis, newestLeader } from "../../replica/simulation/nemesis.ts";
import { RunError } from "../../replica/simulation/run.ts";
import { SimulatedServer, type World } from "../../replica/simulation/server.ts";
import { SeededRandom } from "../../simulation/random.ts";
import { Simulation } from "../../simulation/simulation.ts";
import { type ClientWorld, SimulatedClient } from "./client.ts";
import { History } from "./history.ts";
import { addressOf, SimulatedPort, TIMEOUT_MS } from "./port.ts";

/** Numbers of voters that a cluster may begin with. */
const SIZES = [1, 3, 3, 3, 5];

const ROUNDS = 600;
const CLIENTS = 4;

/** Longest time of a round, in virtual milliseconds. */
const ROUND_MS = 80;

/** How long what is well again may need to go on, and to agree, in virtual milliseconds. */
const LIVE_MS = 30_000;

/** Longest time that a process stands still, or a client is away, in virtual milliseconds. */
const AWAY_MS = 2 * TIMEOUT_MS;

/** What came of a run. */
export interface SessionReport {
  readonly sessions: number;
  readonly ended: number;
  readonly processes: number;
  readonly executed: number;
  readonly repeated: number;
  readonly answered: number;
  readonly unknown: number;
  readonly read: number;
  readonly delivered: number;
  readonly crashes: number;
  readonly changes: number;
  readonly leaders: number;
  readonly compared: number;
}

/** A run. */
export class SimulatedSessionRun {
  readonly #world: World;
  readonly #history: History;
  readonly #shared: ClientWorld;
  readonly #servers: SimulatedServer[] = [];
  /** Those that clients are told of, unless there is none of them any more. */
  readonly #founders: readonly SimulatedServer[];
  readonly #clients: SimulatedClient[];
  readonly #nemesis: Nemesis;
  /** Clients that stand still, and until when. */
  readonly #paused = new Map<SimulatedClient, number>();

  /** `log` gets each line of every server. */
  constructor(seed: number, log?: (line: string) => void) {
    const random = new SeededRandom(seed, 78);
    const checker = new Checker();
    const history = new History(checker);
    const simulation = new Simulation(seed, { latencyMs: [0.1, 3], ...(log && { log }) });
    const ending = new Set<string>();
    const ports = {
      checker,
      history,
      now: () => simulation.now,
      ending,
      wished: new Set<string>(),
    };
    this.#history = history;
    this.#world = {
      simulation,
      random,
      checker,
      followers: [history],
      parcels: new Parcels(),
      beside: (server, parts) => new SimulatedPort(server, parts, ports),
      snapshots: random.float() < 0.5 ? { every: 30, trailing: 5 } : { every: 120, trailing: 40 },
    };
    const count = SIZES[Math.floor(random.float() * SIZES.length)] as number;
    for (let i = 0; i < count; i++) this.#add();
    this.#founders = [...this.#servers];
    const addresses = (): string[] =>
      (this.#isFounded ? this.#founders : this.#servers).map(({ id }) => addressOf(id));
    this.#shared = { simulation, random, checker, history, addresses, ending, isAsking: true };
    this.#clients = Array.from(
      { length: CLIENTS },
      (_, i) => new SimulatedClient(i + 1, this.#shared),
    );
    const victims = { serverEnded() {} };
    this.#nemesis = new Nemesis(this.#world, this.#servers, victims, () => this.#add());
  }

  /** A fingerprint of all that has happened. */
  get traceHash(): string {
    return this.#world.simulation.traceHash;
  }

  /** Does it. Rejects with a {@linkcode RunError}, or an `InvariantError`, when something happens that must not. */
  async run(): Promise<SessionReport> {
    const { simulation, random } = this.#world;
    const ids = this.#servers.map(({ id }) => id);
    for (const [i, server] of this.#servers.entries()) server.start(i === 0 ? ids : undefined);
    await this.#nemesis.startAll();
    for (const client of this.#clients) client.start(false);
    for (let round = 0; round < ROUNDS; round++) {
      await simulation.runFor(1 + random.float() * ROUND_MS);
      if (random.float() < 0.035) await this.#nemesis.act();
      if (random.float() < 0.05) this.#disturb(this.#any());
      this.#resume(simulation.now);
      this.#check();
    }
    await this.#heal();
    for (const server of this.#servers) server.end("killed");
    for (const client of this.#clients) client.kill();
    return this.#report();
  }

  #add(): SimulatedServer {
    const server = new SimulatedServer(`s${this.#servers.length + 1}`, this.#world);
    this.#servers.push(server);
    return server;
  }

  get #isFounded(): boolean {
    return this.#founders.some(({ isDamaged }) => !isDamaged);
  }

  #any(): SimulatedClient {
    return this.#clients[Math.floor(this.#world.random.float() * CLIENTS)] as SimulatedClient;
  }

  /** Does something to a client; whoever has no process mostly begins another one. */
  #disturb(client: SimulatedClient): void {
    const { random, simulation } = this.#world;
    const chance = random.float();
    if (!client.isUp) {
      if (chance < 0.7) client.start(random.float() < 0.85);
    } else if (chance < 0.35) {
      client.kill();
      if (random.float() < 0.7) client.start(random.float() < 0.9);
    } else if (chance < 0.5) {
      simulation.pause(client.host);
      this.#paused.set(client, simulation.now + random.float() ** 2 * AWAY_MS);
    } else if (chance < 0.8) {
      const servers = this.#servers.filter(() => random.float() < 0.6).map(({ host }) => host);
      const isOneWay = random.float() < 0.3;
      if (random.float() < 0.5) simulation.partition([client.host], servers, isOneWay);
      else simulation.partition(servers, [client.host], isOneWay);
    } else client.close(random.float() < 0.6);
  }

  /** Lets clients go on whose pause is over. */
  #resume(now: number): void {
    for (const [client, until] of this.#paused) {
      if (until > now) continue;
      this.#paused.delete(client);
      this.#world.simulation.resume(client.host);
    }
  }

  #check(): void {
    const { problem } = this.#world.checker;
    if (problem !== undefined) throw new RunError(problem);
  }

  /** All is well from here on: what clients still want is done, and who is gone leaves nothing. */
  async #heal(): Promise<void> {
    this.#nemesis.calm();
    this.#nemesis.goodNetwork();
    await this.#nemesis.startAll();
    this.#resume(Infinity);
    if (!this.#isFounded) { for (const client of this.#clients) client.kill(); }
    this.#check();
    const known = this.#servers.flatMap(({ raft }) => raft === undefined ? [] : [raft.members]);
    // Too many changes were under way when one was damaged.
    if (!known.every(({ voters }) => this.#nemesis.canGoOn(voters))) return;
    this.#shared.isAsking = false;
    await this.#until(() => this.#areContent(), () => "Clients wait for more");
    await this.#until(
      () =>
        this.#history.living.every(({ id }) => this.#clients.some(({ session }) => session === id)),
      () => "Sessions of nobody do not end",
    );
    await this.#until(() => this.#agree(), () => "Servers do not agree");
    for (const server of this.#members()) this.#world.checker.compare(server);
    const { replica } = newestLeader(this.#servers) as SimulatedServer;
    for (const client of this.#clients) {
      client.check((key) => {
        const result = replica?.machine.query(getQuestion(resolvePath(key) as Uint8Array));
        return result?.ok ? new TextDecoder().decode(result.body) : undefined;
      });
    }
    this.#check();
  }

  /** Each client has one more request done. Who has no process begins one: the session may be over that it goes on with. */
  #areContent(): boolean {
    for (const client of this.#clients) {
      if (!client.isUp) client.start(true);
      client.countOnce(LIVE_MS);
    }
    return this.#clients.every(({ isContent }) => isContent);
  }

  async #until(holds: () => boolean, problem: () => string): Promise<void> {
    const isDone = await this.#world.simulation.runUntil(holds, LIVE_MS);
    this.#check();
    if (isDone) return;
    const states = this.#clients.map(({ state }) => state);
    for (const { id, replica } of this.#servers) {
      states.push(`${id} ${JSON.stringify(replica?.status)}`);
    }
    throw new RunError(`${problem()}: ${states.join("; ")}`);
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

  #report(): SessionReport {
    const { begun, ended, executed, repeated } = this.#history;
    const { crashes, changes } = this.#nemesis;
    const { compared, leaders } = this.#world.checker;
    const sum = (of: (client: SimulatedClient) => number): number =>
      this.#clients.reduce((all, client) => all + of(client), 0);
    return {
      sessions: begun,
      ended,
      processes: sum(({ processes }) => processes),
      executed,
      repeated,
      answered: sum(({ answered }) => answered),
      unknown: sum(({ unknown }) => unknown),
      read: sum(({ read }) => read),
      delivered: sum(({ delivered }) => delivered),
      crashes,
      changes,
      leaders,
      compared,
    };
  }
}
