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
  const ours = ["completion", "help", "kv", "raft", "reload", "session", "topic", "validate"];
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
  for (
    const argv of [[], [""], ["--"], ["-x"], ["--", "version"], ["-x", "--"], ["-format", "x"]]
  ) {
    assert.deepEqual(await run(...argv), { code: 127, stdout: "", stderr: list }, argv.join(" "));
  }
});

Deno.test("a request for help without a command: the list on standard error, exit 0", async () => {
  for (const argv of [["-h"], ["-help"], ["--help"], ["-x", "-h"]]) {
    assert.deepEqual(await run(...argv), { code: 0, stdout: "", stderr: list }, argv.join(" "));
  }
});

Deno.test("an unknown command: what it might have been, or where the list is, exit 127", async () => {
  const misspelt = "Unknown command 'membres', did you mean 'members'?\n";
  assert.deepEqual(await run("membres"), { code: 127, stdout: "", stderr: misspelt });
  assert.deepEqual(await run("-h", "membres"), { code: 127, stdout: "", stderr: misspelt });
  const unknown = "Unknown command 'toString'; 'skein help' lists the commands\n";
  assert.deepEqual(await run("toString"), { code: 127, stdout: "", stderr: unknown });
});

Deno.test("help shows the list or a command's help on standard output", async () => {
  assert.deepEqual(await run("help"), { code: 0, stdout: list, stderr: "" });
  for (const argv of [["help", "keygen"], ["help", "--", "keygen"]]) {
    assert.deepEqual(await run(...argv), { code: 0, stdout: keygenHelp, stderr: "" });
  }
  const misspelt = "Unknown command 'keygne', did you mean 'keygen'?\n";
  assert.deepEqual(await run("help", "keygne"), { code: 1, stdout: misspelt, stderr: "" });
  assert.equal((await run("help", "keygen", "keys")).code, 1);
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

Deno.test("-v and --version anywhere, and -version first, print the version", async () => {
  assert.match(
    version.stdout,
    /^\d+\.\d+\.\d+\S*\nAgent Protocol: 5 \(Understands back to: 2\)\n$/,
  );
  for (
    const argv of [["-v"], ["--version"], ["-version"], ["members", "-v"], [
      "event",
      "x",
      "--",
      "--version",
    ], ["nosuch", "-v"]]
  ) {
    assert.deepEqual(await run(...argv), version, argv.join(" "));
  }
  assert.equal((await run("members", "-version")).code, 1);
});

Deno.test("flags before the command count as if they stood after it", async () => {
  const json = await run("version", "-format=json");
  for (const flags of [["-format=json"], ["-format", "json"], ["--format", "JSON"]]) {
    assert.deepEqual(await run(...flags, "version"), json, flags.join(" "));
  }
  assert.deepEqual(await run("-rpc-addr", "members", "validate"), {
    code: 1,
    stdout: "",
    stderr: "flag provided but not defined: -rpc-addr\n",
  });
  assert.deepEqual(await run("-x", "validate"), await run("validate", "-x"));
});

Deno.test("version ignores all but the format", async () => {
  assert.deepEqual(await run("version", "-bogus", "extra", "--", "-format=json"), version);
  const stdout = 'Encoding error: Invalid output format "xml"\n';
  assert.deepEqual(await run("version", "-format=xml"), { code: 1, stdout, stderr: "" });
});

Deno.test("keygen prints another 32-byte key each time and ignores all but the format", async () => {
  const [first, second] = [await run("keygen", "-bogus", "x"), await run("keygen")];
  assert.match(first.stdout, /^[A-Za-z0-9+/]{43}=\n$/);
  assert.deepEqual([first.code, second.code], [0, 0]);
  assert.notEqual(first.stdout, second.stdout);
});
