import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  BLOCK_BYTES,
  BLOCK_HEAD_BYTES,
  dump,
  type DumpSummary,
} from "../../../cluster/machine/dump.ts";
import { setCommand } from "../../../cluster/machine/kv/mod.ts";
import { DumpError, Loader } from "../../../cluster/machine/load.ts";
import { FormatError, Machine, PROGRAM } from "../../../cluster/machine/machine.ts";
import { MemoryStore } from "../../../cluster/machine/store/memory_store.ts";
import { MAX_VALUE_BYTES, type Store } from "../../../cluster/machine/store/store.ts";
import { MAX_KEY_BYTES } from "../../../cluster/machine/store/tuple.ts";
import { upgradeCommand } from "../../../cluster/machine/sys/context.ts";
import { getU32 } from "../../../protocol/bytes.ts";
import { applied, dumped, json, load, path } from "../../support/machine/fixture.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

/** A store that a machine has put values of these lengths into. */
function filled(...lengths: number[]): Store {
  const store = new MemoryStore();
  const commands = lengths.map((length, i) =>
    setCommand(path(`k${String(i).padStart(5, "0")}`), json("x".repeat(length)))
  );
  applied(new Machine(store), ...commands);
  return store;
}

/** Payloads as blocks of a dump whose checksums and hash are right. */
function sealed(
  payloads: Uint8Array[],
  index: number,
): { bytes: Uint8Array; summary: DumpSummary } {
  const bytes = Uint8Array.from(payloads.flatMap((payload) => {
    const head = new DataView(new ArrayBuffer(BLOCK_HEAD_BYTES));
    head.setUint32(0, payload.length);
    head.setUint32(4, crc32(payload));
    return [...new Uint8Array(head.buffer), ...payload];
  }));
  const hash = createHash("sha256").update(bytes).digest("hex");
  return { bytes, summary: { index, size: bytes.length, hash } };
}

function blocksOf(bytes: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + BLOCK_HEAD_BYTES + getU32(bytes, at);
    blocks.push(bytes.subarray(at, end));
    at = end;
  }
  return blocks;
}

Deno.test("a dump has the bytes that it always had", () => {
  const { bytes, summary } = dumped(filled(1));
  assert.deepEqual(blocksOf(bytes).map((block) => block.toHex()), [
    // Magic, index 1, format 1.
    "000000217130f64d" + "00" + "736b65696e206d616368696e6520310a" + "0000000000000001" +
    "0000000000000001",
    // The context; the revision; global^k00000 with "x" of revision 1.
    "00000058111f44f1" + "01" +
    "000200000018" + "1501" + "0000000000000001" + "0000018bcfe56801" + "0000000000000001" +
    "000300000008" + "150214" + "0000000000000001" +
    "00140000000c" + "1502150102676c6f62616c00026b303030303000" + "00" + "0000000000000001" +
    "227822",
    // Three rows.
    "0000000951f66d92" + "02" + "0000000000000003",
  ]);
  assert.equal(summary.hash, "49533c6081957a92518f1fd07313536a8cb42aa93a13c9b02bc53b2e168d40f6");
});

Deno.test("a summary tells index, size and SHA-256 of the whole", () => {
  const { bytes, summary } = dumped(filled(1, 70_000, 5));
  const hash = createHash("sha256").update(bytes).digest("hex");
  assert.deepEqual(summary, { index: 3, size: bytes.length, hash });
});

Deno.test("blocks are as full as they can be, and a long row has one of its own", () => {
  const random = new SeededRandom(1);
  const lengths = Array.from({ length: 2_000 }, () => below(random, 300));
  lengths[700] = 100_000;
  lengths[701] = 300_000;
  const { bytes } = dumped(filled(...lengths));
  const rows = blocksOf(bytes).slice(1, -1).map((block) => block.length - BLOCK_HEAD_BYTES);
  assert.equal(rows.filter((length) => length > BLOCK_BYTES).length, 2);
  assert.ok(rows.length > 5);
  const whole = rows.slice(0, -1).filter((length) => length > BLOCK_BYTES - 400);
  // All but the last one, and the one that the long rows cut short.
  assert.ok(whole.length >= rows.length - 2, rows.join(" "));
});

Deno.test("an empty state has a dump, and takes the place of another state", () => {
  const empty = dumped(new MemoryStore());
  assert.equal(empty.summary.index, 0);
  const store = filled(1, 2);
  load(store, empty);
  assert.deepEqual(store.range(new Uint8Array(), undefined, 10), []);
  assert.equal(new Machine(store).context.index, 0);
});

Deno.test("a dump loads in pieces of any size, and is the same again", () => {
  const source = filled(...Array.from({ length: 800 }, (_, i) => i), 200_000);
  const whole = dumped(source);
  for (const pieceBytes of [whole.bytes.length, 1_000_000, 65_536, 4_099]) {
    const target = filled(7);
    load(target, whole, pieceBytes);
    assert.deepEqual(dumped(target).summary, whole.summary);
    assert.equal(new Machine(target).context.index, 801);
  }
  const small = dumped(filled(1, 2, 3));
  const target = new MemoryStore();
  load(target, small, 1);
  assert.deepEqual(dumped(target), small);
});

Deno.test("the store goes on while its view is dumped", () => {
  const store = filled(...Array.from({ length: 3_000 }, () => 100));
  const wanted = dumped(store).summary;
  const view = store.view();
  const steps = dump(view);
  const machine = new Machine(store);
  let step = steps.next();
  for (let i = 0; !step.done; i++, step = steps.next()) {
    applied(machine, setCommand(path(`k0${i}000`), json(i)), setCommand(path(`k9${i}`), json(i)));
  }
  view.close();
  assert.deepEqual(step.value, wanted);
  assert.notEqual(dumped(store).summary.hash, wanted.hash);
});

Deno.test("a dump with any damage is refused and the store stays as it was", () => {
  const whole = dumped(filled(1, 2, 3, 70_000));
  const target = filled(9);
  const before = dumped(target);
  const refused = (bytes: Uint8Array, summary: DumpSummary, what: string) => {
    assert.throws(() => load(target, { bytes, summary }, 1_000), DumpError, what);
    assert.deepEqual(dumped(target), before);
  };
  const random = new SeededRandom(1);
  for (let i = 0; i < 400; i++) {
    const bytes = whole.bytes.slice();
    const at = i < 200 ? i : below(random, bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << below(random, 8));
    refused(bytes, whole.summary, `bit flipped in byte ${at}`);
  }
  for (const length of [0, 1, 8, 41, 100, whole.bytes.length - 17, whole.bytes.length - 1]) {
    refused(whole.bytes.slice(0, length), whole.summary, `cut off after ${length} bytes`);
  }
  refused(Uint8Array.from([...whole.bytes, 0]), whole.summary, "a byte more");
  const blocks = blocksOf(whole.bytes);
  const joined = (...order: number[]) =>
    Uint8Array.from(order.flatMap((i) => [...blocks[i] as Uint8Array]));
  assert.equal(blocks.length, 4);
  for (const order of [[1, 2, 3], [0, 2, 1, 3], [0, 1, 3], [0, 3], [0, 0, 1, 2, 3], [0, 3, 1, 2]]) {
    refused(joined(...order), whole.summary, `blocks ${order}`);
  }
  const { summary } = whole;
  refused(whole.bytes, { ...summary, index: summary.index + 1 }, "another index");
  refused(whole.bytes, { ...summary, size: summary.size + 1 }, "another size");
  refused(whole.bytes, { ...summary, hash: summary.hash.replace(/^./, "x") }, "another hash");
});

Deno.test("a dump that was made wrongly is refused although its checksums and hash are right", () => {
  const whole = dumped(filled(1, 2, 3));
  const [first, rows, last] = blocksOf(whole.bytes).map((block) =>
    block.slice(BLOCK_HEAD_BYTES)
  ) as [Uint8Array, Uint8Array, Uint8Array];
  const target = filled(9);
  const before = dumped(target);
  const tried = (...payloads: Uint8Array[]) => load(target, sealed(payloads, whole.summary.index));
  const refused = (what: string, ...payloads: Uint8Array[]) => {
    assert.throws(() => tried(...payloads), DumpError, what);
    assert.deepEqual(dumped(target), before, what);
  };
  const changed = (payload: Uint8Array, at: number, byte: number) => {
    const copy = payload.slice();
    copy[at] = byte;
    return copy;
  };
  refused("no last block", first, rows);
  refused("rows twice", first, rows, rows, last);
  refused("another count", first, rows, changed(last, last.length - 1, 7));
  refused("a longer last block", first, rows, Uint8Array.from([...last, 0]));
  refused("an unknown kind", first, rows, Uint8Array.of(3), last);
  refused("something after the last block", first, rows, last, rows);
  refused("another magic", changed(first, 5, 0), rows, last);
  refused("a key that is too long for its block", first, changed(rows, 1, 0xff), last);
  refused("a value that is too long for its block", first, changed(rows, 6, 0xff), last);
  refused("a row that is cut off in its lengths", first, Uint8Array.from([...rows, 0, 1]), last);
  const one = changed(last, last.length - 1, 1);
  refused(
    "a value that ends after its block",
    first,
    Uint8Array.of(1, 0, 1, 0, 0, 0, 9, 1, 1),
    one,
  );
  const long = new Uint8Array(7 + MAX_KEY_BYTES + 1);
  long.set([1, (MAX_KEY_BYTES + 1) >> 8, (MAX_KEY_BYTES + 1) & 0xff]);
  refused("a key that is too long for any store", first, long, one);
  tried(first, rows, last);
  assert.deepEqual(dumped(target), whole);
});

Deno.test("rows of the longest key and value survive", () => {
  const store = filled(1);
  store.transaction((state) => {
    state.put(
      new Uint8Array(MAX_KEY_BYTES).fill(200),
      new Uint8Array(MAX_VALUE_BYTES).fill(7),
    );
  });
  const target = new MemoryStore();
  load(target, dumped(store), 1_000_000);
  assert.deepEqual(dumped(target).summary, dumped(store).summary);
});

Deno.test("a dump of a later format is refused before it replaces anything", () => {
  const store = new MemoryStore();
  applied(new Machine(store, { ...PROGRAM, format: 2 }), upgradeCommand(2));
  const target = filled(1);
  const before = dumped(target);
  assert.throws(() => load(target, dumped(store)), FormatError);
  assert.deepEqual(dumped(target), before);
});

Deno.test("a dump that is longer than it was said to be is refused as it comes", () => {
  const { bytes, summary } = dumped(filled(1));
  const loader = new Loader(new MemoryStore(), { ...summary, size: 100 });
  assert.throws(() => loader.push(bytes), DumpError);
  loader.abort();
});
