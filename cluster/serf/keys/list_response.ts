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

/** Largest query response of an agent that nobody configured, in bytes (serf.md 18). */
const USUAL_LIMIT = 1_024;

/** Longer than any ID that there is room for in a query. */
const LONGEST_ID = 0xffff_ffff;

/**
 * Whether a Serf 0.9.4 agent that holds the same keys ends when it is asked for them (serf.md 21.3). That happens when its
 * answer is too long for a response, usual or as configured here, and it has no more than 32 keys: at the earliest with 19
 * of 32 bytes, with 20 when names are short.
 */
export function endsOldAgents(core: Core, keyring: Keyring): boolean {
  const keys = keyring.keys().map((key) => key.toBase64());
  const answer = { Result: true, Message: "", Keys: keys, PrimaryKey: keys[0] ?? "" };
  const payload = encodeMessage(MessageType.keyResponse, KeyResponse, answer);
  let From = "";
  for (const { name } of core.members.records()) if (name.length > From.length) From = name;
  const envelope = { LTime: core.queryClock.time(), ID: LONGEST_ID, From };
  const size = responseSize(envelope, payload);
  return [USUAL_LIMIT, core.config.queryResponseSizeLimit].some((limit) =>
    size > limit && roomOfGoList(keys.length) < Math.floor(limit / LEAST_KEY_BYTES)
  );
}

/**
 * For how many keys a Go agent has made room when its list has `length`: powers of two. Version 0.9.4 cuts a list that is
 * too long to as many keys of the smallest size as fit, without a look at that room.
 */
function roomOfGoList(length: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, length)));
}

function responseSize(envelope: Envelope, Payload: Uint8Array): number {
  const response: QueryResponse = { ...envelope, Flags: 0, Payload };
  return encodeMessage(MessageType.queryResponse, QueryResponse, response).length;
}
