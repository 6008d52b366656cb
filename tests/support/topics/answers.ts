/**
 * What a machine answers about topics.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Machine } from "../../../cluster/machine/machine.ts";
import type { Result } from "../../../cluster/machine/result.ts";
import {
  decodeSegments,
  decodeTopicTotals,
  type ListedSegment,
  type SegmentId,
  segmentsQuestion,
  topicTotalsQuestion,
} from "../../../cluster/machine/topics/mod.ts";

const encoder = new TextEncoder();

/** The bytes of a text. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** All segments of a machine. */
export function segmentsOf(machine: Machine): ListedSegment[] {
  const all: ListedSegment[] = [];
  let after: SegmentId | undefined;
  do {
    const page = decodeSegments(bodyOf(machine.query(segmentsQuestion(after))));
    all.push(...page.segments);
    after = page.after;
  } while (after !== undefined);
  return all;
}

/** The body of what must be a success. */
export function bodyOf(result: Result | undefined): Uint8Array {
  assert.ok(result?.ok, JSON.stringify(result));
  return result.body;
}

/** How much there is in a machine. */
export function totalsOf(machine: Machine): ReturnType<typeof decodeTopicTotals> {
  return decodeTopicTotals(bodyOf(machine.query(topicTotalsQuestion())));
}

/** Fails unless it was not done, for this reason. */
export function refused(result: Result, reason: string): void {
  assert.equal(result.ok ? "done" : result.reason, reason);
}
