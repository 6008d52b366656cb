/**
 * What nodes say to a key operation, as a program sees it.
 *
 * @module
 */

import type { KeyResponse } from "../../protocol/ipc/mod.ts";
import { RpcError } from "./errors.ts";

/**
 * The answers of all nodes to one key operation.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type KeyReport, RpcClient } from "@skein/agent/client";
 *
 * const encryptKey = crypto.getRandomValues(new Uint8Array(32)).toBase64();
 * await using agent = await Agent.start({ bind: "127.0.0.1:0", encryptKey });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * const { keys, numNodes }: KeyReport = await client.listKeys();
 * console.log(keys[encryptKey] === numNodes); // true
 * ```
 */
export interface KeyReport {
  /** What nodes had to say, by node name: why they failed, or a note. */
  readonly messages: Readonly<Record<string, string>>;
  /** On how many nodes each key is, by base64; empty except for a list. */
  readonly keys: Readonly<Record<string, number>>;
  /** Nodes that were asked. */
  readonly numNodes: number;
  /** Nodes that answered. */
  readonly numResp: number;
  /** Nodes that failed. */
  readonly numErr: number;
}

/**
 * A key operation did not succeed on every node. What did succeed stays so.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { KeyError, RpcClient } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { address } = agent.listenRpc("127.0.0.1:0");
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${address.port}` });
 * try {
 *   await client.listKeys();
 * } catch (error) {
 *   if (!(error instanceof KeyError)) throw error;
 *   console.error(error.message, error.report.messages);
 * }
 * ```
 */
export class KeyError extends RpcError {
  /** Always "KeyError". */
  override readonly name = "KeyError";
  /** What the nodes said; all zero when none was asked. */
  readonly report: KeyReport;

  /** `message` is the agent's text as it came. */
  constructor(command: string, message: string, report: KeyReport, options?: ErrorOptions) {
    super(command, message, options);
    this.report = report;
  }
}

/** The report of a response. */
export function reportOf(response: KeyResponse): KeyReport {
  const { Messages, Keys, NumNodes, NumResp, NumErr } = response;
  return {
    messages: Messages ?? {},
    keys: Keys ?? {},
    numNodes: NumNodes,
    numResp: NumResp,
    numErr: NumErr,
  };
}

/** What a key operation rejects with; an error without a report is one about the connection. */
export function keyFailure(
  command: string,
): (message: string, response: KeyResponse | null) => Error {
  return (message, response) =>
    response === null
      ? new RpcError(command, message)
      : new KeyError(command, message, reportOf(response));
}
