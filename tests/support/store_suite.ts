/**
 * What every `Store` must do. The one in memory and the one on the disk run the same tests, so that what holds in the simulator
 * holds on a machine.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  MAX_VALUE_BYTES,
  type Row,
  type Store,
  type StoreReader,
  type Transaction,
} from "../../cluster/machine/store/store.ts";
import { MAX_KEY_BYTES } from "../../cluster/machine/store/tuple.ts";
import { compareBytes } from "../../protocol/bytes.ts";
import { below } from "./random_value.ts";
import { SeededRandom } from "./simulation/random.ts";

/** Runs a test on an empty store and then does away with it. */
export type RunOnStore = (test: (store: Store) => void) => Promise<void>;

/** Registers the tests of the suite under `name`. */
export function storeSuite(name: string, run: RunOnStore): void {
  const test = (sentence: string, body: (store: Store) => void): void =>
    Deno.test(`${name}: ${sentence}`, () => run(body));

  test("a new store is empty", (store) => {
    assert.equal(store.get(bytes("a")), undefined);
    assert.deepEqual(store.range(new Uint8Array(), undefined, 10), []);
  });

  test("what a transaction puts is there, also inside it, until it is deleted", (store) => {
    store.transaction((state) => {
      state.put(bytes("a"), bytes("1"));
      assert.deepEqual(text(state.get(bytes("a"))), "1");
      state.put(bytes("a"), bytes("2"));
    });
    assert.equal(text(store.get(bytes("a"))), "2");
    store.transaction((state) => {
      state.delete(bytes("a"));
      state.delete(bytes("never"));
      assert.equal(state.get(bytes("a")), undefined);
    });
    assert.equal(store.get(bytes("a")), undefined);
  });

  test("a transaction returns what its function returns", (store) => {
    assert.equal(store.transaction(() => 7), 7);
  });

  test("a transaction that throws changes nothing and leaves the store usable", (store) => {
    fill(store, "a1", "b1", "c1");
    const fault = new Error("Fault");
    assert.throws(() =>
      store.transaction((state) => {
        state.put(bytes("a"), bytes("2"));
        state.put(bytes("a"), bytes("3"));
        state.delete(bytes("b"));
        state.put(bytes("b"), bytes("4"));
        state.delete(bytes("c"));
        state.put(bytes("d"), bytes("5"));
        throw fault;
      }), fault);
    assert.deepEqual(all(store), ["a1", "b1", "c1"]);
    fill(store, "d1");
    assert.deepEqual(all(store), ["a1", "b1", "c1", "d1"]);
  });

  test("transactions do not nest", (store) => {
    store.transaction(() => assert.throws(() => store.transaction(() => {}), Error));
    fill(store, "a1");
    assert.deepEqual(all(store), ["a1"]);
  });

  test("empty values are values", (store) => {
    store.transaction((state) => state.put(bytes("a"), new Uint8Array()));
    assert.deepEqual(store.get(bytes("a"))?.length, 0);
    assert.deepEqual(all(store), ["a"]);
  });

  test("keys are in the order of their bytes, from 0 to 255, shorter ones first", (store) => {
    const keys = [[0], [0, 0], [0, 255], [1], [97], [127], [128], [255], [255, 255]];
    store.transaction((state) => {
      for (const key of keys.toReversed()) state.put(Uint8Array.from(key), new Uint8Array());
    });
    const read = (from: number[], to: number[] | undefined, reverse?: boolean) =>
      store.range(Uint8Array.from(from), to && Uint8Array.from(to), 99, reverse)
        .map(({ key }) => [...key]);
    assert.deepEqual(read([], undefined), keys);
    assert.deepEqual(read([], undefined, true), keys.toReversed());
    assert.deepEqual(read([0, 1], [128]), keys.slice(2, 6));
  });

  test("a range has its lower bound, not its upper one, and at most its limit", (store) => {
    fill(store, "b1", "d2", "f3");
    const read = (from: string, to: string | undefined, limit: number, reverse = false) =>
      store.range(bytes(from), to === undefined ? to : bytes(to), limit, reverse).map(rowText);
    assert.deepEqual(read("b", "f", 10), ["b1", "d2"]);
    assert.deepEqual(read("a", "g", 10), ["b1", "d2", "f3"]);
    assert.deepEqual(read("a", "g", 2), ["b1", "d2"]);
    assert.deepEqual(read("a", "g", 2, true), ["f3", "d2"]);
    assert.deepEqual(read("b", "f", 10, true), ["d2", "b1"]);
    assert.deepEqual(read("d", undefined, 10, true), ["f3", "d2"]);
    assert.deepEqual(read("c", "c", 10), []);
    assert.deepEqual(read("f", "b", 10), []);
    assert.deepEqual(read("f", "b", 10, true), []);
    assert.deepEqual(read("a", "g", 0), []);
    assert.deepEqual(read("g", undefined, 10), []);
  });

  test("a transaction's ranges have what it has written", (store) => {
    fill(store, "a1", "b1", "c1");
    store.transaction((state) => {
      state.delete(bytes("b"));
      state.put(bytes("bb"), bytes("2"));
      state.put(bytes("c"), bytes("2"));
      assert.deepEqual(all(state), ["a1", "bb2", "c2"]);
      const reverse = state.range(new Uint8Array(), bytes("c"), 1, true);
      assert.deepEqual(reverse.map(rowText), ["bb2"]);
    });
  });

  test("allocated bytes are zeros that nothing else uses", (store) => {
    store.transaction((state) => {
      for (const length of [0, 1, 8, 100, 300, 100_000]) {
        for (const allocate of [state.allocate.bind(state), store.allocate.bind(store)]) {
          const key = allocate(length);
          assert.equal(key.length, length);
          assert.ok(key.every((byte) => byte === 0));
          key.fill(0xaa);
        }
      }
      const value = state.allocate(2);
      value.set(bytes("12"));
      state.put(bytes("a"), value);
    });
    assert.deepEqual(all(store), ["a12"]);
  });

  test("the longest key and value are taken, longer ones and empty keys are not", (store) => {
    const key = new Uint8Array(MAX_KEY_BYTES).fill(1);
    const value = new Uint8Array(MAX_VALUE_BYTES).fill(2);
    store.transaction((state) => state.put(key, value));
    assert.equal(compareBytes(store.get(key) ?? new Uint8Array(), value), 0);
    const refused = (key: Uint8Array, value: Uint8Array) =>
      assert.throws(() => store.transaction((state) => state.put(key, value)), RangeError);
    refused(new Uint8Array(MAX_KEY_BYTES + 1), new Uint8Array());
    refused(new Uint8Array(), new Uint8Array());
    refused(bytes("a"), new Uint8Array(MAX_VALUE_BYTES + 1));
    assert.equal(store.range(new Uint8Array(), undefined, 10).length, 1);
  });

  test("a view stays as it is while the store changes, and another one is newer", (store) => {
    fill(store, "a1", "b1", "c1");
    const view = store.view();
    fill(store, "a2", "d2");
    store.transaction((state) => state.delete(bytes("b")));
    const later = store.view();
    fill(store, "e3");
    assert.deepEqual(all(view), ["a1", "b1", "c1"]);
    assert.equal(text(view.get(bytes("a"))), "1");
    assert.equal(text(view.get(bytes("b"))), "1");
    assert.deepEqual(all(later), ["a2", "c1", "d2"]);
    assert.deepEqual(all(store), ["a2", "c1", "d2", "e3"]);
    view.close();
    assert.deepEqual(all(later), ["a2", "c1", "d2"]);
    later.close();
  });

  test("a replacement takes effect as a whole, and views of before stay", (store) => {
    fill(store, "a1", "b1");
    const view = store.view();
    const replacement = store.replacement();
    replacement.put(bytes("b"), bytes("2"));
    replacement.put(bytes("c"), bytes("2"));
    fill(store, "x1");
    assert.deepEqual(all(store), ["a1", "b1", "x1"]);
    replacement.commit();
    assert.deepEqual(all(store), ["b2", "c2"]);
    assert.deepEqual(all(view), ["a1", "b1"]);
    view.close();
    fill(store, "d3");
    assert.deepEqual(all(store), ["b2", "c2", "d3"]);
  });

  test("a replacement that is aborted changes nothing", (store) => {
    fill(store, "a1");
    const replacement = store.replacement();
    replacement.put(bytes("b"), bytes("2"));
    replacement.abort();
    assert.deepEqual(all(store), ["a1"]);
    const empty = store.replacement();
    empty.commit();
    assert.deepEqual(all(store), []);
  });

  test("a replacement takes its keys in ascending order only", (store) => {
    const replacement = store.replacement();
    replacement.put(bytes("b"), bytes("2"));
    assert.throws(() => replacement.put(bytes("a"), bytes("2")), RangeError);
    assert.throws(() => replacement.put(bytes("b"), bytes("2")), RangeError);
    replacement.abort();
  });

  test("random changes leave what they leave in a plain map", (store) => {
    for (let seed = 1; seed <= 20; seed++) compareWithMap(store, new SeededRandom(seed));
  });
}

/** Random transactions, some of which throw, with views taken in between, on the store and on a map. */
function compareWithMap(store: Store, random: SeededRandom): void {
  store.replacement().commit();
  let model = new Map<string, string>();
  const views: { view: ReturnType<Store["view"]>; rows: string[] }[] = [];
  const keys = 1 + below(random, 2_000);
  const puts = 0.2 + random.float() * 0.7;
  for (let batch = 0; batch < 40; batch++) {
    const next = new Map(model);
    const fails = random.float() < 0.2;
    try {
      store.transaction((state) => {
        for (let left = below(random, 200); left > 0; left--) {
          const key = `k${below(random, keys)}`;
          if (random.float() < puts) {
            next.set(key, `v${batch}.${left}`);
            state.put(bytes(key), bytes(`v${batch}.${left}`));
          } else {
            next.delete(key);
            state.delete(bytes(key));
          }
          if (left === 100) compareRanges(state, next, random, keys);
        }
        if (fails) throw new Error("Planned");
      });
    } catch (error) {
      if (!fails) throw error;
    }
    if (!fails) model = next;
    assert.deepEqual(all(store), rowsOf(model));
    compareRanges(store, model, random, keys);
    if (random.float() < 0.2) views.push({ view: store.view(), rows: rowsOf(model) });
  }
  for (const { view, rows } of views) {
    assert.deepEqual(all(view), rows);
    view.close();
  }
}

function compareRanges(
  reader: StoreReader | Transaction,
  model: Map<string, string>,
  random: SeededRandom,
  keys: number,
): void {
  for (let i = 0; i < 10; i++) {
    const [from, to] = [`k${below(random, keys)}`, `k${below(random, keys)}`];
    const limit = below(random, 100);
    const reverse = random.float() < 0.5;
    const wanted = [...model].filter(([key]) => key >= from && key < to).sort(byKey);
    if (reverse) wanted.reverse();
    assert.deepEqual(
      reader.range(bytes(from), bytes(to), limit, reverse).map(rowText),
      wanted.slice(0, limit).map(([key, value]) => key + value),
    );
    assert.equal(text(reader.get(bytes(from))), model.get(from));
  }
}

function rowsOf(model: Map<string, string>): string[] {
  return [...model].sort(byKey).map(([key, value]) => key + value);
}

function byKey(a: readonly [string, string], b: readonly [string, string]): number {
  return a[0] < b[0] ? -1 : 1;
}

/** Puts rows whose keys are all but the last character. */
function fill(store: Store, ...rows: string[]): void {
  store.transaction((state) => {
    for (const row of rows) state.put(bytes(row.slice(0, -1)), bytes(row.slice(-1)));
  });
}

function all(reader: StoreReader): string[] {
  return reader.range(new Uint8Array(), undefined, Infinity).map(rowText);
}

function rowText({ key, value }: Row): string {
  return `${text(key)}${text(value)}`;
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function text(value: Uint8Array | undefined): string | undefined {
  return value && new TextDecoder().decode(value);
}
