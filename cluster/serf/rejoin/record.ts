/**
 * The lines of a rejoin file, Serf's snapshot: one record each, in the form that Go agents read and write
 * (docs/spec/serf.md 15.1).
 *
 * @module
 */

import { MAX_PORT, splitHostPort } from "../../../protocol/host_port.ts";
import { fitsUtf8 } from "../../../protocol/text.ts";
import { MAX_FIRST_TIME } from "../model/lamport.ts";

/** Longest line, in bytes with its end: the longest node name, an address and a keyword fit. */
export const MAX_LINE_BYTES = 4_096;

/** What a line says. */
export type RejoinRecord =
  | {
    /** A member is alive, or has failed, which Go takes for a comment and this agent remembers. */
    readonly type: "alive" | "failed";
    /** Its name. */
    readonly name: string;
    /** Its `ip:port`. */
    readonly address: string;
  }
  | {
    /** A member is not to be tried. */
    readonly type: "not-alive";
    /** Its name. */
    readonly name: string;
  }
  | {
    /** A clock has reached a time. */
    readonly type: ClockName;
    /** The last time in use. */
    readonly time: bigint;
  }
  | {
    /** The node left on purpose, or the line says nothing. */
    readonly type: "leave" | "comment";
  };

/** What the clocks are called: that of intents, of user events and of queries. */
export type ClockName = "clock" | "event-clock" | "query-clock";

/** What begins the line of a member that has failed. */
const FAILED_PREFIX = "# failed: ";

/** A record as a line with its end; `undefined` when it cannot be one, because of a line break in a name or its length. */
export function formatRecord(record: RejoinRecord): string | undefined {
  const line = `${textOf(record)}\n`;
  const breaks = line.indexOf("\n") !== line.length - 1;
  return breaks || !fitsUtf8(line, MAX_LINE_BYTES) ? undefined : line;
}

function textOf(record: RejoinRecord): string {
  switch (record.type) {
    case "alive":
      return `alive: ${record.name} ${record.address}`;
    case "failed":
      return `${FAILED_PREFIX}${record.name} ${record.address}`;
    case "not-alive":
      return `not-alive: ${record.name}`;
    case "leave":
      return "leave";
    case "comment":
      return "#";
    default:
      return `${record.type}: ${record.time}`;
  }
}

/** What a line without its end says; `undefined` when it makes no sense. */
export function parseRecord(line: string): RejoinRecord | undefined {
  if (line === "leave") return { type: "leave" };
  if (line.startsWith(FAILED_PREFIX)) {
    return memberRecord("failed", line.slice(FAILED_PREFIX.length)) ?? { type: "comment" };
  }
  // Serf wrote its coordinate once, and reads it as nothing.
  if (line.startsWith("#") || line.startsWith("coordinate: ")) return { type: "comment" };
  const colon = line.indexOf(": ");
  const rest = line.slice(colon + 2);
  switch (line.slice(0, Math.max(0, colon))) {
    case "alive":
      return memberRecord("alive", rest);
    case "not-alive":
      return { type: "not-alive", name: rest };
    case "clock":
      return clockRecord("clock", rest);
    case "event-clock":
      return clockRecord("event-clock", rest);
    case "query-clock":
      return clockRecord("query-clock", rest);
    default:
      return undefined;
  }
}

/** The last space is the one between name and address, as names may have spaces. */
function memberRecord(type: "alive" | "failed", text: string): RejoinRecord | undefined {
  const space = text.lastIndexOf(" ");
  if (space < 0) return undefined;
  const address = text.slice(space + 1);
  return isAddress(address) ? { type, name: text.slice(0, space), address } : undefined;
}

function isAddress(text: string): boolean {
  const parts = splitHostPort(text);
  if (typeof parts === "string") return false;
  return parts.host !== "" && /^[1-9]\d{0,4}$/.test(parts.port) && Number(parts.port) <= MAX_PORT;
}

function clockRecord(type: ClockName, text: string): RejoinRecord | undefined {
  if (!/^[0-9]{1,32}$/.test(text)) return undefined;
  const time = BigInt(text);
  return time > MAX_FIRST_TIME ? undefined : { type, time };
}
