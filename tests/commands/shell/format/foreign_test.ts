import assert from "node:assert/strict";
import { foreignOn, withoutControls } from "../../../../commands/shell/format/foreign.ts";

const EVIL = "evil\x1b]0;owned\x07\x1b[2Jx\nalpha  10.0.0.1:7946  alive";

const piped = foreignOn({ screen: undefined });
const shown = foreignOn({ screen: { rows: 24, columns: 80 } });

Deno.test("a pipe gets the texts of others as they are", () => {
  for (const show of [piped.word, piped.cell, piped.block]) assert.equal(show(EVIL), EVIL);
});

Deno.test("on a terminal no text of others steers it, or passes for a line or a column", () => {
  const tamed = String.raw`evil\x1b]0;owned\a\x1b[2Jx`;
  assert.equal(shown.word(EVIL), String.raw`${tamed}\nalpha  10.0.0.1:7946  alive`);
  assert.equal(
    shown.cell(EVIL),
    String.raw`${tamed}\nalpha\x20\x2010.0.0.1:7946\x20\x20alive`,
  );
  assert.equal(shown.cell(" a b "), String.raw`\x20a b\x20`);
  assert.equal(shown.block(EVIL), `${tamed}\n  alpha  10.0.0.1:7946  alive`);
  assert.equal(shown.block("a\tb\r\nc\rd"), "a\tb\n  c\\rd");
});

Deno.test("what reorders, hides or is no character is escaped; letters and emoji stay", () => {
  const cases = [
    ["\x9b2J\x7f", String.raw`\u009b2J\x7f`],
    ["a\u202eb\u200bc\u2028d\u00ade", String.raw`a\u202eb\u200bc\u2028d\u00ade`],
    ["caf\udce9", String.raw`caf\xe9`],
    ["\ud800", "\ufffd"],
    ["漢字 café e\u0301 עברית 🇩🇪 ❤️ 👩🏽‍🚀", "漢字 café e\u0301 עברית 🇩🇪 ❤️ 👩🏽‍🚀"],
    ["be\u200dta", String.raw`be\u200dta`],
    ['C:\\x "y"', 'C:\\x "y"'],
  ] as const;
  for (const [text, safe] of cases) assert.equal(shown.word(text), safe);
});

Deno.test("withoutControls() leaves line breaks, tabs and our colours", () => {
  const ours = "a\tb\n\x1b[32malive\x1b[39m";
  assert.equal(withoutControls(ours), ours);
  assert.equal(
    withoutControls("\x1b[2J\x1b]0;t\x07\r\x9b1m"),
    String.raw`\x1b[2J\x1b]0;t\a\r\u009b1m`,
  );
});
