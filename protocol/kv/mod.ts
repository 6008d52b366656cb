/**
 * The key-value wire: one JSON object a line, requests in and answers out.
 *
 * @module
 */

export {
  type ActionMembers,
  ACTIONS,
  type ChannelsRequest,
  type ChildrenRequest,
  type DeleteRequest,
  type HelloRequest,
  type IncrementRequest,
  type InfoRequest,
  type KeysRequest,
  type PublishRequest,
  type ReadRequest,
  type RequestKey,
  type SetRequest,
  type TargetRequest,
  unknownMember,
  type ValueRequest,
} from "./actions.ts";
export {
  DEFAULT_LISTED,
  DEFAULT_PORT,
  MAX_DEPTH,
  MAX_LINE_BYTES,
  MAX_LISTED,
  MAX_MESSAGE_BYTES,
  MAX_SUBSCRIPTIONS,
  PROTOCOL_VERSION,
} from "./limits.ts";
export { ENDLESS, LineSplitter, TOO_LONG } from "./line_splitter.ts";
export { LineWriter } from "./line_writer.ts";
export * from "./problem.ts";
export {
  beginSuccess,
  endSuccess,
  type FailureNotes,
  writeClosing,
  writeFailure,
} from "./reply.ts";
export { isRequestId, isUnreadable, type Members, readLine, type RequestId } from "./request.ts";
