import assert from "node:assert/strict";
import { DumpedRows, MemoryStore } from "../../../cluster/machine/mod.ts";
import { dumped } from "../../support/machine/fixture.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

Deno.test("the rows of a range are found in a dump, however it is cut", () => {
  const random = new SeededRandom(1);
  for (let round = 0; round < 20; round++) {
    const store = new MemoryStore();
    store.transaction((state) => {
      for (let i = below(random, 600); i > 0; i--) {
        state.put(random.bytes(1 + below(random, 6)), random.bytes(below(random, 500)));
      }
    });
    const { bytes } = dumped(store);
    const [from, to] = [random.bytes(2), random.bytes(2)].sort((a, b) => a[0]! - b[0]!);
    const rows = new DumpedRows(from!, to!);
    const found = [];
    for (let at = 0; at < bytes.length;) {
      const length = 1 + below(random, round % 2 === 0 ? 100 : 100_000);
      found.push(...rows.push(bytes.subarray(at, at + length)));
      at += length;
    }
    assert.deepEqual(found, store.range(from!, to!, Infinity), `round ${round}`);
  }
});
