/**
 * Serf's RPC protocol: what programs say to an agent and what it answers.
 *
 * A connection carries MessagePack values one after the other: a header and, for some commands, a body
 * (docs/spec/agent.md 1). Every structure is a codec and a type of the same name, with Go's field names.
 *
 * @module
 */

export * from "./commands.ts";
export * from "./errors.ts";
export * from "./header.ts";
export * from "./records.ts";
export * from "./requests.ts";
export * from "./responses.ts";
