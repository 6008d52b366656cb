/**
 * The way to the server that leads, and the tries until a request is done.
 *
 * @module
 */

import { OutcomeUnknownError } from "../../../protocol/kv/errors.ts";
import { CODE, FEATURE, FLAG } from "../../../protocol/topics/codes.ts";
import { TopicError } from "../../../protocol/topics/errors.ts";
import type { Replies, RequestKind, Requests, TopicServer } from "../../../protocol/topics/mod.ts";
import { joinHostPort } from "../../../protocol/host_port.ts";
import { type CallOptions, pause } from "../../net/deadline.ts";
import { ConnectionClosedError } from "../../net/errors.ts";
import type { Traffic } from "../statistics.ts";
import { closedHere, type TopicConnection } from "./connection.ts";
import type { Connections } from "./connections.ts";
import { leaderSaidBy, remedyFor, Tries, type TriesOptions, UnsentError } from "./retry.ts";

/** Servers of one cluster that are remembered. */
const MAX_TOLD = 100;

/** So long it is believed that a server leads which was told what it does not answer, in milliseconds: it would not say that it leads no more. */
const BELIEVED_MS = 1_000;

/** How a client asks. */
export interface ClusterOptions extends TriesOptions {
  /** Where servers are, at least one. */
  readonly addresses: readonly string[];
  /** Milliseconds that a request may take. */
  readonly timeoutMs: number;
}

/** How one request is asked. */
export interface AskOptions extends CallOptions {
  /** Whether it changes something: whether it was done is not known when its answer is lost. */
  readonly changes?: boolean;
  /** Whether it may be asked again although it may have been done. Default: unless it changes something. */
  readonly repeatable?: boolean;
  /** Which connection it goes over, if that matters. */
  readonly affinity?: number;
  /** Whether any server may answer. */
  readonly anywhere?: boolean;
}

/** A request, and what is asked in its place of a server that knows no compression. */
export interface Packed<K extends RequestKind> {
  readonly packed: Requests[K];
  readonly plain: Requests[K];
}

/** The servers, as far as one client knows them. */
export class Cluster {
  readonly #connections: Connections;
  readonly #options: ClusterOptions;
  readonly #traffic: Traffic;
  readonly #closing = new AbortController();
  /** Address of the server that led when it was last heard of. */
  #leader: string | undefined;
  /** When it last answered as one, by `performance.now()`. */
  #ledAt = -Infinity;
  /** There while it is asked who leads. */
  #finding: Promise<void> | undefined;
  /** Where servers are: the addresses that were given, then those that servers have told. */
  #addresses: readonly string[];
  /** Which of the addresses is asked when nobody is known to lead. */
  #next = 0;

  /** Asks over `connections`. */
  constructor(connections: Connections, options: ClusterOptions, traffic: Traffic) {
    this.#connections = connections;
    this.#options = options;
    this.#traffic = traffic;
    this.#addresses = options.addresses;
  }

  /** Fires when the client is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Whether it is known who leads. */
  get leads(): boolean {
    return this.#leader !== undefined;
  }

  /** Bytes, requests and failures so far. */
  get traffic(): Readonly<Traffic> {
    return this.#traffic;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#connections.open;
  }

  /**
   * Makes sure that one of the servers can be reached.
   *
   * Rejects with why the last one cannot, or with what one of them says that will not let us in.
   */
  async reach(signal?: AbortSignal): Promise<void> {
    const { addresses, timeoutMs } = this.#options;
    for (let left = addresses.length; left > 0; left--) {
      try {
        return await this.#at(
          { ...signal && { signal }, timeoutMs, anywhere: true },
          async () => {},
        );
      } catch (error) {
        const isFinal = error instanceof TopicError && remedyFor(error) === "none";
        if (left === 1 || isFinal || signal?.aborted) throw error;
      }
    }
  }

  /**
   * Has a request done, with as many tries as may be and its time allows.
   *
   * Rejects with the `TopicError` of a server that refuses it; with an `OutcomeUnknownError` when it may have been done; when there
   * was no answer in time with a `TimeoutError` whose cause is what kept it from being done; with the reason of the signal.
   */
  async ask<K extends RequestKind>(
    kind: K,
    request: Requests[K] | Packed<K>,
    options: AskOptions = {},
  ): Promise<Replies[K]> {
    const { signal, changes = false, repeatable = !changes } = options;
    const { timeoutMs = this.#options.timeoutMs } = options;
    const tries = new Tries(this.#options, timeoutMs);
    for (;;) {
      try {
        return await this.attempt(kind, request, { ...options, timeoutMs: tries.left() });
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        const delay = tries.after(error, repeatable, this.leads);
        const outcome = (cause: unknown) => tries.wasOpen && changes ? lost(cause) : cause;
        if (this.#closing.signal.aborted) throw outcome(closed());
        if (delay === undefined) throw outcome(error);
        if (delay >= tries.left()) {
          throw outcome(tries.late(`"${kind}" was not done within ${timeoutMs} ms`));
        }
        this.#traffic.retries++;
        await this.rest(delay, signal);
      }
    }
  }

  /**
   * Asks once, the server that is thought to lead, or any.
   *
   * Rejects with what the one that was asked says, or with what kept it from that; see {@linkcode remedyFor}.
   */
  async attempt<K extends RequestKind>(
    kind: K,
    request: Requests[K] | Packed<K>,
    options: AskOptions & { readonly timeoutMs: number; readonly flags?: number },
  ): Promise<Replies[K]> {
    const { signal, timeoutMs, anywhere = false, flags = 0 } = options;
    const reply = await this.#at(
      options,
      (connection, left) =>
        connection.call(kind, forServer(request, connection), {
          ...signal && { signal },
          timeoutMs: Math.min(left, timeoutMs),
          flags: anywhere ? flags | FLAG.anyServer : flags,
        }),
    );
    if (!anywhere) this.#ledAt = performance.now();
    if ("servers" in reply) this.#meet(reply.servers);
    return reply;
  }

  /** Sends a request that gets no reply to the server that is thought to lead. Resolves when it has left. */
  async post<K extends RequestKind>(
    kind: K,
    request: Requests[K] | Packed<K>,
    options: AskOptions & { readonly timeoutMs: number },
  ): Promise<void> {
    if (this.#leader === undefined || performance.now() - this.#ledAt >= BELIEVED_MS) {
      // One for all, so that those who wait go on in their order.
      const { plain } = "packed" in request ? request : { plain: request };
      this.#finding ??= this.#find("topic" in plain ? [plain.topic] : [], options)
        .finally(() => this.#finding = undefined);
      await this.#finding;
    }
    await this.#at(
      options,
      (connection) => connection.post(kind, forServer(request, connection), 0),
    );
  }

  /** Asks who leads, with a look at some topics: all of them may be many. */
  async #find(topics: readonly string[], options: { readonly timeoutMs: number }): Promise<void> {
    const { servers, leader } = await this.attempt("metadata", { topics }, options);
    this.#leader = addressOf(servers.find(({ id }) => id === leader));
  }

  /** Waits before another try. */
  async rest(ms: number, signal?: AbortSignal): Promise<void> {
    const { signal: closing } = this.#closing;
    await pause(ms, signal === undefined ? closing : AbortSignal.any([closing, signal]));
    signal?.throwIfAborted();
  }

  /** Ends all that is under way, and all connections. Resolves when nothing is left. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connections.close();
  }

  async #at<T>(
    { signal, timeoutMs, affinity, anywhere }: AskOptions & { readonly timeoutMs: number },
    use: (connection: TopicConnection, leftMs: number) => Promise<T>,
  ): Promise<T> {
    if (this.#closing.signal.aborted) throw new UnsentError("Client is closed");
    const started = performance.now();
    const known = anywhere ? undefined : this.#leader;
    const address = known ?? this.#addresses[this.#next % this.#addresses.length] as string;
    try {
      const connection = await this.#connections.take(address, affinity, {
        signal,
        timeoutMs,
        timeoutError: () => new UnsentError(`No connection to ${address} in ${timeoutMs} ms`),
        giveUp() {},
      });
      this.#traffic.requests++;
      const left = Math.max(0, timeoutMs - (performance.now() - started));
      const result = await use(connection, left);
      if (!anywhere) this.#leader = address;
      return result;
    } catch (error) {
      if (signal?.aborted) throw error;
      this.#traffic.failures++;
      this.#learn(error, address);
      throw error;
    }
  }

  /** Servers that were told of are asked, too, when nobody is known to lead. */
  #meet(servers: readonly TopicServer[]): void {
    const told = servers.slice(0, MAX_TOLD).flatMap((server) => addressOf(server) ?? []);
    this.#addresses = [...new Set([...this.#options.addresses, ...told])];
  }

  /** What a failure tells of who leads. */
  #learn(error: unknown, address: string): void {
    if (error instanceof TopicError && error.code === CODE.NOT_LEADER) {
      const leader = leaderSaidBy(error);
      if (leader !== undefined && leader !== address) return void (this.#leader = leader);
    } else if (error instanceof TopicError && remedyFor(error) !== "open") {
      return;
    }
    // Another call may have found the one that leads meanwhile.
    if (this.#leader === address) this.#leader = undefined;
    this.#next++;
  }
}

function forServer<K extends RequestKind>(
  request: Requests[K] | Packed<K>,
  { features }: TopicConnection,
): Requests[K] {
  if (!("packed" in request)) return request;
  return (features & FEATURE.compression) === 0 ? request.plain : request.packed;
}

/** The address of a server that serves topics. */
function addressOf(server: TopicServer | undefined): string | undefined {
  return server && server.port > 0 ? joinHostPort(server.host, server.port) : undefined;
}

/** What became of it is not known. */
export function lost(cause: unknown): OutcomeUnknownError {
  return new OutcomeUnknownError({ ok: false, code: 504, reason: "OUTCOME_UNKNOWN" }, { cause });
}

/** The client is closed. */
export function closed(): ConnectionClosedError {
  return new ConnectionClosedError({ cause: closedHere() });
}
