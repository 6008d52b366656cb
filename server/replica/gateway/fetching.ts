/**
 * The fetches of a gateway: what one server cannot say is asked of the next.
 *
 * @module
 */

import type { Clock } from "../../../cluster/runtime.ts";
import { compareBytes } from "../../../protocol/bytes.ts";
import type { PeerNet } from "../driver/parts.ts";
import {
  decodeFetched,
  encodeFetch,
  type Fetch,
  type Fetched,
  GONE,
  NUDGE,
} from "../watching/fetch_codec.ts";

/** How long a server may take beside what a fetch may wait, in milliseconds. */
const ANSWER_LIMIT_MS = 1_000;

/** As {@linkcode FetchingParts.goneLimitMs}. */
const GONE_LIMIT_MS = 5_000;

/** What it needs of its surroundings. */
export interface FetchingParts {
  /** The way to the servers. */
  readonly peers: () => Pick<PeerNet, "request">;
  /** The ids of the servers that may be asked. */
  readonly servers: () => readonly string[];
  /** Somebody watches, and there is no server. */
  readonly missing: () => void;
  /**
   * How long servers that cannot answer are waited for, in milliseconds, when all others do not keep any more what is asked for.
   * Default 5,000.
   */
  readonly goneLimitMs?: number;
}

/** The doubt whether something is gone for good that some servers do not keep any more, from one try to the next. */
export interface Doubt {
  /** Since when there is any, in milliseconds of the clock. */
  since: number | undefined;
}

/** Asks servers. */
export class Fetching {
  readonly #parts: FetchingParts;
  readonly #clock: Clock;
  /** The server that has answered last, and the one where a fetch waits for a change. */
  #server: string | undefined;
  #waitingAt: string | undefined;
  #isClosed = false;

  /** Nobody is asked yet. */
  constructor(parts: FetchingParts, clock: Clock) {
    this.#parts = parts;
    this.#clock = clock;
  }

  /**
   * What the first server has that can say; {@linkcode GONE} when none of them has it any more, `undefined` when it is to be asked
   * for again. One that cannot answer, or is behind, may be the one that has it: beside such a one the others are believed only
   * after a while.
   */
  async fetch(fetch: Fetch, doubt: Doubt): Promise<Fetched | typeof GONE | undefined> {
    const servers = this.#parts.servers();
    if (servers.length === 0) this.#parts.missing();
    let gone = 0;
    let { waitMs } = fetch;
    for (const id of inTurn(servers, this.#server)) {
      if (this.#isClosed) return undefined;
      const fetched = await this.#request(id, { ...fetch, waitMs });
      // Meanwhile somebody may have come who wants something else, so that the others are not to wait for a change.
      waitMs = 0;
      if (fetched === GONE) gone++;
      else if (fetched !== undefined && isFor(fetch, fetched)) {
        this.#server = id;
        doubt.since = undefined;
        return fetched;
      }
    }
    if (gone === 0 || gone === servers.length) {
      doubt.since = undefined;
      return gone === 0 ? undefined : GONE;
    }
    const now = this.#clock.now();
    doubt.since ??= now;
    const { goneLimitMs = GONE_LIMIT_MS } = this.#parts;
    return now - doubt.since < goneLimitMs ? undefined : GONE;
  }

  /** Has a fetch answered at once that waits for a change. */
  nudge(): void {
    if (this.#waitingAt === undefined) return;
    const nudged = this.#parts.peers().request(this.#waitingAt, NUDGE, ANSWER_LIMIT_MS);
    this.#waitingAt = undefined;
    // Without it the fetch is answered in time.
    nudged.catch(() => {});
  }

  /** Asks nobody any more. */
  close(): void {
    this.#isClosed = true;
  }

  async #request(id: string, fetch: Fetch): Promise<Fetched | typeof GONE | undefined> {
    const { waitMs } = fetch;
    if (waitMs > 0) this.#waitingAt = id;
    try {
      const request = this.#parts.peers().request(id, encodeFetch(fetch), waitMs + ANSWER_LIMIT_MS);
      return decodeFetched(await request);
    } catch {
      // Whatever it was that went wrong on the way there, or back: another one is asked.
      return undefined;
    } finally {
      if (waitMs > 0) this.#waitingAt = undefined;
    }
  }
}

/** The ids from one on, and then the others; where there is none, from any on. */
function inTurn(ids: readonly string[], first: string | undefined): readonly string[] {
  const found = first === undefined ? -1 : ids.indexOf(first);
  const start = found < 0 ? Math.floor(Math.random() * ids.length) : found;
  return [...ids.slice(start), ...ids.slice(0, start)];
}

/** Whether an answer goes on from where it was asked to. */
function isFor({ from, page: wanted }: Fetch, { changes, rev, page }: Fetched): boolean {
  if (rev < from - 1 || (changes.length > 0 && (changes[0]?.rev ?? 0) < Math.max(from, 1))) {
    return false;
  }
  return page?.next === undefined ||
    (wanted !== undefined && compareBytes(page.next, wanted.from) > 0);
}
