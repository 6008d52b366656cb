/**
 * What a program is told of a transaction that has failed, by what was said to each of its tries.
 *
 * @module
 */

import assert from "node:assert/strict";
import { OutcomeUnknownError } from "../../../../protocol/kv/errors.ts";
import { CODE } from "../../../../protocol/topics/codes.ts";
import { TopicError } from "../../../../protocol/topics/errors.ts";
import { Transactions } from "../../../../protocol/topics/program/transactions.ts";
import type { TopicProgress } from "../../../../protocol/topics/program/types.ts";

const MESSAGES = [{ topic: "t", value: "x" }];
const OFFSETS: TopicProgress = {
  group: "g",
  offsets: [{ topic: "in", partition: 0, offset: 5, from: 3 }],
};
const MEMBER: TopicProgress = {
  ...OFFSETS,
  inTurn: (work) => work({ member: "member-1", generation: 1 }),
};

/** A try may have been done, and a later one got this answer. */
function openThen(code: number): OutcomeUnknownError {
  const cause = new TopicError(code, "Said to a later try");
  return new OutcomeUnknownError({ ok: false, code: 504, reason: "OUTCOME_UNKNOWN" }, { cause });
}

/** Transactions, the errors that the next ones end with, and which producers have asked for them. */
function start(...errors: unknown[]): { transactions: Transactions; producers: number[] } {
  const producers: number[] = [];
  let identities = 0;
  const world = {
    // deno-lint-ignore no-explicit-any
    ask(kind: string, request: any): Promise<any> {
      if (kind === "initProducer") return Promise.resolve({ producerId: ++identities, epoch: 0 });
      producers.push(request.producerId);
      if (errors.length > 0) return Promise.reject(errors.shift());
      const part = { baseOffset: 0, highWaterMark: 1, duplicates: [] };
      return Promise.resolve({ parts: request.parts.map(() => part) });
    },
    partitions: () => Promise.resolve(1),
  };
  return { transactions: new Transactions(world), producers };
}

Deno.test("when the offset has moved no try before was done either, and the next one has another identity", async () => {
  const { transactions, producers } = start(openThen(CODE.TRANSACTION_ABORTED));
  const failing = transactions.run({ messages: MESSAGES, offsets: OFFSETS }, {});
  await assert.rejects(failing, { name: "TopicError", code: CODE.TRANSACTION_ABORTED });
  await transactions.run({ messages: MESSAGES }, {});
  assert.deepEqual(producers, [1, 2]);
});

Deno.test("when a member has lost its partition no try before was done either", async () => {
  for (const code of [CODE.UNKNOWN_MEMBER, CODE.INVALID_GENERATION, CODE.REBALANCE_IN_PROGRESS]) {
    const { transactions } = start(openThen(code));
    const failing = transactions.run({ messages: MESSAGES, offsets: MEMBER }, {});
    await assert.rejects(failing, { name: "TopicError", code });
  }
});

Deno.test("any other answer to a later try leaves open what became of the first one", async () => {
  const cases = [
    // It was done, perhaps, and its messages are forgotten.
    [CODE.UNKNOWN_PRODUCER, { messages: MESSAGES, offsets: OFFSETS }],
    [CODE.TOPIC_NOT_FOUND, { messages: MESSAGES, offsets: OFFSETS }],
    [CODE.STORAGE_FULL, { messages: MESSAGES, offsets: OFFSETS }],
    // It was done, perhaps, before somebody committed more: nothing tells that they are the same.
    [CODE.TRANSACTION_ABORTED, { offsets: OFFSETS }],
    // The group has members now, and may have none when the first one comes.
    [CODE.UNKNOWN_MEMBER, { messages: MESSAGES, offsets: OFFSETS }],
  ] as const;
  for (const [code, transaction] of cases) {
    const { transactions, producers } = start(openThen(code));
    await assert.rejects(transactions.run(transaction, {}), OutcomeUnknownError);
    await transactions.run({ messages: MESSAGES }, {});
    assert.equal(producers.length, 2);
  }
});

Deno.test("who gives up is told so, whatever was said", async () => {
  const reason = openThen(CODE.TRANSACTION_ABORTED);
  const giving = new AbortController();
  const transactions = new Transactions({
    ask() {
      giving.abort(reason);
      return Promise.reject(reason);
    },
    partitions: () => Promise.resolve(1),
  });
  const failing = transactions.run({ messages: MESSAGES }, { signal: giving.signal });
  await assert.rejects(failing, (error) => error === reason);
});
