/**
 * How an agent that keeps no state fetches changes from a server, for all that its clients watch.
 *
 *     fetch   0xf5 | JSON: the revision to begin at (0: none, only how far the server is), what is watched, how long the answer
 *             may wait for a change, and if values are wanted, from which key up to which
 *     answer  u8 1 | u64 revision up to which all changes are there | u32 length | changes | page, if there is one
 *             u8 0: changes from there on are not kept any more
 *     page    u32 length of the key where the next page begins, 2^32-1 for none | key | values
 *     nudge   0xf6  has a fetch that waits answered at once
 *
 * Changes are as `cluster/watch/bytes.ts` has them, and values as if they were set. A revision is whole or not there at all.
 *
 * @module
 */

import {
  ChangeError,
  changesIn,
  type Page,
  type Place,
  putChange,
  sizeOf,
  tellable,
} from "../../../cluster/watch/mod.ts";
import { VALUES } from "../../../cluster/machine/kv/mod.ts";
import { MAX_PATH_BYTES } from "../../../cluster/machine/kv/path.ts";
import type { NodeChange } from "../../../cluster/machine/mod.ts";
import { concatBytes, getU32, getU64, NO_BYTES, putU32, putU64 } from "../../../protocol/bytes.ts";
import {
  flag,
  listOf,
  matching,
  optional,
  record,
  text,
  whole,
} from "../../../protocol/json_shape.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { jsonOf, REQUEST } from "../wire_requests.ts";

/** Most places of one fetch. */
export const MAX_PLACES = 128;

/** Longest time that the answer to a fetch may wait for a change, in milliseconds. */
export const MAX_WAIT_MS = 10_000;

/** What is fetched. */
export interface Fetch {
  /** The first revision that is wanted; 0: no changes. */
  readonly from: number;
  /** What is watched; changes of anything else are left out. */
  readonly places: readonly Place[];
  /** How long the answer may wait for a change, in milliseconds. */
  readonly waitMs: number;
  /** Values that are wanted: those of the keys from one up to another. */
  readonly page?: { readonly from: Uint8Array; readonly to: Uint8Array } | undefined;
}

/** What a server has. */
export interface Fetched {
  /** In the order of their revisions. */
  readonly changes: readonly NodeChange[];
  /** All changes up to this revision are there. */
  readonly rev: number;
  /** Values as they are at `rev`. */
  readonly page?: Page | undefined;
}

/** Changes that are wanted are not kept any more. */
export const GONE = "gone";

/** Has the fetch that waits answered at once. */
export const NUDGE: Uint8Array = Uint8Array.of(REQUEST.nudge);

const NO_KEY = 0xffff_ffff;
const HEAD_BYTES = 1 + 8 + 4;
/** A key of a value, of at most 2,048 bytes, or what follows one, in hex. */
const isKey = matching(new RegExp(`^${VALUES.toHex()}(?:[0-9a-f]{2}){0,2050}$`));

const isFetch = record({
  from: whole(0),
  places: listOf(record({ path: text(MAX_PATH_BYTES), tree: flag }), MAX_PLACES),
  waitMs: (value) => whole(0)(value) && (value as number) <= MAX_WAIT_MS,
  page: optional(record({ from: isKey, to: isKey })),
});

/** The bytes of a fetch. */
export function encodeFetch({ page, ...rest }: Fetch): Uint8Array {
  const keys = page && { page: { from: page.from.toHex(), to: page.to.toHex() } };
  return concatBytes([
    Uint8Array.of(REQUEST.fetch),
    encodeUtf8(JSON.stringify({ ...rest, ...keys })),
  ]);
}

/** The fetch in a request, `undefined` when it is none. */
export function decodeFetch(bytes: Uint8Array): Fetch | undefined {
  const value = jsonOf(bytes.subarray(1));
  if (!isFetch(value)) return undefined;
  const { page, ...rest } = value as Omit<Fetch, "page"> & { page?: { from: string; to: string } };
  if (page === undefined) return rest;
  return {
    ...rest,
    page: { from: Uint8Array.fromHex(page.from), to: Uint8Array.fromHex(page.to) },
  };
}

/** The bytes of an answer. */
export function encodeFetched(fetched: Fetched | typeof GONE): Uint8Array {
  if (fetched === GONE) return Uint8Array.of(0);
  const { changes, rev, page } = fetched;
  const all = bytesOf(changes);
  const head = new Uint8Array(HEAD_BYTES);
  head[0] = 1;
  putU64(head, 1, rev);
  putU32(head, 9, all.length);
  return concatBytes([head, all, ...page === undefined ? [] : pageParts(page)]);
}

/** The answer in bytes of a server; `undefined` when they are none. */
export function decodeFetched(bytes: Uint8Array): Fetched | typeof GONE | undefined {
  if (bytes.length === 1 && bytes[0] === 0) return GONE;
  if (bytes.length < HEAD_BYTES || bytes[0] !== 1) return undefined;
  const rev = getU64(bytes, 1);
  const end = HEAD_BYTES + getU32(bytes, 9);
  try {
    const changes = readable(bytes.subarray(HEAD_BYTES, end));
    const isInOrder = changes.every((change, i) => change.rev <= (changes[i + 1]?.rev ?? rev));
    if (end > bytes.length || !isInOrder) return undefined;
    const page = end === bytes.length ? undefined : pageIn(bytes.subarray(end), rev);
    return { changes, rev, page };
  } catch {
    // The decoders throw for nothing but bytes that are no answer.
    return undefined;
  }
}

/** Changes whose paths can be told. */
function readable(bytes: Uint8Array): NodeChange[] {
  const changes = changesIn(bytes);
  for (const change of changes) tellable(change);
  return changes;
}

function pageParts({ values, next }: Page): Uint8Array[] {
  const head = new Uint8Array(4);
  putU32(head, 0, next?.length ?? NO_KEY);
  return [
    head,
    next ?? NO_BYTES,
    bytesOf(values.map((value) => ({ ...value, kind: "set", before: undefined }))),
  ];
}

function pageIn(bytes: Uint8Array, rev: number): Page {
  const length = bytes.length < 4 ? Infinity : getU32(bytes, 0);
  const end = length === NO_KEY ? 4 : 4 + length;
  if (end > bytes.length) throw new ChangeError("Page has no key");
  return {
    values: readable(bytes.subarray(end)),
    next: length === NO_KEY ? undefined : bytes.subarray(4, end),
    rev,
  };
}

function bytesOf(changes: readonly NodeChange[]): Uint8Array {
  const bytes = new Uint8Array(changes.reduce((sum, change) => sum + sizeOf(change), 0));
  let at = 0;
  for (const change of changes) at = putChange(bytes, at, change);
  return bytes;
}
