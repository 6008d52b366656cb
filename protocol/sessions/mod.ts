/**
 * The wire between a program with a durable session and the servers that keep it (docs/spec/sessions.md).
 *
 * @module
 */

export { capabilityProblem } from "./capabilities.ts";
export { clientFrame, readClientMessage, readServerMessage, serverFrame } from "./codec.ts";
export * from "./codes.ts";
export { MessageError } from "./errors.ts";
export { frameSplitter } from "./frames.ts";
export * from "./limits.ts";
export type * from "./messages.ts";
