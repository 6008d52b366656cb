/**
 * What other nodes wrote, in the output of every command that prints it: harmless on a terminal, untouched in a pipe.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dispatch } from "../../../commands/dispatch.ts";
import {
  CoordinateResponse,
  JoinResponse,
  KeyResponse,
  LogRecord,
  MembersResponse,
  QueryRecord,
  StatsResponse,
  UserEventRecord,
} from "../../../protocol/ipc/mod.ts";
import {
  type FakeAgent,
  type FakeRequest,
  member,
  startFakeAgent,
} from "../../support/fake_agent.ts";
import { loopback } from "../../support/loopback.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const HOST = loopback();

/** Takes over the title, clears the screen, and looks like a line of another member. */
const EVIL = "evil\x1b]0;owned\x07\x1b[2J|\nalpha  10.0.0.1:7946  alive\r\x9b1m\u202e";

const TAMED = String.raw`evil\x1b]0;owned\a\x1b[2J|\nalpha  10.0.0.1:7946  alive\r\u009b1m\u202e`;
const IN_CELL = TAMED.replaceAll("  ", String.raw`\x20\x20`);
const IN_LINES = TAMED.replace(String.raw`\n`, "\n  ");

const payload = new TextEncoder().encode(EVIL);

/** An agent of which everything that other nodes can choose is {@linkcode EVIL}. */
function startEvilAgent(): FakeAgent {
  return startFakeAgent(HOST, (request) => {
    const answer = ANSWERS[request.command];
    answer?.(request);
    return answer !== undefined;
  });
}

const members = (request: FakeRequest) =>
  request.answer("", MembersResponse, {
    Members: [
      member({ Name: EVIL, Tags: { [EVIL]: EVIL } }),
      member({ Name: "漢字", Tags: { role: "web" } }),
    ],
  });

const ANSWERS: Readonly<Record<string, (request: FakeRequest) => void>> = {
  members,
  "members-filtered": members,
  stats: (request) => request.answer("", StatsResponse, { tags: { role: EVIL } }),
  query(request) {
    request.answer();
    for (const Type of ["ack", "ack", "response"]) {
      request.answer("", QueryRecord, { Type, From: EVIL, Payload: payload });
    }
    request.answer("", QueryRecord, { Type: "done", From: "", Payload: null });
  },
  "list-keys": (request) =>
    request.answer(EVIL, KeyResponse, {
      Messages: { [EVIL]: EVIL },
      Keys: {},
      NumNodes: 1,
      NumErr: 1,
      NumResp: 1,
    }),
  "get-coordinate": (request) =>
    request.answer("", CoordinateResponse, {
      Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1, Adjustment: 0, Height: 0 },
      Ok: true,
    }),
  join: (request) => request.answer(EVIL, JoinResponse, { Num: 0 }),
  stream(request) {
    request.answer();
    request.answer("", UserEventRecord, {
      Event: "user",
      LTime: 1n,
      Name: EVIL,
      Payload: payload,
      Coalesce: false,
    });
  },
  monitor(request) {
    request.answer();
    request.answer("", LogRecord, { Log: EVIL });
    request.hangUp();
  },
};

// What steers a terminal, and a line that is not ours.
// deno-lint-ignore no-control-regex
const HARM = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]|^alpha/m;

async function shown(agent: FakeAgent, ...[command = "", ...args]: string[]): Promise<string> {
  const terminal = recordingTerminal({ screen: { rows: 24, columns: 80 } });
  await dispatch([command, `-rpc-addr=${agent.address}`, ...args], terminal);
  assert.doesNotMatch(terminal.stdout + terminal.stderr, HARM);
  return terminal.stdout;
}

Deno.test("on a terminal, what other nodes wrote steers nothing and forges no line", async () => {
  await using agent = startEvilAgent();
  const column = (name: string, width: number) => name + " ".repeat(IN_CELL.length - width + 2);
  assert.equal(
    await shown(agent, "members"),
    `${IN_CELL}  127.0.0.1:7946  alive  ${IN_CELL}=${IN_CELL}\n` +
      `${column("漢字", 4)}127.0.0.1:7946  alive  role=web\n`,
  );
  assert.equal(await shown(agent, "info"), `tags:\n\trole = ${IN_LINES}\n`);
  const query = await shown(agent, "query", "load");
  assert.ok(query.includes(`Ack from '${TAMED}'\n`), query);
  assert.ok(query.includes(`Response from '${TAMED}': ${IN_LINES}\n`), query);
  const reached = await shown(agent, "reachability", "-verbose");
  assert.ok(
    reached.includes(`\tAck from '${TAMED}'\nDuplicate response from '${TAMED}'\n`),
    reached,
  );
  assert.equal(
    await shown(agent, "keys", "-list"),
    "==> Asking all members for installed keys...\n" +
      `failed:  ${IN_CELL}  ${IN_CELL}\n\nFailed to gather member keys: ${IN_LINES}\n`,
  );
  assert.equal(await shown(agent, "rtt", EVIL, "b"), `Estimated ${TAMED} <-> b rtt: 0.000 ms\n`);
  assert.equal(await shown(agent, "join", "x"), `Error joining the cluster: ${IN_LINES}\n`);
  const monitored = await shown(agent, "monitor");
  assert.ok(monitored.includes(`${IN_LINES}\n`), monitored);
  assert.ok(monitored.includes(`\tName: "${TAMED}"\n\tPayload: "${TAMED}"\n`), monitored);
});

Deno.test("a pipe gets what other nodes wrote as it is", async () => {
  await using agent = startEvilAgent();
  const piped = async (...[command = "", ...args]: string[]) => {
    const terminal = recordingTerminal();
    await dispatch([command, `-rpc-addr=${agent.address}`, ...args], terminal);
    return terminal.stdout;
  };
  assert.equal(await piped("info"), `tags:\n\trole = ${EVIL}\n`);
  assert.ok((await piped("query", "load")).includes(`Response from '${EVIL}': ${EVIL}\n`));
  assert.ok((await piped("members")).startsWith(EVIL.split("|")[0] ?? "-"));
  assert.ok((await piped("reachability", "-verbose")).includes(`\tAck from '${EVIL}'\n`));
  assert.ok((await piped("monitor")).includes(`${EVIL}\n`));
});
