import assert from "node:assert/strict";
import { goQuote, goQuoteBytes } from "../../protocol/quote.ts";

Deno.test("goQuote() leaves printable text and escapes the rest", () => {
  const cases: [string, string][] = [
    ["plain text", '"plain text"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ["\x07\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
    ["\x00\x1b\x7f", '"\\x00\\x1b\\x7f"'],
    ["äß漢字😀", '"äß漢字😀"'],
    ["\u00a0\u200b\u2028", '"\\u00a0\\u200b\\u2028"'],
    ["\u{e0001}\u{10ffff}", '"\\U000e0001\\U0010ffff"'],
  ];
  for (const [text, quoted] of cases) assert.equal(goQuote(text), quoted);
});

Deno.test("goQuoteBytes() shows bytes as text, and says which are none", () => {
  const quoted = (text: string) => goQuoteBytes(new TextEncoder().encode(text));
  assert.equal(goQuoteBytes(null), '""');
  assert.equal(quoted("v1.2 ünï"), '"v1.2 ünï"');
  assert.equal(quoted("\u{feff}a\n"), '"\\ufeffa\\n"');
  assert.equal(goQuoteBytes(new Uint8Array([0xff, 0x61, 0xef, 0xbf, 0xbd])), '"\\xffa\ufffd"');
});
