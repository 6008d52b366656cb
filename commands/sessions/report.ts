/**
 * Sessions as text.
 *
 * @module
 */

import type { SessionReport } from "../../server/replica/sessions/administration.ts";
import { columns } from "../shell/format/columns.ts";

/** Digits of an id in a list. */
const DIGITS = 12;

/** Many sessions, one a line. */
export async function listText(sessions: readonly SessionReport[]): Promise<string> {
  if (sessions.length === 0) return "There are no sessions";
  const rows = sessions.map((one) => [
    one.id.slice(0, DIGITS),
    timeOf(one.created_at),
    connectionOf(one),
    String(one.highest_request),
    String(one.watches),
    String(one.pending),
    capabilitiesOf(one),
  ]);
  const head = ["Id", "Created", "Connected", "Last request", "Watches", "Pending", "Capabilities"];
  return await columns([head, ...rows]);
}

/** One session. */
export async function sessionText(one: SessionReport): Promise<string> {
  return await columns([
    ["Id", one.id],
    ["Created", timeOf(one.created_at)],
    ["Connected", connectionOf(one)],
    ["Capabilities", capabilitiesOf(one)],
    ["Lowest request", String(one.floor)],
    ["Highest request", String(one.highest_request)],
    ["Answers kept", `${one.answers}, ${one.answer_bytes} bytes`],
    ["Watches", String(one.watches)],
    ["Last server request", String(one.last_server_request)],
    ["Not acknowledged", `${one.pending}, ${one.pending_bytes} bytes`],
  ]);
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function connectionOf({ connected }: SessionReport): string {
  if (connected === null) return "the leader knows";
  return connected ? "yes" : "no";
}

function capabilitiesOf({ capabilities }: SessionReport): string {
  return Object.entries(capabilities).map(([name, value]) => `${name}=${value}`).join(",");
}
