import assert from "node:assert/strict";
import { dueQuestion } from "../../../../cluster/machine/kv/mod.ts";
import { Machine } from "../../../../cluster/machine/machine.ts";
import { MemoryStore } from "../../../../cluster/machine/store/memory_store.ts";
import { decodeTuple, encodeTuple, keysBelow } from "../../../../cluster/machine/store/tuple.ts";
import { applied, dumped, entriesOf, load, shown } from "../../../support/machine/fixture.ts";
import { type Expected, KvModel, randomPaths } from "../../../support/machine/model.ts";
import { below } from "../../../support/random_value.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const SEEDS = 40;
const COMMANDS = 400;

/** Random commands with their results, and the model after them. */
function history(seed: number): { steps: Expected[]; model: KvModel } {
  const random = new SeededRandom(seed);
  const model = new KvModel(random, randomPaths(random));
  const steps = Array.from({ length: COMMANDS }, () => model.next());
  return { steps, model };
}

/** Applies commands in batches of random sizes, empty ones too. */
function inBatches(machine: Machine, commands: Uint8Array[], random: SeededRandom): string[] {
  const entries = entriesOf(commands, machine.context.index + 1);
  const results: string[] = [];
  for (let at = 0; at < entries.length;) {
    const batch = entries.slice(at, at += below(random, 60));
    results.push(...machine.apply(batch).map(shown));
  }
  return results;
}

Deno.test("random commands have the results and leave the values of a plain map", () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { steps, model } = history(seed);
    const store = new MemoryStore();
    const machine = new Machine(store);
    const results = applied(machine, ...steps.map(({ command }) => command));
    steps.forEach(({ result }, i) => {
      assert.equal(results[i], result, `seed ${seed}, command ${i}`);
      kinds.add(/\d{3} [A-Z_]+/.exec(result)?.[0] ?? "done");
    });
    assert.deepEqual(model.differences(machine), [], `seed ${seed}`);
    assert.deepEqual(timesIn(store), model.dues, `seed ${seed}`);
    const first = shown(machine.query(dueQuestion({ from: 0, to: Number.MAX_SAFE_INTEGER })));
    assert.equal(first, `${model.dues[0] ?? -1} rev 0`);
  }
  // The histories have every outcome in them.
  assert.deepEqual([...kinds].sort(), [
    "404 KEY_NOT_FOUND",
    "409 CONDITION_FAILED",
    "409 NOT_INTEGER",
    "409 OVERFLOW",
    "422 INVALID",
    "done",
  ]);
});

Deno.test("results and bytes of the state do not depend on how entries are batched", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const commands = history(seed).steps.map(({ command }) => command);
    const stores = [1, 2, 3].map(() => new MemoryStore());
    const results = stores.map((store, i) =>
      i === 0
        ? commands.flatMap((command) => applied(machineOn(store), command))
        : inBatches(machineOn(store), commands, new SeededRandom(seed, i))
    );
    assert.deepEqual(results[1], results[0], `seed ${seed}`);
    assert.deepEqual(results[2], results[0], `seed ${seed}`);
    const [first, ...others] = stores.map((store) => dumped(store));
    for (const other of others) assert.deepEqual(other, first, `seed ${seed}`);
  }
});

Deno.test("a machine that loaded a dump half way ends with the same results and bytes", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new SeededRandom(seed, 9);
    const commands = history(seed).steps.map(({ command }) => command);
    const half = below(random, commands.length);
    const [source, target] = [new MemoryStore(), new MemoryStore()];
    const machine = machineOn(source);
    inBatches(machine, commands.slice(0, half), random);
    // What the target has before is of no consequence.
    inBatches(machineOn(target), history(seed + 1_000).steps.map((s) => s.command), random);
    load(target, dumped(source), 1 + below(random, 3_000));
    const results = inBatches(machine, commands.slice(half), random);
    assert.deepEqual(inBatches(machineOn(target), commands.slice(half), random), results);
    assert.deepEqual(dumped(target), dumped(source), `seed ${seed}`);
  }
});

/** The times in the table of times, in its order. */
function timesIn(store: MemoryStore): number[] {
  const { from, to } = keysBelow(encodeTuple([2, 2]));
  return store.range(from, to, Infinity).map(({ key }) => decodeTuple(key)[2] as number);
}

function machineOn(store: MemoryStore): Machine {
  return new Machine(store);
}
