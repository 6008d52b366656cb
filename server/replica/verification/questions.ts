/**
 * What servers ask each other when they are compared.
 *
 * @module
 */

import { concatBytes } from "../../../protocol/bytes.ts";
import {
  flag,
  listOf,
  matching,
  oneOf,
  openRecord,
  optional,
  record,
  text,
  whole,
} from "../../../protocol/json_shape.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { isId } from "../directory/node_file.ts";
import { jsonOf, REQUEST } from "../wire_requests.ts";

/** Problems of one server that are told, and characters of each. */
const MAX_PROBLEMS = 16;
const MAX_PROBLEM = 1_000;

/** Digits of a token. */
const TOKEN_DIGITS = 32;

/** What a server is asked. */
export interface CheckQuestion {
  /** Tells one comparison from all others: 128 random bits in hex. */
  readonly token: string;
  /** Whether it begins. */
  readonly begins: boolean;
  /** The entry at which states are compared, as soon as somebody knows it. */
  readonly index?: number | undefined;
}

const isQuestion = record({ token: isId, begins: flag, index: optional(whole(1)) });

/**
 * How far a server is.
 *
 * `waiting`: the entry has not come. `reading`: state and files are being read. `done`: they were. `busy`: another comparison is
 * under way. `unknown`: it knows nothing of this one. `passed`: it has come past the entry by a snapshot, or too late.
 */
export type CheckState = "waiting" | "reading" | "done" | "busy" | "unknown" | "passed";

/** What a server says of itself. */
export interface CheckAnswer {
  readonly state: CheckState;
  /** The entry that it has applied last. */
  readonly applied: number;
  /** The entry at which its state is looked at. */
  readonly index?: number | undefined;
  /** SHA-256 of the dump of its state at that entry, in hex. */
  readonly hash?: string | undefined;
  /** Bytes of the dump so far. */
  readonly bytes?: number | undefined;
  /** What cannot be read of its state and its files. */
  readonly problems: readonly string[];
}

const isAnswer = openRecord({
  state: oneOf("waiting", "reading", "done", "busy", "unknown", "passed"),
  applied: whole(0),
  index: optional(whole(1)),
  hash: optional(matching(/^[0-9a-f]{64}$/)),
  bytes: optional(whole(0)),
  problems: listOf(text(MAX_PROBLEM), MAX_PROBLEMS),
});

/** The bytes of a question. */
export function encodeQuestion(what: CheckQuestion): Uint8Array {
  return concatBytes([Uint8Array.of(REQUEST.check), encodeUtf8(JSON.stringify(what))]);
}

/** The question in a request, `undefined` when it is none. */
export function decodeQuestion(bytes: Uint8Array): CheckQuestion | undefined {
  const value = jsonOf(bytes.subarray(1));
  return isQuestion(value) ? value as CheckQuestion : undefined;
}

/** The bytes of an answer; what is more than is read is left out. */
export function encodeAnswer({ problems, ...rest }: CheckAnswer): Uint8Array {
  const told = problems.slice(0, MAX_PROBLEMS).map((text) => text.slice(0, MAX_PROBLEM));
  return encodeUtf8(JSON.stringify({ ...rest, problems: told }));
}

/** What another server has answered, `undefined` when it is nothing that this version knows. */
export function decodeAnswer(bytes: Uint8Array): CheckAnswer | undefined {
  const value = jsonOf(bytes);
  return isAnswer(value) ? value as CheckAnswer : undefined;
}

/** The bytes of a token in the log, and back; `undefined` for what is none. */
export function tokenBytes(text: string): Uint8Array {
  return Uint8Array.fromHex(text);
}

/** The token in the data of a barrier, `undefined` when there is none. */
export function tokenIn(data: Uint8Array): string | undefined {
  return data.length === TOKEN_DIGITS / 2 ? data.toHex() : undefined;
}
