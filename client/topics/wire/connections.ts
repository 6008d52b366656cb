/**
 * The connections to servers: to each server as many as there may be, opened when they are needed and closed when nobody needs
 * them for long.
 *
 * @module
 */

import { type Deadline, waitFor } from "../../net/deadline.ts";
import { reportFault } from "../../net/portable.ts";
import type { TopicConnection } from "./connection.ts";

/** How often it is looked for connections that nobody needs, in milliseconds. */
const SWEEP_MS = 30_000;

/** What is opened, and how much of it. */
export interface ConnectionsOptions {
  /** Opens a connection to `address`. */
  open(address: string, signal: AbortSignal): Promise<TopicConnection>;
  /** Connections to one server at most. */
  readonly perServer: number;
  /** A connection that was idle for so many milliseconds is closed. */
  readonly idleMs: number;
}

/** A place for a connection: one that is open, or is about to be. */
interface Slot {
  connection?: TopicConnection;
  opening?: Promise<TopicConnection>;
}

/** The connections of one client. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #servers = new Map<string, Slot[]>();
  readonly #closing = new AbortController();
  #turn = 0;
  #sweeper: ReturnType<typeof setInterval> | undefined;

  /** Opens none yet. */
  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** How many are open. */
  get open(): number {
    return [...this.#slots()].filter(({ connection }) => connection?.isClosed === false).length;
  }

  /**
   * An open connection to `address`: always the same for one `affinity` as long as it lasts, else the next one in turn. Rejects with
   * what keeps it from being opened.
   */
  take(
    address: string,
    affinity: number | undefined,
    deadline: Deadline,
  ): Promise<TopicConnection> {
    const slots = this.#servers.get(address) ?? [];
    this.#servers.set(address, slots);
    const slot = slots[(affinity ?? this.#turn++) % this.#options.perServer] ??= {};
    const { connection } = slot;
    if (connection?.isClosed === false) return Promise.resolve(connection);
    slot.opening ??= this.#open(address, slot);
    const { opening } = slot;
    return waitFor<TopicConnection>(deadline, ({ resolve, reject }) => {
      opening.then(resolve, reject);
    });
  }

  /** Closes all of them. Resolves when nothing is left. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { opening } of this.#slots()) {
      if (opening !== undefined) await opening.catch(() => {}); // It was told to stop.
    }
    clearInterval(this.#sweeper);
    await Promise.all([...this.#slots()].map(({ connection }) => connection?.close()));
  }

  async #open(address: string, slot: Slot): Promise<TopicConnection> {
    try {
      const connection = await this.#options.open(address, this.#closing.signal);
      slot.connection = connection;
      this.#sweeper ??= setInterval(() => this.#sweep(), Math.min(SWEEP_MS, this.#options.idleMs));
      return connection;
    } finally {
      delete slot.opening;
    }
  }

  #sweep(): void {
    const now = performance.now();
    for (const [address, slots] of this.#servers) {
      for (const slot of slots) {
        const { connection } = slot;
        if (connection === undefined) continue;
        if (now - connection.idleSince >= this.#options.idleMs) {
          connection.close().catch(reportFault);
        }
        if (connection.isClosed) delete slot.connection;
      }
      if (slots.every(({ connection, opening }) => !connection && !opening)) {
        this.#servers.delete(address);
      }
    }
    if (this.#servers.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  *#slots(): Generator<Slot> {
    for (const slots of this.#servers.values()) yield* slots.filter(Boolean);
  }
}
