import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import { QueryRecord } from "../../../protocol/ipc/mod.ts";
import { type FakeRequest, startFakeAgent } from "../../support/fake_agent.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const HOST = loopback();

function tell(request: FakeRequest, type: string, from: string): void {
  request.answer("", QueryRecord, { Type: type, From: from, Payload: null });
}

Deno.test("query prints answers byte for byte, but for one newline at the end", async () => {
  await using agent = startFakeAgent(HOST, (request) => {
    if (request.command !== "query") return false;
    request.answer();
    for (const [from, Payload] of ANSWERS) {
      request.answer("", QueryRecord, { Type: "response", From: from, Payload });
    }
    tell(request, "done", "");
    return true;
  });
  const lines: (string | Uint8Array)[] = [];
  const terminal = recordingTerminal();
  const out = (text: string | Uint8Array) => Promise.resolve(void lines.push(text));
  const line = ["query", "-no-ack", `-rpc-addr=${agent.address}`, "q"];
  assert.equal(await dispatch(line, { ...terminal, out }), 0);
  const head = (from: string) => new TextEncoder().encode(`Response from '${from}': `);
  assert.deepEqual(lines, [
    "Query 'q' dispatched",
    Uint8Array.of(...head("a"), 0xff, 0x0a),
    head("b"),
    Uint8Array.of(...head("c"), 0x20, 0x78),
    "Total Responses: 3",
  ]);
});

const ANSWERS: readonly [from: string, payload: Uint8Array | null][] = [
  ["a", Uint8Array.of(0xff, 0x0a, 0x0a)],
  ["b", null],
  ["c", Uint8Array.of(0x20, 0x78)],
];

Deno.test("query shows what has come when the agent goes away, exit 0, and says so on standard error", async () => {
  await using agent = startFakeAgent(HOST, (request) => {
    if (request.command !== "query") return false;
    request.answer();
    tell(request, "ack", "a");
    request.hangUp();
    return true;
  });
  for (
    const [flags, stdout] of [
      [[], "Query 'q' dispatched\nAck from 'a'\nTotal Acks: 1\nTotal Responses: 0\n"],
      [["-format=json"], '{\n  "Acks": [\n    "a"\n  ],\n  "Responses": {}\n}\n'],
    ] as const
  ) {
    const terminal = recordingTerminal();
    const line = ["query", `-rpc-addr=${agent.address}`, ...flags, "q"];
    assert.deepEqual([await dispatch(line, terminal), terminal.stdout], [0, stdout]);
    assert.equal(terminal.stderr, "The agent went away before the end, so there may be more\n");
  }
});

Deno.test("query sends its flags as the agent wants them", async () => {
  await using agent = startFakeAgent(HOST, (request) => {
    if (request.command !== "query") return false;
    request.answer();
    for (const from of ["a", "b"]) tell(request, "response", from);
    tell(request, "done", "");
    return true;
  });
  const flags = "-node=a -node b -tag x=1 -timeout=1.5s -no-ack -relay-factor=0x2".split(" ");
  const line = ["query", `-rpc-addr=${agent.address}`, ...flags, "load", "pay"];
  assert.equal(await dispatch(line, recordingTerminal()), 0);
  assert.deepEqual(agent.requests.at(-1)?.body, {
    FilterNodes: ["a", "b"],
    FilterTags: { x: "1" },
    RequestAck: false,
    RelayFactor: 2,
    Timeout: 1_500_000_000n,
    Name: "load",
    Payload: new TextEncoder().encode("pay"),
  });
  // A pipe costs the agent nothing more: the members are counted for a terminal only.
  assert.deepEqual(agent.requests.map(({ command }) => command), ["handshake", "query"]);
});
