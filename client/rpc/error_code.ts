/**
 * What an agent's error text means.
 *
 * @module
 */

import { IpcError } from "../../protocol/ipc/mod.ts";

/**
 * What an agent complains of (docs/spec/agent.md 1.6 and 3).
 *
 * - `auth-required`: it has a token, and none was given
 * - `invalid-token`: the token is another one, or it has none
 * - `unsupported-command`, `unsupported-version`, `unsupported-feature`: it is too old, or the cluster is
 * - `handshake-required`, `duplicate-handshake`, `stream-exists`: the other end of this connection misbehaves
 * - `monitor-exists`: one monitor per client
 * - `invalid-filter`, `invalid-level`: what a stream or monitor asks for does not exist
 * - `unknown-query`, `already-answered`, `query-over`: an answer that nobody waits for
 * - `reserved-name`: the query's name is one that agents use among themselves
 * - `too-large`: event, query, answer or tags exceed a limit of the agent
 * - `invalid-key`: the key is no base64
 * - `keys-failed`: some nodes failed or were silent at a key operation; the error is a `KeyError`
 * - `join-failed`: no address answered
 * - `left`: the agent has left the cluster, or is leaving it
 * - `broadcast-timeout`: the news was not sent in time
 * - `tags-file`: the agent cannot write its tags file
 * - `other`: none of these
 *
 * @example
 * ```ts
 * import type { RpcErrorCode } from "@skein/agent/client";
 *
 * const mine: RpcErrorCode[] = ["auth-required", "invalid-token"];
 * console.log(mine.includes("other"));
 * ```
 */
export type RpcErrorCode =
  | "auth-required"
  | "invalid-token"
  | "unsupported-command"
  | "unsupported-version"
  | "unsupported-feature"
  | "handshake-required"
  | "duplicate-handshake"
  | "stream-exists"
  | "monitor-exists"
  | "invalid-filter"
  | "invalid-level"
  | "unknown-query"
  | "already-answered"
  | "query-over"
  | "reserved-name"
  | "too-large"
  | "invalid-key"
  | "keys-failed"
  | "join-failed"
  | "left"
  | "broadcast-timeout"
  | "tags-file"
  | "other";

/** Each code with its text, or a pattern of it. */
const CODES: readonly (readonly [RpcErrorCode, string | RegExp])[] = [
  ["auth-required", IpcError.authRequired],
  ["invalid-token", IpcError.invalidAuthToken],
  ["unsupported-command", IpcError.unsupportedCommand],
  ["unsupported-version", IpcError.unsupportedVersion],
  ["unsupported-feature", "Feature not supported"],
  ["handshake-required", IpcError.handshakeRequired],
  ["duplicate-handshake", IpcError.duplicateHandshake],
  ["stream-exists", IpcError.streamExists],
  ["monitor-exists", IpcError.monitorExists],
  ["invalid-filter", IpcError.invalidFilter],
  ["invalid-level", /^Unknown log level: /],
  ["unknown-query", IpcError.invalidQueryId],
  ["already-answered", /response already sent$/],
  ["query-over", /response is past the deadline$/],
  ["reserved-name", /^Queries cannot contain the '.*' prefix$/],
  ["too-large", /exceeds (?:configured |sane |reasonable )?limit of \d+ bytes/],
  ["invalid-key", /^illegal base64 data /],
  ["keys-failed", /^\d+\/\d+ nodes reported (?:failure|success)$/],
  ["join-failed", /errors? occurred:\n(?:.*\n)*.*failed to (?:join|resolve) /i],
  ["left", /^(?:Serf can't Join after Leave or Shutdown|Leave already in progress)$/],
  ["broadcast-timeout", /^(?:timed out broadcasting|timeout waiting for) /],
  ["tags-file", /^Failed to (?:write|encode) tags/],
];

/** The code of an error text. */
export function codeOf(text: string): RpcErrorCode {
  const found = CODES.find(([, mark]) =>
    typeof mark === "string" ? text === mark : mark.test(text)
  );
  return found?.[0] ?? "other";
}
