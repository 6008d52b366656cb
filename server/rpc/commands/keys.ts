/**
 * The commands about keys: `install-key`, `use-key`, `remove-key` and `list-keys` (docs/spec/agent.md 3).
 *
 * @module
 */

import { EMPTY_REPORT, KeyOperationError, type KeyReport } from "../../../cluster/serf/mod.ts";
import { KeyResponse } from "../../../protocol/ipc/mod.ts";
import { encode } from "../../../protocol/msgpack/mod.ts";
import { type Answer, type Run, textOf } from "../handler.ts";

/** Adds a key to every keyring. */
export const installKey: Run<"install-key"> = ({ services }, { Key }) =>
  answer(services.backend.installKey(Key), "without keys");

/** Makes a key of every keyring the one that encrypts. */
export const useKey: Run<"use-key"> = ({ services }, { Key }) =>
  answer(services.backend.useKey(Key), "without keys");

/** Takes a key off every keyring. */
export const removeKey: Run<"remove-key"> = ({ services }, { Key }) =>
  answer(services.backend.removeKey(Key), "without keys");

/** Counts on how many nodes each key is. */
export const listKeys: Run<"list-keys"> = ({ services }) =>
  answer(services.backend.listKeys(), "with keys");

/** The body comes with an error, too, since it says which node failed at what. */
async function answer(
  operation: Promise<KeyReport>,
  keys: "with keys" | "without keys",
): Promise<Answer> {
  const bodyOf = ({ messages, numNodes, numErr, numResp, keys: counts }: KeyReport): Uint8Array => {
    const response: KeyResponse = {
      Messages: messages,
      Keys: keys === "with keys" ? counts : null,
      NumNodes: numNodes,
      NumErr: numErr,
      NumResp: numResp,
    };
    return encode(KeyResponse, response, "rpc");
  };
  try {
    return { body: bodyOf(await operation) };
  } catch (error) {
    const report = error instanceof KeyOperationError ? error.report : EMPTY_REPORT;
    return { error: textOf(error), body: bodyOf(report) };
  }
}
