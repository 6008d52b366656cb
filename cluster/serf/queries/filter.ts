/**
 * Filters say which nodes a query is for (docs/spec/serf.md 11.2). Each is a type byte and a MessagePack value.
 *
 * @module
 */

import {
  decode,
  DecodeError,
  encode,
  type Infer,
  list,
  str,
  struct,
} from "../../../protocol/msgpack/mod.ts";
import {
  compilePattern,
  hasPatterns,
  MAX_PATTERN_SIZE,
  type Pattern,
  PatternError,
} from "../model/pattern.ts";
import type { Tags } from "../model/tags.ts";

/** The first byte of a filter. */
const FilterType = { node: 0, tag: 1 } as const;

const NodeFilter = list(str);
const TagFilter = struct({ Tag: str, Expr: str });
type TagFilter = Infer<typeof TagFilter>;

/**
 * Which nodes to ask.
 *
 * @example
 * ```ts
 * import { Agent, type QueryTargets } from "@skein/agent";
 *
 * const webs: QueryTargets = { nodes: ["alpha", "beta"], tags: { role: "^web$" } };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * console.log(agent.query("load", null, { ...webs, timeoutMs: 500 }).expected); // 0
 * ```
 */
export interface QueryTargets {
  /** Names of nodes; every node when absent or empty. */
  readonly nodes?: readonly string[];
  /** Tag to regular expression, found anywhere in the tag's value. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** The filters for `targets`, or `null` when there are none. */
export function encodeFilters(targets: QueryTargets): Uint8Array[] | null {
  const filters: Uint8Array[] = [];
  const { nodes = [], tags = {} } = targets;
  if (nodes.length > 0) {
    filters.push(withType(FilterType.node, encode(NodeFilter, [...nodes], "gossip")));
  }
  for (const [Tag, Expr] of Object.entries(tags)) {
    filters.push(withType(FilterType.tag, encode(TagFilter, { Tag, Expr }, "gossip")));
  }
  return filters.length === 0 ? null : filters;
}

/** Filters as they come over the wire. */
export type EncodedFilters = readonly (Uint8Array | null)[] | null;

/** Whether {@linkcode compileFilters} has to wait for `loadPatterns`. */
export function waitForPatterns(filters: EncodedFilters): boolean {
  return !hasPatterns() && (filters?.some((filter) => filter?.[0] === FilterType.tag) ?? false);
}

/** Says whether a node is meant. */
export type FilterTest = (name: string, tags: Tags) => boolean;

/**
 * The test that a node has to pass: every filter. A filter that is empty, malformed or of an unknown type, and a
 * pattern that is invalid, match nothing; so does a set of patterns that together take more than {@linkcode
 * MAX_PATTERN_SIZE} instructions. The test remembers what it found of each value of a tag: not to be kept.
 */
export function compileFilters(filters: EncodedFilters): FilterTest {
  let budget = MAX_PATTERN_SIZE;
  const tests: FilterTest[] = [];
  try {
    for (const filter of filters ?? []) {
      if (filter?.[0] === FilterType.node) {
        const names = new Set(decode(NodeFilter, filter, 1));
        tests.push((name) => names.has(name));
      } else if (filter?.[0] === FilterType.tag) {
        const { Tag, Expr } = decode(TagFilter, filter, 1);
        const pattern = compilePattern(Expr, budget);
        budget -= pattern.size;
        tests.push(tagTest(Tag, pattern));
      } else {
        return () => false;
      }
    }
    return (name, tags) => tests.every((test) => test(name, tags));
  } catch (error) {
    if (error instanceof DecodeError || error instanceof PatternError) return () => false;
    throw error;
  }
}

/** Many members have the same value, e.g. of a role: each value is looked at once. */
function tagTest(tag: string, pattern: Pattern): FilterTest {
  const known = new Map<string, boolean>();
  return (_name, tags) => {
    const value = Object.hasOwn(tags, tag) ? tags[tag] ?? "" : "";
    const found = known.get(value) ?? pattern.test(value);
    known.set(value, found);
    return found;
  };
}

function withType(type: number, body: Uint8Array): Uint8Array {
  const filter = new Uint8Array(1 + body.length);
  filter[0] = type;
  filter.set(body, 1);
  return filter;
}
