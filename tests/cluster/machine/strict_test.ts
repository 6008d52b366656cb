import assert from "node:assert/strict";
import { incrementCommand, setCommand } from "../../../cluster/machine/kv/mod.ts";
import { Machine } from "../../../cluster/machine/machine.ts";
import { MemoryStore } from "../../../cluster/machine/store/memory_store.ts";
import { readBytes, readInt, readUint } from "../../../cluster/machine/strict.ts";
import { DecodeError, Reader, Writer } from "../../../protocol/msgpack/mod.ts";
import { applied, json } from "../../support/machine/fixture.ts";

const MAX = Number.MAX_SAFE_INTEGER;

/** Writes a value, reads it again, and checks that all of it was read. */
function back<T>(write: (writer: Writer) => void, read: (reader: Reader) => T): T {
  const writer = new Writer("rpc");
  write(writer);
  const reader = new Reader(writer.finish());
  const value = read(reader);
  assert.equal(reader.remaining, 0);
  return value;
}

Deno.test("what the writer writes is read, at every border of a width", () => {
  const borders = [0, 7, 8, 15, 16, 31, 32, 52].map((bits) => 2 ** bits)
    .flatMap((power) => [power - 1, power, power + 1]).concat(0, 31, 32, 33, MAX);
  for (const value of borders) {
    assert.equal(back((w) => w.uint(value), (r) => readUint(r, 0, MAX)), value);
    assert.equal(back((w) => w.int(value), readInt), value);
    assert.equal(back((w) => w.int(-value), readInt), value === 0 ? 0 : -value);
  }
  for (const length of [0, 1, 255, 256, 65_535, 65_536]) {
    const bytes = new Uint8Array(length).fill(7);
    assert.deepEqual(back((w) => w.bytes(bytes), readBytes), bytes);
  }
});

Deno.test("another spelling that the wires take is refused", () => {
  const refused = (read: (reader: Reader) => unknown, spellings: string) => {
    for (const spelling of spellings.split(" ")) {
      const bytes = Uint8Array.fromHex(spelling);
      assert.throws(() => read(new Reader(bytes)), DecodeError, spelling);
    }
  };
  const uint = (reader: Reader) => readUint(reader, 0, MAX);
  // nil, true, longer integers, signed ones, floats, nothing.
  refused(uint, "c0 c3 cc7f cd00ff ce0000ffff cf00000000ffffffff d000 d10080 ca3f800000");
  refused(uint, "cb3ff0000000000000 ff a0 cc cd01");
  refused(readInt, "c0 c2 cc80 cd0100 d07f d1007f d1ff80 d200007fff d3000000007fffffff ca3f800000");
  refused(readInt, "d0e0 d30020000000000000 d1");
  // nil, texts, an array of bytes, longer heads, nothing.
  refused(readBytes, "c0 a161 d90161 920102 c5000161 c60000000161 c6000000ff c402ff");
  assert.throws(() => readUint(new Reader(Uint8Array.of(9)), 0, 8), DecodeError);
});

Deno.test("a command in another spelling is invalid for every server", () => {
  const a = new TextEncoder().encode("a");
  const [set, add] = [setCommand(a, json(1)), incrementCommand(a, 1)].map((c) => c.toHex());
  assert.deepEqual([set, add], ["010201c4016100c40131", "010203c4016101"]);
  const spellings = [
    "cc010201c4016100c40131",
    "01cc0201c4016100c40131",
    "010201a16100c40131",
    "010201c4016100a131",
    "010201c40161c0c40131",
    "010201c4016100910" + "1",
    "010203c40161cc01",
    "010203c40161ca3f800000",
    "010203c40161c0",
  ];
  const machine = new Machine(new MemoryStore());
  for (const spelling of spellings) {
    assert.deepEqual(applied(machine, Uint8Array.fromHex(spelling)), ["422 INVALID"], spelling);
  }
});
