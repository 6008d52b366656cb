import assert from "node:assert/strict";
import { Trimmer } from "../../../../server/replica/driver/trimmer.ts";
import { settle } from "../../../support/manual_clock.ts";

Deno.test("what is to be trimmed while the state is synced is trimmed with the next sync", async () => {
  const syncs: PromiseWithResolvers<void>[] = [];
  const trims: number[] = [];
  const failures: string[] = [];
  const trimmer = new Trimmer({
    store: {
      sync: () => {
        const sync = Promise.withResolvers<void>();
        syncs.push(sync);
        return sync.promise;
      },
    },
    log: { trim: async (index) => void await trims.push(index) },
    failed: ({ message }) => failures.push(message),
  });
  for (let index = 1; index <= 100; index++) trimmer.to(index);
  assert.equal(syncs.length, 1);
  syncs[0]?.resolve();
  await settle();
  assert.deepEqual([syncs.length, trims], [2, [1]], "not before its own sync");
  syncs[1]?.reject(new Error("No room"));
  await settle();
  assert.deepEqual([trims, failures], [[1], ["No room"]]);
  trimmer.to(101);
  syncs[2]?.resolve();
  await settle();
  assert.deepEqual([syncs.length, trims], [3, [1, 101]]);
});
