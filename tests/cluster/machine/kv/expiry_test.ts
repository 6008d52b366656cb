import assert from "node:assert/strict";
import {
  decodeSwept,
  deleteCommand,
  dueQuestion,
  expireCommand,
  getQuestion,
  incrementCommand,
  MAX_SWEPT,
  persistCommand,
  setCommand,
  type SetOptions,
  sweepCommand,
  ttlQuestion,
} from "../../../../cluster/machine/kv/mod.ts";
import { Machine } from "../../../../cluster/machine/machine.ts";
import { encodeCall } from "../../../../cluster/machine/module.ts";
import { MemoryStore } from "../../../../cluster/machine/store/memory_store.ts";
import { dumped, json, path, shown } from "../../../support/machine/fixture.ts";

const START = 1_700_000_000_000;

/** A machine, and commands whose entries are stamped with so many milliseconds from the start. */
class Bench {
  readonly store = new MemoryStore();
  readonly machine = new Machine(this.store);

  at(time: number, ...commands: Uint8Array[]): string[] {
    const next = this.machine.context.index + 1;
    const entries = commands.map((data, i) => ({
      index: next + i,
      type: "command",
      time: START + time,
      data,
    }));
    return this.machine.apply(entries).map(shown);
  }

  /** Sweeps; tells how many values that has removed, up to when all is gone by then, and the revision. */
  sweep(time: number, from = 0): [count: number, upTo: number, rev: number] {
    const index = this.machine.context.index + 1;
    const data = sweepCommand(from);
    const [result] = this.machine.apply([{ index, type: "command", time: START + time, data }]);
    if (!result?.ok) throw new Error(shown(result));
    const { count, upTo } = decodeSwept(result.body);
    return [count, upTo - START, result.rev];
  }

  /** When the first value is due within a span. */
  due(from: number, to: number): string {
    return shown(this.machine.query(dueQuestion({ from: START + from, to: START + to })));
  }

  ask(question: Uint8Array, clock = 0): string {
    return shown(this.machine.query(question, clock === 0 ? 0 : START + clock));
  }
}

const set = (key: string, options?: SetOptions) => setCommand(path(key), json(key), options);
const get = (key: string) => getQuestion(path(key));
const ttl = (key: string) => ttlQuestion(path(key));

Deno.test("a value is there until a sweep whose entry is not stamped before it is due", () => {
  const bench = new Bench();
  bench.at(0, set("k", { ttlMs: 100 }));
  assert.deepEqual(bench.sweep(99), [0, 99, 1]);
  // It is due, and seen as long as no entry says otherwise.
  assert.deepEqual(bench.at(150, set("other")), ['"OK" rev 2']);
  assert.equal(bench.ask(get("k"), 500), '"k" rev 1');
  assert.equal(bench.ask(ttl("k"), 500), "0 rev 0");
  assert.deepEqual([bench.sweep(150), bench.sweep(150)], [[1, 150, 3], [0, 150, 3]]);
  assert.equal(bench.ask(get("k")), "404 KEY_NOT_FOUND");
  assert.equal(bench.ask(ttl("k")), "404 KEY_NOT_FOUND");
});

Deno.test("a stamp before that of an earlier entry counts as that one", () => {
  const bench = new Bench();
  bench.at(1_000, set("k", { ttlMs: 100 }));
  // The next leader's clock is behind.
  assert.deepEqual(bench.sweep(50), [0, 1_000, 1]);
  bench.at(50, set("l", { ttlMs: 100 }));
  assert.equal(bench.ask(ttl("l"), 50), "100 rev 0");
  assert.deepEqual(bench.sweep(1_099), [0, 1_099, 2]);
  assert.deepEqual(bench.sweep(1_100), [2, 1_100, 3]);
});

Deno.test("a value that was set anew between proposal and entry stays", () => {
  const bench = new Bench();
  bench.at(0, set("longer", { ttlMs: 100 }), set("ever", { ttlMs: 100 }), set("gone"));
  bench.at(0, expireCommand(path("gone"), 100), set("again", { ttlMs: 100 }));
  const late = [
    set("longer", { ttlMs: 100 }),
    persistCommand(path("ever")),
    deleteCommand(path("gone")),
    deleteCommand(path("again")),
    set("again"),
  ];
  bench.at(100, ...late);
  assert.deepEqual(bench.sweep(100), [0, 100, 10]);
  assert.deepEqual(bench.sweep(199), [0, 199, 10]);
  assert.equal(bench.due(0, 1_000), `${START + 200} rev 0`);
  assert.deepEqual(bench.sweep(200), [1, 200, 11]);
  assert.equal(bench.due(0, 1_000), "-1 rev 0");
});

Deno.test("what is left is told by the clock of who answers, and never more than was given", () => {
  const bench = new Bench();
  bench.at(0, set("k", { ttlMs: 1_000 }), set("stays"));
  assert.equal(bench.ask(ttl("k"), 400), "600 rev 0");
  assert.equal(bench.ask(ttl("k"), -400), "1000 rev 0");
  assert.equal(bench.ask(ttl("stays"), 400), "-1 rev 0");
  const found = bench.machine.query(get("k"), START + 400);
  assert.equal(found.ok && found.ttlMs, 600);
  const stays = bench.machine.query(get("stays"), START + 400);
  assert.equal(stays.ok && stays.ttlMs, undefined);
});

Deno.test("EXPIRE and PERSIST leave the revision of the value, and count as a change if they are one", () => {
  const bench = new Bench();
  bench.at(0, set("k"));
  assert.deepEqual(bench.at(0, expireCommand(path("k"), 50), persistCommand(path("k"))), [
    '"OK" rev 2',
    "true rev 3",
  ]);
  assert.deepEqual(bench.at(0, persistCommand(path("k"))), ["false rev 3"]);
  assert.equal(bench.ask(get("k")), '"k" rev 1');
  assert.deepEqual(bench.at(0, set("k", { ifRev: 1 })), ['"OK" rev 4']);
});

Deno.test("a state in which nothing expires any more has the bytes of one in which nothing ever did", () => {
  const [never, once] = [new Bench(), new Bench()];
  never.at(0, set("a"), set("b"), set("c"), deleteCommand(path("c")), set("a"));
  once.at(0, set("a", { ttlMs: 9 }), set("b"), set("c", { ttlMs: 5 }));
  assert.notDeepEqual(dumped(never.store).bytes, dumped(once.store).bytes);
  once.at(0, deleteCommand(path("c")), set("a"));
  assert.deepEqual(dumped(never.store), dumped(once.store));
});

Deno.test("one sweep removes so many and no more, the first due first, at one revision", () => {
  const bench = new Bench();
  for (let i = 0; i < MAX_SWEPT + 5; i++) bench.at(0, set(`k${i}`, { ttlMs: 2_000 - i }));
  const rev = MAX_SWEPT + 5;
  assert.deepEqual(bench.sweep(5_000), [MAX_SWEPT, 1_995, rev + 1]);
  for (let i = 0; i < rev; i++) {
    assert.equal(bench.ask(get(`k${i}`)), i < 5 ? `"k${i}" rev ${i + 1}` : "404 KEY_NOT_FOUND");
  }
  assert.deepEqual(bench.sweep(5_000, START + 1_995), [5, 5_000, rev + 2]);
});

Deno.test("a sweep and a look begin where they are told to", () => {
  const bench = new Bench();
  bench.at(0, set("a", { ttlMs: 100 }), set("b", { ttlMs: 200 }), set("c", { ttlMs: 300 }));
  assert.equal(bench.due(0, 99), "0 rev 0");
  assert.equal(bench.due(0, 100), `${START + 100} rev 0`);
  assert.equal(bench.due(100, 100), `${START + 100} rev 0`);
  assert.equal(bench.due(101, 250), `${START + 200} rev 0`);
  assert.equal(bench.due(200, 100), "0 rev 0");
  assert.deepEqual(bench.sweep(1_000, START + 200), [2, 1_000, 4]);
  assert.equal(bench.ask(get("a")), '"a" rev 1');
  assert.equal(bench.ask(get("b")), "404 KEY_NOT_FOUND");
});

Deno.test("a time beyond all bounds is none, and a clock beyond them stops nothing", () => {
  const bench = new Bench();
  for (const ttlMs of [0, 315_360_000_001]) {
    assert.deepEqual(
      bench.at(0, set("k", { ttlMs }), expireCommand(path("k"), ttlMs)),
      ["422 INVALID", "422 INVALID"],
    );
    assert.deepEqual(bench.at(0, incrementCommand(path("n"), 1, ttlMs)), ["422 INVALID"]);
  }
  assert.deepEqual(
    bench.at(0, set("k", { ttlMs: 1, keepTtl: true })),
    ["422 INVALID (keep_ttl)"],
  );
  const many = encodeCall(1, 2, 6, (writer) => {
    writer.uint(0);
    writer.uint(MAX_SWEPT + 1);
  });
  assert.deepEqual(bench.at(0, many), ["422 INVALID"]);
  bench.at(Number.MAX_SAFE_INTEGER - START, set("k", { ttlMs: 315_360_000_000 }));
  const last = Number.MAX_SAFE_INTEGER;
  assert.equal(bench.due(0, last - START), `${last} rev 0`);
  assert.deepEqual(bench.sweep(0), [1, last - START, 2]);
});
