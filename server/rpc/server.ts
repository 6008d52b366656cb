/**
 * The RPC port of an agent (docs/spec/agent.md 1).
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../cluster/log_limiter.ts";
import { formatDuration } from "../../protocol/duration.ts";
import { Writer } from "../../protocol/msgpack/mod.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { splitGoAddress } from "../config/addresses.ts";
import { background } from "../logging/background.ts";
import type { LogLevel } from "../logging/log.ts";
import { Admission, type AdmissionLimits } from "../net/admission.ts";
import type { Peer } from "../net/conversation.ts";
import { listen } from "../net/listen.ts";
import { Port } from "../net/port.ts";
import { listenProblem } from "../net/problems.ts";
import { WriterPool } from "../net/writer_pool.ts";
import type { Reload, RpcBackend } from "./backend.ts";
import { ClientState } from "./client_state.ts";
import { RpcConversation } from "./conversation.ts";
import { EventHub } from "./event_hub.ts";
import type { Services } from "./handler.ts";
import {
  AUTH_DELAY_MS,
  MAX_BACKLOG_BYTES,
  MAX_CLIENTS,
  MAX_CLIENTS_PER_SOURCE,
  MAX_STRANGER_BYTES,
  MAX_STRANGERS,
  MAX_STRANGERS_PER_SOURCE,
  MAX_WAITING_BYTES,
  MAX_WAITING_RECORDS,
  SHUTDOWN_FLUSH_MS,
  STALL_LIMIT_MS,
  STRANGER_LIMIT_MS,
} from "./limits.ts";
import { LogHub } from "./log_hub.ts";
import { MemberList } from "./member_list.ts";

/** Caps on connections. */
const ADMISSION_LIMITS: AdmissionLimits = {
  connections: MAX_CLIENTS,
  perSource: MAX_CLIENTS_PER_SOURCE,
  strangers: MAX_STRANGERS,
  strangersPerSource: MAX_STRANGERS_PER_SOURCE,
  strangerMs: STRANGER_LIMIT_MS,
};

/** First size of a buffer for answers, in bytes. */
const FIRST_WRITER_BYTES = 1_024;

/**
 * The RPC address cannot be listened on. The message has the form of the Go agent.
 *
 * @example
 * ```ts
 * import { Agent, RpcListenError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { address } = agent.listenRpc("127.0.0.1:0");
 * assert.throws(() => agent.listenRpc(`127.0.0.1:${address.port}`), RpcListenError);
 * ```
 */
export class RpcListenError extends Error {
  /** "RpcListenError". */
  override readonly name = "RpcListenError";
}

/** Where an {@linkcode RpcServer} listens. */
export interface RpcServerOptions {
  /** `host:port`; IPv6 in brackets; port 0 takes a free one. */
  readonly address: string;
  /** Token that clients must show. Default "": none. */
  readonly authKey?: string;
  /** What the command `reload` does. Default: it fails. */
  readonly reload?: Reload | undefined;
  /** A client that takes no byte for this long, although some wait, is disconnected. Default 30,000 ms. */
  readonly stallLimitMs?: number;
  /** Caps on connections. Default: those of docs/LIMITS.md. */
  readonly admission?: Partial<AdmissionLimits>;
  /** How long a wrong token waits for its answer. Default 500 ms. */
  readonly authDelayMs?: number;
}

/** Serves the RPC clients of an agent until the agent or the server is closed. */
export class RpcServer implements AsyncDisposable {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  readonly #backend: RpcBackend;
  readonly #events: EventHub;
  readonly #logs: LogHub;
  readonly #services: Services;
  readonly #badInput = new LogLimiter(performance);
  readonly #troubles = new LogLimiter(performance);
  readonly #port: Port<Writer, RpcConversation>;
  #closed: Promise<void> | undefined;

  private constructor(socket: Deno.TcpListener, backend: RpcBackend, options: RpcServerOptions) {
    const stallLimitMs = options.stallLimitMs ?? STALL_LIMIT_MS;
    this.#backend = backend;
    this.#events = new EventHub(backend);
    this.#logs = new LogHub(backend.log);
    this.#services = {
      backend,
      token: encodeUtf8(options.authKey ?? ""),
      authDelayMs: options.authDelayMs ?? AUTH_DELAY_MS,
      reload: options.reload,
      memberList: new MemberList(backend),
      rpcStats: () => this.stats(),
      complain: ({ peer }, level, text) => this.#write(this.#badInput, peer.source, level, text),
    };
    const strangerBytes = MAX_STRANGER_BYTES + this.#services.token.length;
    this.#port = new Port(socket, {
      writers: new WriterPool(() => new Writer("rpc", FIRST_WRITER_BYTES)),
      limits: {
        backlogBytes: MAX_BACKLOG_BYTES,
        waitingRecords: MAX_WAITING_RECORDS,
        waitingBytes: MAX_WAITING_BYTES,
        strangerBytes,
      },
      admission: new Admission(
        { ...ADMISSION_LIMITS, ...options.admission },
        (source, text) => this.#trouble(source, text),
      ),
      stallLimitMs,
      drainLimitMs: SHUTDOWN_FLUSH_MS,
      open: (peer, deliver) => this.#open(peer, deliver),
      onUnexpected: (error) => backend.log.unexpected(error),
      onAcceptFailure: (cause) => {
        this.#trouble("accept", `Failed to accept client: ${(cause as Error).message}`);
      },
      onStall: ({ name, source }) => {
        const time = formatDuration(stallLimitMs);
        this.#trouble(source, `Closing ipc.client: ${name}: read nothing for ${time}`);
      },
    });
    this.address = this.#port.address;
    background(backend.closed.then(() => this.close()), backend.log);
  }

  /**
   * Starts listening.
   *
   * @throws {RpcListenError} when the address cannot be used.
   */
  static listen(backend: RpcBackend, options: RpcServerOptions): RpcServer {
    const { address } = options;
    let socket: Deno.TcpListener;
    try {
      const { host, port } = splitGoAddress(address);
      ({ socket } = listen(host === "" ? "0.0.0.0" : host, port));
    } catch (cause) {
      throw new RpcListenError(listenProblem(address, cause), { cause });
    }
    return new RpcServer(socket, backend, options);
  }

  /** The figures for `stats`. */
  stats(): Record<string, string> {
    let [monitors, queries, pending] = [0, 0, 0];
    for (const { client } of this.#port.conversations()) {
      if (client.monitoring) monitors++;
      queries += client.queries;
      pending += client.pendingQueries;
    }
    return {
      clients: String(this.#port.size),
      streams: String(this.#events.size),
      monitors: String(monitors),
      queries: String(queries),
      pending_queries: String(pending),
      dropped_events: String(this.#events.dropped),
      dropped_logs: String(this.#logs.dropped),
    };
  }

  /** Stops listening, gives answers on their way a moment, and closes all connections. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Same as {@linkcode RpcServer.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#events.close();
    await this.#port.close();
  }

  #open(peer: Peer<Writer>, deliver: (value: Uint8Array) => void): RpcConversation {
    this.#backend.metrics?.count("agent.ipc.accept");
    this.#backend.log.write("INFO", "agent.ipc", `Accepted client: ${peer.name}`);
    const client = new ClientState(peer, this.#events, this.#logs);
    return new RpcConversation(client, this.#services, deliver);
  }

  #trouble(key: string, text: string): void {
    this.#write(this.#troubles, key, "WARN", text);
  }

  #write(limiter: LogLimiter, key: string, level: LogLevel, text: string): void {
    const hidden = limiter.admit(key);
    if (hidden === undefined) return;
    this.#backend.log.write(level, "agent.ipc", text + hiddenNote(hidden));
  }
}
