/**
 * One session of commands, run four times: HashiCorp's command line and skein's, each against HashiCorp's
 * agent and skein's. What `serf` prints against `serf` is what the other three must print.
 *
 * All that may differ stands in {@linkcode normalised}.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type AgentProcess,
  eventually,
  freePort,
  type Program,
  runCli,
  skein,
  startAgent,
} from "../agents.ts";
import { goTest } from "./go.ts";

/** A command, what it printed and how it ended. */
interface Step {
  command: string;
  code: number;
  stdout: string[];
  stderr: string[];
}

/** Equal in length, so that columns line up in every session. */
const HOSTS = ["127.0.8.11", "127.0.8.12", "127.0.8.13", "127.0.8.14"] as const;

goTest("both command lines print the same against both agents", async (serf) => {
  const ports: number[] = [];
  for (let i = 0; i < 4; i++) ports.push(await freePort(...HOSTS));
  const run = (i: number, cli: Program, agent: Program) =>
    session({ host: HOSTS[i] ?? "", ports, cli, agent, serf });
  const [expected, goAgainstSkein, skeinAgainstGo, skeinAgainstSkein] = await Promise.all([
    run(0, serf, serf),
    run(1, serf, skein),
    run(2, skein, serf),
    run(3, skein, skein),
  ]);
  assert.ok(expected !== undefined && expected.length > 30);
  for (
    const [label, got] of [
      ["serf's command line against skein's agent", goAgainstSkein],
      ["skein's command line against serf's agent", skeinAgainstGo],
      ["skein's command line against skein's agent", skeinAgainstSkein],
    ] as const
  ) {
    assert.deepEqual(differences(expected, got), [], label);
  }
});

/** Lines that one session has and the other has not, under the command that printed them. */
function differences(expected: Step[], got: Step[]): string[] {
  const lines = (step: Step) => [
    `exit code ${step.code}`,
    ...step.stdout.map((line) => `stdout: ${line}`),
    ...step.stderr.map((line) => `stderr: ${line}`),
  ];
  const found: string[] = [];
  expected.forEach((step, i) => {
    const [want, have] = [lines(step), lines(got[i] ?? { ...step, code: -1 })];
    if (want.join("\n") === have.join("\n")) return;
    found.push(`$ ${step.command}`);
    for (const line of want) if (!have.includes(line)) found.push(`  - ${line}`);
    for (const line of have) if (!want.includes(line)) found.push(`  + ${line}`);
  });
  return found;
}

/** Runs every command once, in a new cluster of the agent under test ("one") and a Go agent ("two"). */
async function session(
  { host, ports, cli, agent, serf }: {
    host: string;
    ports: number[];
    cli: Program;
    agent: Program;
    serf: Program;
  },
): Promise<Step[]> {
  const steps: Step[] = [];
  const start = (program: Program, name: string, at: number, flags: string[]) =>
    startAgent(program, {
      name,
      host,
      bindPort: ports[at] ?? 0,
      rpcPort: ports[at + 1] ?? 0,
      flags: ["-profile=local", ...flags],
    });
  await using one = await start(agent, "one", 0, ["-tag=role=web", "-tag=dc=east"]);
  await using two = await start(serf, "two", 2, ["-tag=role=db"]);
  const $ = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli(cli, args, one.rpc);
    const lines = (text: string) => normalised(args, text, host);
    steps.push({
      command: args.join(" ").replaceAll(host, "HOST"),
      code,
      stdout: lines(stdout),
      stderr: lines(stderr),
    });
  };
  /** Waits until `serf members` against `one` says so: HashiCorp's program is the judge in every session. */
  const shown = (what: RegExp) =>
    eventually(`members match ${what}\n${one.output()}`, async () => {
      return what.test((await runCli(serf, ["members"], one.rpc)).stdout);
    }, 30_000);

  await $("members");
  await $("members", "-format=json");
  await $("join", two.gossip, `${host}:1`);
  await shown(/two.*alive/);
  await $("join", `${host}:1`);
  await $("join", `${host}:1`, `${host}:2`);
  await $("join");

  await $("members");
  await $("members", "-detailed");
  await $("members", "-format", "json");
  await $("members", "--format=json", "-detailed");
  await $("members", "-status=alive");
  await $("members", "-status=failed");
  await $("members", "-name=tw.*");
  await $("members", "-tag", "dc=ea.*");
  await $("members", "-tag=dc=ea.*", "-tag=role=web", "-format=json");
  await $("members", "-role=db");
  await $("members", "-name=nobody");
  await $("members", "-name=nobody", "-format=json");
  await $("members", "-format=xml");
  await $("members", "-tag=broken");
  await $("members", "-bogus");

  await $("tags", "-set", "build=7", "-set=empty=", "-delete=dc");
  await shown(/one.*build=7/);
  await $("members", "-format=json");
  await $("members", "-name=one", "-tag=dc=");
  await $("tags", "-set=broken");
  await $("tags", `-set=big=${"x".repeat(600)}`);
  await $("tags");

  const monitored = monitor(cli, one);
  await eventually("the monitor is connected", () => /member-join/.test(monitored.soFar()));
  await $("event", "-coalesce=false", "deploy", "v1 \u00e9\u0001");
  await $("event", "-coalesce=false", "bare");
  steps.push({ ...await monitored.ended, stdout: events(monitored.soFar(), host) });
  await $("event", "later", "x");
  await $("event");
  await $("event", "a", "b", "c");
  await $("event", "big", "x".repeat(600));
  await $("event", "deploy", "x".repeat(476));
  await $("event", "deploy", "x".repeat(477));

  await $("info");
  await $("info", "-format=json");
  await $("info", "-format=xml");
  await $("version");
  await $("keygen");

  await $("force-leave");
  await $("force-leave", "nobody");
  two.kill("SIGKILL");
  await shown(/two.*failed/);
  await $("members");
  await $("members", "-status=failed", "-format=json");
  await $("force-leave", "two");
  await shown(/two.*left/);
  await $("members");
  await $("force-leave", "-prune", "two");
  await eventually("two is pruned", async () => {
    return !/two/.test((await runCli(serf, ["members"], one.rpc)).stdout);
  });
  await $("members");

  await $("leave");
  assert.equal(await one.exited, 0, one.output());
  await $("members");
  await $("event", "x");
  steps.push({ command: "agent", code: 0, stdout: banner(one.output(), host), stderr: [] });
  return steps;
}

/** Runs `monitor` until it has shown the events of the session. */
function monitor(cli: Program, one: AgentProcess) {
  let text = "";
  const ended = runCli(cli, ["monitor", "-log-level=info"], one.rpc, {
    until: (stdout) => {
      text = stdout;
      return /Name: "bare"/.test(stdout) && /Received event: user-event: bare/.test(stdout);
    },
  });
  return {
    soFar: () => text,
    ended: ended.then(({ code, stderr }) => ({
      command: "monitor -log-level=info",
      code,
      stderr: [stderr],
    })),
  };
}

/** The lines of `text` with everything that may differ between two correct sessions taken out. */
function normalised(args: string[], text: string, host: string): string[] {
  const [command = ""] = args;
  let rest = text.replaceAll(host, "HOST")
    // The program says its own name.
    .replaceAll("skein", "serf")
    // Help after a wrong command line is written anew; what was wrong, and where it is said, is the same.
    .replace(/(^|\n)Usage: [\s\S]*/, "$1Usage\n")
    // 0.9.4 wrote "Failed to join HOST:", its successors and skein write "failed to join HOST:PORT:".
    .replace(/[Ff]ailed to join HOST(?::\d+)?:/g, "failed to join HOST:");
  if (command === "keygen") rest = rest.replace(/^[\w+/]{43}=$/m, "KEY");
  if (command === "version") rest = rest.replace(/^.*$/m, "VERSION");
  if (command === "info") {
    rest = rest
      // Facts about the process.
      .replace(
        /("?(?:arch|cpu_count|goroutines|max_procs|os|version)"?(?: =|:) )[^\n,]+/g,
        "$1FACT",
      )
      // Clocks and queues depend on the moment.
      .replace(/("?\w+_(?:time|queue)"?(?: =|:) )"?\d+"?/g, "$1NUMBER")
      // skein also counts RPC clients, streams and what slow ones missed.
      .replace(/rpc:\n(\t[^\n]*\n)+| {2}"rpc": \{[^}]*\},?\n/, "")
      // skein has no coordinates yet.
      .replace(/[^\n]*coordinate_resets[^\n]*\n/, "");
  }
  if (command === "members" && text.startsWith("{")) {
    // The agent lists members in no order.
    const parsed = JSON.parse(rest);
    parsed.members?.sort((a: { name: string }, b: { name: string }) => a.name < b.name ? -1 : 1);
    assert.equal(sortedLines(JSON.stringify(parsed, null, 2)), sortedLines(rest.trimEnd()));
    return JSON.stringify(parsed, null, 2).split("\n");
  }
  const lines = rest.split("\n");
  if (command !== "members") return lines;
  // Members and, in a cell, tags come in no order; the last line is trimmed, whichever it is.
  return lines.map((line) =>
    line.replace(/\S*=\S*/, (tags) => tags.split(",").sort().join(",")).trimEnd()
  ).sort();
}

function sortedLines(text: string): string {
  return text.split("\n").map((line) => line.replace(/,$/, "")).sort().join("\n");
}

/** The user events that `monitor` printed, fields sorted, and the log lines about them. */
function events(text: string, host: string): string[] {
  const blocks = [...text.matchAll(/^Event Info:\n((?:\t.*\n)+)/gm)]
    .map(([, fields = ""]) => fields.split("\n").sort().join("\n"))
    .filter((block) => block.includes('"user"'));
  const logged = text.split("\n")
    .filter((line) => /user-event|EventMember|joining|joined|Serf agent/.test(line))
    .map((line) =>
      line.replace(/^\d{4}(\/\d\d){2} (\d\d:){2}\d\d /, "WHEN ").replaceAll(host, "HOST")
    );
  return [...blocks, ...logged];
}

/** What an agent printed before its log. */
function banner(output: string, host: string): string[] {
  return output.replaceAll(host, "HOST").split("\n    20")[0]?.split("\n") ?? [];
}
