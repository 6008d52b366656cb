/**
 * Replays what HashiCorp's command line 0.9.4 printed (tests/vectors/cli-samples.json) with skein's command line:
 * the commands that need no agent first, the others against a real `serf` agent and against skein's.
 *
 * @module
 */

import assert from "node:assert/strict";
import samples from "../vectors/cli-samples.json" with { type: "json" };
import {
  type CliResult,
  eventually,
  freePort,
  type Program,
  skein,
  startAgent,
} from "../agents.ts";
import { goTest } from "../interop/go.ts";
import { run } from "./cli.ts";

/** One captured command line and what it did. */
interface Sample {
  note: string;
  args: string[];
  env: Record<string, string | undefined>;
  rc: number;
  stdout: string;
  stderr: string;
}

const COMMANDS = [
  "event",
  "force-leave",
  "info",
  "join",
  "keygen",
  "leave",
  "members",
  "monitor",
  "tags",
  "version",
];

/** Samples that other tests replay, because they need a state or a peer of their own. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "no agent on default port": "the port may be in use here; cli_test.ts has a refused port",
  "server accepts but never answers [stopped by the capture harness]": "cli_test.ts; we time out",
  "server closes at once": "cli_test.ts",
  "agent killed during monitor": "monitor_test.ts",
};

/** From here on the captured cluster has members that died and left; tests/interop has such a session. */
const LATER_CLUSTER = "node just joined, no coordinate yet";

const inScope = (samples as Sample[])
  .slice(0, samples.findIndex(({ note }) => note === LATER_CLUSTER))
  .filter(({ note, args }) => {
    const command = args.find((arg) => !arg.startsWith("-"));
    const ours = command === undefined || COMMANDS.includes(command) ||
      ["help", "bogus"].includes(command);
    return ours && !Object.hasOwn(ELSEWHERE, note);
  });

/** Starts of an agent that fail before it runs. */
const failedStarts = (samples as Sample[]).filter(({ args, rc, stdout }) =>
  args[0] === "agent" && rc === 1 && !stdout.includes("Log data will now stream")
);

/** Failed starts that end in another way here. */
const OTHER_START: Readonly<Record<string, string>> = {
  "-event-handler": "not supported yet",
  "-iface=ifb0": "Deno does not list interfaces without addresses",
};

const talksToAgent = ({ env, args }: Sample) =>
  env.SERF_RPC_ADDR !== undefined && !args.includes("-h") && !args.includes("--version");

/** All that may differ from a captured output is done here, to the captured text. */
async function expectation({ rc, stdout, stderr }: Sample): Promise<CliResult> {
  return { code: rc, stdout: await ours(stdout), stderr: await ours(stderr) };
}

async function ours(text: string): Promise<string> {
  // The help is written anew; where it is shown is not.
  const command = /<HELP ([\w-]+)>\n/.exec(text)?.[1];
  if (command !== undefined) {
    return text.replace(`<HELP ${command}>\n`, (await known(command, "-h")).stderr);
  }
  if (text.startsWith("Usage: serf [--version]")) return (await known("-h")).stderr;
  // The first line of `version`.
  const [version] = (await known("version")).stdout.split("\n");
  return text.replace(/^0\.8\.2-dev\n/, `${version}\n`);
}

const results = new Map<string, Promise<CliResult>>();

/** Runs a command line whose result does not change, once. */
function known(...args: string[]): Promise<CliResult> {
  const key = args.join(" ");
  const result = results.get(key) ?? run(args);
  results.set(key, result);
  return result;
}

/** An unknown command gets a line of its own after the list. */
function withoutHint({ stderr, ...result }: CliResult): CliResult {
  return { ...result, stderr: stderr.replace(/^Unknown command '.*\n$/m, "") };
}

Deno.test("samples that need no agent", async (t) => {
  const alone = inScope.filter((sample) => !talksToAgent(sample));
  assert(alone.length > 20, `${alone.length} samples`);
  for (const sample of alone) {
    await t.step(title(sample), async () => {
      assert.deepEqual(withoutHint(await run(sample.args)), await expectation(sample));
    });
  }
});

Deno.test("samples of an agent that cannot start", async (t) => {
  const host = "127.0.7.6";
  const refused = `${host}:${await freePort(host)}`;
  const addresses = new Map([
    ["127.0.0.1:19999", refused],
    ["127.0.0.1:19960", `${host}:${await freePort(host)}`],
    ["127.0.0.1:19390", `${host}:${await freePort(host)}`],
    // Since 0.9.4 the text begins with a small letter and names the port.
    [`Failed to join 127.0.0.1: dial`, `failed to join ${refused}: dial`],
    ["127.0.0.1", host],
  ]);
  const starts = failedStarts.filter(({ args }) => !args.some((arg) => arg in OTHER_START));
  assert(starts.length > 15, `${starts.length} samples`);
  for (const sample of starts) {
    await t.step(title(sample), async () => {
      const { args, ...rest } = moved(sample, addresses);
      assert.deepEqual(await run(args), await expectation({ args, ...rest }));
    });
  }
});

goTest("samples against serf's agent", (serf) => replay(serf, "127.0.7.1"));
Deno.test("samples against skein's agent", () => replay(skein, "127.0.7.2"));

function title({ note, args }: Sample): string {
  const line = args.map((arg) => arg.length > 40 ? `${arg.slice(0, 40)}...` : arg).join(" ");
  return `skein ${line}${note === "" ? "" : ` (${note})`}`;
}

/** Runs the samples in their order against a cluster like the captured one. */
async function replay(program: Program, host: string): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const withAuth = `${folder}/auth.json`;
    await Deno.writeTextFile(withAuth, JSON.stringify({ rpc_auth: "s3cret" }));
    const start = (name: string, ...flags: string[]) =>
      startAgent(program, { name, host, flags: ["-profile=local", ...flags] });
    await using a = await start("a", "-tag=role=web", "-tag=dc=east");
    await using b = await start("b", "-tag=role=web-server", `-join=${a.gossip}`);
    await using c = await start("c", `-join=${a.gossip}`);
    await using d = await start("d", `-config-file=${withAuth}`);
    const refused = `${host}:${await freePort(host)}`;
    const addresses = new Map([
      ["127.0.0.1:19373", a.rpc],
      ["127.0.0.1:19376", d.rpc],
      ["127.0.0.1:19383", a.rpc],
      ["127.0.0.1:19946", a.gossip],
      ["127.0.0.1:19947", b.gossip],
      ["127.0.0.1:19948", c.gossip],
      ["127.0.0.1:19949", d.gossip],
      ["127.0.0.1:19999", refused],
      ['"port": 19946', `"port": ${a.gossip.split(":")[1]}`],
    ]);
    await eventually("all three see each other", async () => {
      const { stdout } = await run(["members", "-status=alive"], { env: { SERF_RPC_ADDR: a.rpc } });
      return stdout.trim().split("\n").length === 3;
    });
    const talking = inScope.filter(talksToAgent);
    assert(talking.length > 45, `${talking.length} samples`);
    const failures: string[] = [];
    for (const sample of talking) {
      try {
        await one(moved(sample, addresses), program);
      } catch (error) {
        failures.push(`${title(sample)}: ${(error as Error).message}`);
      }
    }
    assert.deepEqual(failures, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What skein's agent says of a pattern that it cannot read. Serf's closes the connection. */
const BAD_PATTERN = /^Error retrieving members: Failed to compile regex: .+\n$/;

async function one(sample: Sample, program: Program): Promise<void> {
  const env = Object.fromEntries(
    Object.entries(sample.env).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]]
    ),
  );
  const got = await run(sample.args, { env });
  const want = await expectation(sample);
  if (program === skein && sample.note === "bad regex") {
    assert.match(got.stdout, BAD_PATTERN);
    assert.deepEqual({ ...got, stdout: "" }, { ...want, stdout: "" });
  } else if (sample.args[0] === "members") {
    assert.deepEqual({ ...got, stdout: sortedMembers(got.stdout) }, {
      ...want,
      stdout: sortedMembers(want.stdout),
    });
  } else if (sample.args[0] === "info" && sample.rc === 0) {
    assert.deepEqual([got.code, got.stderr], [want.code, want.stderr]);
    assert.deepEqual(infoKeys(got.stdout), infoKeys(want.stdout));
  } else {
    assert.deepEqual(got, want);
  }
}

/** The sample with the addresses of the cluster that was started for it. */
function moved(sample: Sample, addresses: ReadonlyMap<string, string>): Sample {
  let text = JSON.stringify(sample);
  for (const [from, to] of addresses) {
    text = text.replaceAll(JSON.stringify(from).slice(1, -1), JSON.stringify(to).slice(1, -1));
  }
  return JSON.parse(text);
}

/** Members and tags come in no order from serf; the last line is trimmed, whichever it is. */
function sortedMembers(text: string): string {
  if (text.startsWith("{")) return text;
  return text.split("\n")
    .map((line) => line.replace(/\S*=\S*/, (tags) => tags.split(",").sort().join(",")).trimEnd())
    .sort().join("\n");
}

/** Groups and keys of `info` without those that only one of the two programs has: coordinates, RPC figures. */
function infoKeys(text: string): string[] {
  // The captured agent had no tags; ours have.
  const [untilTags = ""] = text.split("tags:\n");
  return untilTags.replace(/^rpc:\n(?:\t.*\n)*/m, "").split("\n")
    .map((line) => line.split(" = ")[0] ?? "")
    .filter((key) => key !== "\tcoordinate_resets");
}
