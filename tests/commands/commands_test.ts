import assert from "node:assert/strict";
import { COMMANDS } from "../../commands/catalogue.ts";
import { dispatch } from "../../commands/dispatch.ts";
import { loopback } from "../support/loopback.ts";
import { recordingTerminal } from "../support/recording_terminal.ts";

const NOBODY_HOST = loopback();
const NOBODY = `-rpc-addr=${NOBODY_HOST}:1`;

async function run(...argv: string[]) {
  const terminal = recordingTerminal();
  const code = await dispatch(argv, terminal);
  return { code, stdout: terminal.stdout, stderr: terminal.stderr };
}

Deno.test("every help starts with the usage and fits 80 columns", async () => {
  for (const name of Object.keys(COMMANDS)) {
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

Deno.test("a wrong number of arguments is told on standard output, without the help", async () => {
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
    [["rtt"], "One or two node names must be specified"],
    [["rtt", "a", "b", "c"], "One or two node names must be specified"],
    [["validate"], "At least one file or directory to check must be specified."],
    [["tags"], "Neither -set nor -delete was given"],
    [["keys"], NO_OPERATION],
    [["keys", "-install="], NO_OPERATION],
  ];
  for (const [argv, message] of cases) {
    assert.deepEqual(
      await run(...argv),
      { code: 1, stdout: `${message}\n`, stderr: "" },
      argv.join(" "),
    );
  }
});

const NO_OPERATION = "None of -install, -use, -remove and -list was given";

Deno.test("a command that takes no arguments refuses them", async () => {
  const without = [
    "info",
    "keys",
    "leave",
    "members",
    "monitor",
    "reachability",
    "reload",
    "tags",
  ];
  for (const name of without) {
    const stdout = "Unexpected argument 'x'\n";
    assert.deepEqual(await run(name, "x", "-v2"), { code: 1, stdout, stderr: "" }, name);
  }
  const stdout = "==> Unexpected argument 'x'\n";
  assert.deepEqual(await run("agent", "-node=a", "x", "-join=y"), { code: 1, stdout, stderr: "" });
});

Deno.test("a flag after an argument is an argument to a pipe, and an error to a person", async () => {
  const message = "Flags stand before the arguments, but '-coalesce=false' comes after 'deploy'";
  const line = ["event", NOBODY, "deploy", "-coalesce=false"];
  assert.match((await run(...line)).stdout, /connection refused\n$/);
  const terminal = recordingTerminal({ screen: { rows: 24, columns: 80 }, interactive: true });
  assert.equal(await dispatch(line, terminal), 1);
  assert.equal(
    terminal.stdout,
    `${message}; when it is no flag, put '--' before the arguments\n`,
  );
  assert.equal(terminal.stderr, "Usage: skein event [options] name payload\n");

  // A number that no command takes is wrong for both.
  assert.equal((await run(...line, "v2")).stdout, `${message}\n`);
  assert.match((await run("force-leave", "a", "-prune")).stdout, /^Flags stand .* '-prune' comes/);

  for (const argument of ["-", "-5", "-5x", "--", "- x", "-a b"]) {
    const person = recordingTerminal({ screen: { rows: 24, columns: 80 } });
    await dispatch(["event", NOBODY, "deploy", argument], person);
    assert.match(person.stdout, /connection refused\n$/, argument);
  }
  const marked = recordingTerminal({ screen: { rows: 24, columns: 80 } });
  await dispatch(["event", NOBODY, "--", "deploy", "-x"], marked);
  assert.match(marked.stdout, /connection refused\n$/);
  // What follows it belongs to another program.
  const other = recordingTerminal({ screen: { rows: 24, columns: 80 } });
  assert.equal(
    await dispatch(["kv", "lock", "-kv-addr=127.0.0.1:1", "l", "--", "ls", "-l"], other),
    1,
  );
  assert.match(other.stderr, /connection refused\n/);
});

Deno.test("a wrong flag is one line on standard error, and on a terminal one about the help", async () => {
  for (
    const [flag, hint] of [["-bogus", "'skein members -h' lists the flags\n"], [
      "-detialed",
      "Did you mean -detailed?\n",
    ]]
  ) {
    const terminal = recordingTerminal({ interactive: true });
    assert.equal(await dispatch(["members", flag ?? ""], terminal), 1);
    assert.equal(terminal.stdout, "");
    assert.equal(terminal.stderr, `flag provided but not defined: ${flag}\n${hint}`);
  }
});

Deno.test("a help flag with a value is a request for help", async () => {
  assert.deepEqual(await run("members", "-h=1"), await run("members", "-h"));
});

Deno.test("the flags of query and keys are judged before they connect", async () => {
  const cases: [string[], string][] = [
    [["query", "-tag=bad", "-relay-factor=300", "x"], "Error: Invalid tag: 'bad'"],
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
