import assert from "node:assert/strict";
import { getQuestion, incrementCommand, setCommand } from "../../../cluster/machine/kv/mod.ts";
import { FormatError, Machine, PROGRAM } from "../../../cluster/machine/machine.ts";
import { encodeCall, type Program } from "../../../cluster/machine/module.ts";
import { MemoryStore } from "../../../cluster/machine/store/memory_store.ts";
import { readUint } from "../../../cluster/machine/strict.ts";
import { upgradeCommand } from "../../../cluster/machine/sys/context.ts";
import {
  applied,
  dumped,
  entriesOf,
  json,
  path,
  shown,
  START_TIME,
} from "../../support/machine/fixture.ts";

const set = (key: string, value: unknown) => setCommand(path(key), json(value));
const nothing = new Uint8Array();

/** The next version of the program: format 2 has one more command, number 9 of a module 77. */
const NEXT: Program = {
  format: 2,
  modules: {
    ...PROGRAM.modules,
    77: {
      commands: {
        9: {
          since: 2,
          read: (reader) => readUint(reader, 0, 9),
          apply(state, { index }, digit) {
            state.put(Uint8Array.of(200), Uint8Array.of(digit as number));
            return { ok: true, rev: index, body: nothing };
          },
        },
      },
      questions: {},
    },
  },
};
const newCommand = (version: number) => encodeCall(version, 77, 9, (writer) => writer.uint(5));

Deno.test("results come in the order of the entries; what is no command has none", () => {
  const machine = new Machine(new MemoryStore());
  const entry = (index: number, type: string, data: Uint8Array = nothing) => ({
    index,
    type,
    time: START_TIME,
    data,
  });
  const results = machine.apply([
    entry(1, "configuration", set("k", 1)),
    entry(2, "no-op"),
    entry(3, "command", set("k", 1)),
    entry(4, "barrier"),
    entry(5, "command", nothing),
  ]);
  assert.deepEqual(results.map(shown), [
    "nothing",
    "nothing",
    '"OK" rev 1',
    "nothing",
    "422 INVALID",
  ]);
  assert.equal(machine.context.index, 5);
});

Deno.test("the clock is the leader's, and never goes back", () => {
  const store = new MemoryStore();
  const machine = new Machine(store);
  const times = [5, 3, 0, 8, -1, NaN, Infinity, 8.5, 2 ** 53, 7];
  const clocks = times.map((time, i) => {
    machine.apply([{ index: i + 1, type: "no-op", time, data: nothing }]);
    return machine.context.time;
  });
  assert.deepEqual(clocks, [5, 5, 5, 8, 8, 8, 8, 8, 8, 8]);
  assert.deepEqual(new Machine(store).context, { index: 10, time: 8, format: 1 });
});

Deno.test("commands are told the index and the clamped time of their entry", () => {
  const seen: unknown[] = [];
  const program: Program = {
    format: 1,
    modules: {
      3: {
        commands: {
          1: {
            since: 1,
            read: () => undefined,
            apply(_state, context) {
              seen.push({ ...context });
              return { ok: true, rev: 0, body: nothing };
            },
          },
        },
        questions: {},
      },
    },
  };
  const machine = new Machine(new MemoryStore(), program);
  const data = encodeCall(1, 3, 1, () => {});
  machine.apply([
    { index: 1, type: "command", time: 10, data },
    { index: 2, type: "command", time: 9, data },
  ]);
  assert.deepEqual(seen, [
    { index: 1, time: 10, format: 1 },
    { index: 2, time: 10, format: 1 },
  ]);
});

Deno.test("entries that do not follow the last one are refused as a whole batch", () => {
  const store = new MemoryStore();
  const machine = new Machine(store);
  const good = entriesOf([set("a", 1), set("b", 2)]);
  const before = dumped(store).summary;
  const wrong = [
    entriesOf([set("a", 1)], 2),
    entriesOf([set("a", 1)], 0),
    [...good, ...entriesOf([set("c", 3)], 4)],
    [...good, ...good],
  ];
  for (const entries of wrong) {
    assert.throws(() => machine.apply(entries), RangeError);
    assert.deepEqual(dumped(store).summary, before);
    assert.equal(machine.context.index, 0);
  }
  assert.deepEqual(machine.apply(good).map(shown), ['"OK" rev 1', '"OK" rev 2']);
  assert.throws(() => machine.apply(good), RangeError);
});

Deno.test("a machine on a store goes on where the last one stopped", () => {
  const store = new MemoryStore();
  applied(new Machine(store), set("a", 1), set("b", 2));
  const machine = new Machine(store);
  assert.equal(machine.context.index, 2);
  assert.deepEqual(applied(machine, incrementCommand(path("a"), 1)), ["2 rev 3"]);
  assert.equal(shown(machine.query(getQuestion(path("a")))), "2 rev 3");
});

Deno.test("an empty batch changes nothing", () => {
  const store = new MemoryStore();
  const machine = new Machine(store);
  applied(machine, set("a", 1));
  const before = dumped(store).summary;
  assert.deepEqual(machine.apply([]), []);
  assert.deepEqual(dumped(store).summary, before);
});

Deno.test("what does not exist, or not yet, is an error result", () => {
  const machine = new Machine(new MemoryStore());
  const call = (version: number, module: number, operation: number) =>
    encodeCall(version, module, operation, () => {});
  assert.deepEqual(
    applied(
      machine,
      call(2, 2, 1),
      call(2, 200, 1),
      call(1, 200, 1),
      call(1, 2, 99),
      call(1, 1, 99),
      call(1, 2, 1),
      call(0, 2, 1),
      Uint8Array.from([...set("a", 1), 0]),
      Uint8Array.of(0xc1),
      encodeCall(1, 2, 1, (writer) => {
        writer.bytes(path("a"));
        writer.uint(16);
        writer.bytes(json(1));
      }),
    ),
    [
      "426 UNSUPPORTED_VERSION",
      "426 UNSUPPORTED_VERSION",
      "405 UNKNOWN_ACTION",
      "405 UNKNOWN_ACTION",
      "405 UNKNOWN_ACTION",
      "422 INVALID",
      "422 INVALID",
      "422 INVALID",
      "422 INVALID",
      "422 INVALID",
    ],
  );
  assert.equal(shown(machine.query(call(2, 2, 1))), "426 UNSUPPORTED_VERSION");
  assert.equal(shown(machine.query(call(1, 2, 99))), "405 UNKNOWN_ACTION");
  assert.equal(shown(machine.query(call(1, 2, 1))), "422 INVALID");
});

Deno.test("a rolling update: old and new programs agree, until the old one has to stop", () => {
  const [oldStore, newStore] = [new MemoryStore(), new MemoryStore()];
  const [old, next] = [new Machine(oldStore), new Machine(newStore, NEXT)];
  const early = [
    set("a", 1),
    newCommand(2),
    newCommand(1),
    upgradeCommand(1),
    set("b", 2),
  ];
  const results = applied(old, ...early);
  assert.deepEqual(results, [
    '"OK" rev 1',
    "426 UNSUPPORTED_VERSION",
    "405 UNKNOWN_ACTION",
    " rev 0",
    '"OK" rev 2',
  ]);
  assert.deepEqual(applied(next, ...early), results);
  assert.deepEqual(dumped(oldStore), dumped(newStore));

  // The entries around the upgrade arrive in one batch.
  const late = [set("c", 3), upgradeCommand(2), newCommand(2), newCommand(1)];
  assert.deepEqual(applied(next, ...late), [
    '"OK" rev 3',
    " rev 0",
    " rev 8",
    "405 UNKNOWN_ACTION",
  ]);
  assert.equal(next.context.format, 2);
  const before = dumped(oldStore);
  assert.throws(() => applied(old, ...late), FormatError);
  assert.deepEqual(dumped(oldStore), before);
  assert.equal(old.context.index, 5);

  // It is updated, and goes on with the same entries.
  applied(new Machine(oldStore, NEXT), ...late);
  assert.deepEqual(dumped(oldStore), dumped(newStore));
  assert.throws(() => new Machine(oldStore), FormatError);
});

Deno.test("the format is never lowered", () => {
  const machine = new Machine(new MemoryStore(), NEXT);
  applied(machine, upgradeCommand(2), upgradeCommand(1));
  assert.equal(machine.context.format, 2);
});

Deno.test("an error that a module throws undoes the whole batch and comes out", () => {
  const fault = new Error("Planned");
  const program: Program = {
    format: 1,
    modules: {
      ...PROGRAM.modules,
      3: {
        commands: {
          1: {
            since: 1,
            read: () => undefined,
            apply(state) {
              state.put(Uint8Array.of(201), nothing);
              throw fault;
            },
          },
        },
        questions: {},
      },
    },
  };
  const store = new MemoryStore();
  const machine = new Machine(store, program);
  applied(machine, set("a", 1));
  const before = dumped(store);
  const broken = encodeCall(1, 3, 1, () => {});
  assert.throws(() => applied(machine, set("b", 1), broken), (error) => error === fault);
  assert.deepEqual(dumped(store), before);
  assert.equal(machine.context.index, 1);
});
