import assert from "node:assert/strict";
import { boolFlag, listFlag, stringFlag } from "../../../commands/shell/flags.ts";
import { helpText } from "../../../commands/shell/help.ts";

Deno.test("helpText() puts usage, description and options one after the other", () => {
  const text = helpText({
    usage: "demo [options]",
    description: ["Shows something."],
    flags: {
      detailed: boolFlag("More of it."),
      "a-rather-long-name": stringFlag("VALUE", "Does not fit beside its name."),
      tag: listFlag("KEY=VALUE", "word ".repeat(20).trim()),
    },
  });
  assert.equal(
    text,
    `Usage: skein demo [options]

  Shows something.

Options:

  -detailed               More of it.
  -a-rather-long-name=VALUE
                          Does not fit beside its name.
  -tag=KEY=VALUE          word word word word word word word word word word word
                          word word word word word word word word word`,
  );
});

Deno.test("helpText() without flags has no options", () => {
  assert.equal(
    helpText({ usage: "demo", description: ["Shows."] }),
    "Usage: skein demo\n\n  Shows.",
  );
});
