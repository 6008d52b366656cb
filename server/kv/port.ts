/**
 * The key-value port of an agent: JSON lines over TCP.
 *
 * @module
 */

import { LineWriter, TOO_MANY_CONNECTIONS, writeFailure } from "../../protocol/kv/mod.ts";
import { splitGoAddress } from "../config/addresses.ts";
import type { AgentLog } from "../logging/log.ts";
import { PortLog } from "../logging/port_log.ts";
import { Admission } from "../net/admission.ts";
import type { Peer } from "../net/conversation.ts";
import { listen } from "../net/listen.ts";
import { SharedBacklog } from "../net/outbox.ts";
import { Port } from "../net/port.ts";
import { listenProblem } from "../net/problems.ts";
import { WriterPool } from "../net/writer_pool.ts";
import type { PubSub } from "../../cluster/pubsub/mod.ts";
import type { StateService } from "../replica/service.ts";
import type { Sessions } from "../replica/sessions/mod.ts";
import type { TlsServer } from "../net/wire/tls.ts";
import type { Access } from "./access/access.ts";
import { KvConversation } from "./conversation.ts";
import { EchoConversation } from "./echo.ts";
import {
  DRAIN_LIMIT_MS,
  IDLE_LIMIT_MS,
  LINE_LIMIT_MS,
  MAX_ALL_PUSHES_BYTES,
  MAX_BACKLOG_BYTES,
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_SOURCE,
  MAX_LISTINGS,
  MAX_STRANGER_BYTES,
  MAX_STRANGERS,
  MAX_STRANGERS_PER_SOURCE,
  MAX_UNFINISHED_BYTES,
  MAX_WAITING_BYTES,
  PING_MS,
  REQUEST_LIMIT_MS,
  STALL_LIMIT_MS,
  STRANGER_LIMIT_MS,
} from "./limits.ts";
import { Places } from "../../cluster/places.ts";
import type { Services } from "./services.ts";

/** First size of a buffer for answers, in bytes. */
const FIRST_WRITER_BYTES = 1_024;

/** How often late lines and idle clients are looked for: so many times in the shorter of their limits ... */
const SWEEPS_PER_LIMIT = 8;
/** ... but not less often than this, in milliseconds. */
const LONGEST_SWEEP_MS = 1_000;

/** The key-value address cannot be listened on. */
export class KvListenError extends Error {
  /** "KvListenError". */
  override readonly name = "KvListenError";
}

/** Where a {@linkcode KvPort} listens and for whom. */
export interface KvPortOptions {
  /** `host:port`; IPv6 in brackets; port 0 takes a free one. */
  readonly address: string;
  /** The replicated state. */
  readonly state: StateService;
  /** The sessions of this server. Default: clients get none. */
  readonly sessions?: Sessions;
  /** The channels. */
  readonly pubsub: PubSub;
  /** Name of this agent, as the leader is named. */
  readonly node: string;
  /** Version of the program. */
  readonly version: string;
  /** Where happenings are logged. */
  readonly log: Pick<AgentLog, "write" | "unexpected">;
  /** Who may do what. Default: everybody everything. */
  readonly access?: Access | undefined;
  /** What encrypts connections. Default: they are not encrypted. */
  readonly tls?: TlsServer | undefined;
  /** Whether a line of the log is written about each request, at DEBUG. Default false. */
  readonly logsRequests?: boolean;
  /** How long a client may take to show who it is. Default 10,000 ms. */
  readonly strangerLimitMs?: number;
  /** What clients get: answers to requests, or their own bytes. Default "json". */
  readonly mode?: "json" | "echo";
  /** A client that sends no line for this long is disconnected; 0: none is. Default 300,000 ms. */
  readonly idleLimitMs?: number;
  /** A client that only listens is asked for a line after this long, and has as long to send one. Default 60,000 ms. */
  readonly pingMs?: number;
  /** A line has to end this long after its first byte. Default 30,000 ms. */
  readonly lineLimitMs?: number;
  /** A request gets its answer within this time. Default 5,000 ms. */
  readonly requestLimitMs?: number;
  /** A client that takes no byte for this long, although some wait, is disconnected. Default 30,000 ms. */
  readonly stallLimitMs?: number;
  /** Requests under way get this long when the port closes. Default 2,500 ms. */
  readonly drainLimitMs?: number;
  /** Connections in all. Default 10,000. */
  readonly maxConnections?: number;
  /** Bytes of answers that may wait at all connections, before each has the next one only. Default 268,435,456. */
  readonly maxWaitingBytes?: number;
}

/** Serves key-value clients until it is closed. */
export class KvPort implements AsyncDisposable {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  readonly #log: PortLog;
  readonly #services: Services;
  readonly #port: Port<LineWriter, KvConversation | EchoConversation>;
  readonly #sweepMs: number;
  /** Runs while there are connections. */
  #sweep: ReturnType<typeof setInterval> | undefined;
  #closing = false;

  private constructor(socket: Deno.TcpListener, options: KvPortOptions) {
    const { log, mode = "json", stallLimitMs = STALL_LIMIT_MS, tls } = options;
    this.#log = new PortLog(log, "agent.kv");
    this.#services = this.#servicesOf(options);
    const { counters, idleLimitMs, lineLimitMs, pingMs, sessionTimeoutMs, waiting, access } = this
      .#services;
    const shortest = Math.min(lineLimitMs, pingMs, sessionTimeoutMs, idleLimitMs || Infinity) /
      SWEEPS_PER_LIMIT;
    this.#sweepMs = Math.min(shortest, LONGEST_SWEEP_MS);
    this.#port = new Port<LineWriter, KvConversation | EchoConversation>(socket, {
      writers: new WriterPool(() => new LineWriter(FIRST_WRITER_BYTES)),
      limits: {
        backlogBytes: MAX_BACKLOG_BYTES,
        shared: waiting,
        waitingRecords: 0,
        waitingBytes: 0,
        strangerBytes: MAX_STRANGER_BYTES,
        unfinished: new SharedBacklog(MAX_UNFINISHED_BYTES),
      },
      admission: admissionOf(options, (source, text) => this.#log.trouble(source, text)),
      stallLimitMs,
      drainLimitMs: options.drainLimitMs ?? DRAIN_LIMIT_MS,
      refusal: refusal(),
      knowsAll: access === undefined,
      ...tls && { secure: (wire) => tls.secure(wire) },
      open: (peer, deliver) => {
        counters.connections++;
        this.#sweep ??= setInterval(() => this.#lookForLate(), this.#sweepMs);
        return mode === "echo" ? new EchoConversation(peer, deliver) : this.#open(peer, deliver);
      },
      ...this.#log.events(stallLimitMs),
    });
    this.address = this.#port.address;
  }

  /**
   * Starts listening.
   *
   * @throws {KvListenError} when the address cannot be used
   */
  static listen(options: KvPortOptions): KvPort {
    const { address } = options;
    let socket: Deno.TcpListener;
    try {
      const { host, port } = splitGoAddress(address);
      ({ socket } = listen(host === "" ? "0.0.0.0" : host, port));
    } catch (cause) {
      throw new KvListenError(listenProblem(address, cause), { cause });
    }
    return new KvPort(socket, options);
  }

  /** Whether a line of the log is written about each request. */
  set logsRequests(value: boolean) {
    this.#services.logsRequests = value;
  }

  /** Ends the connections of clients that {@linkcode Access} does not know any more as they are. */
  recheck(): void {
    for (const conversation of this.#port.conversations()) conversation.recheck();
  }

  /** How many connections are open. */
  get size(): number {
    return this.#port.size;
  }

  /** Stops listening, lets requests under way be answered, tells clients why, and closes all connections. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#sweep);
    await this.#port.close();
  }

  /** Same as {@linkcode KvPort.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(peer: Peer<LineWriter>, deliver: (line: Uint8Array) => void): KvConversation {
    this.#services.tell(() => `Accepted client: ${peer.name}`);
    return new KvConversation(peer, this.#services, deliver);
  }

  #servicesOf(options: KvPortOptions): Services {
    const { state, sessions, pubsub, node, version } = options;
    const isClosing = (): boolean => this.#closing;
    return {
      state,
      sessions: sessions?.attachments,
      sessionTimeoutMs: sessions?.timeoutMs ?? Infinity,
      access: options.access,
      logsRequests: options.logsRequests ?? false,
      pubsub,
      listings: new Places(MAX_LISTINGS),
      waiting: new SharedBacklog(options.maxWaitingBytes ?? MAX_WAITING_BYTES),
      pushed: new SharedBacklog(MAX_ALL_PUSHES_BYTES),
      node,
      version,
      requestLimitMs: options.requestLimitMs ?? REQUEST_LIMIT_MS,
      idleLimitMs: options.idleLimitMs ?? IDLE_LIMIT_MS,
      pingMs: options.pingMs ?? PING_MS,
      lineLimitMs: options.lineLimitMs ?? LINE_LIMIT_MS,
      startedAt: Date.now(),
      counters: { connections: 0, requests: 0, failures: 0, authFailures: 0 },
      connections: () => this.#port.size,
      get closing() {
        return isClosing();
      },
      complain: (source, kind, text) => this.#log.mistake(`${source} ${kind}`, text),
      tell: (text, fields) => options.log.write("DEBUG", "agent.kv", text, fields && { fields }),
      incident: (error) => this.#log.incident(error),
    };
  }

  #lookForLate(): void {
    const now = performance.now();
    for (const conversation of this.#port.conversations()) conversation.sweep(now);
    if (this.#port.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}

/** Where nobody has to show anything, nobody is a stranger for long. */
function admissionOf(
  { maxConnections = MAX_CONNECTIONS, strangerLimitMs = STRANGER_LIMIT_MS }: KvPortOptions,
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

function refusal(): Uint8Array {
  const writer = new LineWriter();
  writeFailure(writer, undefined, TOO_MANY_CONNECTIONS);
  return writer.finish();
}
