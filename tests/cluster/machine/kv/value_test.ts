import assert from "node:assert/strict";
import {
  integerOfText,
  MAX_VALUE_TEXT_BYTES,
  textOfInteger,
  textOfValue,
} from "../../../../cluster/machine/kv/value.ts";

const utf8 = new TextEncoder();

/** The text, or the reason why there is none. */
function shown(value: unknown): string {
  const text = textOfValue(value);
  return text instanceof Uint8Array ? new TextDecoder().decode(text) : text.reason;
}

Deno.test("a JSON value has one text without blanks, and comes back equal", () => {
  const texts = [
    `""`,
    `"bar"`,
    `null`,
    `true`,
    `-0.5`,
    `1e-7`,
    `9007199254740991`,
    `-9007199254740991`,
    `[]`,
    `{"b":1,"a":[{}]}`,
    `"é😀\\u0000"`,
    `"\\ud800"`,
    `{"__proto__":{"a":1},"constructor":2}`,
  ];
  for (const text of texts) {
    assert.equal(shown(JSON.parse(text)), text);
    assert.equal(shown(JSON.parse(` ${text.replaceAll(",", " ,\n")} `)), text);
  }
});

Deno.test("what would not come back equal is refused", () => {
  assert.equal(shown(undefined), "INVALID");
  assert.equal(shown(JSON.parse("9007199254740993")), "INVALID");
  assert.equal(shown(JSON.parse('[1,{"a":-9007199254740992}]')), "INVALID");
  assert.equal(shown(JSON.parse("1e999")), "INVALID");
  assert.equal(shown(NaN), "INVALID");
});

Deno.test("values are taken up to their bounds", () => {
  const nested = (depth: number) => JSON.parse("[".repeat(depth) + "]".repeat(depth));
  assert.equal(shown(nested(64)).length, 128);
  assert.equal(shown(nested(65)), "TOO_DEEP");
  assert.equal(shown(nested(100_000)), "TOO_DEEP");
  assert.equal(shown("x".repeat(MAX_VALUE_TEXT_BYTES - 2)).length, MAX_VALUE_TEXT_BYTES);
  assert.equal(shown("x".repeat(MAX_VALUE_TEXT_BYTES - 1)), "VALUE_TOO_LARGE");
});

Deno.test("only the text of an integer is one", () => {
  for (const value of [0, 1, -1, 42, -9007199254740991, 9007199254740991, 1_000_000_007]) {
    assert.equal(integerOfText(textOfInteger(value)), value);
  }
  const others = ["", "-", "-0", "00", "01", "-01", "1.0", "1e3", `"1"`, "null", "1 ", " 1", "+1"];
  others.push("9007199254740992", "-9007199254740992", "99999999999999999", "1".repeat(100));
  for (const text of others) assert.equal(integerOfText(utf8.encode(text)), undefined, text);
});
