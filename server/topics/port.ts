/**
 * The topics port of a server: frames of `protocol/topics/` over TCP.
 *
 * @module
 */

import {
  CODE,
  FrameError,
  FrameWriter,
  readRequest,
  type RequestId,
  requestSplitter,
  writeError,
} from "../../protocol/topics/mod.ts";
import { splitGoAddress } from "../config/addresses.ts";
import type { Access } from "../kv/access/access.ts";
import { Lanes } from "../files/lanes.ts";
import type { AgentLog } from "../logging/log.ts";
import { PortLog } from "../logging/port_log.ts";
import { Admission } from "../net/admission.ts";
import { within } from "../net/deadline.ts";
import { listen } from "../net/listen.ts";
import { SharedBacklog } from "../net/outbox.ts";
import { Port } from "../net/port.ts";
import { listenProblem } from "../net/problems.ts";
import type { Refuser } from "../net/refusals.ts";
import type { TlsServer } from "../net/wire/tls.ts";
import { WriterPool } from "../net/writer_pool.ts";
import { Buffers } from "./buffers.ts";
import { TopicConversation } from "./conversation.ts";
import {
  DRAIN_LIMIT_MS,
  FRAME_LIMIT_MS,
  MAX_BACKLOG_BYTES,
  MAX_CONNECTIONS_PER_SOURCE,
  MAX_IDLE_BUFFER_BYTES,
  MAX_STRANGER_BYTES,
  MAX_STRANGERS,
  MAX_STRANGERS_PER_SOURCE,
  MAX_UNFINISHED_BYTES,
  MAX_WAITING_BYTES,
  STALL_LIMIT_MS,
  STRANGER_LIMIT_MS,
} from "./limits.ts";
import { Packing } from "./packing.ts";
import type { Services } from "./services.ts";

/** First size of a buffer for answers, in bytes. */
const FIRST_WRITER_BYTES = 512;

/** How often late frames and idle clients are looked for: so many times in the shorter of their limits ... */
const SWEEPS_PER_LIMIT = 8;
/** ... but not less often than this, in milliseconds. */
const LONGEST_SWEEP_MS = 1_000;

/** The topics address cannot be listened on. */
export class TopicListenError extends Error {
  /** "TopicListenError". */
  override readonly name = "TopicListenError";
}

/** Where a {@linkcode TopicPort} listens and for whom. */
export interface TopicPortOptions extends Pick<Services, "state" | "messages" | "cluster"> {
  /** `host:port`; IPv6 in brackets; port 0 takes a free one. */
  readonly address: string;
  /** Where happenings are logged. */
  readonly log: Pick<AgentLog, "write" | "unexpected">;
  /** Who may do what. Default: everybody everything. */
  readonly access?: Access | undefined;
  /** What encrypts connections. Default: they are not encrypted. */
  readonly tls?: TlsServer | undefined;
  /** Connections in all. */
  readonly maxConnections: number;
  /** A client that sends no frame for this long, with nothing to wait for, is disconnected, in milliseconds; 0: none is. */
  readonly idleLimitMs: number;
  /** A request gets its answer within this time, in milliseconds. */
  readonly requestLimitMs: number;
  /** Whether a produce makes the topic that is missing. */
  readonly autoCreate: boolean;
  /** A frame has to end this long after its first byte. Default 30,000 ms. */
  readonly frameLimitMs?: number;
  /** A client that takes no byte for this long, although some wait, is disconnected. Default 30,000 ms. */
  readonly stallLimitMs?: number;
  /** Bytes of frames of all clients that are not whole yet. Default 536,870,912. */
  readonly maxUnfinishedBytes?: number;
  /** Compressed bytes of all clients that wait to be inflated. Default 67,108,864. */
  readonly maxPackedBytes?: number;
  /** How long a client may take to show who it is. Default 10,000 ms. */
  readonly strangerLimitMs?: number;
}

/** Serves clients of topics until it is closed. */
export class TopicPort implements AsyncDisposable {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  readonly #log: PortLog;
  readonly #port: Port<FrameWriter, TopicConversation>;
  readonly #sweepMs: number;
  /** Runs while there are connections. */
  #sweep: ReturnType<typeof setInterval> | undefined;
  #closing = false;

  private constructor(socket: Deno.TcpListener, options: TopicPortOptions) {
    const { log, tls, access, stallLimitMs = STALL_LIMIT_MS } = options;
    this.#log = new PortLog(log, "agent.topics");
    const services = this.#servicesOf(options);
    const { frameLimitMs, idleLimitMs } = services;
    const shortest = Math.min(frameLimitMs, idleLimitMs || Infinity) / SWEEPS_PER_LIMIT;
    this.#sweepMs = Math.min(shortest, LONGEST_SWEEP_MS);
    this.#port = new Port<FrameWriter, TopicConversation>(socket, {
      writers: new WriterPool(() => new FrameWriter(FIRST_WRITER_BYTES)),
      limits: {
        backlogBytes: MAX_BACKLOG_BYTES,
        shared: services.waiting,
        unfinished: new SharedBacklog(options.maxUnfinishedBytes ?? MAX_UNFINISHED_BYTES),
        waitingRecords: 0,
        waitingBytes: 0,
        strangerBytes: MAX_STRANGER_BYTES,
      },
      admission: admissionOf(options, (source, text) => this.#log.trouble(source, text)),
      stallLimitMs,
      drainLimitMs: DRAIN_LIMIT_MS,
      refusal: newRefuser,
      knowsAll: access === undefined,
      ...tls && { secure: (wire) => tls.secure(wire) },
      open: (peer, deliver) => {
        this.#sweep ??= setInterval(() => this.#lookForSilent(), this.#sweepMs);
        return new TopicConversation(peer, services, deliver);
      },
      ...this.#log.events(stallLimitMs),
    });
    this.address = this.#port.address;
  }

  /**
   * Starts listening.
   *
   * @throws {TopicListenError} when the address cannot be used
   */
  static listen(options: TopicPortOptions): TopicPort {
    const { address } = options;
    let socket: Deno.TcpListener;
    try {
      const { host, port } = splitGoAddress(address);
      ({ socket } = listen(host === "" ? "0.0.0.0" : host, port));
    } catch (cause) {
      throw new TopicListenError(listenProblem(address, cause), { cause });
    }
    return new TopicPort(socket, options);
  }

  /** How many connections are open. */
  get size(): number {
    return this.#port.size;
  }

  /** Ends the connections of clients that {@linkcode Access} does not know any more as they are. */
  recheck(): void {
    for (const conversation of this.#port.conversations()) conversation.recheck();
  }

  /** Takes nothing more on, lets requests under way be answered, and closes all connections. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#sweep);
    const conversations = [...this.#port.conversations()];
    await within(DRAIN_LIMIT_MS, Promise.all(conversations.map((one) => one.finish())));
    await this.#port.close();
  }

  /** Same as {@linkcode TopicPort.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #servicesOf(options: TopicPortOptions): Services {
    const { state, messages, cluster, access, autoCreate } = options;
    const isClosing = (): boolean => this.#closing;
    return {
      state,
      messages,
      cluster,
      access,
      autoCreate,
      requestLimitMs: options.requestLimitMs,
      idleLimitMs: options.idleLimitMs,
      frameLimitMs: options.frameLimitMs ?? FRAME_LIMIT_MS,
      waiting: new SharedBacklog(MAX_WAITING_BYTES),
      buffers: new Buffers(MAX_IDLE_BUFFER_BYTES),
      scarce: new Lanes(),
      packing: new Packing(options.maxPackedBytes),
      startedAt: performance.now(),
      get closing() {
        return isClosing();
      },
      complain: (source, kind, text) => this.#log.mistake(`${source} ${kind}`, text),
      incident: (error) => this.#log.incident(error),
    };
  }

  #lookForSilent(): void {
    const now = performance.now();
    for (const conversation of this.#port.conversations()) conversation.sweep(now);
    if (this.#port.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}

/** Tells a client that finds no room, when it has sent its first request. */
function newRefuser(): Refuser {
  let answer: Uint8Array | undefined;
  const splitter = requestSplitter((frame) => {
    answer ??= refusalOf(idOf(frame));
  });
  return (bytes) => {
    splitter.push(bytes);
    if (splitter.pending > MAX_STRANGER_BYTES) throw new Error("Expected a short request");
    return answer;
  };
}

function refusalOf(id: RequestId): Uint8Array {
  const writer = new FrameWriter();
  writeError(writer, id, CODE.OVERLOADED, "There are as many connections as there may be");
  return writer.finish();
}

function idOf(frame: Uint8Array): RequestId {
  try {
    return readRequest(frame).id;
  } catch (error) {
    if (error instanceof FrameError && error.requestId !== undefined) return error.requestId;
    throw error;
  }
}

/** Where nobody has to show anything, nobody is a stranger for long. */
function admissionOf(
  { maxConnections, strangerLimitMs = STRANGER_LIMIT_MS }: TopicPortOptions,
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
