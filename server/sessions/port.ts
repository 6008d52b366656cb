/**
 * The session port of a server: messages of `protocol/sessions/` over TCP.
 *
 * @module
 */

import { Places } from "../../cluster/places.ts";
import { LineWriter } from "../../protocol/kv/mod.ts";
import { CLOSED, serverFrame } from "../../protocol/sessions/mod.ts";
import { splitGoAddress } from "../config/addresses.ts";
import type { Access } from "../kv/access/access.ts";
import type { AgentLog } from "../logging/log.ts";
import { PortLog } from "../logging/port_log.ts";
import { Admission } from "../net/admission.ts";
import { listen } from "../net/listen.ts";
import { SharedBacklog } from "../net/outbox.ts";
import { Port } from "../net/port.ts";
import { listenProblem } from "../net/problems.ts";
import type { TlsServer } from "../net/wire/tls.ts";
import { WriterPool } from "../net/writer_pool.ts";
import type { StateService } from "../replica/service.ts";
import type { Sessions } from "../replica/sessions/mod.ts";
import { SessionConversation } from "./conversation.ts";
import {
  CLUSTER_LOOK_MS,
  DRAIN_LIMIT_MS,
  MAX_BACKLOG_BYTES,
  MAX_CONNECTIONS_PER_SOURCE,
  MAX_LISTINGS,
  MAX_STRANGER_BYTES,
  MAX_STRANGERS,
  MAX_STRANGERS_PER_SOURCE,
  MAX_UNFINISHED_BYTES,
  MAX_WAITING_BYTES,
  QUERY_LIMIT_MS,
  STALL_LIMIT_MS,
  STRANGER_LIMIT_MS,
} from "./limits.ts";
import type { Cluster, Services } from "./services.ts";

/** First size of a buffer for answers, in bytes. */
const FIRST_WRITER_BYTES = 512;

/** The session address cannot be listened on. */
export class SessionListenError extends Error {
  /** "SessionListenError". */
  override readonly name = "SessionListenError";
}

/** Where a {@linkcode SessionPort} listens and for whom. */
export interface SessionPortOptions {
  /** `host:port`; IPv6 in brackets; port 0 takes a free one. */
  readonly address: string;
  /** The replicated state. */
  readonly state: StateService;
  /** The sessions of this server. */
  readonly sessions: Sessions;
  readonly cluster: Cluster;
  /** Where happenings are logged. */
  readonly log: Pick<AgentLog, "write" | "unexpected">;
  /** Who may do what. Default: everybody everything. */
  readonly access?: Access | undefined;
  /** What encrypts connections. Default: they are not encrypted. */
  readonly tls?: TlsServer | undefined;
  /** Connections in all. */
  readonly maxConnections: number;
  /** How long a client may be without a session. Default 10,000 ms. */
  readonly strangerLimitMs?: number;
}

/** Serves clients with sessions until it is closed. */
export class SessionPort implements AsyncDisposable {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  readonly #log: PortLog;
  readonly #cluster: Cluster;
  readonly #port: Port<LineWriter, SessionConversation>;
  /** Runs while there are connections. */
  #look: ReturnType<typeof setInterval> | undefined;
  /** What clients were told last of the servers. */
  #told = "";
  #closing = false;

  private constructor(socket: Deno.TcpListener, options: SessionPortOptions) {
    const { log, tls, cluster } = options;
    this.#log = new PortLog(log, "agent.sessions");
    this.#cluster = cluster;
    const services = this.#servicesOf(options);
    this.#port = new Port<LineWriter, SessionConversation>(socket, {
      writers: new WriterPool(() => new LineWriter(FIRST_WRITER_BYTES)),
      limits: {
        backlogBytes: MAX_BACKLOG_BYTES,
        shared: services.waiting,
        waitingRecords: 0,
        waitingBytes: 0,
        strangerBytes: MAX_STRANGER_BYTES,
        unfinished: new SharedBacklog(MAX_UNFINISHED_BYTES),
      },
      admission: admissionOf(options, (source, text) => this.#log.trouble(source, text)),
      stallLimitMs: STALL_LIMIT_MS,
      drainLimitMs: DRAIN_LIMIT_MS,
      refusal: serverFrame({ kind: "sessionClosed", reason: CLOSED.connectionClosed }),
      ...tls && { secure: (wire) => tls.secure(wire) },
      open: (peer, deliver) => {
        if (this.#look === undefined) {
          this.#told = JSON.stringify(cluster.info());
          this.#look = setInterval(() => this.#lookAtCluster(), CLUSTER_LOOK_MS);
        }
        return new SessionConversation(peer, services, deliver);
      },
      ...this.#log.events(STALL_LIMIT_MS),
    });
    this.address = this.#port.address;
  }

  /**
   * Starts listening.
   *
   * @throws {SessionListenError} when the address cannot be used
   */
  static listen(options: SessionPortOptions): SessionPort {
    const { address } = options;
    let socket: Deno.TcpListener;
    try {
      const { host, port } = splitGoAddress(address);
      ({ socket } = listen(host === "" ? "0.0.0.0" : host, port));
    } catch (cause) {
      throw new SessionListenError(listenProblem(address, cause), { cause });
    }
    return new SessionPort(socket, options);
  }

  /** How many connections are open. */
  get size(): number {
    return this.#port.size;
  }

  /** Ends the connections of clients that {@linkcode Access} does not know any more as they are. */
  recheck(): void {
    for (const conversation of this.#port.conversations()) conversation.recheck();
  }

  /** Stops listening, lets requests under way be answered, tells clients why, and closes all connections. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#look);
    await this.#port.close();
  }

  /** Same as {@linkcode SessionPort.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #servicesOf({ state, sessions, cluster, access }: SessionPortOptions): Services {
    const isClosing = (): boolean => this.#closing;
    return {
      state,
      sessions,
      cluster,
      access,
      listings: new Places(MAX_LISTINGS),
      waiting: new SharedBacklog(MAX_WAITING_BYTES),
      requestLimitMs: QUERY_LIMIT_MS,
      get closing() {
        return isClosing();
      },
      complain: (source, kind, text) => this.#log.mistake(`${source} ${kind}`, text),
      incident: (error) => this.#log.incident(error),
    };
  }

  /** Tells clients of the servers when these are others than at the last look. */
  #lookAtCluster(): void {
    if (this.#port.size === 0) {
      clearInterval(this.#look);
      this.#look = undefined;
      return;
    }
    const info = this.#cluster.info();
    const text = JSON.stringify(info);
    if (text === this.#told) return;
    this.#told = text;
    const frame = serverFrame(info);
    for (const conversation of this.#port.conversations()) conversation.tell(frame);
  }
}

/** Whoever has no session yet is a stranger. */
function admissionOf(
  { maxConnections, strangerLimitMs = STRANGER_LIMIT_MS }: SessionPortOptions,
  onRefusal: (source: string, text: string) => void,
): Admission {
  return new Admission({
    connections: maxConnections,
    perSource: Math.min(maxConnections, MAX_CONNECTIONS_PER_SOURCE),
    strangers: Math.min(maxConnections, MAX_STRANGERS),
    strangersPerSource: Math.min(maxConnections, MAX_STRANGERS_PER_SOURCE),
    strangerMs: strangerLimitMs,
  }, onRefusal);
}
