import assert from "node:assert/strict";
import { type LogEntry, Machine } from "../../../../../cluster/machine/machine.ts";
import type { GroupChange } from "../../../../../cluster/machine/mod.ts";
import { MemoryStore } from "../../../../../cluster/machine/store/memory_store.ts";
import { dumped, load, START_TIME } from "../../../../support/machine/fixture.ts";
import { below } from "../../../../support/random_value.ts";
import { SeededRandom } from "../../../../support/simulation/random.ts";
import { GroupModel } from "../../../../support/topics/group_model.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const SEEDS = 12;
const COMMANDS = 400;

/** A machine, and what it tells of groups. */
function newMachine(store = new MemoryStore()) {
  const changes: GroupChange[] = [];
  const groups = (some: readonly GroupChange[]) => changes.push(...structuredClone(some));
  return { machine: new Machine(store, undefined, { groups }), store, changes };
}

/** A history that was checked as it was made: its entries. */
function history(seed: number): LogEntry[] {
  const random = new SeededRandom(seed);
  const model = new GroupModel(random);
  const { machine } = newMachine();
  const entries: LogEntry[] = [];
  let settled = 0;
  for (let i = 0; i < COMMANDS; i++) {
    try {
      let isCalm = false;
      const step = model.next(() => isCalm = true);
      const time = START_TIME + i;
      const entry = { index: i + 1, type: "command", time, data: step.command };
      entries.push(entry);
      const [result] = machine.apply([entry]);
      assert.ok(result !== undefined);
      step.check(result, time);
      model.compare(machine);
      if (!isCalm) continue;
      model.checkSettled(machine);
      settled++;
    } catch (error) {
      throw new Error(`seed ${seed}, command ${i}`, { cause: error });
    }
  }
  assert.ok(settled > 0, `seed ${seed}: members never came to rest`);
  return entries;
}

Deno.test("random members own what plain arrays say, never two the same, and all of it once they are at rest", () => {
  for (let i = 0; i < SEEDS; i++) history(SEED + i);
});

Deno.test("rows of groups do not depend on how entries are batched, nor on a dump half way", () => {
  for (let seed = SEED; seed < SEED + SEEDS / 2; seed++) {
    const entries = history(seed);
    const random = new SeededRandom(seed, 1);
    const singly = newMachine();
    for (const entry of entries) singly.machine.apply([entry]);
    const half = entries.slice(0, below(random, entries.length));
    const [batched, resumed] = [newMachine(), newMachine()];
    applyInBatches(batched.machine, half, random);
    load(resumed.store, dumped(batched.store));
    const told = batched.changes.length;
    const goesOn = newMachine(resumed.store);
    for (const { machine } of [batched, goesOn]) {
      applyInBatches(machine, entries.slice(half.length), random);
    }
    assert.deepEqual(batched.changes, singly.changes, `seed ${seed}`);
    assert.deepEqual(goesOn.changes, singly.changes.slice(told), `seed ${seed}`);
    assert.deepEqual(dumped(batched.store), dumped(singly.store), `seed ${seed}`);
    assert.deepEqual(dumped(goesOn.store), dumped(singly.store), `seed ${seed}`);
  }
});

function applyInBatches(
  machine: Machine,
  entries: readonly LogEntry[],
  random: SeededRandom,
): void {
  for (let at = 0; at < entries.length;) {
    machine.apply(entries.slice(at, at += 1 + below(random, 60)));
  }
}
