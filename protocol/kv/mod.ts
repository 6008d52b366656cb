/**
 * The key-value wire: one JSON object a line, requests in and answers out.
 *
 * @module
 */

export { type ActionMembers, ACTIONS, unknownMember, wrongOnce } from "./actions/actions.ts";
export type * from "./actions/requests.ts";
export { ttlOf } from "./actions/checks.ts";
export {
  DEFAULT_LISTED,
  DEFAULT_PORT,
  MAX_DEPTH,
  MAX_ITEMS,
  MAX_LINE_BYTES,
  MAX_LISTED,
  MAX_MESSAGE_BYTES,
  MAX_STEPS,
  MAX_SUBSCRIPTIONS,
  MAX_TTL_MS,
  MAX_WATCHES,
  PROTOCOL_VERSION,
} from "./limits.ts";
export { type JobText, MAX_JOB_PAYLOAD_BYTES } from "./job.ts";
export { ENDLESS, LineSplitter, TOO_LONG } from "./line_splitter.ts";
export { LineWriter } from "./line_writer.ts";
export * from "./problem.ts";
export {
  beginSuccess,
  endSuccess,
  type FailureNotes,
  writeClosing,
  writeFailure,
  writePush,
} from "./reply.ts";
export { isRequestId, isUnreadable, type Members, readLine, type RequestId } from "./request.ts";
export {
  type ConditionRequest,
  type StepRequest,
  type TransactionRequest,
} from "./actions/transaction.ts";
