/**
 * Slips that look like success in Serf: filters that can match nothing, names that nobody has.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import { MembersResponse, QueryRecord } from "../../../protocol/ipc/mod.ts";
import { type FakeAgent, member, startFakeAgent } from "../../support/fake_agent.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const HOST = loopback();

/** An agent with the members `alpha`, which acknowledges queries, and `beta`, which does not. */
function startAgent(): FakeAgent {
  return startFakeAgent(HOST, ({ command, answer }) => {
    if (command === "members" || command === "members-filtered") {
      const Members = [member({ Name: "alpha" }), member({ Name: "beta" })];
      answer("", MembersResponse, { Members });
    } else {
      answer();
    }
    if (command === "query") {
      answer("", QueryRecord, { Type: "ack", From: "alpha", Payload: null });
      answer("", QueryRecord, { Type: "done", From: "", Payload: null });
    }
    return true;
  });
}

async function run(agent: FakeAgent, [command = "", ...args]: readonly string[]) {
  const terminal = recordingTerminal();
  const before = agent.requests.length;
  const code = await dispatch([command, `-rpc-addr=${agent.address}`, ...args], terminal);
  const asked = agent.requests.slice(before).map(({ command }) => command)
    .filter((command) => command !== "handshake");
  return { code, stdout: terminal.stdout, stderr: terminal.stderr, asked };
}

Deno.test("a status filter that matches no status is told on standard error, exit 1", async () => {
  await using agent = startAgent();
  const statuses = "a member is alive, leaving, left or failed";
  for (
    const [filter, hint] of [["aliv", ", did you mean 'alive'?"], ["up", ""], ["(dead|gone)", ""], [
      "ALIVE",
      "",
    ]]
  ) {
    const stderr = `No status matches '${filter}': ${statuses}${hint}`;
    const wrong = { code: 1, stdout: "", stderr: `${stderr}\n`, asked: [] };
    assert.deepEqual(await run(agent, ["members", `-status=${filter}`]), wrong);
    assert.deepEqual(await run(agent, ["members", "-watch", `-status=${filter}`]), wrong);
    const json = await run(agent, ["members", "-format=json", `-status=${filter}`]);
    assert.deepEqual([json.code, JSON.parse(json.stdout), json.stderr], [1, { error: stderr }, ""]);
  }
  // Those that match, or that only the agent can judge.
  for (
    const filter of [
      "",
      "alive",
      "(failed|left)",
      "fail.*",
      "alive|x",
      "(?i)ALIVE",
      "a[",
      "[[:alpha:]]+",
    ]
  ) {
    const { code, stderr, asked } = await run(agent, ["members", `-status=${filter}`]);
    assert.deepEqual([code, stderr, asked], [0, "", ["members-filtered"]], filter);
  }
});

Deno.test("a query with a pattern that nobody can read is not sent, exit 1", async () => {
  await using agent = startAgent();
  for (const flags of [[], ["-format=json"]]) {
    const { code, stdout, stderr, asked } = await run(agent, [
      "query",
      ...flags,
      "-tag=dc=east",
      "-tag=role=[",
      "load",
    ]);
    assert.deepEqual([code, asked], [1, []]);
    const message = flags.length === 0 ? stderr : JSON.parse(stdout).error;
    assert.match(message, /^Invalid regular expression '\[' for the tag 'role': .*missing/);
    assert.equal(flags.length === 0 ? stdout : stderr, "");
  }
  // RE2 knows patterns that JavaScript does not, and the other way round.
  assert.equal((await run(agent, ["query", "-tag=role=(?P<x>(?i)WEB)\\z", "load"])).code, 0);
  assert.equal((await run(agent, ["query", "-tag=role=(?=web)", "load"])).code, 1);
});

Deno.test("a name that nobody has is told on standard error; the exit code is Serf's", async () => {
  await using agent = startAgent();
  const nobody = "No member is called 'nobody'\n";
  const asked = await run(agent, ["query", "-node=nobody", "-node=alpha", "-node=beta", "load"]);
  assert.deepEqual([asked.code, asked.stderr], [0, nobody]);
  assert.match(asked.stdout, /^Query 'load' dispatched\nAck from 'alpha'\n/);
  assert.deepEqual(asked.asked, ["query", "members"]);

  const known = await run(agent, ["query", "-node=alpha", "load"]);
  assert.deepEqual([known.code, known.stderr, known.asked], [0, "", ["query"]]);

  assert.deepEqual(await run(agent, ["force-leave", "nobody"]), {
    code: 0,
    stdout: "",
    stderr: nobody,
    asked: ["members", "force-leave"],
  });
  const misspelt = await run(agent, ["force-leave", "alhpa"]);
  assert.equal(misspelt.stderr, "No member is called 'alhpa', did you mean 'alpha'?\n");
  assert.equal((await run(agent, ["force-leave", "beta"])).stderr, "");
});
