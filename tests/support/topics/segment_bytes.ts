/**
 * The bytes of segments, as far as a machine has told of them, and what it says of where messages are in them.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Machine } from "../../../cluster/machine/machine.ts";
import {
  BATCH_HEAD_BYTES,
  decodeLocation,
  HAS_NULLS,
  isBatchWhole,
  locateQuestion,
  locateTimeQuestion,
  type MessageChange,
  readBatchHead,
  type SegmentId,
  START_OFFSET,
} from "../../../cluster/machine/topics/mod.ts";
import { bodyOf, utf8 } from "./answers.ts";
import { decodeMessages, type TestMessage } from "./messages.ts";

/** A segment as a text: topic, partition, base. */
export function segmentName({ topic, partition, base }: SegmentId): string {
  return `${topic}/${partition}/${base}`;
}

/** The bytes of segments, as far as a machine has told of them. */
export class SegmentBytes {
  /** By name. */
  readonly all = new Map<string, Uint8Array>();

  /** Takes what a machine tells. Fails unless each batch follows the one before. */
  readonly take = (changes: readonly MessageChange[]): void => {
    for (const change of changes) {
      const name = segmentName(change.segment);
      const before = this.all.get(name);
      if (change.kind === "drop") {
        assert.ok(before !== undefined, `${name} is dropped and was not there`);
        this.all.delete(name);
        continue;
      }
      assert.equal(change.position, before?.length ?? 0, name);
      const bytes = new Uint8Array(change.position + change.bytes.length);
      bytes.set(before ?? []);
      bytes.set(change.bytes, change.position);
      this.all.set(name, bytes);
    }
  };

  /** The bytes of one. */
  of(segment: SegmentId): Uint8Array {
    return this.all.get(segmentName(segment)) ?? assert.fail(`${segmentName(segment)} is missing`);
  }
}

/** The message of an offset, and how many bytes had to be passed over before its batch. */
export function read(
  machine: Machine,
  segments: SegmentBytes,
  name: string,
  partition: number,
  offset: number,
  bytes = 1,
): { message: TestMessage; skipped: number } {
  const question = locateQuestion({ topic: utf8(name), partition, offset, bytes });
  const { topic, spans } = decodeLocation(bodyOf(machine.query(question)));
  let skipped = 0;
  for (const { base, position, end } of spans) {
    const file = segments.of({ topic, partition, base });
    for (let at = position; at < end;) {
      const head = readBatchHead(file, at) ?? assert.fail("no batch");
      assert.ok(at + head.size <= end, "a span ends with a batch");
      assert.ok(isBatchWhole(file, at, head.size));
      if (offset < head.baseOffset + head.count) {
        const found = decodeMessages(file.subarray(at + BATCH_HEAD_BYTES, at + head.size));
        assert.equal(found.length, head.count);
        const hasNulls = found.some(({ key, value }) => key === null || value === null);
        assert.equal(head.attributes, hasNulls ? HAS_NULLS : 0);
        const message = found[offset - head.baseOffset] ?? assert.fail("no such message");
        return { message, skipped };
      }
      at += head.size;
      skipped += head.size;
    }
  }
  assert.fail(`offset ${offset} is in no span`);
}

/** The offset of the first message at or after a time, -1 when there is none, and how many bytes had to be looked through. */
export function readByTime(
  machine: Machine,
  segments: SegmentBytes,
  name: string,
  partition: number,
  time: bigint,
): { offset: number; bytes: number } {
  let bytes = 0;
  const halves = { high: Number(time >> 32n), low: Number(time & 0xffff_ffffn) };
  for (let from = START_OFFSET;;) {
    const question = locateTimeQuestion({ topic: utf8(name), partition, time: halves, from });
    const { topic, offset, next, spans } = decodeLocation(bodyOf(machine.query(question)));
    const [span, ...others] = spans;
    assert.deepEqual(others, []);
    if (span === undefined) {
      assert.equal(offset, next);
      return { offset: -1, bytes };
    }
    const { base, position, end } = span;
    const file = segments.of({ topic, partition, base });
    bytes += end - position;
    for (let at = position; at < end;) {
      const head = readBatchHead(file, at) ?? assert.fail("no batch");
      const messages = decodeMessages(file.subarray(at + BATCH_HEAD_BYTES, at + head.size));
      for (const message of messages) {
        if (message.offset < offset || message.timestamp < time) continue;
        return { offset: Number(message.offset), bytes };
      }
      assert.ok(head.baseOffset + head.count > from, "it goes on");
      from = head.baseOffset + head.count;
      at += head.size;
      assert.ok(at <= end, "a stretch ends with a batch");
    }
  }
}
