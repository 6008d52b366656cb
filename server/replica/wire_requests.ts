/**
 * What servers ask each other besides the log: clients' requests, promises of a founding, operations for the leader.
 *
 * The first byte tells them apart: those of clients begin with their own kind, which is never one of these.
 *
 * @module
 */

import type { ConfigurationChange, Refusal } from "../../cluster/raft/mod.ts";
import { concatBytes } from "../../protocol/bytes.ts";
import {
  type Check,
  oneOf,
  openRecord,
  optional,
  record,
  text,
  whole,
} from "../../protocol/json_shape.ts";
import { decodeUtf8, encodeUtf8 } from "../../protocol/text.ts";
import { isId } from "./directory/node_file.ts";

/**
 * First bytes of requests; their bytes are in `verification/questions.ts`, `gateway/questions.ts`, `watching/fetch_codec.ts` and
 * `segments/fetching/pieces.ts`.
 */
export const REQUEST = {
  promise: 0xf0,
  operation: 0xf1,
  check: 0xf2,
  leader: 0xf3,
  read: 0xf4,
  fetch: 0xf5,
  nudge: 0xf6,
  piece: 0xf7,
} as const;

/** What an operator asks a leader for. */
export type Operation =
  | { readonly kind: "change"; readonly change: ConfigurationChange; readonly expected?: number }
  | { readonly kind: "transfer"; readonly target?: string }
  /** A barrier with that token: 128 random bits in hex. */
  | { readonly kind: "mark"; readonly token: string };

/** What came of an operation: nothing when it is done, or why it is not. */
export type OperationOutcome =
  | Refusal
  | { readonly reason: "lost" | "no-takeover" | "no-leader" }
  | undefined;

const MAX_ID = 64;
const MAX_REASON = 100;
const id = text(MAX_ID, 1);

const OPERATIONS: readonly Check[] = [
  record({
    kind: oneOf("change"),
    change: record({
      kind: oneOf("add", "remove"),
      id,
      role: optional(oneOf("voter", "learner", "staging")),
    }),
    expected: optional(whole(0)),
  }),
  record({ kind: oneOf("transfer"), target: optional(id) }),
  record({ kind: oneOf("mark"), token: isId }),
];

const isOutcome = openRecord({ outcome: optional(openRecord({ reason: text(MAX_REASON) })) });

/** The request for an operation. */
export function encodeOperation(what: Operation): Uint8Array {
  return concatBytes([Uint8Array.of(REQUEST.operation), encodeUtf8(JSON.stringify(what))]);
}

/** The operation of a request, `undefined` when it is none. */
export function decodeOperation(bytes: Uint8Array): Operation | undefined {
  const value = jsonOf(bytes.subarray(1));
  return OPERATIONS.some((check) => check(value)) ? value as Operation : undefined;
}

/** The answer to an operation. */
export function encodeOutcome(what: OperationOutcome): Uint8Array {
  return encodeUtf8(JSON.stringify({ outcome: what }));
}

/** What an answer says; that nobody knows when it says nothing. */
export function decodeOutcome(bytes: Uint8Array): OperationOutcome {
  const value = jsonOf(bytes);
  if (!isOutcome(value)) return { reason: "lost" };
  return (value as { readonly outcome?: OperationOutcome }).outcome;
}

/** The value in bytes of another server; `undefined` when they are no JSON. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes));
  } catch {
    // Then they are nothing.
    return undefined;
  }
}

/** Why an operation was not done, in words without a full stop. */
export function textOfOutcome(outcome: Exclude<OperationOutcome, undefined>): string {
  switch (outcome.reason) {
    case "no-leader":
    case "not-leader":
      return "No leader is known here";
    case "change-in-progress":
      return "Another change of the members is under way: try again when it is done";
    case "not-ready":
      return "The leader has only begun to lead: try again in a moment";
    case "transfer-in-progress":
      return "The leader hands over at this moment";
    case "configuration-changed":
      return `The members have changed meanwhile, with entry ${outcome.index}`;
    case "invalid-change":
      return outcome.problem;
    case "no-target":
      return "There is no other voter to hand over to";
    case "no-takeover":
      return "The other server did not take over in time";
    case "lost":
      return "Nobody knows whether it was done: see skein raft status";
    default:
      return `It was refused: ${outcome.reason}`;
  }
}
