/**
 * The machine is brought to where the log is committed, by one chain of slices.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Machine, MemoryStore } from "../../../../cluster/machine/mod.ts";
import type { Entry, Raft } from "../../../../cluster/raft/mod.ts";
import { Applier } from "../../../../server/replica/driver/applier.ts";
import type { LogStore } from "../../../../server/replica/driver/parts.ts";
import { ManualClock } from "../../../support/manual_clock.ts";

/** How long it takes to load entries. */
const LOAD_MS = 5;

interface Stage {
  readonly clock: ManualClock;
  readonly applier: Applier;
  /** From where entries were loaded. */
  readonly loads: number[];
  readonly errors: Error[];
}

/** An applier whose entries are all on the disk, at most `count` at a time. */
function stage(count: number): Stage {
  const clock = new ManualClock();
  const loads: number[] = [];
  const errors: Error[] = [];
  const load = (from: number): Promise<Entry[]> => {
    loads.push(from);
    const entries = Array.from({ length: count }, (_, i) => emptyEntry(from + i));
    return new Promise((resolve) => clock.setTimer(LOAD_MS, () => resolve(entries)));
  };
  const applier = new Applier(
    machineAt(0),
    { log: { slice: () => undefined } } as unknown as Raft,
    {
      clock,
      log: {
        load: ({ from }) => load(from),
        write: () => Promise.resolve(),
        trim: () => Promise.resolve(),
        recover: () => {},
      },
      stores: [{ mustWait: false, flush: () => Promise.resolve() }],
      applied: () => {},
      reached: () => {},
      failed: (error) => errors.push(error),
    },
  );
  return { clock, applier, loads, errors };
}

function emptyEntry(index: number): Entry {
  return { index, term: 1, type: "no-op", time: 0, data: new Uint8Array() } as Entry;
}

/** A machine that has applied so many entries. */
function machineAt(index: number): Machine {
  const machine = new Machine(new MemoryStore());
  machine.apply(Array.from({ length: index }, (_, i) => emptyEntry(i + 1)));
  return machine;
}

Deno.test("entries that come from the disk in several loads are loaded and applied once", async () => {
  const { clock, applier, loads, errors } = stage(10);
  applier.to(40);
  await clock.advance(100);
  assert.deepEqual(errors, []);
  assert.equal(applier.machine.context.index, 40);
  assert.deepEqual(loads, [1, 11, 21, 31]);
});

Deno.test("nothing is applied before the last of several snapshots has replaced the state", async () => {
  const { clock, applier, loads, errors } = stage(1);
  applier.suspend(5);
  applier.suspend(9);
  applier.to(10);
  applier.resume(machineAt(5));
  await clock.advance(100);
  assert.deepEqual(loads, []);
  applier.resume(machineAt(9));
  await clock.advance(100);
  assert.deepEqual([errors, loads], [[], [10]]);
  assert.equal(applier.machine.context.index, 10);
});

Deno.test("entries that are much work are applied in slices that leave others their turn", async () => {
  let workMs = 2;
  const slices: number[] = [];
  const clock = new ManualClock();
  const applier: Applier = new Applier(
    machineAt(0),
    {
      log: {
        slice: (from: number, { count }: { readonly count: number }) =>
          Array.from({ length: count }, (_, i) => emptyEntry(from + i)),
      },
    } as unknown as Raft,
    {
      clock,
      log: { load: () => assert.fail("All entries are in memory") } as unknown as LogStore,
      stores: [{ mustWait: false, flush: () => Promise.resolve() }],
      applied: () => clock.advanceSync(workMs),
      reached: (index) => slices.push(index - slices.reduce((sum, one) => sum + one, 0)),
      failed: assert.fail,
    },
  );
  applier.to(600);
  await clock.advance(1_000);
  assert.deepEqual(slices.slice(0, 4), [512, 5, 10, 5]);
  assert.equal(applier.machine.context.index, 600);
  workMs = 0;
  slices.splice(0);
  applier.to(3_000);
  await clock.advance(100);
  assert.ok(slices.at(-2) === 512, `${slices}`);
});
