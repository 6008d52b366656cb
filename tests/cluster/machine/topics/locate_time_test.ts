/**
 * The index by time: what it tells, and how much it spares.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Machine } from "../../../../cluster/machine/machine.ts";
import { MemoryStore } from "../../../../cluster/machine/store/memory_store.ts";
import {
  createTopicCommand,
  decodeLocation,
  locateTimeQuestion,
  produceCommand,
  START_OFFSET,
  STRETCH_BYTES,
  trimCommand,
} from "../../../../cluster/machine/topics/mod.ts";
import { START_TIME } from "../../../support/machine/fixture.ts";
import { below } from "../../../support/random_value.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";
import { encodeMessages, messageOf } from "../../../support/topics/messages.ts";
import { bodyOf, utf8 } from "../../../support/topics/answers.ts";
import { readByTime, SegmentBytes } from "../../../support/topics/segment_bytes.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const T = utf8("t");
const SEGMENT_BYTES = 400_000;
/** Of a stretch, whose last batch ends after it. */
const STRETCH = STRETCH_BYTES + 21_000;
const LATEST = 2n ** 63n - 1n;

/** A topic of one partition, each of its messages in a batch of 20 KiB. */
class Log {
  readonly segments = new SegmentBytes();
  readonly machine = new Machine(new MemoryStore(), undefined, { messages: this.segments.take });
  readonly times: bigint[] = [];
  start = 0;

  constructor(segmentBytes = SEGMENT_BYTES) {
    const options = { segmentBytes };
    this.#do(createTopicCommand({ topic: T, partitions: 1, options }));
  }

  add(timestamp: bigint): void {
    this.times.push(timestamp);
    const messages = encodeMessages([messageOf("x".repeat(20_000), { timestamp })]);
    this.#do(produceCommand({ topic: T, partition: 0, count: 1, messages }));
  }

  trim(offset: number): void {
    this.start = offset;
    this.#do(trimCommand({ topic: T, partition: 0, offset }));
  }

  /** What the index tells of a time. */
  ask(time: bigint, from = START_OFFSET): ReturnType<typeof decodeLocation> {
    const halves = { high: Number(time >> 32n), low: Number(time & 0xffff_ffffn) };
    const question = locateTimeQuestion({ topic: T, partition: 0, time: halves, from });
    return decodeLocation(bodyOf(this.machine.query(question)));
  }

  /** Fails unless the first message of a time is found; returns how many bytes had to be looked through. */
  check(time: bigint): number {
    const { offset, bytes } = readByTime(this.machine, this.segments, "t", 0, time);
    const first = this.times.findIndex((one, offset) => offset >= this.start && one >= time);
    assert.equal(offset, first, `at ${time} ns, seed ${SEED}`);
    return bytes;
  }

  #do(data: Uint8Array): void {
    const { index } = this.machine.context;
    bodyOf(this.machine.apply([{ index: index + 1, type: "command", time: START_TIME, data }])[0]);
  }
}

Deno.test("a time is found in one stretch, however timestamps rise and fall", () => {
  const random = new SeededRandom(SEED);
  const log = new Log();
  for (let i = 0; i < 200; i++) log.add(BigInt(1_000 + 10 * i + below(random, 300)));
  for (let time = 990n; time < 3_400n; time += 7n) {
    const bytes = log.check(time);
    assert.ok(bytes <= STRETCH, `${bytes} bytes for ${time}, seed ${SEED}`);
    assert.equal(bytes === 0, log.times.every((one) => one < time));
  }
});

Deno.test("a wrong clock misleads who asks for no more than the segment that it was in", () => {
  const log = new Log();
  log.add(LATEST);
  for (let i = 1; i < 200; i++) log.add(BigInt(i));
  // As long as the message is there it is the first of any time.
  for (const time of [0n, 1n, 50n, LATEST]) {
    log.check(time);
    assert.equal(log.ask(time).offset, 0);
  }
  log.trim(2);
  for (const time of [0n, 1n, 2n, 3n, 30n, 77n, 150n, 199n, 200n, LATEST]) log.check(time);
  // All that is left of the first segment has to be looked through, and one stretch of another one.
  for (const time of [30n, 77n, 150n, 199n]) {
    const bytes = log.check(time);
    assert.ok(bytes > SEGMENT_BYTES / 2 && bytes <= SEGMENT_BYTES + STRETCH, `${bytes} of ${time}`);
  }
});

Deno.test("segments that are before a time are passed over, and what is before an offset does not count", () => {
  const log = new Log();
  for (let i = 0; i < 100; i++) log.add(BigInt(1 + i));
  log.add(500n);
  for (let i = 0; i < 100; i++) log.add(BigInt(1 + i));
  for (const time of [99n, 100n, 101n, 500n, 501n]) assert.ok(log.check(time) <= STRETCH);
  const nothing = { ...log.ask(501n), offset: 201, spans: [] };
  assert.deepEqual(log.ask(501n), nothing);
  assert.deepEqual(log.ask(101n, 101).spans.length, 1, "the segment has the 500, before that");
  assert.deepEqual(log.ask(101n, 130), nothing);
  assert.equal(log.ask(10n, 120).offset, 120);
  assert.deepEqual(log.ask(1n, 201), nothing);
  assert.deepEqual(log.ask(1n, 9_000), nothing);
});

Deno.test("one answer passes over 200 segments at most, and the next one goes on from there", () => {
  const log = new Log(4_096);
  for (let i = 0; i < 450; i++) log.add(1n);
  log.add(2n);
  const { start, next, topic } = log.ask(2n);
  assert.deepEqual(log.ask(2n), { topic, start, next, offset: 200, spans: [] });
  assert.deepEqual(log.ask(2n, 200), { topic, start, next, offset: 400, spans: [] });
  const { offset, spans } = log.ask(2n, 400);
  assert.deepEqual([offset, spans.length], [450, 1]);
});
