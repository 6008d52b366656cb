/**
 * When the batches of a partition leave, without a server.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Lane } from "../../../client/topics/producer/lane.ts";
import { Tries } from "../../../client/topics/wire/retry.ts";
import { writeMessage } from "../../../protocol/topics/mod.ts";

const MESSAGE = { offset: 0, timestamp: 0n, key: null, value: new Uint8Array(10), headers: [] };

/** A lane, with how many messages each batch has that was sent; all are acknowledged at once. */
function laneWith(options: { readonly lingerMs: number; readonly maxMessages?: number }) {
  const sent: number[] = [];
  const lane = new Lane(0, {
    options: { maxMessages: 100, maxBytes: 65_536, maxInFlight: 5, ...options },
    idempotent: false,
    isOver: false,
    identify: () => assert.fail("nobody has an identity"),
    send: ({ count }) => {
      sent.push(count);
      return Promise.resolve({ baseOffset: 0, count, highWaterMark: count, duplicates: [] });
    },
    leads: () => true,
    tries: () => new Tries({ retries: 0, minDelayMs: 1, maxDelayMs: 1 }, 1_000),
    rest: () => assert.fail("nothing fails"),
    settled: () => {},
  });
  const add = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const settle = { resolve, reject };
      lane.add({
        write: (writer) => writeMessage(writer, MESSAGE, true),
        size: 38,
        hasId: false,
        settle,
      });
    });
  return { sent, add };
}

/** Resolves when this turn of the loop is over, and before any timer of it. */
async function endOfTurn(): Promise<void> {
  for (let i = 0; i < 10; i++) await null;
}

Deno.test("without a linger what is sent in one turn leaves together when it is over, and waits for no timer", async () => {
  const { sent, add } = laneWith({ lingerMs: 0 });
  const all = [add(), add(), add()];
  assert.deepEqual(sent, []);
  await endOfTurn();
  assert.deepEqual(sent, [3]);
  all.push(add());
  await endOfTurn();
  assert.deepEqual(sent, [3, 1]);
  await Promise.all(all);
});

Deno.test("a full batch leaves at once, and the next one when the turn is over", async () => {
  const { sent, add } = laneWith({ lingerMs: 0, maxMessages: 2 });
  const first = [add(), add()];
  assert.deepEqual(sent, [2], "it is full");
  const second = add();
  await endOfTurn();
  assert.deepEqual(sent, [2, 1]);
  await Promise.all([...first, second]);
});

Deno.test("with a linger the end of the turn means nothing", async () => {
  const { sent, add } = laneWith({ lingerMs: 1 });
  const first = add();
  await endOfTurn();
  assert.deepEqual(sent, []);
  await first;
  assert.deepEqual(sent, [1]);
});
