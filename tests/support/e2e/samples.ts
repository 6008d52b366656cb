/**
 * What HashiCorp's command line 0.9.4 printed (tests/vectors/cli-samples.json), and in which test each capture is
 * replayed with skein's command line. All that may differ from a capture stands in this file.
 *
 * @module
 */

import assert from "node:assert/strict";
import project from "../../../deno.json" with { type: "json" };
import captured from "../../vectors/cli-samples.json" with { type: "json" };
import { type CliResult, type Program, skein } from "../agents.ts";
import { run, type RunOptions } from "./cli.ts";

/** One captured command line and what it did. */
export interface Sample {
  /** What was special about it. */
  note: string;
  /** The arguments. */
  args: string[];
  /** Variables of the environment. */
  env: Record<string, string | undefined>;
  /** Exit code; a negative one is the signal that ended it. */
  rc: number;
  /** Standard output, with `<HELP command>` for a help text. */
  stdout: string;
  /** Standard error, likewise. */
  stderr: string;
}

/**
 * Where a sample is replayed: without any agent, as an agent that cannot start or that lives a while, against a
 * cluster, against the same later when members have gone, against one with encryption, or not at all.
 */
export type Place = "alone" | "start" | "life" | "cluster" | "late" | "keys" | "nowhere";

/** Samples that are not replayed, and why. */
export const NOWHERE: Readonly<Record<string, string>> = {
  "no agent on default port":
    "a test must not depend on port 7373 of this machine; cli_test.ts has a refused port",
  "server accepts but never answers [stopped by the capture harness]":
    "Serf waits for ever, skein for 10 s; tests/client has the time limit",
  "server closes at once": "cli_test.ts has a server that does so",
  "agent killed during monitor": "monitor_test.ts kills one",
};

/** Command lines of samples that go another way on purpose, and how. The tests of `commands/` have what they do. */
export const OTHERWISE: Readonly<Record<string, string>> = {
  "help": "a command that Serf has not",
  "bogus": "one line instead of the list",
  "-version": "the version",
  "version -h": "a help",
  "version --help": "a help",
  "-rpc-addr=x members": "the flag counts for the command",
  "rtt": "the arguments are judged before it connects",
  "members extra args": "an error",
  "members -status=ali": "an error, since no status matches",
  "members -status=nope -format=json": "an error, since no status matches",
};

/** All samples, in the order in which they were captured. */
export const samples: readonly Sample[] = captured;

const FIRST_LATE = samples.findIndex(({ note }) => note === "node just joined, no coordinate yet");

/** Where a sample is replayed. */
export function placeOf(sample: Sample): Place {
  const { args, env, note, stdout } = sample;
  if (Object.hasOwn(NOWHERE, note)) return "nowhere";
  if (samples.indexOf(sample) >= FIRST_LATE) return "late";
  if (args.includes("-h") || args.includes("--version")) return "alone";
  if (args[0] === "agent") {
    return stdout.includes("Log data will now stream") ? "life" : "start";
  }
  if (env.SERF_RPC_ADDR === undefined) return "alone";
  return /:193(?:80|83)$/.test(env.SERF_RPC_ADDR) ? "keys" : "cluster";
}

/** The samples of a place, in their order. */
export function samplesOf(place: Place): Sample[] {
  return samples.filter((sample) => placeOf(sample) === place);
}

/** The sample with the addresses of the cluster that was started for it. */
export function moved(sample: Sample, addresses: ReadonlyMap<string, string>): Sample {
  let text = JSON.stringify(sample);
  for (const [from, to] of addresses) {
    text = text.replaceAll(JSON.stringify(from).slice(1, -1), JSON.stringify(to).slice(1, -1));
  }
  return JSON.parse(text);
}

/** The command line, for messages. */
export function title({ note, args }: Sample): string {
  const line = args.map((arg) => arg.length > 40 ? `${arg.slice(0, 40)}...` : arg).join(" ");
  return `skein ${line}${note === "" ? "" : ` (${note})`}`;
}

/** Runs a sample against the agent of `program` that its environment or its flags name, and compares. */
export async function replay(
  sample: Sample,
  program: Program,
  watch?: RunOptions["watch"],
): Promise<void> {
  const env = Object.fromEntries(
    Object.entries(sample.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]]
    ),
  );
  const got = await run(sample.args, { env, ...watch && { watch } });
  const want = await expectation(sample);
  if (sample.note === "agent killed during query") {
    // Serf prints partial totals without a word.
    assert.match(got.stderr, /^The agent went away before the end/);
    got.stderr = want.stderr;
  }
  if (sample.args[0] === "force-leave" && sample.args.at(-1) === "nosuch") {
    // Serf does not say so.
    assert.equal(got.stderr, "No member is called 'nosuch'\n");
    got.stderr = want.stderr;
  }
  if (sample.note === "bad regex") {
    // Failures are JSON where JSON was asked for; skein's agent tells what is wrong with the pattern.
    const text = JSON.parse(got.stdout).error;
    if (program === skein) assert.match(text, BAD_PATTERN);
    else assert.equal(`${text}\n`, want.stdout);
    got.stdout = want.stdout;
  }
  const comparable = COMPARABLE[sample.args[0] ?? ""] ?? ((text: string) => text);
  assert.deepEqual(
    { ...got, stdout: comparable(got.stdout) },
    { ...want, stdout: comparable(want.stdout) },
  );
}

const BAD_PATTERN = /^Error retrieving members: Failed to compile regex: .+$/;

/** What of a command's output is the same each time. */
const COMPARABLE: Readonly<Record<string, (text: string) => string>> = {
  members: sortedMembers,
  info: figureNames,
  query: sortedLines,
  // The newest Serf, whose texts skein's agent has, begins the messages of members with small letters.
  keys: (text) => sortedLines(text).toLowerCase(),
  rtt: (text) => text.replace(/\d+\.\d{3} ms$/m, "N.NNN ms"),
};

/** Members and tags come in no order from serf; the last line is trimmed, whichever it is. */
function sortedMembers(text: string): string {
  if (text.startsWith("{")) return text;
  return text.split("\n")
    .map((line) => line.replace(/\S*=\S*/, (tags) => tags.split(",").sort().join(",")).trimEnd())
    .sort().join("\n");
}

function sortedLines(text: string): string {
  return text.split("\n").sort().join("\n");
}

/** Groups and keys of `info` without those that only one of the two programs has, and without the tags, which differ. */
function figureNames(text: string): string {
  if (!text.startsWith("agent:")) return text;
  const [untilTags = ""] = text.split("tags:\n");
  return untilTags.replace(/^rpc:\n(?:\t.*\n)*/m, "")
    .replace(/^event_handlers:\n(?:\t.*\n)*/m, "event_handlers:\n")
    .replace(/ = .*$/gm, "");
}

/** What skein is to print, all that must differ having been done to the captured text. */
export async function expectation(sample: Sample): Promise<CliResult> {
  const { args, rc, stderr } = sample;
  const stdout = args[0] === "agent" ? agentOutput(sample) : sample.stdout;
  const code = rc < 0 ? 128 - rc : rc;
  if (code === 1) return { code, stdout: withoutHelp(args, stdout, stderr), stderr };
  return { code, stdout: await ours(stdout), stderr: await ours(stderr) };
}

/** Nobody is shown the help who did not ask for it. */
function withoutHelp([command = ""]: readonly string[], stdout: string, stderr: string): string {
  if (!stdout.includes("<HELP")) return stdout;
  const [message = ""] = stdout.split(/(?:^|\n\n|==> )<HELP/);
  if (message !== "") return `${message}\n`;
  return stderr === "" ? NOTHING_TO_DO[command] ?? "" : "";
}

/** What commands say that Serf answers with the help alone. */
const NOTHING_TO_DO: Readonly<Record<string, string>> = {
  tags: "Neither -set nor -delete was given\n",
  keys: "None of -install, -use, -remove and -list was given\n",
};

async function ours(text: string): Promise<string> {
  // The help is written anew; where it is shown is not.
  const command = /<HELP ([\w-]+)>\n/.exec(text)?.[1];
  if (command !== undefined) {
    return text.replace(`<HELP ${command}>\n`, (await known(command, "-h")).stderr);
  }
  if (text.startsWith("Usage: serf [--version]")) return (await known("-h")).stderr;
  const [version] = (await known("version")).stdout.split("\n");
  return text.replace(/^0\.8\.2-dev\n/, `${version}\n`);
}

/** What skein's agent says more, or in other words; docs/COMPATIBILITY.md lists it. */
const OTHER_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(==> Invalid encryption key: .*)$/m, "$1; 'skein keygen' makes a key"],
  [/(key size must be 16, 24 or 32 bytes)$/m, "$1, got 3; 'skein keygen' makes a key"],
  [
    /^(==> Failed to setup the Serf agent: stat .*)$/m,
    `$1; it has to hold a list of keys: ["KEY"]; 'skein keygen' makes a key`,
  ],
  [/^(==> Unknown profile: .*)$/m, "$1, expected lan, wan or local"],
  [
    /^(==> Invalid event script: .*)$/m,
    "$1. Valid events are: * member-join member-leave member-failed member-update " +
    "member-reap user query, with names as in user:NAME",
  ],
];

/** What the console of Serf's agent shows, as that of skein's agent does. */
export function agentOutput({ args, stdout }: Sample): string {
  let text = stdout;
  for (const [pattern, words] of OTHER_WORDS) text = text.replace(pattern, words);
  const flag = args.find((arg) => /^-[\w-]+=xx$/.test(arg))?.replace("=xx", "");
  text = text.replace(
    /^==> Error: (time: invalid duration .*)$/m,
    `==> Invalid ${flag}: $1, expected a duration such as 30s`,
  );
  return withOurBanner(text);
}

/** The version comes first, and what is advertised is always told, in line with the others. */
function withOurBanner(text: string): string {
  const [line = "", advertised] = /^ {4}Advertise addr: (.*)\n/m.exec(text) ?? [];
  return text.replace(line, "").replace(
    /^( *Node name: .*\n *Bind addr: (.*)\n)/m,
    (_, rows, bound) =>
      `${" ".repeat(24)}Version: skein ${project.version}\n${rows}` +
      `${" ".repeat(17)}Advertise addr: ${advertised ?? bound}\n`,
  );
}

const results = new Map<string, Promise<CliResult>>();

/** Runs a command line whose result does not change, once. */
function known(...args: string[]): Promise<CliResult> {
  const key = args.join(" ");
  const result = results.get(key) ?? run(args);
  results.set(key, result);
  return result;
}
