/**
 * The answer to the question for a node's keys, which has to fit a query response (serf.md 12, "list-keys").
 *
 * @module
 */

import type { Keyring } from "../../memberlist/keyring.ts";
import type { Core } from "../core.ts";
import { encodeMessage, KeyResponse, MessageType, QueryResponse } from "../messages.ts";

/** Bytes that an answer takes for the smallest key, one of 16 bytes in base64 (serf.md 12). */
const LEAST_KEY_BYTES = 25;

/** The fields of the query response around the list that are not always of the same length. */
export type Envelope = Pick<QueryResponse, "LTime" | "ID" | "From">;

/**
 * The payload of the answer: all keys, or the first ones and a note of how many, so that the whole response takes at most
 * `limit` bytes. `undefined` when not even an empty list fits.
 */
export function listResponse(
  keyring: Keyring,
  envelope: Envelope,
  limit: number,
): Uint8Array | undefined {
  const all = keyring.keys().map((key) => key.toBase64());
  let answer: KeyResponse = {
    Result: true,
    Message: "",
    Keys: all,
    PrimaryKey: all[0] ?? "",
  };
  for (let first = Math.min(Math.floor(limit / LEAST_KEY_BYTES), all.length); first >= 0; first--) {
    const payload = encodeMessage(MessageType.keyResponse, KeyResponse, answer);
    if (responseSize(envelope, payload) <= limit) return payload;
    const Message = `truncated key list response, showing first ${first} of ${all.length} keys`;
    answer = { ...answer, Message, Keys: all.slice(0, first) };
  }
  return undefined;
}

/** Largest query response of a Serf 0.9.4 agent that nobody configured, in bytes (serf.md 18). */
const GO_RESPONSE_LIMIT = 1_024;

/** So many keys a Serf 0.9.4 agent cuts a list to first, whether or not it has them (serf.md 12). */
const GO_FIRST_CUT = Math.floor(GO_RESPONSE_LIMIT / LEAST_KEY_BYTES);

/** Longer than any ID that there is room for in a query. */
const LONGEST_ID = 0xffff_ffff;

/**
 * Whether a Serf 0.9.4 agent that holds the same keys ends when it is asked for them: its answer is too long, and it has
 * fewer keys than it cuts the list to (serf.md 21.3).
 */
export function endsOldAgents(core: Core, keyring: Keyring): boolean {
  if (keyring.size >= GO_FIRST_CUT) return false;
  const keys = keyring.keys().map((key) => key.toBase64());
  const answer = { Result: true, Message: "", Keys: keys, PrimaryKey: keys[0] ?? "" };
  const payload = encodeMessage(MessageType.keyResponse, KeyResponse, answer);
  let From = "";
  for (const { name } of core.members.records()) if (name.length > From.length) From = name;
  const envelope = { LTime: core.queryClock.time(), ID: LONGEST_ID, From };
  return responseSize(envelope, payload) > GO_RESPONSE_LIMIT;
}

function responseSize(envelope: Envelope, Payload: Uint8Array): number {
  const response: QueryResponse = { ...envelope, Flags: 0, Payload };
  return encodeMessage(MessageType.queryResponse, QueryResponse, response).length;
}
