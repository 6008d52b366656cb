/**
 * Listings: one answer out of as many questions as it takes, each a bounded piece of work in a turn of its own.
 *
 * @module
 */

import {
  BAD_AFTER,
  decodePage,
  type Listed,
  listQuestion,
  MAX_LISTED_BYTES,
  pathText,
  resolveBase,
  resolvePath,
} from "../../cluster/machine/kv/mod.ts";
import type { Failure, Result } from "../../cluster/machine/mod.ts";
import { concatBytes } from "../../protocol/bytes.ts";
import type { RequestKey } from "../../protocol/kv/mod.ts";
import {
  type Answer,
  type Consistency,
  OVERLOADED,
  type StateService,
} from "../replica/service.ts";
import { nextTurn } from "../runtime.ts";
import type { Services } from "./services.ts";

/** A listing that takes longer than this ends early, in milliseconds: an answer later than a request's limit is none. */
const LONGEST_MS = 1_000;

/** What is listed. */
export interface Listing {
  readonly path: Uint8Array;
  readonly what: Listed;
  readonly after: Uint8Array | undefined;
  readonly limit: number;
  readonly depth: number | undefined;
}

/** What a request says of a listing. */
export interface ListingWords {
  readonly key?: RequestKey | undefined;
  readonly namespace?: string | undefined;
  readonly use?: string;
  readonly after?: RequestKey | undefined;
  readonly limit: number;
  readonly depth?: number | undefined;
}

/** What comes of a listing. */
export interface ListingAnswer extends Answer {
  /** What the next one has to follow; `undefined` when nothing does. */
  readonly next: string | undefined;
}

/** The listing that a request wants, or what is wrong with it. */
export function listingOf(
  what: Listed,
  { key, namespace, use, after, limit, depth }: ListingWords,
): Listing | Failure {
  const path = resolveBase(key, namespace, use);
  if (!(path instanceof Uint8Array)) return path;
  const behind = after === undefined ? undefined : placeOf(path, what, after);
  if (behind !== undefined && !(behind instanceof Uint8Array)) return behind;
  return { path, what, after: behind, limit, depth };
}

/** Lists for a client of a port, as soon as it is its turn. */
export function list(
  { state, listings, requestLimitMs }: Pick<Services, "state" | "listings" | "requestLimitMs">,
  listing: Listing,
  consistency: Consistency,
): Promise<ListingAnswer> {
  const deadline = performance.now() + requestLimitMs;
  return listings.run(() => {
    const left = deadline - performance.now();
    if (left <= 0) return Promise.resolve(TOO_LATE);
    return gather(state, listing, consistency, left);
  });
}

/**
 * Gathers items until there are as many as wanted or as a line takes. The first failure of a question is that of
 * the listing.
 */
export async function gather(
  state: StateService,
  { path, what, after: first, limit, depth }: Listing,
  consistency: Consistency,
  timeoutMs: number,
): Promise<ListingAnswer> {
  const start = performance.now();
  const parts: Uint8Array[] = [];
  let [after, count, size, lagMs] = [first, 0, 0, 0];
  for (;;) {
    const wanted = { what, after, limit: limit - count, bytes: MAX_LISTED_BYTES - size, depth };
    const left = Math.max(0, timeoutMs - (performance.now() - start));
    const { promise, resolve } = Promise.withResolvers<Answer>();
    state.query(listQuestion(path, wanted), consistency, left, resolve);
    const answer = await promise;
    lagMs = Math.max(lagMs, answer.lagMs);
    if (!answer.result.ok) return { result: answer.result, lagMs, next: undefined };
    const page = decodePage(answer.result.body);
    if (page.count > 0) parts.push(parts.length === 0 ? OPEN : COMMA, page.items);
    count += page.count;
    size += page.items.length + 1;
    if (page.last.length > 0) after = page.last;
    const isWhole = page.end !== "tired" || count >= limit || size >= MAX_LISTED_BYTES ||
      performance.now() - start >= LONGEST_MS;
    if (isWhole) {
      const next = page.end === "done" ? undefined : nextOf(what, after);
      return { result: listed(parts), lagMs, next };
    }
    await nextTurn();
  }
}

/** For a listing that did not get its turn. */
const TOO_LATE: ListingAnswer = { result: OVERLOADED, lagMs: 0, next: undefined };

const OPEN = Uint8Array.of(0x5b);
const COMMA = Uint8Array.of(0x2c);
const CLOSE = Uint8Array.of(0x5d);

function listed(parts: readonly Uint8Array[]): Result {
  const all = parts.length === 0 ? [OPEN, CLOSE] : [...parts, CLOSE];
  return { ok: true, rev: 0, body: concatBytes(all) };
}

/** The path behind which a listing goes on. Places are told as answers tell them: whole paths, and names of children. */
function placeOf(base: Uint8Array, what: Listed, after: RequestKey): Uint8Array | Failure {
  let key = after;
  if (what === "children") {
    if (typeof after !== "string" || after.includes("^")) return BAD_AFTER;
    key = base.length === 0 ? `^${after}` : `^${pathText(base)}^${after}`;
  } else if (typeof after === "string" && !after.startsWith("^")) {
    key = `^${after}`;
  }
  const path = resolvePath(key);
  return path instanceof Uint8Array ? path : BAD_AFTER;
}

function nextOf(what: Listed, last: Uint8Array | undefined): string | undefined {
  if (last === undefined) return undefined;
  const text = pathText(last);
  return what === "children" ? text.slice(text.lastIndexOf("^") + 1) : text;
}
