import assert from "node:assert/strict";
import {
  addLabel,
  checkLabel,
  labelBytes,
  LabelError,
  labelOverhead,
  stripLabel,
} from "../../../../cluster/memberlist/wire/label.ts";

const bytes = (hex: string) => Uint8Array.fromHex(hex);
const REST = bytes("0102");

Deno.test("addLabel() and stripLabel() are each other's inverse", () => {
  for (const label of ["a", "dc1", "Köln", "x".repeat(255)]) {
    const labelled = addLabel(labelBytes(label), REST);
    assert.equal(labelled.length, REST.length + labelOverhead(labelBytes(label)));
    assert.deepEqual(stripLabel(labelBytes(label), labelled), REST);
  }
  assert.equal(addLabel(labelBytes("dc1"), REST).toHex(), "f4036463310102");
});

Deno.test("without a label there is no header", () => {
  assert.equal(addLabel(labelBytes(""), REST), REST);
  assert.equal(stripLabel(labelBytes(""), REST), REST);
  assert.equal(labelOverhead(labelBytes("")), 0);
});

Deno.test("stripLabel() refuses another label, a missing one and one too many", () => {
  const labelled = addLabel(labelBytes("dc1"), REST);
  for (const label of ["", "dc", "dc2", "DC1", "dc11"]) {
    assert.throws(() => stripLabel(labelBytes(label), labelled), LabelError);
  }
  assert.throws(() => stripLabel(labelBytes("dc1"), REST), {
    message: 'Label is none, wanted "dc1"',
  });
  assert.throws(() => stripLabel(labelBytes(""), labelled), {
    message: 'Label is "dc1", wanted none',
  });
});

Deno.test("stripLabel() refuses an empty label and a cut header", () => {
  for (const hex of ["f4", "f400", "f40001", "f403", "f4036463"]) {
    assert.throws(
      () => stripLabel(labelBytes("dc1"), bytes(hex)),
      /Label header is malformed/,
      hex,
    );
    assert.throws(() => stripLabel(labelBytes(""), bytes(hex)), LabelError, hex);
  }
  assert.equal(stripLabel(labelBytes("dc1"), bytes("f403646331")).length, 0);
});

Deno.test("labelBytes() refuses more than 255 bytes", () => {
  assert.throws(() => labelBytes("x".repeat(256)), { message: "Label takes 256 of 255 bytes" });
  assert.throws(() => labelBytes("ö".repeat(128)), LabelError);
});

Deno.test("checkLabel() quotes a stranger's label so that it cannot break a log line", () => {
  assert.throws(() => checkLabel(labelBytes(""), bytes("610a62")), {
    message: 'Label is "a\\nb", wanted none',
  });
});
