/**
 * The answer to the question for a node's keys, which has to fit a query response (docs/spec/serf.md 12.4).
 *
 * @module
 */

import { utf8Length } from "../../../protocol/text.ts";
import type { Keyring } from "../../memberlist/wire/keyring.ts";
import type { Core } from "../core/core.ts";
import { encodeMessage, KeyResponse, MessageType, QueryResponse } from "../model/messages.ts";

/** Bytes that an answer takes for the smallest key, one of 16 bytes in base64 (docs/spec/serf.md 12.4). */
const LEAST_KEY_BYTES = 25;

/** The fields of the query response around the list that are not always of the same length. */
export type Envelope = Pick<QueryResponse, "LTime" | "ID" | "From">;

/**
 * The payload of the answer: all keys, or the first ones and a note of how many, so that the whole response takes at
 * most `limit` bytes. `undefined` when not even an empty list fits.
 */
export function listResponse(
  keyring: Keyring,
  envelope: Envelope,
  limit: number,
): Uint8Array | undefined {
  const whole = wholeList(keyring);
  const { Keys } = whole;
  let answer: KeyResponse = whole;
  for (
    let first = Math.min(Math.floor(limit / LEAST_KEY_BYTES), Keys.length);
    first >= 0;
    first--
  ) {
    const payload = encodeMessage(MessageType.keyResponse, KeyResponse, answer);
    if (responseSize(envelope, payload) <= limit) return payload;
    const Message = `truncated key list response, showing first ${first} of ${Keys.length} keys`;
    answer = { ...whole, Message, Keys: Keys.slice(0, first) };
  }
  return undefined;
}

/** Largest query response of an agent that nobody configured, in bytes (docs/spec/serf.md 18.1). */
const USUAL_LIMIT = 1_024;

/** The ID that takes the most bytes. */
const LONGEST_ID = 0xffff_ffff;

/**
 * Whether a Serf 0.9.4 agent that holds the same keys ends when it is asked for them (docs/spec/serf.md 21.3): its
 * answer is too long for a response, usual or as configured here, and it has no more than 32 keys. With names of usual
 * length that is so from 19 or 20 keys of 32 bytes on.
 */
export function endsOldAgents(core: Core, keyring: Keyring): boolean {
  const payload = encodeMessage(MessageType.keyResponse, KeyResponse, wholeList(keyring));
  const envelope = { LTime: core.queryClock.time(), ID: LONGEST_ID, From: longestName(core) };
  const size = responseSize(envelope, payload);
  return [USUAL_LIMIT, core.config.queryResponseSizeLimit].some((limit) =>
    size > limit && roomOfGoList(keyring.size) < Math.floor(limit / LEAST_KEY_BYTES)
  );
}

/**
 * For how many keys a Go agent has made room when its list has `length`: powers of two. Version 0.9.4 cuts a list that
 * is too long to as many keys of the smallest size as fit, without a look at that room.
 */
function roomOfGoList(length: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, length)));
}

/** A name of as many bytes as the longest of a member. */
function longestName(core: Core): string {
  let longest = 0;
  for (const { name } of core.members.records()) longest = Math.max(longest, utf8Length(name));
  return "x".repeat(longest);
}

function wholeList(keyring: Keyring): KeyResponse & { Keys: string[] } {
  const Keys = keyring.keys().map((key) => key.toBase64());
  return { Result: true, Message: "", Keys, PrimaryKey: Keys[0] ?? "" };
}

function responseSize(envelope: Envelope, Payload: Uint8Array): number {
  const response: QueryResponse = { ...envelope, Flags: 0, Payload };
  return encodeMessage(MessageType.queryResponse, QueryResponse, response).length;
}
