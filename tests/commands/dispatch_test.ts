import assert from "node:assert/strict";
import { dispatch } from "../../commands/dispatch.ts";
import { recordingTerminal } from "../support/recording_terminal.ts";

async function run(...argv: string[]) {
  const terminal = recordingTerminal();
  const code = await dispatch(argv, terminal);
  return { code, stdout: terminal.stdout, stderr: terminal.stderr };
}

const list = (await run()).stderr;
const version = await run("version");
const keygenHelp = (await run("keygen", "-h")).stderr;

Deno.test("the list names the commands and how to call them", () => {
  assert.match(list, /^Usage: skein \[--version\] \[--help\] <command> \[<args>\]\n\nAvailable /);
  const names = [...list.matchAll(/^ {4}(\S+) +\S/gm)].map(([, name]) => name);
  // Serf's commands, and those that it lacks.
  const ours = ["completion", "validate"];
  assert.deepEqual(names.filter((name) => !ours.includes(name ?? "")), [
    "agent",
    "event",
    "force-leave",
    "info",
    "join",
    "keygen",
    "keys",
    "leave",
    "members",
    "monitor",
    "query",
    "reachability",
    "rtt",
    "tags",
    "version",
  ]);
  assert.deepEqual(names, names.toSorted());
  assert(list.endsWith("\n\n"));
});

Deno.test("no command: the list on standard error, exit 127", async () => {
  for (const argv of [[], [""], ["--"], ["-x"], ["-version"], ["--", "version"], ["-x", "--"]]) {
    assert.deepEqual(await run(...argv), { code: 127, stdout: "", stderr: list }, argv.join(" "));
  }
});

Deno.test("a request for help without a command: the list on standard error, exit 0", async () => {
  for (const argv of [["-h"], ["-help"], ["--help"], ["-x", "-h"]]) {
    assert.deepEqual(await run(...argv), { code: 0, stdout: "", stderr: list }, argv.join(" "));
  }
});

Deno.test("an unknown command: the list, then what it might have been, exit 127", async () => {
  const misspelt = list + "Unknown command 'membres', did you mean 'members'?\n";
  assert.deepEqual(await run("membres"), { code: 127, stdout: "", stderr: misspelt });
  assert.deepEqual(await run("-h", "membres"), { code: 127, stdout: "", stderr: misspelt });
  assert.equal((await run("help")).stderr, list + "Unknown command 'help'\n");
  assert.equal((await run("toString")).code, 127);
});

Deno.test("a request for help anywhere before '--' shows the command's help and runs nothing", async () => {
  const expected = { code: 0, stdout: "", stderr: keygenHelp };
  for (
    const argv of [["keygen", "--help"], ["-h", "keygen"], ["keygen", "x", "-help"], [
      "-x",
      "-h",
      "keygen",
    ], ["keygen", "-h", "--"]]
  ) {
    assert.deepEqual(await run(...argv), expected, argv.join(" "));
  }
  assert.equal((await run("keygen", "--", "-h")).stdout.length, 45);
});

Deno.test("-v and --version anywhere print the version", async () => {
  assert.match(
    version.stdout,
    /^\d+\.\d+\.\d+\S*\nAgent Protocol: 5 \(Understands back to: 2\)\n$/,
  );
  for (
    const argv of [["-v"], ["--version"], ["members", "-v"], ["event", "x", "--", "--version"], [
      "nosuch",
      "-v",
    ]]
  ) {
    assert.deepEqual(await run(...argv), version, argv.join(" "));
  }
  assert.equal((await run("members", "-version")).code, 1);
});

Deno.test("the help of version is one empty line", async () => {
  assert.deepEqual(await run("version", "--help"), { code: 0, stdout: "", stderr: "\n" });
  assert.deepEqual(await run("-v", "-h"), { code: 0, stdout: "", stderr: "\n" });
});

Deno.test("version ignores arguments", async () => {
  assert.deepEqual(await run("version", "-bogus", "extra"), version);
});

Deno.test("a flag before the command is refused with the command's help, exit 1", async () => {
  const message = "Invalid flags before the subcommand. If these flags are for\n" +
    "the subcommand, please put them after the subcommand.\n\n";
  assert.deepEqual(await run("-rpc-addr=x", "keygen"), {
    code: 1,
    stdout: "",
    stderr: message + keygenHelp,
  });
});

Deno.test("keygen prints another 32-byte key each time and ignores arguments", async () => {
  const first = await run("keygen", "-bogus");
  const second = await run("keygen");
  assert.match(first.stdout, /^[A-Za-z0-9+/]{43}=\n$/);
  assert.deepEqual([first.code, second.code], [0, 0]);
  assert.notEqual(first.stdout, second.stdout);
});
