import assert from "node:assert/strict";
import { COMMANDS } from "../../commands/catalogue.ts";
import { dispatch } from "../../commands/dispatch.ts";
import { loopback } from "../support/loopback.ts";
import { recordingTerminal } from "../support/recording_terminal.ts";

const NOBODY_HOST = loopback();

/** `version` has no help, as in Serf. */
const WITH_HELP = Object.keys(COMMANDS).filter((name) => name !== "version");

async function run(...argv: string[]) {
  const terminal = recordingTerminal();
  const code = await dispatch(argv, terminal);
  return { code, stdout: terminal.stdout, stderr: terminal.stderr };
}

Deno.test("every help starts with the usage and fits 80 columns", async () => {
  for (const name of WITH_HELP) {
    const { code, stdout, stderr } = await run(name, "-h");
    assert.deepEqual([code, stdout], [0, ""], name);
    assert(stderr.startsWith(`Usage: skein ${name}`), name);
    for (const line of stderr.split("\n")) assert(line.length <= 80, `${name}: ${line}`);
    assert.doesNotMatch(stderr, /[ \t]\n|\n\n\n|\n\n$/, name);
  }
});

Deno.test("the help of agent tells the default of each flag", async () => {
  const { stderr } = await run("agent", "-h");
  const flags = stderr.split("Options:\n\n")[1]?.split(/\n(?= {2}-)/) ?? [];
  assert(flags.length >= 30);
  for (const flag of flags) {
    const text = flag.replace(/\s+/g, " ");
    assert.match(text, /Default: |^ ?-config-(?:file|dir)=/, text);
  }
});

Deno.test("a wrong number of arguments is told on standard output, then the help", async () => {
  const cases: [string[], string][] = [
    [["event"], "An event name must be specified."],
    [
      ["event", "a", "b", "c"],
      "Too many command line arguments. Only a name and payload must be specified.",
    ],
    [["force-leave"], "A node name must be specified to force leave."],
    [["force-leave", "a", "b"], "A node name must be specified to force leave."],
    [["join"], "At least one address to join must be specified."],
    [["query"], "A query name must be specified."],
    [
      ["query", "a", "b", "c"],
      "Too many command line arguments. Only a name and payload must be specified.",
    ],
    [["completion"], "One shell must be specified: bash, zsh or fish"],
  ];
  for (const [argv, message] of cases) {
    const { stderr: help } = await run(argv[0] ?? "", "-h");
    assert.deepEqual(
      await run(...argv),
      { code: 1, stdout: `${message}\n\n${help}`, stderr: "" },
      argv.join(" "),
    );
  }
});

Deno.test("tags and keys without anything to do show their help", async () => {
  for (const argv of [["tags"], ["keys"], ["keys", "-install="], ["keys", "x"]]) {
    const { stderr: help } = await run(argv[0] ?? "", "-h");
    assert.deepEqual(await run(...argv), { code: 1, stdout: help, stderr: "" }, argv.join(" "));
  }
});

Deno.test("the flags of query and keys are judged before they connect", async () => {
  const cases: [string[], string][] = [
    [["query", "-tag=bad", "-relay-factor=300"], "Error: Invalid tag: 'bad'"],
    [["query", "-relay-factor=256", "-format=xml", "x"], "Relay factor must be between 0 and 255"],
    [["query", "-relay-factor=-1", "x"], "Relay factor must be between 0 and 255"],
    [["keys", "-list", "-use=k"], "Only one of -install, -use, -remove, or -list allowed"],
    [["keys", "-install=k", "-remove=k"], "Only one of -install, -use, -remove, or -list allowed"],
  ];
  for (const [argv, message] of cases) {
    const line = [argv[0] ?? "", `-rpc-addr=${NOBODY_HOST}:1`, ...argv.slice(1)];
    assert.deepEqual(await run(...line), { code: 1, stdout: `${message}\n`, stderr: "" });
  }
});

Deno.test("a duration that cannot be read is a wrong flag", async () => {
  for (const text of ["xx", "1", ""]) {
    const { code, stderr } = await run("query", `-timeout=${text}`, "x");
    assert.deepEqual(
      [code, stderr],
      [1, `invalid value "${text}" for flag -timeout: parse error\n`],
    );
  }
});
