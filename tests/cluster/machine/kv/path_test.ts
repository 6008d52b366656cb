import assert from "node:assert/strict";
import { keyOfPath, pathText, resolvePath } from "../../../../cluster/machine/kv/path.ts";
import { MemoryStore } from "../../../../cluster/machine/store/memory_store.ts";
import { decodeTuple, encodeTuple } from "../../../../cluster/machine/store/tuple.ts";
import { mutated } from "../../../support/mutate.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

/** Namespace, connection's namespace, key, and the path or the reason and member of the failure. */
type RowOfTable = [string | undefined, string | undefined, string | string[], string];

const none = undefined;

const TABLE: RowOfTable[] = [
  // How keys and namespaces come together, row by row.
  [none, none, "foo", "global^foo"],
  ["app", none, "foo", "app^foo"],
  [none, none, "app^foo", "app^foo"],
  ["app", none, "users^42", "app^users^42"],
  ["^app", none, "foo", "app^foo"],
  ["", none, "foo", "global^foo"],
  ["global", none, "foo", "global^foo"],
  [none, none, "^app", "app"],
  ["app", none, "^x^y", "AMBIGUOUS_NAMESPACE namespace"],
  [none, none, "foo^", "BAD_KEY key"],
  [none, none, "a^^b", "BAD_KEY key"],
  [none, none, "^", "BAD_KEY key"],
  [none, none, ["a", "b"], "a^b"],
  // The connection's namespace.
  [none, "app", "foo", "app^foo"],
  [none, "app", "^global^foo", "global^foo"],
  [none, "app", "users^42", "app^users^42"],
  [none, "app", ["a", "b"], "app^a^b"],
  ["other", "app", "foo", "other^foo"],
  ["", "app", "foo", "app^foo"],
  // What follows from the rules.
  ["app^users", none, "42", "app^users^42"],
  ["global", none, "a^b", "global^a^b"],
  ["app", none, ["a", "b"], "app^a^b"],
  [none, none, ["a"], "a"],
  [none, none, ["a^b"], "BAD_KEY key"],
  [none, none, ["a", ""], "BAD_KEY key"],
  [none, none, [], "BAD_KEY key"],
  ["app", none, [], "BAD_KEY key"],
  [none, none, "", "BAD_KEY key"],
  [none, none, "^^a", "BAD_KEY key"],
  ["^", none, "foo", "BAD_KEY namespace"],
  ["a^^b", none, "foo", "BAD_KEY namespace"],
  ["global", none, "^foo", "AMBIGUOUS_NAMESPACE namespace"],
  [none, none, " foo", "BAD_KEY key"],
  [none, none, "foo ", "BAD_KEY key"],
  [none, none, "a^ b", "BAD_KEY key"],
  [none, none, "foo bar", "global^foo bar"],
  [none, none, "a\tb", "BAD_KEY key"],
  [none, none, "a\0b", "BAD_KEY key"],
  [none, none, "a\x7fb", "BAD_KEY key"],
  [none, none, "a\u0085b", "BAD_KEY key"],
  [none, none, "a\u00a0b", "global^a\u00a0b"],
  [none, none, "\ud800", "BAD_KEY key"],
  [none, none, "Foo", "global^Foo"],
  [none, none, "e\u0301", "global^\u00e9"],
  [none, none, "😀", "global^😀"],
  [none, none, "__proto__", "global^__proto__"],
  // Reserved.
  [none, none, "^$sys", "RESERVED key"],
  [none, none, "$sys^a", "RESERVED key"],
  ["$sys", none, "a", "RESERVED key"],
  [none, "$sys", "a", "RESERVED key"],
  [none, none, "$sys", "global^$sys"],
  [none, none, "$system^a", "$system^a"],
  [none, none, "$sy^a", "$sy^a"],
];

Deno.test("a key and a namespace give the path of every row of the table", () => {
  for (const [namespace, use, key, wanted] of TABLE) {
    const found = resolvePath(key, namespace, use);
    const got = found instanceof Uint8Array ? pathText(found) : `${found.reason} ${found.field}`;
    assert.equal(got, wanted, JSON.stringify([namespace, use, key]));
  }
});

Deno.test("paths are taken up to their bounds", () => {
  const taken = (key: string) => resolvePath(key) instanceof Uint8Array;
  const segments = (count: number) => Array(count).fill("a").join("^");
  assert.ok(taken(segments(16)));
  assert.ok(!taken(segments(17)));
  assert.ok(taken("a".repeat(255)));
  assert.ok(!taken("a".repeat(256)));
  assert.ok(taken("é".repeat(127)));
  assert.ok(!taken("é".repeat(128)));
  const sized = (...sizes: number[]) => `^${sizes.map((n) => "a".repeat(n)).join("^")}`;
  assert.equal((resolvePath(sized(255, 255, 255, 254, 1)) as Uint8Array).length, 1_024);
  assert.ok(!taken(sized(255, 255, 255, 255, 1)));
});

Deno.test("codes are those of the catalogue", () => {
  const code = (key: string, namespace?: string) => {
    const found = resolvePath(key, namespace);
    return found instanceof Uint8Array ? 0 : found.code;
  };
  assert.equal(code("^"), 422);
  assert.equal(code("^a", "b"), 422);
  assert.equal(code("^$sys"), 403);
});

Deno.test("the key of a path is the table's tuple followed by the segments", () => {
  const store = new MemoryStore();
  const table = encodeTuple([2, 1]);
  for (const segments of [["a"], ["a", "b c", "é"], Array(16).fill("x"), ["a".repeat(255)]]) {
    const path = resolvePath(segments) as Uint8Array;
    assert.deepEqual(keyOfPath(store, table, path), encodeTuple([2, 1, ...segments]));
  }
});

Deno.test("any bytes as a path give the key of a right path or a failure", () => {
  const store = new MemoryStore();
  const random = new SeededRandom(3);
  const table = encodeTuple([2, 1]);
  const samples = TABLE.map(([namespace, use, key]) => resolvePath(key, namespace, use))
    .filter((path) => path instanceof Uint8Array);
  let keys = 0;
  for (let i = 0; i < 20_000; i++) {
    const path = mutated(random, samples[i % samples.length] as Uint8Array);
    const key = keyOfPath(store, table, path);
    if (!(key instanceof Uint8Array)) {
      assert.ok(["BAD_KEY", "RESERVED"].includes(key.reason));
      continue;
    }
    keys++;
    const segments = decodeTuple(key).slice(2) as string[];
    assert.deepEqual(new TextEncoder().encode(segments.join("^")), path);
    assert.ok(segments.length <= 16);
    for (const segment of segments) {
      assert.match(segment, /^(?! )[^\p{Cc}^]+(?<! )$/u);
    }
  }
  assert.ok(keys > 1_000 && keys < 19_000, `${keys} keys`);
});
