/**
 * What the nodes of a cluster say to a key operation (docs/spec/serf.md 12.5).
 *
 * @module
 */

import { DecodeError } from "../../../protocol/msgpack/mod.ts";
import type { QueryAnswer } from "../core/collector.ts";
import { decodeMessage, KeyResponse, MessageType } from "../model/messages.ts";

/**
 * The answers of all nodes to one key operation.
 *
 * @example
 * ```ts
 * import { Agent, type KeyReport } from "@skein/agent";
 *
 * const encryptKey = crypto.getRandomValues(new Uint8Array(32)).toBase64();
 * await using agent = await Agent.start({ bind: "127.0.0.1:0", encryptKey });
 * const { keys, numNodes }: KeyReport = await agent.listKeys();
 * console.log(keys[encryptKey] === numNodes); // true
 * ```
 */
export interface KeyReport {
  /** What nodes had to say, by node name: why they failed, or a note. */
  readonly messages: Readonly<Record<string, string>>;
  /** Nodes that were alive or suspected when the question was sent, the own one included. */
  readonly numNodes: number;
  /** Nodes that answered. */
  readonly numResp: number;
  /** Nodes that failed. */
  readonly numErr: number;
  /** On how many nodes each key is, by base64; empty except for a list. */
  readonly keys: Readonly<Record<string, number>>;
  /** On how many nodes each key is the primary one, by base64; changes count under "". */
  readonly primaryKeys: Readonly<Record<string, number>>;
}

/**
 * A key operation did not succeed on every node; the text is Serf's. What did succeed stays so.
 *
 * @example Who failed, and why
 * ```ts
 * import { Agent, KeyOperationError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ nodeName: "plain", bind: "127.0.0.1:0" });
 * const install = agent.serf.keys.install(new Uint8Array(32).toBase64());
 * await assert.rejects(install, (error) => {
 *   assert.ok(error instanceof KeyOperationError);
 *   assert.equal(error.message, "1/1 nodes reported failure");
 *   assert.deepEqual(error.report.messages, {
 *     plain: "No keyring to modify (encryption not enabled)",
 *   });
 *   return true;
 * });
 * ```
 */
export class KeyOperationError extends Error {
  /** Names the class in logs. */
  override readonly name = "KeyOperationError";
  /** What the nodes said; all zero when none was asked. */
  readonly report: KeyReport;

  /** An error with the answers there were. */
  constructor(message: string, report: KeyReport, options?: ErrorOptions) {
    super(message, options);
    this.report = report;
  }
}

/** The report of an operation that asked nobody. */
export const EMPTY_REPORT: KeyReport = Object.freeze({
  messages: {},
  numNodes: 0,
  numResp: 0,
  numErr: 0,
  keys: {},
  primaryKeys: {},
});

/** Adds up the answers. */
export class KeyTally {
  /** Nodes asked. */
  readonly numNodes: number;
  readonly #messages = new Map<string, string>();
  readonly #keys = new Map<string, number>();
  readonly #primaryKeys = new Map<string, number>();
  #numResp = 0;
  #numErr = 0;

  /** No answers yet. */
  constructor(numNodes: number) {
    this.numNodes = numNodes;
  }

  /** Nodes that answered. */
  get numResp(): number {
    return this.#numResp;
  }

  /** Takes in an answer. Returns the note of a node that succeeded, if it has one. */
  add({ from, payload }: QueryAnswer): string | undefined {
    this.#numResp++;
    if (payload?.[0] !== MessageType.keyResponse) {
      this.#fail(from, `Invalid key query response type: ${byteList(payload)}`);
      return undefined;
    }
    let response: KeyResponse;
    try {
      response = decodeMessage(KeyResponse, payload);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#fail(from, `Failed to decode key query response: ${byteList(payload)}`);
      return undefined;
    }
    const { Result, Message, Keys, PrimaryKey } = response;
    for (const key of Keys ?? []) count(this.#keys, key);
    count(this.#primaryKeys, PrimaryKey);
    if (!Result) this.#fail(from, Message);
    else if (Message !== "") this.note(from, Message);
    return Result && Message !== "" ? Message : undefined;
  }

  /** Adds what is to be said of a node that did not fail. */
  note(node: string, message: string): void {
    this.#messages.set(node, message);
  }

  /** The sum. */
  report(): KeyReport {
    return {
      messages: Object.fromEntries(this.#messages),
      numNodes: this.numNodes,
      numResp: this.#numResp,
      numErr: this.#numErr,
      keys: Object.fromEntries(this.#keys),
      primaryKeys: Object.fromEntries(this.#primaryKeys),
    };
  }

  #fail(node: string, message: string): void {
    this.#numErr++;
    this.#messages.set(node, message);
  }
}

/**
 * The report, when every node succeeded.
 *
 * @throws {KeyOperationError} when one failed or did not answer
 */
export function requireSuccess(report: KeyReport): KeyReport {
  const { numNodes, numResp, numErr } = report;
  if (numErr !== 0) {
    throw new KeyOperationError(`${numErr}/${numNodes} nodes reported failure`, report);
  }
  if (numResp !== numNodes) {
    throw new KeyOperationError(`${numResp}/${numNodes} nodes reported success`, report);
  }
  return report;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Bytes as Go prints them: `[1 2 3]`. */
function byteList(bytes: Uint8Array | null): string {
  return `[${(bytes ?? []).join(" ")}]`;
}
