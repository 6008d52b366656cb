/**
 * `skein raft` against agents in this process: one that keeps state, and one that does not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import { Agent } from "../../../server/agent/agent.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";
import { verifyText } from "../../../commands/raft/verify.ts";
import type { VerifyResult } from "../../../server/replica/verification/verify.ts";

const HOST = loopback();
const ADDRESSES = {
  bind: `${HOST}:0`,
  peerAddr: `${HOST}:0`,
  kvAddr: `${HOST}:0`,
  sessionAddr: "none",
  topicsAddr: "none",
};

function client(agent: Agent): (...args: string[]) => Promise<[code: number, output: string]> {
  const { port } = agent.listenRpc(`${HOST}:0`).address;
  return async (...args) => {
    const terminal = recordingTerminal();
    const code = await dispatch(["raft", `-rpc-addr=${HOST}:${port}`, ...args], terminal);
    assert.equal(terminal.stderr, "");
    return [code, terminal.stdout];
  };
}

Deno.test("status, peers and snapshot tell of the state, as text and as JSON", async () => {
  await using agent = await Agent.start({ ...ADDRESSES, nodeName: "one", dev: true });
  const raft = client(agent);
  await agent.kv.set("foo", 1);
  const [code, text] = await raft("status");
  assert.equal(code, 0);
  assert.match(text, /^Node +one\nId +[0-9a-f]{32}\nCluster +[0-9a-f]{32}\nRole +leader\n/);
  assert.match(text, /\nCommitted +3\nApplied +3\nSnapshot +none\nServers that may fail +0\n/);
  const row = new RegExp(`^one +${HOST}:\\d+ +leader +3 +0 ms +healthy$`, "m");
  assert.match(text, row);
  assert.match((await raft("peers"))[1], row);
  const status = JSON.parse((await raft("-format=json", "status"))[1]);
  assert.deepEqual([status.node, status.role, status.last_index], ["one", "leader", 3]);
  const [peer] = JSON.parse((await raft("peers", "-format", "json"))[1]);
  assert.deepEqual([peer.name, peer.role, peer.match_index, peer.healthy], [
    "one",
    "voter",
    3,
    true,
  ]);
  assert.deepEqual(await raft("snapshot"), [0, "Snapshot ends with entry 3\n"]);
  assert.deepEqual(await raft("snapshot"), [0, "Nothing new since the last one\n"]);
  assert.match((await raft("status"))[1], /\nSnapshot +3\n/);
});

Deno.test("verify tells whether the servers are equal, as text and as JSON", async () => {
  await using agent = await Agent.start({ ...ADDRESSES, nodeName: "one", dev: true });
  const raft = client(agent);
  await agent.kv.set("foo", 1);
  const [code, text] = await raft("-timeout", "5s", "verify");
  assert.equal(code, 0);
  assert.match(
    text,
    /^After entry \d+\n\nName +Role +Result +Hash +State\none +voter +equal +[0-9a-f]{16} +\d+ bytes\n\nAll 1 are equal and whole\n$/,
  );
  const report = JSON.parse((await raft("verify", "-format=json"))[1]);
  assert.deepEqual([report.equal, report.servers.length], [true, 1]);
  assert.equal(report.hash, report.servers[0].hash);
  assert.match(
    (await raft("verify", "-timeout=2h"))[1],
    /^Error: raft verify: Servers are compared within 2h0m0s, expected at most 1h0m0s\n$/,
  );
});

Deno.test("a report says what is wrong and what to do", async () => {
  const server = { role: "voter", hash: "a".repeat(64), bytes: 10, problems: [] } as const;
  const of = (name: string, result: VerifyResult, problem?: string) => ({
    ...server,
    name,
    id: name.repeat(32),
    result,
    problems: problem === undefined ? [] : [problem],
  });
  const report = {
    index: 7,
    equal: false,
    hash: server.hash,
    servers: [
      of("a", "equal"),
      of("b", "differs"),
      of("c", "damaged", "File is bad"),
      of("d", "silent"),
    ],
  };
  const text = await verifyText(report);
  assert.match(text, /^After entry 7\n/);
  assert.match(text, /\nb +voter +DIFFERS/);
  assert.match(text, /\nd +voter +no answer +a{16} +-\n/);
  assert.match(text, /\nc: File is bad\n/);
  assert.match(
    text,
    /Differs from the others: b. Stop that server, run 'skein raft rebuild -force/,
  );
  assert.match(text, /Damaged: c. Stop that server, run 'skein raft rebuild -data-dir DIR'/);
  assert.match(text, /Nothing is known of: d$/);
  const undecided = await verifyText({ ...report, hash: null });
  assert.match(undecided, /none of them is known to be right: keep copies/);
});

Deno.test("what cannot be done is one line, and the exit code is 1", async () => {
  await using agent = await Agent.start({ ...ADDRESSES, nodeName: "one", dev: true });
  const raft = client(agent);
  await agent.kv.set("foo", 1);
  const own = agent.state?.addresses && JSON.parse((await raft("-format=json", "status"))[1]).id;
  const cases: [string[], RegExp][] = [
    [["transfer"], /^Error: raft transfer: There is no other voter to hand over to\n$/],
    [["transfer", "one"], /There is no other voter/],
    [["remove", "one"], /^Error: raft remove: Configuration has no voter\n$/],
    [["demote", own.slice(0, 8)], /^Error: raft demote: Configuration has no voter\n$/],
    [["add", "two"], /^Error: raft add: No server 'two': expected the name of its agent/],
    [["add"], /^The name of a server must be specified\n$/],
    [["add", "two", "three"], /^Only one server can be named\n$/],
    [["status", "x"], /^Unexpected argument 'x'\n$/],
    [["frob"], /^Unknown action 'frob', expected one of status, peers, add/],
    [["snapshto"], /^Unknown action 'snapshto', did you mean 'snapshot'\?\n$/],
    [[], /^An action must be specified: status, peers/],
  ];
  for (const [args, expected] of cases) {
    const [code, output] = await raft(...args);
    assert.equal(code, 1, args.join(" "));
    assert.match(output, expected);
  }
  assert.equal((await agent.kv.get("foo"))?.value, 1, "all goes on as before");
});

Deno.test("a flag with a wrong value is told with what was expected", async () => {
  for (const value of ["soon", "-5s", "0"]) {
    const terminal = recordingTerminal();
    assert.equal(await dispatch(["raft", "verify", `-timeout=${value}`], terminal), 1);
    assert.equal(
      terminal.stderr,
      `invalid value "${value}" for flag -timeout: expected a duration, such as 30s\n`,
    );
  }
});

Deno.test("an agent without state says so", async () => {
  await using agent = await Agent.start({ bind: `${HOST}:0` });
  const [code, output] = await client(agent)("status");
  assert.equal(code, 1);
  assert.match(
    output,
    /^Error: raft status: This agent keeps no state: only one that was started with/,
  );
});
