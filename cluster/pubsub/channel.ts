/**
 * Channels and patterns: from what a request says to what is matched.
 *
 * A channel is a path in the syntax of keys, without a default namespace: `news` is `news`. A pattern ends with a segment that
 * stands for others: `a^*` for every channel one level below `a`, `a^**` for every one below it; `*` and `**` alone stand for
 * those of one segment, and for all. Nowhere else such a segment may be.
 *
 * @module
 */

import { BAD_KEY, MAX_PATH_BYTES, pathText, resolvePath } from "../machine/kv/mod.ts";
import type { Failure } from "../machine/mod.ts";

/** Longest text of an interest, in bytes. */
export const MAX_INTEREST_BYTES = MAX_PATH_BYTES;

/** What no channel or pattern is. */
export const BAD_CHANNEL: Failure = { ...BAD_KEY, field: "channel" };

const ONE_LEVEL = "*";
const ALL_BELOW = "**";

/** Of which channels a subscriber hears: one, those one level below a node, or all below it. */
export type InterestKind = "channel" | "level" | "tree";

/** A channel or a pattern. */
export interface Interest {
  /** Its canonical text. */
  readonly text: string;
  readonly kind: InterestKind;
  /** The channel, or the node that a pattern is about; empty above all channels. */
  readonly base: string;
}

/** Everything. */
export const EVERYTHING: Interest = { text: ALL_BELOW, kind: "tree", base: "" };

/** The canonical text of a channel that is published to, or why it is none. */
export function channelOf(key: string | readonly string[]): string | Failure {
  const interest = interestOf(key);
  return "ok" in interest || interest.kind === "channel"
    ? ("ok" in interest ? interest : interest.text)
    : BAD_CHANNEL;
}

/** The channel or pattern that is subscribed to, or why it is none. */
export function interestOf(key: string | readonly string[]): Interest | Failure {
  // As an array its segments stand as they are, without a namespace before them.
  const path = resolvePath(typeof key === "string" ? key.replace(/^\^/, "").split("^") : key);
  if (!(path instanceof Uint8Array)) return { ...path, field: "channel" };
  return interestOfText(pathText(path)) ?? BAD_CHANNEL;
}

/** The interest with this canonical text; `undefined` when a segment that stands for others is not the last one. */
export function interestOfText(text: string): Interest | undefined {
  if (!text.includes(ONE_LEVEL)) return { text, kind: "channel", base: text };
  const segments = text.split("^");
  const last = segments.pop() as string;
  if (segments.some(isStandIn)) return undefined;
  if (!isStandIn(last)) return { text, kind: "channel", base: text };
  return { text, kind: last === ONE_LEVEL ? "level" : "tree", base: segments.join("^") };
}

function isStandIn(segment: string): boolean {
  return segment === ONE_LEVEL || segment === ALL_BELOW;
}
