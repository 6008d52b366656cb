/**
 * docs/SESSIONS.md: its tour as somebody pastes it, and its tables beside the code.
 *
 * @module
 */

import assert from "node:assert/strict";
import * as machine from "../../cluster/machine/sys/limits.ts";
import { MAX_JOB_PAYLOAD_BYTES } from "../../protocol/kv/job.ts";
import * as codes from "../../protocol/sessions/codes.ts";
import * as wire from "../../protocol/sessions/limits.ts";
import { DEFAULT_AGENT_CONFIG } from "../../server/config/settings.ts";
import * as leader from "../../server/replica/sessions/limits.ts";
import { blocksOf, runTour } from "../support/docs/tour.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();
const page = await Deno.readTextFile(new URL("../../docs/SESSIONS.md", import.meta.url));

/** The rows of the table after a heading whose first head is this. */
function rowsOf(head: string): string[][] {
  const lines = page.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`| ${head} `));
  assert.ok(at > 0, head);
  const end = lines.findIndex((line, i) => i > at && !line.startsWith("|"));
  return lines.slice(at + 2, end).map((line) => line.split("|").slice(1, -1).map((c) => c.trim()));
}

Deno.test("the page about sessions works as it stands", async (t) => {
  const install = (await blocksOf("GETTING-STARTED.md")).slice(0, 1);
  const blocks = await blocksOf("SESSIONS.md");
  assert.ok(blocks.length > 8);
  await runTour(t, [...install, ...blocks], HOST);
});

Deno.test("docs/SESSIONS.md has each number that servers give", () => {
  const told = rowsOf("Message").map(([message, number]) => `${message} ${number}`);
  const known = Object.entries({
    SessionRejected: codes.REJECTED,
    SessionClosed: codes.CLOSED,
    RequestError: codes.REQUEST_ERROR,
    QueryError: codes.QUERY_ERROR,
  }).flatMap(([message, numbers]) => Object.values(numbers).map((one) => `${message} ${one}`));
  assert.deepEqual(told, known);
});

Deno.test("docs/SESSIONS.md has the bounds of the code", () => {
  const mib = (bytes: number): string => `${bytes / 2 ** 20} MiB`;
  const count = (number: number): string => number.toLocaleString("en-US");
  const most = new Map(rowsOf("What  ").map(([what = "", most]) => [what, most]));
  const { sessions: { timeoutMs } } = DEFAULT_AGENT_CONFIG;
  assert.deepEqual([...most.values()], [
    count(machine.MAX_SESSIONS),
    count(machine.WINDOW),
    `${mib(machine.MAX_CACHED_BYTES)}, and one more`,
    mib(wire.MAX_PAYLOAD_BYTES),
    `${count(leader.MAX_PROPOSALS)}, and ${mib(leader.MAX_PROPOSAL_BYTES)}`,
    `${count(machine.MAX_PENDING)}, and ${mib(machine.MAX_PENDING_BYTES)}`,
    count(machine.MAX_SESSION_WATCHES),
    `${machine.MAX_CAPABILITIES}, and ${machine.MAX_CAPABILITIES_BYTES / 1_024} KiB`,
    `${count(machine.MAX_SESSION_JOBS)}, in half of what may wait for it`,
    `${count(machine.MAX_JOBS)}, and ${mib(machine.MAX_JOB_BYTES)}`,
    `${MAX_JOB_PAYLOAD_BYTES / 1_024} KiB`,
    `${timeoutMs / 1_000} s`,
  ]);
});
