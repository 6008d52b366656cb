/**
 * Log messages and events as `monitor -format=json` prints them.
 *
 * @module
 */

import type { StreamEvent } from "../../../client/mod.ts";
import type { GoJson } from "../../shell/format/gojson.ts";
import { memberJson } from "./member_output.ts";

/** A line of the agent's log: as it came, and its level when it names one. */
export function logJson(line: string): GoJson {
  const level = /\[(TRACE|DEBUG|INFO|WARN|ERR)\]/.exec(line)?.[1];
  return { type: "log", ...level === undefined ? {} : { level }, line };
}

/** An event that was received at `time`. */
export function eventJson(event: StreamEvent, time: Date): GoJson {
  const head = { type: event.type, time: time.toISOString() };
  switch (event.type) {
    case "user": {
      const { ltime, name, payload, coalesce } = event;
      return { ...head, ltime, name, ...payloadJson(payload), coalesce };
    }
    case "query": {
      const { id, ltime, name, payload } = event;
      return { ...head, id, ltime, name, ...payloadJson(payload) };
    }
    default:
      return { ...head, members: event.members.map(memberJson) };
  }
}

/** Text as it is, `null` when there is none, and other bytes in base64 under a name that says so. */
function payloadJson(payload: Uint8Array | null): { readonly [field: string]: GoJson } {
  if (payload === null) return { payload: null };
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { payload: decoder.decode(payload) };
  } catch {
    // It is no UTF-8.
    return { payload_base64: payload.toBase64() };
  }
}
