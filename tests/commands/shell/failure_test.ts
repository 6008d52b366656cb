import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import {
  CommandError,
  defineCommand,
  explain,
  wrongArguments,
} from "../../../commands/shell/command.ts";
import { wantsJson } from "../../../commands/shell/failure.ts";
import { formatFlag } from "../../../commands/shell/output.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const NOBODY_HOST = loopback();

/** A port on which nobody listens. */
const NOBODY = `-rpc-addr=${NOBODY_HOST}:1`;

const REFUSED =
  `Error connecting to Serf agent: dial tcp ${NOBODY_HOST}:1: connect: connection refused`;

/** Command lines of everything that can fail, and the text of the failure. */
const FAILURES: readonly [argv: readonly string[], code: number, error: string][] = [
  [["event"], 1, "An event name must be specified."],
  [["event", NOBODY, "x"], 1, REFUSED],
  [["force-leave"], 1, "A node name must be specified to force leave."],
  [["force-leave", NOBODY, "x"], 1, REFUSED],
  [["info", NOBODY], 1, REFUSED],
  [["join"], 1, "At least one address to join must be specified."],
  [["join", NOBODY, "x"], 1, REFUSED],
  [["keys"], 1, "None of -install, -use, -remove and -list was given"],
  [["keys", NOBODY, "-list"], 1, REFUSED],
  [["leave", NOBODY], 1, REFUSED],
  [["members", NOBODY], 1, REFUSED],
  [["members", NOBODY, "-watch"], 1, REFUSED],
  [["members", "-tag=bad"], 1, "Error: Invalid tag: 'bad'"],
  [["members", "-bogus"], 1, "flag provided but not defined: -bogus"],
  [["members", "-name"], 1, "flag needs an argument: -name"],
  [["monitor", NOBODY], 1, REFUSED],
  [["query"], 1, "A query name must be specified."],
  [["query", NOBODY, "x"], 1, REFUSED],
  [["reachability", NOBODY], 1, REFUSED],
  [["rtt"], 1, "One or two node names must be specified"],
  [["rtt", NOBODY, "x"], 1, REFUSED],
  [["tags"], 1, "Neither -set nor -delete was given"],
  [["tags", NOBODY, "-set=a=b"], 1, REFUSED],
  [["completion"], 1, "One shell must be specified: bash, zsh or fish"],
  [["completion", NOBODY, "-members"], 1, REFUSED],
  [["bogus"], 127, "Unknown command 'bogus'; 'skein help' lists the commands"],
  [[], 127, "No command was given"],
];

Deno.test("with -format=json, every failure is an object on standard output", async () => {
  for (const [argv, code, error] of FAILURES) {
    const [command, ...rest] = argv;
    const line = [...command === undefined ? [] : [command], "-format=json", ...rest];
    const terminal = recordingTerminal();
    assert.equal(await dispatch(line, terminal), code, line.join(" "));
    assert.deepEqual(JSON.parse(terminal.stdout), { error }, line.join(" "));
  }
});

Deno.test("a command that prints an object per line does so with its failure", async () => {
  const commands = [
    ["monitor", NOBODY],
    ["monitor", "-bogus"],
    ["members", "-watch", NOBODY],
    ["members", "--watch", "-bogus"],
  ];
  for (const argv of commands) {
    const terminal = recordingTerminal();
    await dispatch([...argv, "--format=json"], terminal);
    assert.match(terminal.stdout, /^\{"error":".*"\}\n$/);
  }
});

Deno.test("a format before the command counts for its failure", async () => {
  const terminal = recordingTerminal();
  assert.equal(await dispatch(["-format=JSON", "members", NOBODY], terminal), 1);
  assert.deepEqual(JSON.parse(terminal.stdout), { error: REFUSED });
});

Deno.test("an unknown format is refused before anything is asked of an agent", async () => {
  for (
    const argv of [
      ["event", "x"],
      ["force-leave", "x"],
      ["join", "x"],
      ["leave"],
      ["monitor"],
      [
        "tags",
        "-delete=x",
      ],
      ["completion", "bash"],
      ["keys", "-list"],
      ["keygen"],
      ["version"],
      ["reachability"],
      ["reload"],
      ["rtt", "x"],
      [
        "members",
        "-watch",
      ],
    ]
  ) {
    const [command = "", ...args] = argv;
    const terminal = recordingTerminal();
    assert.equal(await dispatch([command, NOBODY, "-format=xml", ...args], terminal), 1);
    assert.equal(
      terminal.stdout,
      'Encoding error: Invalid output format "xml"\n',
      argv.join(" "),
    );
  }
});

Deno.test("keygen and version answer in JSON", async () => {
  const output = async (...argv: string[]) => {
    const terminal = recordingTerminal();
    assert.equal(await dispatch(argv, terminal), 0);
    return JSON.parse(terminal.stdout);
  };
  assert.match((await output("keygen", "--format=Json")).key, /^[A-Za-z0-9+/]{43}=$/);
  assert.deepEqual((await output("version", "-format", "json")).protocol, { current: 5, min: 2 });
  assert.deepEqual((await output("members", "-v", "-format=json")).protocol, {
    current: 5,
    min: 2,
  });
});

Deno.test("wantsJson() reads no further than '--'", () => {
  assert.equal(wantsJson(["x", "-format=json"]), true);
  assert.equal(wantsJson(["--format", "JSON"]), true);
  assert.equal(wantsJson(["-format", "text", "json"]), false);
  assert.equal(wantsJson(["--", "-format=json"]), false);
  assert.equal(wantsJson(["-format"]), false);
});

const failing = defineCommand({
  usage: "failing",
  description: ["Fails."],
  flags: { format: formatFlag },
  arguments: { least: 0, few: "" },
  async run(invocation) {
    const [how] = invocation.args;
    if (how === "arguments") throw wrongArguments("failing", "Wrong");
    if (how === "details") throw new CommandError("Failed\n\n", { details: { nodes: 2 } });
    return await explain("Error x", Promise.reject(new Error("Authentication required")));
  },
});

Deno.test("the details of a failure are in the JSON only", async () => {
  const json = recordingTerminal();
  assert.equal(await failing.run(["-format=json", "details"], json), 1);
  assert.equal(json.stdout, '{\n  "error": "Failed",\n  "nodes": 2\n}\n');
  const text = recordingTerminal();
  await failing.run(["details"], text);
  assert.equal(text.stdout, "Failed\n\n\n");
});

Deno.test("what to do about a failure is told on a terminal, not to scripts, not in JSON", async () => {
  const hint = "The agent has an rpc_auth token: give it with -rpc-auth or SERF_RPC_AUTH\n";
  for (
    const [interactive, args, stderr] of [[true, [], hint], [false, [], ""], [true, [
      "-format=json",
    ], ""]] as const
  ) {
    const terminal = recordingTerminal({ interactive });
    assert.equal(await failing.run(args, terminal), 1);
    assert.equal(terminal.stderr, stderr);
    if (args.length === 0) {
      assert.equal(terminal.stdout, "Error x: Authentication required\n");
    }
  }
});
