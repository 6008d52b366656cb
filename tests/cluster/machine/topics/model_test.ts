import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { type LogEntry, Machine } from "../../../../cluster/machine/machine.ts";
import { MemoryStore } from "../../../../cluster/machine/store/memory_store.ts";
import {
  decodeTopicsSwept,
  deleteTopicCommand,
  type MessageChange,
  type SegmentId,
  segmentRow,
  segmentRows,
  sweepTopicsCommand,
} from "../../../../cluster/machine/topics/mod.ts";
import { dumped, load, START_TIME } from "../../../support/machine/fixture.ts";
import { below } from "../../../support/random_value.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";
import { bodyOf, segmentsOf, totalsOf, utf8 } from "../../../support/topics/answers.ts";
import { TopicModel } from "../../../support/topics/model.ts";
import { SegmentBytes, segmentName } from "../../../support/topics/segment_bytes.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const SEEDS = 12;
const COMMANDS = 300;

/** A machine, and the bytes of its segments. */
function newMachine(store = new MemoryStore()) {
  const segments = new SegmentBytes();
  const changes: MessageChange[] = [];
  const machine = new Machine(store, undefined, {
    messages(some) {
      changes.push(...some);
      segments.take(some);
    },
  });
  return { machine, store, segments, changes };
}

/** A clock that jumps: forward by moments or days, and sometimes back, which the machine passes over. */
class JumpingClock {
  time = START_TIME;
  #jump = 0;

  constructor(readonly random: SeededRandom) {}

  next(): number {
    const kind = below(this.random, 30);
    this.#jump = kind === 0 ? 3 * 86_400_000 : kind < 3 ? 70_000 : below(this.random, 400);
    this.time += this.#jump;
    return kind === 29 ? this.time - 5_000 : this.time;
  }
}

/** A history that was checked as it was made: its entries. */
function history(seed: number): LogEntry[] {
  const random = new SeededRandom(seed);
  const clock = new JumpingClock(random);
  const model = new TopicModel(random);
  const { machine, store, segments } = newMachine();
  const entries: LogEntry[] = [];
  for (let i = 0; i < COMMANDS; i++) {
    const step = model.next();
    const entry = { index: i + 1, type: "command", time: clock.next(), data: step.command };
    entries.push(entry);
    const [result] = machine.apply([entry]);
    assert.ok(result !== undefined);
    try {
      step.check(result, machine.context.time);
      if (step.isSweep) model.checkSwept(machine);
      if (i % 40 === 0) model.compare(machine, segments);
    } catch (error) {
      throw new Error(`seed ${seed}, command ${i}`, { cause: error });
    }
  }
  model.compare(machine, segments);
  const rows = [...segmentRows(store)];
  const names = (ids: readonly SegmentId[]) => ids.map(segmentName).sort();
  assert.deepEqual(names(rows.map(({ segment }) => segment)), names(segmentsOf(machine)));
  for (const { segment, bytes, crc } of rows) {
    const all = segments.of(segment);
    assert.deepEqual({ bytes, crc }, { bytes: all.length, crc: crc32(all) });
  }
  for (const row of rows) assert.deepEqual(segmentRow(store, row.segment), row);
  assert.equal(segmentRow(store, { topic: 1, partition: 0, base: 2 ** 40 }), undefined);
  return entries;
}

Deno.test("random commands do to topics what they do to plain arrays", () => {
  for (let i = 0; i < SEEDS; i++) history(SEED + i);
});

Deno.test("rows and segments do not depend on how entries are batched, nor on a dump half way", () => {
  for (let i = 0; i < SEEDS / 2; i++) {
    const entries = history(SEED + i);
    const random = new SeededRandom(SEED + i, 1);
    const [one, other] = [newMachine(), newMachine()];
    for (const entry of entries) one.machine.apply([entry]);
    const half = below(random, entries.length);
    for (let at = 0; at < half;) other.machine.apply(entries.slice(at, at += below(random, 60)));
    const applied = other.machine.context.index;
    assert.ok(applied >= half);
    // One that goes on from a dump tells of segments as one that was there from the beginning.
    const late = newMachine();
    load(late.store, dumped(other.store));
    const changes: MessageChange[] = [];
    const machine = new Machine(late.store, undefined, {
      messages: (some) => changes.push(...some),
    });
    const told = other.changes.length;
    machine.apply(entries.slice(applied));
    other.machine.apply(entries.slice(applied));
    assert.deepEqual(changes, other.changes.slice(told), `seed ${SEED + i}`);
    assert.deepEqual(other.changes, one.changes, `seed ${SEED + i}`);
    for (const { store } of [other, late]) {
      assert.deepEqual(dumped(store), dumped(one.store), `seed ${SEED + i}`);
    }
  }
});

Deno.test("once all topics are deleted and swept nothing is left of them", () => {
  const entries = history(SEED);
  const { machine, store, segments } = newMachine();
  machine.apply(entries);
  const next = (data: Uint8Array, later = 0) => {
    const { index, time } = machine.context;
    return machine.apply([{ index: index + 1, type: "command", time: time + later, data }])[0];
  };
  for (const name of ["a", "b.c", "t-1", "_"]) next(deleteTopicCommand(utf8(name)));
  const left = () => decodeTopicsSwept(bodyOf(next(sweepTopicsCommand()))).more;
  while (left());
  assert.deepEqual([...segments.all.keys()], []);
  assert.deepEqual(segmentsOf(machine), []);
  const { topics, partitions, producers, offsets } = totalsOf(machine);
  assert.deepEqual([topics, partitions, producers, offsets], [0, 0, 0, 0]);
  // That producers and groups are to be looked after is said until then.
  next(sweepTopicsCommand(), 8 * 86_400_000);
  while (left());
  const rows = store.range(Uint8Array.of(0x15, 3, 0x15, 1), Uint8Array.of(0x15, 4), Infinity);
  assert.deepEqual(rows, []);
});
