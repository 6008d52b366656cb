/**
 * The log of one server, against plain lists of its entries and of its writes, through random changes and a disk that is late.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Entry, entryBytes } from "../../../../cluster/raft/log/entry.ts";
import { Log } from "../../../../cluster/raft/log/log.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const NO_LIMITS = { count: Infinity, bytes: Infinity };

function entry(index: number, term: number, bytes = 0): Entry {
  return { index, term, type: "command", time: 0, data: new Uint8Array(bytes) };
}

function entries(first: number, count: number, term: number, bytes = 0): Entry[] {
  return Array.from({ length: count }, (_, i) => entry(first + i, term, bytes));
}

/** A log with entries 1 to `count` of term 1, on the disk. */
function logOf(count: number, cacheBytes = 1e6): Log {
  const log = new Log(0, 0, cacheBytes);
  log.restore(entries(1, count, 1));
  return log;
}

Deno.test("an entry follows the one before it, or is none", () => {
  const log = logOf(3);
  assert.throws(() => log.append([entry(5, 1)]), /Entry 5 cannot follow entry 3/);
  assert.throws(() => log.append([entry(3, 1)]), /Entry 3 cannot follow entry 3/);
  log.append([entry(4, 2)]);
  assert.deepEqual([log.lastIndex, log.lastTerm, log.durableIndex], [4, 2, 3]);
});

Deno.test("slice() gives as much as fits, and one entry that does not", () => {
  const log = new Log(0, 0, 1e6);
  log.append([entry(1, 1, 10), entry(2, 1, 10), entry(3, 1, 1_000), entry(4, 1, 10)]);
  const bytes = entryBytes(entry(1, 1, 10));
  const indexes = (from: number, count: number, most: number) =>
    log.slice(from, { count, bytes: most })?.map(({ index }) => index);
  assert.deepEqual(indexes(1, 9, 1e6), [1, 2, 3, 4]);
  assert.deepEqual(indexes(1, 3, 1e6), [1, 2, 3]);
  assert.deepEqual(indexes(1, 9, 2 * bytes), [1, 2]);
  assert.deepEqual(indexes(1, 9, 2 * bytes - 1), [1]);
  assert.deepEqual(indexes(3, 9, 100), [3]);
  assert.deepEqual(indexes(5, 9, 100), []);
});

Deno.test("a write that is done makes nothing durable that was cut off meanwhile", () => {
  const log = logOf(2);
  log.append(entries(3, 3, 1));
  const first = log.nextWrite();
  log.truncate(4);
  log.append([entry(4, 2)]);
  const second = log.nextWrite();
  log.written(first);
  assert.equal(log.durableIndex, 3);
  log.written(second);
  assert.equal(log.durableIndex, 4);
});

Deno.test("what is cut off is on the disk no more, written or not", () => {
  const log = logOf(5);
  log.truncate(3);
  assert.deepEqual([log.lastIndex, log.durableIndex], [2, 2]);
  log.append(entries(3, 3, 2));
  assert.equal(log.durableIndex, 2);
});

Deno.test("after a reset nothing is on the disk, until its write is", () => {
  const log = logOf(5);
  log.append(entries(6, 3, 1));
  const earlier = log.nextWrite();
  log.reset(9, 3);
  const reset = log.nextWrite();
  assert.deepEqual([log.beforeIndex, log.lastIndex, log.lastTerm, log.durableIndex], [9, 9, 3, 0]);
  log.append([entry(10, 3)]);
  const later = log.nextWrite();
  log.written(earlier);
  assert.equal(log.durableIndex, 0);
  log.written(reset);
  assert.equal(log.durableIndex, 9);
  log.written(later);
  assert.equal(log.durableIndex, 10);
});

Deno.test("extendWrite() makes later entries part of the newest write", () => {
  const log = logOf(0);
  log.append([entry(1, 1)]);
  const write = log.nextWrite();
  log.append([entry(2, 1)]);
  log.extendWrite();
  log.append([entry(3, 1)]);
  log.written(write);
  assert.equal(log.durableIndex, 2);
});

Deno.test("entries leave the memory once they are on the disk, not before", () => {
  const size = entryBytes(entry(1, 1));
  const log = new Log(0, 0, 10 * size);
  log.append(entries(1, 30, 1));
  const write = log.nextWrite();
  assert.equal(log.slice(1, NO_LIMITS)?.length, 30);
  log.written(write);
  assert.equal(log.slice(25, NO_LIMITS), undefined);
  assert.deepEqual(log.slice(26, NO_LIMITS)?.map(({ index }) => index), [26, 27, 28, 29, 30]);
  assert.equal(log.term(1), 1);
});

/** What a log has to be, told the long way. */
class Model {
  before = { index: 0, term: 0 };
  entries: Entry[] = [];
  /** The entries that are on the disk for sure: the very ones. */
  safe: Entry[] = [];
  /** Whether the write that begins the log after `before` is not on the disk, so that nothing of it is. */
  begins = false;
  /** The writes under way, each with what the log had at its end. */
  writes: { seq: number; entries: Entry[]; begins: boolean }[] = [];

  get last(): number {
    return this.before.index + this.entries.length;
  }

  /** The highest index up to which each entry is on the disk for sure. */
  get durable(): number {
    if (this.begins) return 0;
    let index = this.before.index;
    while (this.entries[index - this.before.index] !== undefined && this.isSafe(index + 1)) index++;
    return index;
  }

  isSafe(index: number): boolean {
    return this.safe.includes(this.entries[index - this.before.index - 1] as Entry);
  }

  written(seq: number): void {
    while (this.writes[0] !== undefined && this.writes[0].seq <= seq) {
      const write = this.writes.shift() as Model["writes"][0];
      if (write.begins) this.begins = false;
      this.safe = write.entries;
    }
  }
}

Deno.test("what the newest entries take is known after each kind of change", () => {
  const log = new Log(0, 0, 1e9);
  const size = entryBytes(entry(1, 1, 100_000));
  log.restore(entries(1, 9, 1, 100_000));
  assert.equal(log.beforeNewest(4 * size, 9), 5);
  log.truncate(8);
  log.append(entries(8, 1, 2, 2 * size));
  assert.deepEqual([2, 3, 4].map((count) => log.beforeNewest(count * size, 8)), [8, 7, 6]);
  log.trim(2);
  assert.equal(log.beforeNewest(1e9, 8), 2);
  log.reset(20, 3);
  log.append(entries(21, 3, 3, 100_000));
  assert.deepEqual([0, size, 1e9].map((bytes) => log.beforeNewest(bytes, 23)), [23, 22, 20]);
});

Deno.test("random changes, with a disk that is late, leave what they leave in plain lists", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed);
    const dice = (limit: number): number => Math.floor(random.float() * limit);
    const cacheBytes = dice(2) === 0 ? 1e6 : 200;
    const log = new Log(0, 0, cacheBytes);
    const model = new Model();
    let term = 1;
    const write = (begins = false): void => {
      model.writes.push({ seq: log.nextWrite(), entries: [...model.entries], begins });
    };
    for (let count = 0; count < 150; count++) {
      const { before } = model;
      switch (dice(10)) {
        case 0: {
          const from = before.index + 1 + dice(model.last - before.index + 1);
          log.truncate(from);
          model.entries = model.entries.slice(0, from - before.index - 1);
          term++;
          const fresh = entries(from, 1 + dice(2), term, dice(20));
          log.append(fresh);
          model.entries.push(...fresh);
          write();
          break;
        }
        case 1: {
          const most = Math.max(before.index, log.durableIndex);
          const index = before.index + dice(most - before.index + 1);
          model.before = { index, term: log.term(index) as number };
          model.entries = model.entries.slice(index - before.index);
          log.trim(index);
          break;
        }
        case 2:
          if (dice(3) > 0) break;
          model.begins = true;
          model.before = { index: model.last + dice(5), term: ++term };
          model.entries = [];
          for (const earlier of model.writes) earlier.begins = false;
          log.reset(model.before.index, term);
          write(true);
          break;
        case 3:
        case 4:
        case 5: {
          const done = model.writes[dice(model.writes.length)];
          if (done === undefined) break;
          log.written(done.seq);
          model.written(done.seq);
          break;
        }
        default: {
          if (dice(5) === 0) term++;
          const fresh = entries(model.last + 1, dice(4), term, dice(20));
          log.append(fresh);
          model.entries.push(...fresh);
          write();
        }
      }
      compare(log, model, `seed ${seed}, change ${count}`);
    }
  }
});

function compare(log: Log, model: Model, label: string): void {
  const { before, entries } = model;
  assert.equal(log.beforeIndex, before.index, label);
  assert.equal(log.lastIndex, model.last, label);
  assert.equal(log.lastTerm, entries.at(-1)?.term ?? before.term, label);
  assert.equal(log.durableIndex, model.durable, label);
  for (let index = before.index; index <= model.last + 1; index++) {
    const known = index === before.index ? before.term : entries[index - before.index - 1]?.term;
    assert.equal(log.term(index), known, label);
    if (index === before.index) continue;
    const slice = log.slice(index, NO_LIMITS);
    const wanted = entries.slice(index - before.index - 1);
    if (slice !== undefined) assert.deepEqual(slice, wanted, label);
    else assert.ok(model.isSafe(index), `${label}: entry ${index} is nowhere`);
  }
}
