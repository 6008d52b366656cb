import assert from "node:assert/strict";
import { goJson, goJsonLine } from "../../../../commands/shell/format/gojson.ts";

Deno.test("goJson() indents by two spaces and keeps the order of fields", () => {
  assert.equal(
    goJson({ b: [1, { x: true }], a: null }),
    '{\n  "b": [\n    1,\n    {\n      "x": true\n    }\n  ],\n  "a": null\n}',
  );
});

Deno.test("goJson() sorts the keys of maps by bytes, also those that look like numbers", () => {
  const map = new Map([["b", "1"], ["10", "2"], ["9", "3"], ["\u{1f600}", "4"], ["\uff5e", "5"]]);
  assert.deepEqual(
    goJson(map).split("\n").slice(1, -1).map((line) => line.trim().split(":")[0]),
    ['"10"', '"9"', '"b"', '"\uff5e"', '"\u{1f600}"'],
  );
});

Deno.test("goJson() writes empty containers on one line", () => {
  assert.equal(goJson({ a: [], b: new Map(), c: {} }), '{\n  "a": [],\n  "b": {},\n  "c": {}\n}');
});

Deno.test("goJsonLine() needs no blanks and keeps whole numbers exact", () => {
  assert.equal(
    goJsonLine({ b: [1, { x: true }], a: null, ltime: 18_446_744_073_709_551_615n, c: "a\nb" }),
    '{"b":[1,{"x":true}],"a":null,"ltime":18446744073709551615,"c":"a\\nb"}',
  );
});

Deno.test("goJson() escapes HTML, line separators and invalid text as Go does", () => {
  assert.equal(
    goJson('<a href="x">&\u2028\u2029\udcff\ufffd'),
    '"\\u003ca href=\\"x\\"\\u003e\\u0026\\u2028\\u2029\\ufffd\ufffd"',
  );
  assert.equal(goJson(new Map([["<", 1]])), '{\n  "\\u003c": 1\n}');
});

Deno.test("goJson() escapes control characters as Go does", () => {
  assert.equal(goJson("\n\r\t\b\f\x01\x7f"), '"\\n\\r\\t\\u0008\\u000c\\u0001\x7f"');
  assert.equal(goJson("\\b \\\\f"), '"\\\\b \\\\\\\\f"');
});
