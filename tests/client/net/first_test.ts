/**
 * The first of several agents that answers.
 *
 * @module
 */

import assert from "node:assert/strict";
import { openFirst } from "../../../client/net/first.ts";
import { eventually } from "../../support/agents.ts";

/** What was opened at an address; `closed` gets that address when it is closed. */
const opened = (address: string, closed: string[]) => ({
  address,
  close: () => Promise.resolve(void closed.push(address)),
});

Deno.test("of two that open in the same turn the second is closed", async () => {
  const closed: string[] = [];
  const ready = Promise.withResolvers<void>();
  const open = async (address: string) => {
    if (address === "b") ready.resolve();
    await ready.promise;
    return opened(address, closed);
  };
  const first = await openFirst(["a", "b"], open, () => false);
  const second = first.address === "a" ? "b" : "a";
  await eventually("the second is closed", () => closed.length > 0);
  assert.deepEqual(closed, [second]);
});

Deno.test("what opens in the turn of a final refusal is closed", async () => {
  const closed: string[] = [];
  const ready = Promise.withResolvers<void>();
  const open = async (address: string) => {
    if (address === "b") ready.resolve();
    await ready.promise;
    if (address === "a") throw new Error("No such token");
    return opened(address, closed);
  };
  await assert.rejects(openFirst(["a", "b"], open, () => true), /No such token/);
  await eventually("the other is closed", () => closed.length > 0);
  assert.deepEqual(closed, ["b"]);
});

Deno.test("what opens after the first is closed, and what is still opening is given up", async () => {
  const closed: string[] = [];
  const given: string[] = [];
  const open = (address: string, signal: AbortSignal) => {
    if (address === "b") return Promise.resolve(opened(address, closed));
    return new Promise<ReturnType<typeof opened>>((resolve) => {
      signal.addEventListener("abort", () => {
        given.push(address);
        resolve(opened(address, closed));
      });
    });
  };
  assert.equal((await openFirst(["a", "b"], open, () => false)).address, "b");
  await eventually("the other is closed", () => closed.length > 0);
  assert.deepEqual([given, closed], [["a"], ["a"]]);
});
