/**
 * Changing and listing the keys of all nodes of a cluster (docs/spec/serf.md 12.5).
 *
 * @module
 */

import { Base64Error, decodeBase64 } from "../../../protocol/base64.ts";
import type { RunningQuery } from "../core/collector.ts";
import type { Core } from "../core/core.ts";
import { QueryError } from "../model/errors.ts";
import { encodeMessage, KeyRequest, MessageType } from "../model/messages.ts";
import { KEY_QUERIES, LIST_KEYS_QUERY, LIST_MANY_KEYS_QUERY } from "../model/query_names.ts";
import { endsOldAgents } from "../queries/key_list.ts";
import { sendQuery } from "../queries/send.ts";
import {
  EMPTY_REPORT,
  KeyOperationError,
  type KeyReport,
  KeyTally,
  requireSuccess,
} from "./report.ts";

/**
 * How far a key operation is.
 *
 * @example
 * ```ts
 * import type { KeyProgress } from "@skein/agent";
 *
 * const show = ({ responded, of }: KeyProgress): void => console.log(`${responded} of ${of}`);
 * show({ responded: 1, of: 2 });
 * ```
 */
export interface KeyProgress {
  /** Nodes that have answered. */
  readonly responded: number;
  /** Nodes that were asked. */
  readonly of: number;
}

/**
 * How to ask.
 *
 * @example
 * ```ts
 * import { Agent, type KeyOptions } from "@skein/agent";
 *
 * const encryptKey = crypto.getRandomValues(new Uint8Array(32)).toBase64();
 * await using agent = await Agent.start({ bind: "127.0.0.1:0", encryptKey });
 * const options: KeyOptions = { onProgress: ({ responded, of }) => console.log(responded, of) };
 * await agent.listKeys(options);
 * ```
 */
export interface KeyOptions {
  /** Copies of each answer that take the way through another member, 0 to 255. Default 0. */
  readonly relayFactor?: number;
  /** Called with each answer. */
  readonly onProgress?: (progress: KeyProgress) => void;
}

/** Most operations that wait for others to end; each takes up to a query timeout. */
const MAX_WAITING = 256;

/**
 * The keys of a whole cluster. Each operation asks every node and resolves when all have answered, at the latest after
 * the default query timeout. Changes wait for each other and for lists; lists run side by side.
 *
 * Every operation rejects with {@linkcode KeyOperationError}, which carries the answers there were, when a node failed
 * or did not answer, and when the key is no base64. A node that has the change already, or has nothing to change,
 * succeeds.
 *
 * @example From an old key to a new one
 * ```ts
 * import { Agent } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * const before = new Uint8Array(32).fill(1).toBase64();
 * const after = new Uint8Array(32).fill(2).toBase64();
 * await using agent = await Agent.start({ bind: "127.0.0.1:0", encryptKey: before });
 * const { keys } = agent.serf;
 * await keys.install(after);
 * await keys.use(after);
 * await keys.remove(before);
 * assert.deepEqual((await keys.list()).keys, { [after]: 1 });
 * ```
 */
export class KeyManager {
  readonly #core: Core;
  readonly #lists = new Set<Promise<unknown>>();
  #lastChange: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** The keys of the cluster that an instance is part of. */
  constructor(core: Core) {
    this.#core = core;
  }

  /** Adds a key, base64 of 16, 24 or 32 bytes, to every keyring. From then on nodes understand what it encrypts. */
  async install(key: string, options: KeyOptions = {}): Promise<KeyReport> {
    return await this.#change(KEY_QUERIES.install, key, options);
  }

  /** Makes a key, base64, that is on every keyring the primary one: nodes encrypt with it. */
  async use(key: string, options: KeyOptions = {}): Promise<KeyReport> {
    return await this.#change(KEY_QUERIES.use, key, options);
  }

  /** Takes a key, base64, that is not the primary one off every keyring. */
  async remove(key: string, options: KeyOptions = {}): Promise<KeyReport> {
    return await this.#change(KEY_QUERIES.remove, key, options);
  }

  /**
   * Counts on how many nodes each key is. A node whose answer would be too long tells its first keys, and says so in
   * its message.
   *
   * When this node holds as many keys as would make a Serf 0.9.4 agent end when it is asked for them (about 20 to
   * 32 of 32 bytes), only skein agents are asked; the others count as silent.
   */
  async list(options: KeyOptions = {}): Promise<KeyReport> {
    return await this.#queue((work) => {
      const turn = this.#lastChange.then(work);
      const settled = turn.then(() => {}, () => {}).finally(() => this.#lists.delete(settled));
      this.#lists.add(settled);
      return turn;
    }, () => this.#list(options));
  }

  #change(name: string, text: string, options: KeyOptions): Promise<KeyReport> {
    const payload = requestOf(decodeKey(text));
    return this.#queue((work) => {
      const turn = Promise.all([this.#lastChange, ...this.#lists]).then(work);
      // Whoever asked for the change gets the error.
      this.#lastChange = turn.catch(() => {});
      return turn;
    }, async () => {
      const { tally } = await this.#ask(name, payload, options);
      return requireSuccess(tally.report());
    });
  }

  async #list(options: KeyOptions): Promise<KeyReport> {
    const { keyring } = this.#core.config.memberlist;
    const empty = requestOf(new Uint8Array(0));
    if (keyring === undefined || !endsOldAgents(this.#core, keyring)) {
      const { tally } = await this.#ask(LIST_KEYS_QUERY, empty, options);
      return requireSuccess(tally.report());
    }
    const { tally, query } = await this.#ask(LIST_MANY_KEYS_QUERY, empty, options);
    const reason =
      `No answer: a Serf 0.9.4 agent ends when it lists ${keyring.size} keys, so only skein agents were asked`;
    for (const name of (await query.finished).silent) tally.note(name, reason);
    return requireSuccess(tally.report());
  }

  /** Sends a key query and adds the answers up until every node has answered, or the query ends. */
  async #ask(
    name: string,
    payload: Uint8Array,
    { relayFactor = 0, onProgress }: KeyOptions,
  ): Promise<{ tally: KeyTally; query: RunningQuery }> {
    const core = this.#core;
    const query = this.#send(name, payload, relayFactor);
    const tally = new KeyTally(core.cluster.numAlive);
    try {
      for await (const answer of query.answers) {
        const note = tally.add(answer);
        if (note !== undefined) core.noise.write("info", `note ${answer.from}`, note);
        onProgress?.({ responded: tally.numResp, of: tally.numNodes });
        if (tally.numResp === tally.numNodes) break;
      }
    } finally {
      query.close();
    }
    return { tally, query };
  }

  #send(name: string, payload: Uint8Array, relayFactor: number): RunningQuery {
    try {
      return sendQuery(this.#core, name, payload, { relayFactor });
    } catch (cause) {
      if (!(cause instanceof QueryError)) throw cause;
      throw new KeyOperationError(cause.message, EMPTY_REPORT, { cause });
    }
  }

  /** Lets `enqueue` start the operation in its turn. */
  async #queue(
    enqueue: (work: () => Promise<KeyReport>) => Promise<KeyReport>,
    work: () => Promise<KeyReport>,
  ): Promise<KeyReport> {
    if (this.#waiting >= MAX_WAITING) {
      throw new KeyOperationError(`Already ${MAX_WAITING} key operations wait`, EMPTY_REPORT);
    }
    this.#waiting++;
    try {
      return await enqueue(work);
    } finally {
      this.#waiting--;
    }
  }
}

function decodeKey(text: string): Uint8Array {
  try {
    return decodeBase64(text);
  } catch (cause) {
    if (!(cause instanceof Base64Error)) throw cause;
    throw new KeyOperationError(cause.message, EMPTY_REPORT, { cause });
  }
}

/** Never without a body: an empty payload ends a Serf 0.9.4 agent (docs/spec/serf.md 21.2). */
function requestOf(key: Uint8Array): Uint8Array {
  return encodeMessage(MessageType.keyRequest, KeyRequest, { Key: key });
}
