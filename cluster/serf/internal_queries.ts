/**
 * Queries that agents ask each other (docs/spec/serf.md 12.1).
 *
 * @module
 */

import { NO_BYTES } from "../../protocol/bytes.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import type { Core } from "./core/core.ts";
import { answerKeyQuery } from "./keys/answer.ts";
import type { QueryEvent } from "./model/event.ts";
import { memberFields, STATUS_NUMBERS } from "./model/member.ts";
import { ConflictResponse, encodeMessage, MessageType } from "./model/messages.ts";
import { CONFLICT_QUERY, PING_QUERY } from "./model/query_names.ts";

/** Answers an internal query. An ack, when one was asked for, is sent already. */
export function answerInternalQuery(core: Core, query: QueryEvent): void {
  if (query.name === PING_QUERY) return;
  if (query.name === CONFLICT_QUERY) return answerConflict(core, query);
  if (answerKeyQuery(core, query)) return;
  core.noise.write("warn", "internal query", `Unhandled internal query '${query.name}'`);
}

/** Tells what is known of a name; of the own name nothing, as that would be a vote for oneself. */
function answerConflict(core: Core, query: QueryEvent): void {
  const name = decodeUtf8(query.payload ?? NO_BYTES);
  if (name === core.name) return;
  core.log.debug(`Got conflict resolution query for '${name}'`);
  const member = core.members.get(name);
  const answer = member === undefined
    ? null
    : memberFields(core.members.view(member), STATUS_NUMBERS[member.status]);
  try {
    query.respond(encodeMessage(MessageType.conflictResponse, ConflictResponse, answer));
  } catch (error) {
    core.noise.write("error", "conflict answer", `Failed to answer '${query.name}': ${error}`);
  }
}
