/**
 * The session port of one process of a simulated server, and what must be true of it.
 *
 * Sessions, conversations, requests and outboxes are the real ones. What stands for the rest: streams for sockets, and the ids of
 * servers for what gossip shows of them.
 *
 * @module
 */

import { Places } from "../../../../cluster/places.ts";
import type { Clock, Random, Stream } from "../../../../cluster/runtime.ts";
import { LineWriter } from "../../../../protocol/kv/mod.ts";
import {
  type ClientMessage,
  type ClusterInfo,
  MEMBER_ROLE,
  REJECTED,
  serverFrame,
  type ServerMessage,
} from "../../../../protocol/sessions/mod.ts";
import { SharedBacklog } from "../../../../server/net/outbox.ts";
import { WriterPool } from "../../../../server/net/writer_pool.ts";
import type { Replica } from "../../../../server/replica/driver/replica.ts";
import { Sessions } from "../../../../server/replica/sessions/mod.ts";
import { STALL_MS } from "../../../../server/replica/leading/limits.ts";
import type { StateService } from "../../../../server/replica/service.ts";
import {
  CLUSTER_LOOK_MS,
  MAX_LISTINGS,
  MAX_WAITING_BYTES,
  QUERY_LIMIT_MS,
} from "../../../../server/sessions/limits.ts";
import type { Services } from "../../../../server/sessions/services.ts";
import type { Checker } from "../../replica/simulation/checker.ts";
import { hostOf, PORT } from "../../replica/simulation/links.ts";
import type { Beside, SimulatedServer } from "../../replica/simulation/server.ts";
import type { SimStream } from "../../simulation/stream.ts";
import { SimulatedConnection } from "./connection.ts";
import type { History } from "./history.ts";
import { LeaderWatch } from "./leader_watch.ts";

/** How long a session lives without a sign of its client, in milliseconds. */
export const TIMEOUT_MS = 6_000;

/** A clock of a server runs so much faster than it should, at most. */
const FASTEST = 1.05;

/** What all ports of a run share. */
export interface PortWorld {
  readonly checker: Checker;
  readonly history: History;
  /** Virtual milliseconds. */
  readonly now: () => number;
  /** Sessions that a client or a server has tried to end, and among them those whose clients have wished it. */
  readonly ending: Set<string>;
  readonly wished: Set<string>;
}

/** Where a server serves sessions. */
export function addressOf(id: string): string {
  return `${hostOf(id)}:${PORT}`;
}

/** The port. */
export class SimulatedPort implements Beside {
  readonly listener: Beside["listener"] = {
    sessions: (changes) => this.#sessions.changed(changes),
  };
  readonly #server: SimulatedServer;
  readonly #world: PortWorld;
  readonly #clock: Clock;
  readonly #sessions: Sessions;
  readonly #watch: LeaderWatch;
  readonly #services: Services;
  readonly #writers = new WriterPool(() => new LineWriter(512));
  readonly #connections = new Set<SimulatedConnection>();
  #told = "";
  #isClosed = false;

  /** Of a process that begins. */
  constructor(
    server: SimulatedServer,
    { clock, random }: { readonly clock: Clock; readonly random: Random },
    world: PortWorld,
  ) {
    this.#server = server;
    this.#world = world;
    this.#clock = clock;
    this.#watch = new LeaderWatch({
      clock,
      checker: world.checker,
      timeoutMs: TIMEOUT_MS,
      replica: () => this.#replica,
      ending: world.ending,
      isOver: (session) => world.history.find(session)?.hasEnded ?? true,
      isWished: (session) => world.wished.has(session),
      hasSpoken: (session) => this.#hasSpoken(session),
    });
    const parts = { clock, random, timeoutMs: TIMEOUT_MS };
    this.#sessions = new Sessions(parts, () => this.#replica && this.#watch);
    this.#services = this.#newServices();
    this.#lookAtCluster();
  }

  /** See {@linkcode Beside.progressed}. */
  progressed(): void {
    this.#sessions.look();
  }

  /** See {@linkcode Beside.accept}. */
  accept(stream: Stream): void {
    const connection = new SimulatedConnection(stream as SimStream, {
      writers: this.#writers,
      services: this.#services,
      hears: (connection, message) => this.#hears(connection, message),
      says: (connection, message) => this.#says(connection, message),
      ended: (connection) => void this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    connection.serve().catch((error) => this.#world.checker.note(`Connection: ${error.stack}`));
  }

  /** See {@linkcode Beside.close}. */
  close(): void {
    this.#isClosed = true;
    this.#watch.close();
    this.#sessions.close();
    for (const connection of this.#connections) connection.close();
  }

  get #replica(): Replica | undefined {
    return this.#isClosed ? undefined : this.#server.replica;
  }

  #newServices(): Services {
    const { checker } = this.#world;
    const { id } = this.#server;
    const replica = (): Replica | undefined => this.#replica;
    const info = (): ClusterInfo => this.#info();
    const problem = (text: string): string => {
      if (!this.#isClosed) checker.note(`${id}: ${text}`);
      return text;
    };
    return {
      state: { query: (...request) => replica()?.query(...request) } as StateService,
      sessions: this.#sessions,
      cluster: {
        get leaderId() {
          return replica()?.leaderId;
        },
        get isLeader() {
          return replica()?.leaderId === id;
        },
        info,
      },
      access: undefined,
      listings: new Places(MAX_LISTINGS),
      waiting: new SharedBacklog(MAX_WAITING_BYTES),
      requestLimitMs: QUERY_LIMIT_MS,
      closing: false,
      complain: (_source, _kind, text) => void problem(text),
      incident: (error) => problem(`Incident: ${(error as Error).stack}`),
    };
  }

  #info(): ClusterInfo {
    const replica = this.#replica;
    const members = (replica?.configuration ?? []).map(({ id, role }) => ({
      id,
      address: addressOf(id),
      role: role === "voter" ? MEMBER_ROLE.voter : MEMBER_ROLE.learner,
    }));
    const { leaderId: leader = "", status } = replica ?? {};
    return { kind: "clusterInfo", members, leader, term: status?.term ?? 0 };
  }

  /** Tells clients of the servers when these are others than at the last look. */
  #lookAtCluster(): void {
    if (this.#isClosed) return;
    if (this.#connections.size > 0) {
      const info = this.#info();
      const text = JSON.stringify(info);
      if (text !== this.#told) {
        for (const { conversation } of this.#connections) conversation.tell(serverFrame(info));
      }
      this.#told = text;
    }
    this.#clock.setTimer(CLUSTER_LOOK_MS, () => this.#lookAtCluster());
  }

  #hears(connection: SimulatedConnection, message: ClientMessage): void {
    const { session } = connection;
    if (message.kind === "continueSession") {
      connection.wanted = message.sessionId;
      this.#watch.wants(message.sessionId);
    } else if (session === undefined || message.kind === "connectionClosed") return;
    else if (message.kind === "closeSession") this.#world.wished.add(session);
    else this.#watch.hears(session);
  }

  #says(connection: SimulatedConnection, message: ServerMessage): void {
    if (this.#isClosed) return;
    const { history } = this.#world;
    const { session = "" } = connection;
    switch (message.kind) {
      case "sessionContinued":
        connection.session = connection.wanted;
        return this.#watch.hears(connection.wanted);
      case "sessionCreated":
        connection.session = message.sessionId;
        return this.#watch.hears(message.sessionId);
      case "sessionRejected":
        return this.#refuses(connection, message.reason);
      case "clientResponse":
        return history.replies(session, message.requestId, message.result);
      case "requestError":
        return history.refuses(session, message.requestId);
      case "serverRequest":
        return history.tells(session, message.requestId, message.payload);
    }
  }

  #refuses(connection: SimulatedConnection, reason: number): void {
    const { wanted } = connection;
    connection.wanted = "";
    if (reason === REJECTED.sessionExpired) this.#watch.refuses(wanted);
  }

  /** What arrives shortly before the end of its time may be too late, as the process has to read it. */
  #hasSpoken(session: string): boolean {
    const heardAt = [...this.#connections].filter((one) => (one.session ?? one.wanted) === session)
      .map(({ stream }) => stream.arrivedAt);
    return Math.max(...heardAt) > this.#world.now() - (TIMEOUT_MS - STALL_MS) / FASTEST;
  }
}
