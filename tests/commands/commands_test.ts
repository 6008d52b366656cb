import assert from "node:assert/strict";
import { dispatch } from "../../commands/dispatch.ts";
import { recordingTerminal } from "./recording_terminal.ts";

const COMMANDS = [
  "agent",
  "event",
  "force-leave",
  "info",
  "join",
  "keygen",
  "leave",
  "members",
  "monitor",
  "tags",
];

async function run(...argv: string[]) {
  const terminal = recordingTerminal();
  const code = await dispatch(argv, terminal);
  return { code, stdout: terminal.stdout, stderr: terminal.stderr };
}

Deno.test("every help starts with the usage and fits 80 columns", async () => {
  for (const name of COMMANDS) {
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

Deno.test("tags without a change shows its help", async () => {
  const { stderr: help } = await run("tags", "-h");
  assert.deepEqual(await run("tags"), { code: 1, stdout: help, stderr: "" });
});
