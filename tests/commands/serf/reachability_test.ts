import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import { MembersResponse, QueryRecord } from "../../../protocol/ipc/mod.ts";
import { type FakeRequest, member, startFakeAgent } from "../../support/fake_agent.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const HOST = loopback();

/** An agent of a cluster with two live members and a failed one, whose acks come from `acks`. */
function agentWith(acks: readonly string[], end: "done" | "hang up" = "done") {
  return startFakeAgent(HOST, (request) => {
    if (request.command === "members") {
      request.answer("", MembersResponse, {
        Members: [
          member({ Name: "a" }),
          member({ Name: "b" }),
          member({ Name: "z", Status: "failed" }),
        ],
      });
      return true;
    }
    if (request.command !== "query") return false;
    request.answer();
    for (const from of acks) tell(request, "ack", from);
    if (end === "done") tell(request, "done", "");
    else request.hangUp();
    return true;
  });
}

function tell(request: FakeRequest, type: string, from: string): void {
  request.answer("", QueryRecord, { Type: type, From: from, Payload: null });
}

async function reachability(address: string, ...flags: string[]) {
  const terminal = recordingTerminal();
  const code = await dispatch(["reachability", `-rpc-addr=${address}`, ...flags], terminal);
  return { code, stdout: terminal.stdout, stderr: terminal.stderr };
}

const START = "Total members: 3, live members: 2\nStarting reachability test...\n";

// The texts are what serf 0.10.2-dev prints against the same agent.
const TIPS = `
Troubleshooting tips:
* Ensure that the bind addr:port is accessible by all other nodes
* If an advertise address is set, ensure it routes to the bind address
* Check that no nodes are behind a NAT
* If nodes are behind firewalls or iptables, check that Serf traffic is permitted (UDP and TCP)
* Verify networking equipment is functional
`;

const LESS =
  "This could mean Serf gossip packets are being lost due to a misconfiguration or network issue.\n";

const CASES: readonly [acks: string[], code: number, stdout: string][] = [
  [["b", "a"], 0, "Successfully contacted all live nodes\n"],
  [
    ["b"],
    1,
    `Received less acks than live nodes! Missing acks from:\n\ta\n${LESS}${TIPS}`,
  ],
  [
    ["a", "b", "z", "c"],
    1,
    "Received more acks than live nodes! Acks from non-live nodes:\n\tc\n\tz\nThis could mean Serf " +
    `is detecting false-failures due to a misconfiguration or network issue.\n${TIPS}`,
  ],
  [
    ["a", "b", "a"],
    1,
    "Duplicate response from 'a'\nDuplicate responses means there is a misconfiguration. Verify " +
    "that node names are unique.\n",
  ],
  // Serf counts only, and is content here.
  [["a", "z"], 1, `Received less acks than live nodes! Missing acks from:\n\tb\n${LESS}${TIPS}`],
];

Deno.test("reachability compares who acknowledged with who is alive", async () => {
  for (const [acks, code, stdout] of CASES) {
    await using agent = agentWith(acks);
    assert.deepEqual(await reachability(agent.address), {
      code,
      stdout: START + stdout,
      stderr: "",
    });
  }
});

Deno.test("reachability judges by what has come when the agent goes away", async () => {
  await using agent = agentWith(["a"], "hang up");
  const { code, stdout, stderr } = await reachability(agent.address, "-verbose");
  assert.equal(code, 1);
  assert.equal(stderr, "The agent went away before the end, so there may be more\n");
  assert.match(
    stdout,
    /\n\tAck from 'a'\nQuery time: 0\.\d\d sec, time to last response: 0\.\d\d sec\nReceived less acks/,
  );
});

Deno.test("reachability as JSON names everything that is wrong", async () => {
  await using agent = agentWith(["a", "z", "a"]);
  const { code, stdout } = await reachability(agent.address, "-format=json");
  const { query_seconds: _, last_ack_seconds: __, ...rest } = JSON.parse(stdout);
  assert.deepEqual([code, rest], [1, {
    error: "Duplicate responses means there is a misconfiguration. Verify that node names are " +
      "unique.",
    members: 3,
    live: 2,
    acks: ["a", "z"],
    missing: ["b"],
    unexpected: ["z"],
    duplicates: ["a"],
  }]);
});
