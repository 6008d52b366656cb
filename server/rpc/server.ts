/**
 * The RPC listener of an agent (agent.md 1).
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../cluster/log_limiter.ts";
import { formatDuration } from "../../protocol/duration.ts";
import { listenProblem, splitGoAddress } from "../config/addresses.ts";
import { background } from "../logging/background.ts";
import { within } from "../net/deadline.ts";
import type { Reload, RpcBackend } from "./backend.ts";
import { Connection } from "./connection.ts";
import { Conversation } from "./conversation.ts";
import { EventHub } from "./event_hub.ts";
import type { Services } from "./handler.ts";
import { SHUTDOWN_FLUSH_MS, STALL_LIMIT_MS } from "./limits.ts";
import { LogHub } from "./log_hub.ts";
import { MemberList } from "./member_list.ts";
import { Output } from "./output.ts";
import { Session } from "./session.ts";

/** How often stalled clients are looked for, as a part of the time they have. */
const SWEEPS_PER_LIMIT = 6;

/** Pause after a failed accept, e.g. when no file descriptor is free, in milliseconds. */
const ACCEPT_PAUSE_MS = 100;

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
}

/** Serves the RPC clients of an agent until the agent or the server is closed. */
export class RpcServer implements AsyncDisposable {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  readonly #listener: Deno.TcpListener;
  readonly #backend: RpcBackend;
  readonly #stallLimitMs: number;
  readonly #events: EventHub;
  readonly #logs: LogHub;
  readonly #services: Services;
  /** The open connections, each with what resolves when it has ended. */
  readonly #clients = new Map<Connection, Promise<void>>();
  readonly #badInput = new LogLimiter(performance);
  readonly #troubles = new LogLimiter(performance);
  readonly #closing = Promise.withResolvers<void>();
  readonly #accepting: Promise<void>;
  #sweep: ReturnType<typeof setInterval> | undefined;
  #closed: Promise<void> | undefined;

  private constructor(listener: Deno.TcpListener, backend: RpcBackend, options: RpcServerOptions) {
    this.#listener = listener;
    this.#stallLimitMs = options.stallLimitMs ?? STALL_LIMIT_MS;
    this.address = listener.addr;
    this.#backend = backend;
    this.#events = new EventHub(backend);
    this.#logs = new LogHub(backend.log);
    this.#services = {
      backend,
      rpcAuth: options.authKey ?? "",
      reload: options.reload,
      memberList: new MemberList(backend),
      rpcStats: () => this.stats(),
    };
    this.#accepting = this.#accept();
    background(backend.closed.then(() => this.close()), backend.log);
  }

  /**
   * Starts listening.
   *
   * @throws {RpcListenError} when the address cannot be used.
   */
  static listen(backend: RpcBackend, options: RpcServerOptions): RpcServer {
    const { address } = options;
    let listener: Deno.TcpListener;
    try {
      const { host, port } = splitGoAddress(address);
      listener = Deno.listen({ hostname: host === "" ? "0.0.0.0" : host, port });
    } catch (cause) {
      throw new RpcListenError(listenProblem(address, cause), { cause });
    }
    return new RpcServer(listener, backend, options);
  }

  /** The figures for `stats`. */
  stats(): Record<string, string> {
    let [monitors, queries, pending] = [0, 0, 0];
    for (const { session } of this.#clients.keys()) {
      if (session.monitoring) monitors++;
      queries += session.queries;
      pending += session.pendingQueries;
    }
    return {
      clients: String(this.#clients.size),
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
    this.#closing.resolve();
    this.#listener.close();
    clearInterval(this.#sweep);
    this.#events.close();
    const served = [...this.#clients.values()];
    const flushed = Array.from(this.#clients.keys(), ({ session }) => session.output.drained(0));
    await within(SHUTDOWN_FLUSH_MS, Promise.all(flushed));
    for (const connection of this.#clients.keys()) connection.close();
    await Promise.all([...served, ...this.#clients.values()]);
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    while (this.#closed === undefined) {
      try {
        const conn = await this.#listener.accept();
        if (this.#closed === undefined) this.#serve(conn);
        else conn.close();
      } catch (cause) {
        if (this.#closed !== undefined) return;
        this.#trouble("accept", `Failed to accept client: ${(cause as Error).message}`);
        await within(ACCEPT_PAUSE_MS, this.#closing.promise);
      }
    }
  }

  #serve(conn: Deno.TcpConn): void {
    const output = new Output(conn, (fault) => {
      connection.close();
      if (fault !== undefined) this.#backend.log.unexpected(fault);
    });
    const session = new Session(conn.remoteAddr, output, this.#events, this.#logs);
    const conversation = new Conversation(session, this.#services, this.#badInput);
    const connection = new Connection(conn, session, conversation);
    this.#backend.metrics?.count("agent.ipc.accept");
    this.#backend.log.write("INFO", "agent.ipc", `Accepted client: ${session.client}`);
    const served = connection.serve(this.#forget);
    if (connection.closed) return;
    this.#clients.set(connection, served);
    this.#sweep ??= setInterval(
      () => this.#closeStalled(),
      this.#stallLimitMs / SWEEPS_PER_LIMIT,
    );
  }

  readonly #forget = (connection: Connection): void => {
    this.#clients.delete(connection);
    if (this.#clients.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  };

  #closeStalled(): void {
    const now = performance.now();
    for (const connection of this.#clients.keys()) {
      const { session } = connection;
      if (session.output.stalledFor(now) < this.#stallLimitMs) continue;
      connection.close();
      const time = formatDuration(this.#stallLimitMs);
      this.#trouble(
        session.source,
        `Closing ipc.client: ${session.client}: read nothing for ${time}`,
      );
    }
  }

  #trouble(key: string, text: string): void {
    const hidden = this.#troubles.admit(key);
    if (hidden === undefined) return;
    this.#backend.log.write("WARN", "agent.ipc", text + hiddenNote(hidden));
  }
}
