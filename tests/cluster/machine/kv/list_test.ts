import assert from "node:assert/strict";
import {
  decodePage,
  deleteCommand,
  type ListOptions,
  listQuestion,
  MAX_LISTED_BYTES,
  type Page,
  resolveBase,
  setCommand,
} from "../../../../cluster/machine/kv/mod.ts";
import { MOST_ROWS } from "../../../../cluster/machine/kv/listing/walk.ts";
import { Machine } from "../../../../cluster/machine/machine.ts";
import { MemoryStore } from "../../../../cluster/machine/store/memory_store.ts";
import type { Store } from "../../../../cluster/machine/store/store.ts";
import { compareBytes } from "../../../../protocol/bytes.ts";
import { MAX_LISTED } from "../../../../protocol/kv/limits.ts";
import { DecodeError } from "../../../../protocol/msgpack/mod.ts";
import { applied, json, path, shown } from "../../../support/machine/fixture.ts";
import { randomPaths } from "../../../support/machine/model.ts";
import { mutated } from "../../../support/mutate.ts";
import { below } from "../../../support/random_value.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A path as bytes; empty for what is above all namespaces. */
const bytesOf = (text: string): Uint8Array => encoder.encode(text);

function machineWith(...keys: string[]): Machine {
  const machine = new Machine(new MemoryStore());
  applied(machine, ...keys.map((key) => setCommand(bytesOf(key), json(key))));
  return machine;
}

function pageOf(machine: Machine, base: string, options: Partial<ListOptions> = {}): Page {
  const all = { what: "keys", limit: MAX_LISTED, bytes: MAX_LISTED_BYTES } as const;
  const result = machine.query(listQuestion(bytesOf(base), { ...all, ...options }));
  assert.ok(result.ok, shown(result));
  return decodePage(result.body);
}

const itemsOf = ({ items }: Page): unknown[] => JSON.parse(`[${decoder.decode(items)}]`);

/** All pages, each gone on with where the one before it ended. */
function listed(machine: Machine, base: string, options: Partial<ListOptions> = {}): unknown[] {
  const found: unknown[] = [];
  let after = options.after;
  for (;;) {
    const page = pageOf(machine, base, { ...options, after });
    const items = itemsOf(page);
    assert.equal(items.length, page.count);
    found.push(...items);
    if (page.end === "done") return found;
    assert.ok(page.last.length > 0 && compareSegments(page.last, after ?? bytesOf(base)) > 0);
    after = page.last;
  }
}

/** Segment by segment, by bytes. */
function compareSegments(a: Uint8Array, b: Uint8Array): number {
  const [x, y] = [a, b].map((bytes) => decoder.decode(bytes).split("^").map(bytesOf)) as [
    Uint8Array[],
    Uint8Array[],
  ];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const order = compareBytes(x[i] as Uint8Array, y[i] as Uint8Array);
    if (order !== 0) return order;
  }
  return x.length - y.length;
}

const sorted = (keys: Iterable<string>): string[] =>
  [...keys].map(bytesOf).sort(compareSegments).map((bytes) => decoder.decode(bytes));

Deno.test("a node comes before those below it, and those before its sisters", () => {
  const order = [
    "app^a",
    "app^a^b",
    "app^a^b^c",
    "app^a^bc",
    "app^a b",
    "app^a!",
    "app^ab",
    "app^b",
    'app^q"\\',
    "app^é",
    "app^\u{ffff}",
    "app^\u{1f600}",
  ];
  const machine = machineWith(...order.toReversed(), "app", "ap^x", "apple^x", "global^y");
  assert.deepEqual(listed(machine, "app"), order);
  assert.deepEqual(sorted(order), order);
});

Deno.test("what is listed is below the node: a^b is not a^bc", () => {
  const machine = machineWith("app^a^b", "app^a^b^c", "app^a^bc", "app^a^bc^d", "app^a^b ^d");
  assert.deepEqual(listed(machine, "app^a^b"), ["app^a^b^c"]);
  assert.deepEqual(listed(machine, "app^a^bc"), ["app^a^bc^d"]);
  assert.deepEqual(listed(machine, "app^a^b^c"), []);
  assert.deepEqual(listed(machine, "none"), []);
});

Deno.test("above all namespaces is everything, and the children there are the namespaces", () => {
  const machine = machineWith("b^x", "a", "a^y^z", "c^d^e^f");
  assert.deepEqual(listed(machine, ""), ["a", "a^y^z", "b^x", "c^d^e^f"]);
  assert.deepEqual(listed(machine, "", { what: "children" }), ["a", "b", "c"]);
  assert.deepEqual(listed(machine, "", { what: "children", after: bytesOf("a") }), ["b", "c"]);
  assert.deepEqual(listed(machine, "", { depth: 1 }), ["a"]);
});

Deno.test("entries have value and revision, and change with them", () => {
  const machine = machineWith("n^a", "n^b");
  applied(machine, setCommand(bytesOf("n^a"), json({ x: [1, "é"] })), deleteCommand(path("^n^b")));
  assert.deepEqual(listed(machine, "n", { what: "entries" }), [
    { key: "n^a", value: { x: [1, "é"] }, rev: 3 },
  ]);
});

Deno.test("random trees are listed as a plain model lists them, in pages of any size", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new SeededRandom(seed);
    const keys = sorted(new Set(randomPaths(random)));
    const machine = machineWith(...keys);
    const nodes = keys.flatMap((key) => {
      const segments = key.split("^");
      return segments.map((_, i) => segments.slice(0, i + 1).join("^"));
    });
    for (const base of ["", ...new Set(nodes), "a^none"]) {
      const under = keys.filter((key) => base === "" || key.startsWith(`${base}^`));
      const level = (key: string) =>
        key.split("^").length - (base === "" ? 0 : base.split("^").length);
      const limit = 1 + below(random, 5);
      const about = `seed ${seed}, below '${base}', limit ${limit}`;
      assert.deepEqual(listed(machine, base, { limit }), under, about);
      for (const depth of [1, 2, 3]) {
        const wanted = under.filter((key) => level(key) <= depth);
        assert.deepEqual(listed(machine, base, { limit, depth }), wanted, `${about}, ${depth}`);
      }
      const names = new Set(
        under.map((key) => key.split("^")[base === "" ? 0 : base.split("^").length] as string),
      );
      assert.deepEqual(listed(machine, base, { limit, what: "children" }), [...names], about);
      const after = nodes.filter((node) => base === "" || node.startsWith(`${base}^`))[0];
      if (after === undefined) continue;
      const behind = under.filter((key) => compareSegments(bytesOf(key), bytesOf(after)) > 0);
      assert.deepEqual(listed(machine, base, { limit, after: bytesOf(after) }), behind, about);
    }
  }
});

Deno.test("a page that is full says so only if something follows", () => {
  const machine = machineWith("n^a", "n^b", "n^c");
  assert.equal(pageOf(machine, "n", { limit: 3 }).end, "done");
  const page = pageOf(machine, "n", { limit: 2 });
  assert.deepEqual([page.end, decoder.decode(page.last), page.count], ["full", "n^b", 2]);
  assert.equal(pageOf(machine, "n", { limit: 2, after: page.last }).end, "done");
});

Deno.test("a page ends before its items take more bytes than were allowed", () => {
  const machine = machineWith("n^a", "n^b", "n^c");
  const bytes = '"n^a","n^b",'.length;
  for (const [allowed, count] of [[bytes - 1, 1], [bytes, 2], [1, 0]] as const) {
    const page = pageOf(machine, "n", { bytes: allowed });
    assert.deepEqual([page.end, page.count], ["full", count]);
    assert.ok(page.items.length <= allowed);
  }
  // The longest value there is, at the longest path, fits into a page.
  const long = `n^${"x".repeat(255)}^${'"'.repeat(255)}^${"x".repeat(255)}^${"x".repeat(254)}`;
  applied(machine, setCommand(bytesOf(long), json("v".repeat(512 * 1024 - 2))));
  assert.equal(pageOf(machine, "n^" + "x".repeat(255), { what: "entries" }).end, "done");
});

/** Counts the rows and bytes that a machine reads. */
function counting(store: Store): { store: Store; read: { rows: number; most: number } } {
  const read = { rows: 0, most: 0 };
  const counted: Store = {
    get: (key) => store.get(key),
    range(...args) {
      const rows = store.range(...args);
      read.rows += rows.length;
      read.most = Math.max(read.most, rows.length);
      return rows;
    },
    allocate: (length) => store.allocate(length),
    transaction: (change) => store.transaction(change),
    view: () => store.view(),
    replacement: () => store.replacement(),
  };
  return { store: counted, read };
}

Deno.test("one question does a bounded piece of work, however much there is", () => {
  const { store, read } = counting(new MemoryStore());
  const machine = new Machine(store);
  const keys = Array.from({ length: 5_000 }, (_, i) => `n^a^${String(i).padStart(4, "0")}`);
  applied(machine, ...keys.map((key) => setCommand(bytesOf(key), json(0))));
  const rowsOf = (base: string, options: Partial<ListOptions>): [Page, number] => {
    read.rows = 0;
    return [pageOf(machine, base, options), read.rows];
  };
  const [page, rows] = rowsOf("n", {});
  assert.deepEqual([page.end, page.count], ["tired", rows]);
  assert.ok(rows >= MOST_ROWS && rows < MOST_ROWS + 16, `${rows} rows`);
  assert.deepEqual(listed(machine, "n"), keys);
  // What lies deeper than what is wanted is passed over and not read.
  const [, passed] = rowsOf("n", { depth: 1 });
  assert.ok(passed <= 16, `${passed} rows`);
  assert.deepEqual(listed(machine, "n", { what: "children" }), ["a"]);
  assert.ok(rowsOf("n", { what: "children" })[1] <= 16);

  // Long values count by their bytes, also where only their keys are wanted.
  const value = json("v".repeat(500_000));
  for (let i = 0; i < 64; i++) applied(machine, setCommand(bytesOf(`big^${i}`), value));
  const [big, bigRows] = rowsOf("big", {});
  assert.deepEqual([big.end, big.count, bigRows], ["tired", 6, 6]);
  assert.equal(listed(machine, "big").length, 64);
  // One such value fills a page, so that few others are read with it.
  assert.deepEqual(rowsOf("big", { what: "entries" })[1], 2);
  assert.ok(read.most <= 16, `${read.most} rows at once`);
});

Deno.test("many nodes that are only passed over tire as well, and nothing is lost behind them", () => {
  const keys = Array.from({ length: 3_000 }, (_, i) => `n^${String(i).padStart(4, "0")}^x^y`);
  const machine = machineWith(...keys, "n^last");
  const page = pageOf(machine, "n", { depth: 1 });
  assert.deepEqual([page.end, page.count], ["tired", 0]);
  assert.deepEqual(listed(machine, "n", { depth: 1 }), ["n^last"]);
  assert.equal(listed(machine, "n", { what: "children" }).length, 3_001);
});

Deno.test("pages under concurrent changes repeat nothing and lose nothing that stays", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new SeededRandom(seed);
    const stable = Array.from({ length: 60 }, (_, i) => `n^${String(i * 2).padStart(3, "0")}`);
    const machine = machineWith(...stable);
    const found: string[] = [];
    let after: Uint8Array | undefined;
    for (let end = ""; end !== "done";) {
      const page = pageOf(machine, "n", { limit: 1 + below(random, 7), after });
      found.push(...itemsOf(page) as string[]);
      [after, end] = [page.last, page.end];
      for (let i = 0; i < 10; i++) {
        const key = bytesOf(`n^${String(below(random, 60) * 2 + 1).padStart(3, "0")}`);
        applied(
          machine,
          random.float() < 0.5 ? setCommand(key, json(i)) : deleteCommand(key, { ifExists: true }),
        );
      }
    }
    assert.deepEqual(found, sorted(new Set(found)), `seed ${seed}`);
    assert.deepEqual(stable.filter((key) => !found.includes(key)), [], `seed ${seed}`);
  }
});

Deno.test("a question that breaks a rule is refused", () => {
  const machine = machineWith("n^a");
  const all = { what: "keys", limit: 10, bytes: 100 } as const;
  const asked = (base: string, options: Partial<ListOptions>) =>
    shown(machine.query(listQuestion(bytesOf(base), { ...all, ...options })));
  assert.equal(asked("n", { limit: 0 }), "422 INVALID");
  assert.equal(asked("n", { limit: MAX_LISTED + 1 }), "422 INVALID");
  assert.equal(asked("n", { bytes: 0 }), "422 INVALID");
  assert.equal(asked("n", { bytes: MAX_LISTED_BYTES + 1 }), "422 INVALID");
  assert.equal(asked("n", { depth: 0 }), "422 INVALID");
  assert.equal(asked("n", { depth: 17 }), "422 INVALID");
  assert.equal(asked("n^", {}), "422 BAD_KEY (key)");
  assert.equal(asked("x".repeat(1_025), {}), "422 INVALID");
  assert.equal(asked("$sys", {}), "403 RESERVED (key)");
  for (const after of ["n", "m^a", "nn^a", "n^", "n^a^", "$sys^a"]) {
    assert.equal(asked("n", { after: bytesOf(after) }), "422 INVALID (after)", after);
  }
  const children = { what: "children", after: bytesOf("n^a^b") } as const;
  assert.equal(asked("n", children), "422 INVALID (after)");
});

Deno.test("pages that are none are a DecodeError", () => {
  const random = new SeededRandom(1);
  const machine = machineWith("n^a", "n^b");
  const all = { what: "entries", limit: 10, bytes: 100 } as const;
  const result = machine.query(listQuestion(bytesOf("n"), all));
  assert.ok(result.ok);
  let refused = 0;
  for (let i = 0; i < 5_000; i++) {
    try {
      decodePage(mutated(random, result.body));
    } catch (error) {
      assert.ok(error instanceof DecodeError);
      refused++;
    }
  }
  assert.ok(refused > 1_000, `${refused} were refused`);
});

Deno.test("a listing is below a key, below a namespace, or above all of them", () => {
  const table: [string | readonly string[] | undefined, string | undefined, string][] = [
    [undefined, undefined, "global"],
    ["", "", "global"],
    [undefined, "app", "app"],
    [undefined, "^app^users", "app^users"],
    ["users", undefined, "global^users"],
    ["users", "app", "app^users"],
    ["^app", undefined, "app"],
    ["app^users", undefined, "app^users"],
    [["app"], undefined, "app"],
    [["users"], "app", "app^users"],
    ["^", undefined, ""],
    [[], undefined, ""],
    [[], "app", "app"],
    ["^", "app", "AMBIGUOUS_NAMESPACE namespace"],
    ["^x", "app", "AMBIGUOUS_NAMESPACE namespace"],
    ["a^", undefined, "BAD_KEY key"],
    [undefined, "a^^b", "BAD_KEY namespace"],
    [undefined, "^", "BAD_KEY namespace"],
    [[""], undefined, "BAD_KEY key"],
    ["^$sys", undefined, "RESERVED key"],
  ];
  for (const [key, namespace, wanted] of table) {
    const found = resolveBase(key, namespace);
    const text = found instanceof Uint8Array
      ? decoder.decode(found)
      : `${found.reason} ${found.field}`;
    assert.equal(text, wanted, JSON.stringify([key, namespace]));
  }
});
