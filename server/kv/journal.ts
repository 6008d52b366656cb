/**
 * What is counted and logged of one client: its mistakes, its requests where that is wanted, and its end; never a key or a value.
 *
 * @module
 */

import type { Failure, Result } from "../../cluster/machine/mod.ts";
import { formatDuration } from "../../protocol/duration.ts";
import type { LineWriter } from "../../protocol/kv/mod.ts";
import type { Peer } from "../net/conversation.ts";
import type { Services } from "./services.ts";

/** Codes that blame the client for the request itself; they are logged. */
const FAULTS: readonly number[] = [400, 401, 403, 405, 408, 413, 422, 426];

/** A request whose end is to be logged. */
export interface Told {
  readonly action: string;
  /** When it came, in milliseconds. */
  readonly since: number;
}

/** What is known of one client, for its last line. */
export interface Ending {
  /** The entry that it was let in by, if there was one. */
  readonly name: string | undefined;
  /** Why the connection ended, if it ended here. */
  readonly reason: string | undefined;
  /** Lines that were taken. */
  readonly requests: number;
}

/** Keeps count of one client. */
export class Journal {
  readonly #peer: Peer<LineWriter>;
  readonly #services: Services;
  readonly #since = performance.now();
  #failures = 0;

  /** Begins with the connection. */
  constructor(peer: Peer<LineWriter>, services: Services) {
    this.#peer = peer;
    this.#services = services;
  }

  /** A request was refused, or has failed. */
  failed({ code, reason, field }: Failure): void {
    this.#failures++;
    this.#services.counters.failures++;
    if (!FAULTS.includes(code)) return;
    const text = `${code} ${reason}${field === undefined ? "" : ` ('${field}')`}`;
    this.#services.complain(this.#peer.source, reason, `${this.#peer.name}: ${text}`);
  }

  /** Something has come of a request. */
  done({ action, since }: Told, result: Result): void {
    const { name } = this.#peer;
    const outcome = result.ok ? "ok" : `${result.code} ${result.reason}`;
    const ms = Math.round(performance.now() - since);
    const fields = { peer: name, action, code: result.ok ? 200 : result.code, ms };
    this.#services.tell(() => `${name}: ${action}: ${outcome}, ${ms} ms`, fields);
  }

  /** The connection is gone. */
  ended({ name, reason, requests }: Ending): void {
    const time = formatDuration(Math.round(performance.now() - this.#since));
    const who = name === undefined ? "" : ` of '${name}'`;
    const why = reason === undefined ? "" : ` (${reason})`;
    const figures = `requests ${requests}, failures ${this.#failures}`;
    this.#services.tell(`Closed client: ${this.#peer.name}${who} after ${time}${why}: ${figures}`);
  }
}
