/**
 * What has come of requests, as clients get it: the answers of the key-value port without `id`, and numbers for what is no answer.
 *
 * @module
 */

import type { Result } from "../../cluster/machine/mod.ts";
import {
  beginSuccess,
  endSuccess,
  type FailureNotes,
  LineWriter,
  writeFailure,
} from "../../protocol/kv/mod.ts";
import { QUERY_ERROR, REJECTED, REQUEST_ERROR } from "../../protocol/sessions/mod.ts";

/** What a reply says besides its result. */
export interface ReplyNotes extends FailureNotes {
  readonly tellsRevision?: boolean;
  /** Where a listing is to be gone on with. */
  readonly next?: string | undefined;
}

/** Room that is kept from one reply to the next, in bytes. */
const KEPT_BYTES = 64 * 1024;

let writer = new LineWriter();

/** The bytes of a reply, until the next call. */
export function replyOf(result: Result, notes: ReplyNotes = {}): Uint8Array {
  const { tellsRevision = false, next, ...rest } = notes;
  if (writer.capacity > KEPT_BYTES) writer = new LineWriter();
  writer.reset();
  if (result.ok) {
    beginSuccess(writer, undefined);
    writer.raw(result.body);
    endSuccess(writer, tellsRevision ? result.rev : undefined, rest.lagMs, next, result.ttlMs);
  } else writeFailure(writer, undefined, result, rest);
  // A line ends with a line feed, which is none of the answer.
  return writer.view().subarray(0, -1);
}

/** Why a session does not begin, by the reason of a failure. */
export function rejectionOf(reason: string): number {
  switch (reason) {
    case "SESSION_EXPIRED":
      return REJECTED.sessionExpired;
    case "INVALID":
      return REJECTED.invalidCapabilities;
    case "TOO_MANY_SESSIONS":
      return REJECTED.tooManySessions;
    case "OUTCOME_UNKNOWN":
    case "NO_LEADER":
    case "OVERLOADED":
      return REJECTED.noQuorum;
    default:
      return REJECTED.other;
  }
}

/** Why a request has no result, by the reason of a failure; `undefined` when nothing can be said. */
export function requestErrorOf(reason: string): number | undefined {
  switch (reason) {
    case "RESPONSE_EVICTED":
      return REQUEST_ERROR.responseEvicted;
    case "TOO_MANY_IN_FLIGHT":
      return REQUEST_ERROR.tooManyInFlight;
    case "OVERLOADED":
    case "NO_LEADER":
      return REQUEST_ERROR.overloaded;
    case "VALUE_TOO_LARGE":
      return REQUEST_ERROR.payloadTooLarge;
    case "INVALID":
    case "UNKNOWN_ACTION":
    case "UNSUPPORTED_VERSION":
      return REQUEST_ERROR.invalidPayload;
    case "STORAGE_FULL":
      return REQUEST_ERROR.storageFull;
    default:
      return undefined;
  }
}

/** Why a question has no answer, by the reason of a failure; `undefined` when the failure is the answer. */
export function queryErrorOf(reason: string): number | undefined {
  switch (reason) {
    case "NO_LEADER":
    case "SHUTTING_DOWN":
      return QUERY_ERROR.notLeader;
    case "OUTCOME_UNKNOWN":
      return QUERY_ERROR.timeout;
    case "OVERLOADED":
      return QUERY_ERROR.overloaded;
    default:
      return undefined;
  }
}
