import assert from "node:assert/strict";
import { Lanes } from "../../../server/files/lanes.ts";

/** Work that ends when it is told to, and what began or ended so far. */
function bench(): {
  lanes: Lanes;
  log: string[];
  start(name: string, ...lanes: string[]): PromiseWithResolvers<void>;
} {
  const lanes = new Lanes();
  const log: string[] = [];
  return {
    lanes,
    log,
    start: (name, ...names) => {
      const gate = Promise.withResolvers<void>();
      lanes.run(names, async () => {
        log.push(`${name} begins`);
        await gate.promise;
      }).then(() => log.push(`${name} ends`), () => log.push(`${name} fails`));
      return gate;
    },
  };
}

/** Lets every promise settle that can. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("work of one lane waits for its turn, other work does not", async () => {
  const { log, start } = bench();
  const first = start("first", "a");
  start("second", "a").resolve();
  start("other", "b").resolve();
  await settled();
  assert.deepEqual(log, ["first begins", "other begins", "other ends"]);
  first.resolve();
  await settled();
  assert.deepEqual(log.slice(3), ["first ends", "second begins", "second ends"]);
});

Deno.test("work of two lanes waits for both, and both wait for it", async () => {
  const { log, start } = bench();
  const [a, b] = [start("a", "a"), start("b", "b")];
  const both = start("both", "a", "b");
  start("after a", "a").resolve();
  start("after b", "b").resolve();
  a.resolve();
  await settled();
  assert.ok(!log.includes("both begins"));
  b.resolve();
  await settled();
  assert.deepEqual(log.slice(-1), ["both begins"]);
  both.resolve();
  await settled();
  assert.deepEqual(log.slice(-4).toSorted(), [
    "after a begins",
    "after a ends",
    "after b begins",
    "after b ends",
  ]);
});

Deno.test("work begins at once when nothing is before it, and may be over at once", async () => {
  const { lanes, log, start } = bench();
  const result = lanes.run(["a"], () => log.push("short"));
  assert.deepEqual(log, ["short"]);
  assert.equal(lanes.isBusy("a"), false);
  const first = start("first", "a");
  const later = lanes.run(["a"], () => log.push("later"));
  assert.deepEqual(log, ["short", "first begins"]);
  first.resolve();
  assert.deepEqual([await result, await later], [1, 4]);
  assert.deepEqual(log, ["short", "first begins", "first ends", "later"]);
  await assert.rejects(
    lanes.run(["a"], () => {
      throw new Error("Broken");
    }),
    /Broken/,
  );
  assert.equal(lanes.isBusy("a"), false);
});

Deno.test("what fails does not stop what comes after it", async () => {
  const { log, start } = bench();
  start("first", "a").reject(new Error("Broken"));
  start("second", "a").resolve();
  await settled();
  assert.deepEqual(log, ["first begins", "first fails", "second begins", "second ends"]);
});

Deno.test("work that comes when some is over waits for what came before", async () => {
  const { log, start } = bench();
  const first = start("first", "a");
  const second = start("second", "a");
  first.resolve();
  await settled();
  start("third", "a").resolve();
  await settled();
  assert.deepEqual(log, ["first begins", "first ends", "second begins"]);
  second.resolve();
  await settled();
  assert.deepEqual(log.slice(3), ["second ends", "third begins", "third ends"]);
});

Deno.test("a lane without work takes no room", async () => {
  const { lanes, start } = bench();
  const gate = start("work", "a");
  assert.ok(lanes.isBusy("a"));
  gate.resolve();
  await lanes.idle();
  assert.ok(!lanes.isBusy("a"));
});
