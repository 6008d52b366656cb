/**
 * The completion scripts, run by the shells that they are for. A shell that is not installed is told loudly.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { COMMANDS } from "../../../commands/catalogue.ts";
import { dispatch } from "../../../commands/dispatch.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const NOBODY_HOST = loopback();

async function script(shell: string): Promise<string> {
  const terminal = recordingTerminal();
  assert.equal(await dispatch(["completion", shell], terminal), 0, terminal.stdout);
  return terminal.stdout;
}

/** Registers a test that runs programs of `shell` with the script in the file `$SCRIPT`. */
function shellTest(
  name: string,
  shell: string,
  body: (evaluate: (program: string) => Promise<string>) => Promise<void>,
): void {
  if (!isInstalled(shell)) {
    Deno.stderr.writeSync(
      new TextEncoder().encode(`\n!!! SKIPPED, no ${shell} on this machine: ${name}\n\n`),
    );
    Deno.test({ name, ignore: true, fn: () => {} });
    return;
  }
  Deno.test(name, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const file = join(folder, "script");
      await Deno.writeTextFile(file, await script(shell));
      await body(async (program) => {
        const { code, stdout, stderr } = await new Deno.Command(shell, {
          args: [
            ...(shell === "zsh" ? ["-f"] : ["--norc"]).slice(shell === "fish" ? 1 : 0),
            "-c",
            program,
          ],
          env: { SCRIPT: file, HOME: folder, TERM: "dumb" },
          stdin: "null",
          signal: AbortSignal.timeout(20_000),
        }).output();
        const decoder = new TextDecoder();
        assert.equal(code, 0, decoder.decode(stderr));
        return decoder.decode(stdout);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

function isInstalled(shell: string): boolean {
  try {
    return new Deno.Command(shell, { args: ["-c", "exit"], stdin: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

Deno.test("completion names every command in the script of each shell", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const text = await script(shell);
    for (const name of Object.keys(COMMANDS)) assert.match(text, new RegExp(`\\b${name}\\b`), name);
    assert(!text.includes("undefined"));
  }
});

/** Lines that a person has typed so far and what is offered; a member's name tries to run a command. */
const CASES: readonly [line: readonly string[], offered: readonly string[]][] = [
  [["mem"], ["members"]],
  [["members", "-det"], ["-detailed"]],
  [["members", "-fo"], ["-format="]],
  [["members", "--fo"], ["--format="]],
  [["members", "-format", "=", ""], ["text", "json"]],
  [["members", "-format", "="], ["text", "json"]],
  [["members", "-format", "=", "j"], ["json"]],
  [["members", "-format=j"], ["-format=json"]],
  [["members", "-format", "j"], ["json"]],
  [["members", "-detailed", "-st"], ["-status="]],
  [["members", "-rpc-addr", "-st"], []],
  [["monitor", "-log-level", "w"], ["warn"]],
  [["event", "-coalesce", "=", "f"], ["false"]],
  [["event", "x"], []],
  [["completion", ""], ["bash", "zsh", "fish"]],
  [["force-leave", ""], ["alpha", "beta", "\\$\\(touch\\ evil\\)"]],
  [["force-leave", "-prune", "al"], ["alpha"]],
  [["members", "-name", "=", "b"], ["beta"]],
  [["nosuch", "-fo"], []],
];

shellTest("bash completes commands, flags, values and members", "bash", async (evaluate) => {
  const words = CASES.map(([line]) => `try ${line.map((word) => `'${word}'`).join(" ")}`);
  const stdout = await evaluate(`
    set -u; cd "$HOME"; source "$SCRIPT"
    skein() { [[ $1 == completion ]] && printf '%s\\n' alpha beta '$(touch evil)'; }
    try() {
      COMP_WORDS=(skein "$@") COMP_CWORD=$# COMP_LINE="skein $*" COMPREPLY=()
      _skein skein
      echo "\${COMPREPLY[@]+"\${COMPREPLY[@]}"}"
    }
    ${words.join("\n")}
    [[ ! -e evil ]]
  `);
  const got = stdout.split("\n").slice(0, -1);
  assert.deepEqual(
    got.map((line, i) => [CASES[i]?.[0].join(" "), line]),
    CASES.map(([line, offered]) => [line.join(" "), offered.join(" ")]),
  );
});

shellTest("bash asks the agent that the line names for members", "bash", async (evaluate) => {
  const stdout = await evaluate(`
    source "$SCRIPT"
    COMP_WORDS=(skein force-leave -rpc-addr = 127.0.0.9 : 7373 --rpc-auth = t "") COMP_CWORD=10
    COMP_LINE="skein force-leave -rpc-addr=127.0.0.9:7373 --rpc-auth=t "
    exec 3>&1; skein() { echo "$*" >&3; }
    _skein skein
  `);
  assert.equal(stdout, "completion -members -rpc-addr=127.0.0.9:7373 -rpc-auth=t\n");
});

shellTest("bash completes the file of a flag", "bash", async (evaluate) => {
  const stdout = await evaluate(`
    source "$SCRIPT"; cd "$HOME"; touch 'my file.json' other
    COMP_WORDS=(skein agent -config-file = m) COMP_CWORD=4 COMP_LINE="skein agent -config-file=m"
    _skein skein; printf '%s\\n' "\${COMPREPLY[@]}"
  `);
  assert.equal(stdout, "my file.json\n");
});

shellTest("zsh completes commands, flags, values and members", "zsh", async (evaluate) => {
  // A terminal inside: only there does zsh complete. Each line ends when what it should show has come.
  const cases = [
    ["skein mem", "members"],
    ["skein members -det", "detailed"],
    ["skein members -format=j", "json"],
    ["skein monitor -log-level w", "warn"],
    ["skein force-leave -prune al", "alpha"],
    ["skein force-leave -rpc-addr=127.0.0.9:7373 be", "beta-127.0.0.9:7373"],
    ["skein completion fi", "fish"],
  ];
  const stdout = await evaluate(`
    zmodload zsh/zpty
    zpty z zsh -f -i
    zpty -w z 'PS1=; autoload -U compinit; compinit -u -D; source "$SCRIPT"'
    zpty -w z 'skein() { print -l alpha beta\${3/-rpc-addr=/-} }; print RE''ADY'
    zpty -r z out '*READY*'
    ${
    cases.map(([typed, shown]) =>
      `zpty -w -n z $'${typed}\\t'; zpty -r z out '*${shown}*' && print -r -- ${shown}; zpty -w -n z $'\\C-u'`
    ).join("\n")
  }
    zpty -d z
  `);
  assert.equal(stdout, cases.map(([, shown]) => `${shown}\n`).join(""));
});

shellTest("fish completes commands, flags, values and members", "fish", async (evaluate) => {
  const cases: [string, string[]][] = [
    ["skein mem", ["members"]],
    ["skein members -det", ["-detailed"]],
    ["skein members -format=j", ["-format=json"]],
    ["skein members -format ", ["json", "text"]],
    ["skein monitor -log-level w", ["warn"]],
    ["skein event x -fo", ["-format"]],
    ["skein force-leave -prune al", ["alpha"]],
    ["skein force-leave -rpc-addr=127.0.0.9:7373 be", ["beta-127.0.0.9:7373"]],
    ["skein completion ", ["bash", "fish", "zsh"]],
    ["skein event ", []],
  ];
  const stdout = await evaluate(`
    source $SCRIPT
    function skein; printf '%s\\n' alpha beta(string replace -- -rpc-addr= - "$argv[3]"); end
    ${cases.map(([line]) => `complete -C '${line}' | cut -f1; echo .`).join("\n")}
  `);
  const got = stdout.split(".\n").slice(0, -1).map((text) => text.split("\n").slice(0, -1).sort());
  assert.deepEqual(
    got.map((offered, i) => [cases[i]?.[0], offered]),
    cases.map(([line, offered]) => [line, offered]),
  );
});

Deno.test("completion refuses anything but one known shell", async () => {
  const run = async (...args: string[]) => {
    const terminal = recordingTerminal();
    const code = await dispatch(["completion", ...args], terminal);
    return [code, terminal.stdout.split("\n")[0]];
  };
  assert.deepEqual(await run(), [1, "One shell must be specified: bash, zsh or fish"]);
  assert.deepEqual(await run("bash", "zsh"), [1, "One shell must be specified: bash, zsh or fish"]);
  assert.deepEqual(await run("tcsh"), [1, "Unknown shell 'tcsh': it must be bash, zsh or fish"]);
  assert.deepEqual(await run("toString"), [
    1,
    "Unknown shell 'toString': it must be bash, zsh or fish",
  ]);
});

Deno.test("completion is silent about members when there is no agent", async () => {
  const terminal = recordingTerminal();
  const code = await dispatch(["completion", "-members", `-rpc-addr=${NOBODY_HOST}:1`], terminal);
  assert.deepEqual([code, terminal.stdout, terminal.stderr], [1, "", ""]);
});
