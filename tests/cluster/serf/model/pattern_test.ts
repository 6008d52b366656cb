import assert from "node:assert/strict";
import { compilePattern, loadPatterns } from "../../../../cluster/serf/model/pattern.ts";

await loadPatterns();

const finds = (pattern: string, text: string) => compilePattern(pattern).test(text);

// Pattern, texts it is found in, texts it is not found in. Checked against Go's regexp package.
const CASES: [pattern: string, found: string[], missing: string[]][] = [
  ["", ["", "a"], []],
  ["eb", ["web"], ["wb", ""]],
  ["^we", ["web"], ["swe"]],
  ["^$", [""], ["a", "\n"]],
  ["^*$", ["", "anything"], []],
  ["^a|b$", ["ax", "xb"], ["xax"]],
  ["a.c", ["abc", "aéc"], ["a\nc", "ac"]],
  ["(?s)a.c", ["a\nc"], ["ac"]],
  ["(?m)^b$", ["a\nb\nc", "b"], ["ab"]],
  ["(?i)WEB", ["web", "wEb"], ["wb"]],
  ["(?i)k", ["K", "\u212a"], ["x"]],
  ["(?i)\u017f[\u03c2]", ["s\u03c3", "S\u03a3", "\u017f\u03c2"], ["k\u03c3"]],
  ["a(?i)b|c", ["aB", "ab", "C"], ["Ab"]],
  ["a(?i:b)c", ["aBc"], ["aBC"]],
  ["(?i)a(?-i)b", ["Ab"], ["aB"]],
  ["(?P<zone>eu|us)-\\d+", ["eu-1", "xus-22"], ["eu-"]],
  ["(?<zone>eu)(?<digit>1)", ["eu1"], ["eu"]],
  ["\\Aab\\z", ["ab"], ["ab\n", "xab"]],
  ["\\bweb\\b", ["a web b"], ["webs"]],
  ["\\Bb", ["ab"], ["b"]],
  ["\\Qa.b*\\E+", ["a.b**"], ["aXb"]],
  ["[[:alpha:]]{2,3}", ["1ab"], ["a1b2"]],
  ["[^[:digit:]]", ["1a"], ["123"]],
  ["[]a]", ["]", "a"], ["b"]],
  ["[a-]", ["-"], ["b"]],
  ["[\\d\\-x]", ["4", "-", "x"], ["y"]],
  ["\\pL\\p{Greek}\\PN", ["bαc", "éω-"], ["bα1", "bbb"]],
  ["\\p{^Lu}", ["a"], ["A"]],
  ["\\s", ["a b", "\t"], ["\v", "\u00a0"]],
  ["\\w", ["_"], ["é"]],
  ["\\x41\\x{e9}\\101\\n", ["AéA\n"], ["AéA"]],
  ["a{2}", ["aa"], ["a"]],
  ["^a{,2}$", ["a{,2}"], ["aa"]],
  ["^(ab?)*?c$", ["aabc", "c"], ["abb"]],
  ["^(a|b|)+$", ["abba", ""], ["abc"]],
  ["^(|a)+$", ["", "aa"], ["b"]],
  ["(?U)a+", ["a"], ["b"]],
  ["{", ["{"], ["}"]],
  ["x{1,2", ["x{1,2"], ["xx"]],
  ["🦕{2}", ["🦕🦕"], ["🦕"]],
];

for (const [pattern, found, missing] of CASES) {
  Deno.test(`pattern '${pattern}' finds what Go's finds`, () => {
    for (const text of found) assert.ok(finds(pattern, text), JSON.stringify(text));
    for (const text of missing) assert.ok(!finds(pattern, text), JSON.stringify(text));
  });
}

Deno.test("patterns that Go refuses are refused", () => {
  const refused = [
    "(",
    ")",
    "a)",
    "[",
    "[a",
    "[b-a]",
    "[[:nope:]]",
    "*",
    "a|*",
    "(*)",
    "a**",
    "a{2}{3}",
    "a{1001}",
    "a{3,2}",
    "\\",
    "\\1",
    "(a)\\1",
    "\\Z",
    "\\C",
    "\\e",
    "\\8",
    "\\x{110000}",
    "\\xg0",
    "\\p{Nope}",
    "\\p",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?<!a)",
    "(?P=a)",
    "(?P<a",
    "(?i-)",
    "(?x)",
    "(?",
  ];
  for (const pattern of refused) {
    assert.throws(() => compilePattern(pattern), { name: "PatternError" }, pattern);
  }
});

Deno.test("patterns that would backtrack for ever take no time", () => {
  const text = "a".repeat(512) + "!";
  for (
    const pattern of [
      "^(a+)+$",
      "^(a|a)*$",
      "^(a|aa)+$",
      "(.*)*x",
      ".*.*.*.*.*.*x",
      "(a?){500}a{500}",
    ]
  ) {
    assert.equal(finds(pattern, text), pattern === "(a?){500}a{500}", pattern);
  }
});

Deno.test("patterns are bounded in length and size", () => {
  const bounded = [
    "a".repeat(1_025),
    "((((a{9}){9}){9}){9}){9}",
    "((a{0}){1000}){1000}",
    "(\\pL{1000}){5}",
  ];
  for (const pattern of bounded) {
    assert.throws(() => compilePattern(pattern), { name: "PatternError" }, pattern.slice(0, 30));
  }
  const { size } = compilePattern("a{1000}");
  assert.ok(size >= 1_000);
  assert.throws(() => compilePattern("a{1000}", size - 1), { name: "PatternError" });
});

Deno.test("a byte that is no UTF-8 is refused in a pattern, and in a text is the replacement character", () => {
  assert.throws(() => compilePattern("Z\udcfcrich.$"), {
    name: "PatternError",
    message: "error parsing regexp: invalid UTF-8: `\udcfcrich.$`",
  });
  assert.ok(compilePattern("^Z.rich$").test("Z\udcfcrich"));
  assert.ok(compilePattern("^Z\\x{FFFD}rich$").test("Z\udcfcrich"));
  assert.ok(!compilePattern("^Z..rich$").test("Z\udcfcrich"));
});
