/**
 * Closing many things.
 *
 * @module
 */

import assert from "node:assert/strict";
import { closeInOrder, closeTogether } from "../../../server/net/closing.ts";

for (
  const [name, close] of [["closeInOrder", closeInOrder], ["closeTogether", closeTogether]] as const
) {
  Deno.test(`${name}() takes every step, and gathers what failed`, async () => {
    const taken: number[] = [];
    const step = (number: number, error?: Error) => async (): Promise<void> => {
      await Promise.resolve();
      taken.push(number);
      if (error !== undefined) throw error;
    };
    await close([step(1), step(2)]);
    const [one, two] = [new Error("one"), new Error("two")];
    await assert.rejects(close([step(3), step(4, one), step(5)]), one);
    const thrown = (): never => {
      throw two;
    };
    await assert.rejects(close([step(6, one), thrown, step(7)]), {
      name: "AggregateError",
      message: "2 things could not be closed",
      errors: [one, two],
    });
    assert.deepEqual(taken, [1, 2, 3, 4, 5, 6, 7]);
  });
}

Deno.test("closeInOrder() takes a step after the one before", async () => {
  const order: string[] = [];
  await closeInOrder([
    async () => {
      await Promise.resolve();
      order.push("first");
    },
    () => order.push("second"),
  ]);
  assert.deepEqual(order, ["first", "second"]);
});
