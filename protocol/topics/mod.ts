/**
 * The wire between programs and the servers that keep topics (docs/spec/topics.md).
 *
 * @module
 */

export {
  flagsOf,
  readError,
  readReply,
  readReplyHead,
  readRequest,
  type Sending,
  writeError,
  writeReply,
  writeRequest,
} from "./codec.ts";
export * from "./codes.ts";
export { FrameError, PayloadError, TopicError } from "./errors.ts";
export { replySplitter, requestSplitter } from "./frames.ts";
export { FETCHED_AT } from "./layouts.ts";
export * from "./limits.ts";
export { type Header, type Message, messageBytes, readMessages, writeMessage } from "./messages.ts";
export * from "./message_set.ts";
export { isTopicName, type Partition } from "./names.ts";
export type * from "./group_requests.ts";
export type * from "./requests.ts";
export { FrameWriter } from "./writer.ts";
export {
  codecOf,
  compress,
  compressShort,
  inflate,
  inflateShort,
  type Pause,
} from "./zlib/compression.ts";
