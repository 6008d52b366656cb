/**
 * The commands about members, events, tags and the agent itself, by both command lines against both agents.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type AgentProcess, eventually, type Program, runCli } from "../support/agents.ts";
import { type Run, sameFourTimes } from "../support/interop/command_lines.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOSTS = [loopback(), loopback(), loopback(), loopback()] as const;

goTest("both command lines print the same against both agents", (serf) => {
  return sameFourTimes(serf, HOSTS, 50, everyCommand);
});

/** Runs every command in a new cluster of the agent under test ("one") and a Go agent ("two"). */
async function everyCommand(run: Run): Promise<void> {
  const { host, cli, $, ask, shown, record } = run;
  const one = await run.start("tested", "one", ["-tag=role=web", "-tag=dc=east"]);
  const two = await run.start("serf", "two", ["-tag=role=db"]);

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
  await $("query", "-timeout=300ms", "-no-ack", "question", "who?");
  await $("event", "-coalesce=false", "bare");
  record({ ...await monitored.ended, stdout: events(monitored.soFar(), host) });
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
  await eventually("two is pruned", async () => !/two/.test(await ask("members")));
  await $("members");

  await $("leave");
  assert.equal(await one.exited, 0, one.output());
  await $("members");
  await $("event", "x");
  record({ command: "agent", code: 0, stdout: banner(one.output(), host), stderr: [] });
}

/** Runs `monitor` until it has shown the events of the run. */
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

/** The user events and queries that `monitor` printed, fields sorted, and the log lines about them. */
function events(text: string, host: string): string[] {
  const blocks = [...text.matchAll(/^Event Info:\n((?:\t.*\n)+)/gm)]
    .map(([, fields = ""]) => fields.split("\n").sort().join("\n"))
    .filter((block) => /"user"|"query"/.test(block));
  const logged = text.split("\n")
    .filter((line) => /user-event|event: query|EventMember|joining|joined|Serf agent/.test(line))
    .map((line) =>
      line.replace(/^\d{4}(\/\d\d){2} (\d\d:){2}\d\d /, "WHEN ").replaceAll(host, "HOST")
    );
  return [...blocks, ...logged];
}

/** What an agent printed before its log. */
function banner(output: string, host: string): string[] {
  const [text = ""] = output.replaceAll(host, "HOST").split("\n    20");
  // Besides, skein says its version, and always which address it tells others.
  return text.split("\n").filter((line) => !/^ +(?:Version: skein|Advertise addr:) /.test(line));
}
