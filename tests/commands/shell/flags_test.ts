import assert from "node:assert/strict";
import {
  boolFlag,
  FlagError,
  intFlag,
  listFlag,
  parseFlags,
  stringFlag,
} from "../../../commands/shell/flags.ts";

const TABLE = {
  detailed: boolFlag("More."),
  coalesce: boolFlag("Fewer.", true),
  format: stringFlag("text|json", "How."),
  "rpc-addr": stringFlag("ADDRESS", "Where."),
  tag: listFlag("KEY=VALUE", "Which."),
  protocol: intFlag("N", "Version."),
} as const;

function parse(...argv: string[]) {
  const { values, args } = parseFlags(TABLE, argv);
  return { ...values, args };
}

function refusal(...argv: string[]): FlagError {
  try {
    parseFlags(TABLE, argv);
  } catch (error) {
    assert(error instanceof FlagError);
    return error;
  }
  assert.fail(`${JSON.stringify(argv)} was accepted`);
}

Deno.test("absent flags have their default", () => {
  assert.deepEqual(parse(), {
    detailed: false,
    coalesce: true,
    format: undefined,
    "rpc-addr": undefined,
    tag: [],
    protocol: 0,
    args: [],
  });
});

Deno.test("one and two dashes, '=' and a separate value are the same", () => {
  for (
    const argv of [["-format=json"], ["--format=json"], ["-format", "json"], ["--format", "json"]]
  ) {
    assert.equal(parse(...argv).format, "json", argv.join(" "));
  }
});

Deno.test("a separate value may look like a flag, a terminator or nothing", () => {
  assert.equal(parse("-format", "-x").format, "-x");
  assert.equal(parse("-format", "--x").format, "--x");
  assert.equal(parse("-format", "--").format, "--");
  assert.equal(parse("-format", "").format, "");
  assert.equal(parse("-format=").format, "");
  assert.deepEqual(parse("-format", "-tag", "a=b"), { ...parse(), format: "-tag", args: ["a=b"] });
});

Deno.test("a value is split from its flag at the first '='", () => {
  assert.equal(parse("-format=a=b").format, "a=b");
  assert.deepEqual(parse("-tag=a=b", "-tag", "c=d=e").tag, ["a=b", "c=d=e"]);
});

Deno.test("booleans take no separate value", () => {
  assert.deepEqual(parse("-detailed", "true", "-format=json"), {
    ...parse("-detailed"),
    args: ["true", "-format=json"],
  });
});

Deno.test("booleans know Go's words and no others", () => {
  for (const word of ["1", "t", "T", "true", "TRUE", "True"]) {
    assert.equal(parse(`-detailed=${word}`).detailed, true, word);
  }
  for (const word of ["0", "f", "F", "false", "FALSE", "False"]) {
    assert.equal(parse(`-coalesce=${word}`).coalesce, false, word);
  }
  for (const word of ["", "yes", "no", "tRue", "2", " true"]) {
    assert.equal(
      refusal(`-detailed=${word}`).message,
      `invalid boolean value "${word}" for -detailed: parse error`,
    );
  }
});

Deno.test("integers are read as Go literals", () => {
  const read: [string, number][] = [
    ["5", 5],
    ["-3", -3],
    ["+3", 3],
    ["0", 0],
    ["0x1F", 31],
    ["0X_1f", 31],
    ["0b101", 5],
    ["0o17", 15],
    ["017", 15],
    ["0_7", 7],
    ["1_000", 1000],
    ["-0x10", -16],
  ];
  for (const [text, value] of read) assert.equal(parse(`-protocol=${text}`).protocol, value, text);
  for (
    const text of ["", "x", "3.0", "08", "1__0", "_1", "1_", "0x", "0b2", " 3", "3 ", "1e3", "+"]
  ) {
    assert.equal(
      refusal(`-protocol=${text}`).message,
      `invalid value "${text}" for flag -protocol: parse error`,
    );
  }
  for (const text of ["9223372036854775808", "-9223372036854775809", "0xffffffffffffffff"]) {
    assert.equal(
      refusal("-protocol", text).message,
      `invalid value "${text}" for flag -protocol: value out of range`,
    );
  }
});

Deno.test("values in error texts are quoted as Go strings", () => {
  assert.equal(
    refusal('-detailed=a"\n\x01ä\u200b').message,
    'invalid boolean value "a\\"\\n\\x01ä\\u200b" for -detailed: parse error',
  );
});

Deno.test("of a repeated flag the last one wins, a list keeps all", () => {
  assert.equal(parse("-format=a", "-format=b").format, "b");
  assert.equal(parse("-detailed", "-detailed=false").detailed, false);
  assert.deepEqual(parse("-tag=a", "--tag", "b", "-tag=").tag, ["a", "b", ""]);
});

Deno.test("nothing after the first argument is a flag", () => {
  assert.deepEqual(parse("x", "-coalesce=false", "--bogus"), {
    ...parse(),
    args: ["x", "-coalesce=false", "--bogus"],
  });
  assert.deepEqual(parse("-detailed", "-", "-bogus").args, ["-", "-bogus"]);
  assert.deepEqual(parse("", "-bogus").args, ["", "-bogus"]);
});

Deno.test("'--' ends the flags and disappears", () => {
  assert.deepEqual(parse("-detailed", "--", "-format", "--", "x").args, ["-format", "--", "x"]);
});

Deno.test("an unknown flag is named with one dash and without its value", () => {
  assert.equal(refusal("-bogus").message, "flag provided but not defined: -bogus");
  assert.equal(refusal("--bogus=3").message, "flag provided but not defined: -bogus");
  assert.equal(refusal("-1").message, "flag provided but not defined: -1");
  assert.equal(refusal("-detailedx").message, "flag provided but not defined: -detailedx");
  assert.equal(refusal("--__proto__=1").message, "flag provided but not defined: -__proto__");
  assert.equal(refusal("-toString").message, "flag provided but not defined: -toString");
});

Deno.test("an unknown flag close to a known one comes with a suggestion", () => {
  assert.equal(refusal("-detailled").suggestion, "detailed");
  assert.equal(refusal("-rpc-add=x").suggestion, "rpc-addr");
  assert.equal(refusal("-bogus").suggestion, undefined);
});

Deno.test("a flag at the end without its value needs an argument", () => {
  assert.equal(refusal("-format").message, "flag needs an argument: -format");
  assert.equal(refusal("--tag").message, "flag needs an argument: -tag");
});

Deno.test("too many dashes or no name is bad syntax, shown as it was written", () => {
  for (const arg of ["-=x", "--=x", "---x", "---", "--=", "-="]) {
    assert.equal(refusal(arg).message, `bad flag syntax: ${arg}`);
  }
});

Deno.test("a help flag with a value asks for help without a message", () => {
  assert.equal(refusal("-h=3").message, "");
  assert.equal(refusal("--help=3").message, "");
});

Deno.test("the first wrong flag decides", () => {
  assert.equal(refusal("-detailed=xx", "-bogus").message.startsWith("invalid boolean"), true);
  assert.equal(refusal("-bogus", "-detailed=xx").message.startsWith("flag provided"), true);
});

Deno.test("given flags keep their order and their text", () => {
  const { given } = parseFlags(TABLE, ["-tag", "a", "--format=x", "-tag=b", "-detailed"]);
  assert.deepEqual(given, [["tag", "a"], ["format", "x"], ["tag", "b"], ["detailed", "true"]]);
});
