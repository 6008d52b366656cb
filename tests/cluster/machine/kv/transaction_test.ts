import assert from "node:assert/strict";
import {
  type Condition,
  deleteCommand,
  existsQuestion,
  getManyQuestion,
  getQuestion,
  incrementCommand,
  MAX_TOGETHER_BYTES,
  setCommand,
  setManyCommand,
  type Step,
  sweepCommand,
  transactionCommand,
} from "../../../../cluster/machine/kv/mod.ts";
import { Machine } from "../../../../cluster/machine/machine.ts";
import { encodeCall } from "../../../../cluster/machine/module.ts";
import { MemoryStore } from "../../../../cluster/machine/store/memory_store.ts";
import { applied, json, path, shown } from "../../../support/machine/fixture.ts";

const newMachine = (): Machine => new Machine(new MemoryStore());
const set = (key: string, value: unknown) => setCommand(path(key), json(value));
const get = (machine: Machine, key: string) => shown(machine.query(getQuestion(path(key))));
const change = (bytes: Uint8Array): Step => ({ kind: "command", bytes });
const look = (bytes: Uint8Array): Step => ({ kind: "question", bytes });
const transaction = (
  conditions: readonly Condition[],
  then: readonly Step[],
  otherwise: readonly Step[] = [],
) => transactionCommand({ conditions, then, otherwise });

Deno.test("TXN: all conditions hold, or the other steps are done", () => {
  const machine = newMachine();
  applied(machine, set("a", 1), set("b", { x: 1 }));
  const cases: [Condition, boolean][] = [
    [{ path: path("a"), rev: 1 }, true],
    [{ path: path("a"), rev: 2 }, false],
    [{ path: path("none"), rev: 0 }, true],
    [{ path: path("a"), exists: true }, true],
    [{ path: path("none"), exists: true }, false],
    [{ path: path("none"), exists: false }, true],
    [{ path: path("b"), text: json({ x: 1 }) }, true],
    [{ path: path("b"), text: json({ x: 2 }) }, false],
    [{ path: path("none"), text: json(null) }, false],
  ];
  const [yes, no] = ["a", "none"].map((key) => [look(getQuestion(path(key)))]) as [Step[], Step[]];
  for (const [condition, holds] of cases) {
    const result = holds
      ? '{"succeeded":true,"results":[1]} rev 2'
      : '{"succeeded":false,"results":[null]} rev 2';
    assert.deepEqual(applied(machine, transaction([condition], yes, no)), [result]);
    const withTrue = [{ path: path("a"), exists: true }, condition];
    assert.deepEqual(applied(machine, transaction(withTrue, yes, no)), [result]);
  }
  assert.deepEqual(applied(machine, transaction([], yes, no)), [
    '{"succeeded":true,"results":[1]} rev 2',
  ]);
});

Deno.test("TXN: steps see what those before them have done, and all have one revision", () => {
  const machine = newMachine();
  const steps = [
    change(set("a", 1)),
    change(incrementCommand(path("a"), 5)),
    look(getQuestion(path("a"))),
    change(deleteCommand(path("a"))),
    look(getQuestion(path("a"))),
    change(deleteCommand(path("a"))),
    change(set("b", "x")),
    change(incrementCommand(path("c"), 1)),
  ];
  assert.deepEqual(applied(machine, set("z", 0), transaction([], steps)), [
    '"OK" rev 1',
    '{"succeeded":true,"results":["OK",6,6,1,null,null,"OK",1]} rev 2',
  ]);
  assert.equal(get(machine, "b"), '"x" rev 2');
  assert.equal(get(machine, "c"), "1 rev 2");
});

Deno.test("TXN: a step that fails undoes all, also what had a time", () => {
  const store = new MemoryStore();
  const machine = new Machine(store);
  const withTtl = (key: string) => setCommand(path(key), json("old"), { ttlMs: 50 });
  applied(machine, withTtl("a"), withTtl("b"), set("text", "x"));
  const rows = () => store.range(Uint8Array.of(0x15, 2), undefined, Infinity);
  const before = rows();
  const steps = [
    change(set("a", "new")),
    change(deleteCommand(path("b"))),
    change(setCommand(path("c"), json(1), { ttlMs: 10 })),
    change(incrementCommand(path("text"), 1)),
  ];
  assert.deepEqual(
    applied(machine, transaction([], steps), transaction([{ path: path("a"), rev: 9 }], [], steps)),
    ["409 NOT_INTEGER (then)", "409 NOT_INTEGER (else)"],
  );
  assert.deepEqual(rows(), before);
  // The next change has the next revision, and the times are those of before.
  assert.deepEqual(applied(machine, set("d", 1)), ['"OK" rev 4']);
  for (let i = 0; i < 60; i++) applied(machine, set("d", i));
  applied(machine, sweepCommand());
  assert.deepEqual(["a", "b", "text"].map((key) => get(machine, key)), [
    "404 KEY_NOT_FOUND",
    "404 KEY_NOT_FOUND",
    '"x" rev 3',
  ]);
});

Deno.test("TXN: a condition that fails tells a revision that is there, and none that was undone", () => {
  const machine = newMachine();
  applied(machine, set("a", 1), set("b", 1));
  const unless = (key: string): Step => change(setCommand(path(key), json(2), { nx: true }));
  const failed = [
    transaction([], [change(set("b", 2)), unless("a")]),
    transaction([], [change(set("b", 2)), unless("b")]),
  ];
  assert.deepEqual(applied(machine, ...failed), [
    "409 CONDITION_FAILED (then) rev 1",
    "409 CONDITION_FAILED (then)",
  ]);
  assert.deepEqual(applied(machine, set("a", 3)), ['"OK" rev 3']);
});

Deno.test("TXN: results that take too much together undo all", () => {
  const machine = newMachine();
  const long = "x".repeat(400_000);
  applied(machine, set("long", long));
  const gets = Array.from({ length: 3 }, () => look(getQuestion(path("long"))));
  assert.deepEqual(applied(machine, transaction([], [change(set("a", 1)), ...gets])), [
    "413 VALUE_TOO_LARGE (then)",
  ]);
  assert.equal(get(machine, "a"), "404 KEY_NOT_FOUND");
  const two = applied(machine, transaction([], gets.slice(1)));
  assert.match(two[0] as string, /^\{"succeeded":true,"results":\["x+","x+"\]\} rev 1$/);
});

Deno.test("TXN: what is no step of one, and too many of them, are refused", () => {
  const machine = newMachine();
  const tree = deleteCommand(path("a"), { tree: true });
  const inner = transaction([], []);
  const bad: Step[] = [
    change(tree),
    change(inner),
    change(sweepCommand()),
    change(setManyCommand([{ path: path("a"), text: json(1) }])),
    change(getQuestion(path("a")).slice(0, 3)),
    change(Uint8Array.from([...set("a", 1), 0])),
    change(encodeCall(2, 2, 1, () => {})),
    look(existsQuestion(path("a"))),
    look(getManyQuestion([path("a")])),
    look(set("a", 1)),
  ];
  for (const step of bad) {
    assert.deepEqual(applied(machine, transaction([], [step])), ["422 INVALID"]);
  }
  const many = Array.from({ length: 129 }, () => change(set("a", 1)));
  assert.deepEqual(
    applied(machine, transaction([], many), transaction([], [], many)),
    ["422 INVALID", "422 INVALID"],
  );
  const conditions = Array.from({ length: 129 }, () => ({ path: path("a"), rev: 0 }));
  assert.deepEqual(applied(machine, transaction(conditions, [])), ["422 INVALID"]);
  const badPath = new TextEncoder().encode("a^");
  assert.deepEqual(applied(machine, transaction([{ path: badPath, rev: 0 }], [])), [
    "422 BAD_KEY (if)",
  ]);
  assert.equal(get(machine, "a"), "404 KEY_NOT_FOUND");
});

Deno.test("MSET: all values at one revision, the last one of a key, or none", () => {
  const machine = newMachine();
  const item = (key: string, value: unknown, ttlMs?: number) => ({
    path: path(key),
    text: json(value),
    ttlMs,
  });
  assert.deepEqual(
    applied(machine, setManyCommand([item("a", 1), item("b", 2, 50), item("a", 3)])),
    ['"OK" rev 1'],
  );
  assert.equal(get(machine, "a"), "3 rev 1");
  assert.equal(get(machine, "b"), "2 rev 1");
  const half = "x".repeat(MAX_TOGETHER_BYTES / 2);
  const refused: [Parameters<typeof setManyCommand>[0], string][] = [
    [[item("a", 4), { path: new TextEncoder().encode("^"), text: json(1) }], "422 BAD_KEY (items)"],
    [[item("a", 4), { path: path("c"), text: new Uint8Array() }], "422 INVALID (items)"],
    [
      [item("a", 4), { path: path("c"), text: new Uint8Array(512 * 1024 + 1) }],
      "413 VALUE_TOO_LARGE (items)",
    ],
    [[item("a", half), item("b", half), item("c", 1)], "413 VALUE_TOO_LARGE (items)"],
    [[], "422 INVALID"],
    [Array.from({ length: 1_001 }, () => item("a", 1)), "422 INVALID"],
  ];
  for (const [items, result] of refused) {
    assert.deepEqual(applied(machine, setManyCommand(items)), [result]);
  }
  assert.equal(get(machine, "a"), "3 rev 1");
  const most = Array.from({ length: 1_000 }, (_, i) => item(`k${i}`, i));
  assert.deepEqual(applied(machine, setManyCommand(most)), ['"OK" rev 2']);
});

Deno.test("MGET: values in the order that was asked for, null for none, within bounds", () => {
  const machine = newMachine();
  applied(machine, set("a", "x".repeat(500_000)), set("b", null));
  const ask = (...keys: string[]) => shown(machine.query(getManyQuestion(keys.map(path))));
  assert.equal(ask("b", "none", "b"), "[null,null,null] rev 2");
  assert.equal(ask("a").length, 500_000 + '[""] rev 2'.length);
  assert.equal(ask("a", "b", "a"), "413 VALUE_TOO_LARGE (keys)");
  assert.equal(ask(), "422 INVALID");
});
