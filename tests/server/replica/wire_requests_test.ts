import assert from "node:assert/strict";
import { encodeUtf8 } from "../../../protocol/text.ts";
import {
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
} from "../../../server/replica/verification/questions.ts";
import {
  decodeOperation,
  decodeOutcome,
  encodeOperation,
  encodeOutcome,
  type Operation,
  type OperationOutcome,
} from "../../../server/replica/wire_requests.ts";

const TOKEN = "0123456789abcdef".repeat(2);

/** A request whose body is this value. */
function request(value: unknown): Uint8Array {
  return encodeUtf8(`\0${JSON.stringify(value)}`);
}

const add = { kind: "add", id: "a" };

Deno.test("operations come as they were sent, and nothing else is one", () => {
  const good: readonly Operation[] = [
    { kind: "change", change: { kind: "add", id: "a", role: "staging" }, expected: 0 },
    { kind: "change", change: { kind: "remove", id: "x".repeat(64) } },
    { kind: "transfer", target: "a" },
    { kind: "transfer" },
    { kind: "mark", token: TOKEN },
  ];
  for (const one of good) assert.deepEqual(decodeOperation(encodeOperation(one)), one);
  for (
    const bad of [
      undefined,
      null,
      [],
      "mark",
      {},
      { kind: "mend", token: TOKEN },
      { kind: "mark" },
      { kind: "mark", token: TOKEN.toUpperCase() },
      { kind: "mark", token: `${TOKEN}0` },
      { kind: "mark", token: TOKEN, expected: 1 },
      { kind: "transfer", target: "" },
      { kind: "transfer", target: null },
      { kind: "transfer", target: "x".repeat(65) },
      { kind: "transfer", token: TOKEN },
      { kind: "change" },
      { kind: "change", change: [] },
      { kind: "change", change: { ...add, kind: "keep" } },
      { kind: "change", change: { kind: "add" } },
      { kind: "change", change: { ...add, id: 7 } },
      { kind: "change", change: { ...add, id: "x".repeat(65) } },
      { kind: "change", change: { ...add, role: "leader" } },
      { kind: "change", change: { ...add, more: 1 } },
      { kind: "change", change: add, expected: -1 },
      { kind: "change", change: add, expected: 1.5 },
      { kind: "change", change: add, expected: 2 ** 53 },
      { kind: "change", change: add, expected: "1" },
      JSON.parse(`{"kind":"transfer","__proto__":{}}`),
    ]
  ) assert.equal(decodeOperation(request(bad)), undefined, JSON.stringify(bad));
});

Deno.test("an outcome comes as it was sent, and what is none says that nobody knows", () => {
  const outcomes: readonly OperationOutcome[] = [
    undefined,
    { reason: "no-leader" },
    { reason: "configuration-changed", index: 7 },
  ];
  for (const one of outcomes) assert.deepEqual(decodeOutcome(encodeOutcome(one)), one);
  for (
    const bad of [
      "",
      "null",
      "[]",
      "1",
      `{"outcome":null}`,
      `{"outcome":"lost"}`,
      `{"outcome":{}}`,
      `{"outcome":{"reason":1}}`,
      JSON.stringify({ outcome: { reason: "x".repeat(101) } }),
    ]
  ) assert.deepEqual(decodeOutcome(encodeUtf8(bad)), { reason: "lost" }, bad);
});

Deno.test("questions of a comparison come as they were sent, and nothing else is one", () => {
  for (const one of [{ token: TOKEN, begins: true }, { token: TOKEN, begins: false, index: 1 }]) {
    assert.deepEqual(decodeQuestion(encodeQuestion(one)), one);
  }
  const good = { token: TOKEN, begins: true };
  for (
    const bad of [
      null,
      { begins: true },
      { token: TOKEN },
      { ...good, token: TOKEN.slice(1) },
      { ...good, begins: 1 },
      { ...good, index: 0 },
      { ...good, index: "1" },
      { ...good, more: 1 },
    ]
  ) assert.equal(decodeQuestion(request(bad)), undefined, JSON.stringify(bad));
});

Deno.test("answers of a comparison come as they were sent, with what a later version adds, and nothing else is one", () => {
  const least = { state: "unknown", applied: 0, problems: [] } as const;
  const most = {
    state: "done",
    applied: 9,
    index: 1,
    hash: "0f".repeat(32),
    bytes: 0,
    problems: Array<string>(16).fill("x".repeat(1_000)),
  } as const;
  for (const one of [least, most, { ...least, more: 1 }]) {
    assert.deepEqual(decodeAnswer(encodeAnswer(one)), one);
  }
  for (
    const bad of [
      null,
      [],
      { ...most, state: "ready" },
      { ...most, applied: -1 },
      { ...most, applied: undefined },
      { ...most, index: 0 },
      { ...most, hash: "0f" },
      { ...most, hash: most.hash.toUpperCase() },
      { ...most, bytes: -1 },
      { ...most, bytes: null },
      { ...most, problems: undefined },
      { ...most, problems: "none" },
      { ...most, problems: [1] },
      { ...most, problems: [...most.problems, "x"] },
      { ...most, problems: ["x".repeat(1_001)] },
    ]
  ) assert.equal(decodeAnswer(encodeUtf8(JSON.stringify(bad))), undefined, JSON.stringify(bad));
});
