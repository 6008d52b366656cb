/**
 * What an agent can be told to do, each with the log lines that Serf's users know (docs/spec/agent.md 3).
 *
 * @module
 */

import {
  type KeyOptions,
  type KeyReport,
  type QueryParams,
  type RunningQuery,
  type Serf,
} from "../../cluster/serf/mod.ts";
import { requireArgument } from "../../protocol/arguments.ts";
import { goQuoteBytes } from "../../protocol/quote.ts";
import type { AgentLog } from "../logging/log.ts";
import { blockOf } from "./log_text.ts";

/** What the log says when a key operation begins. */
const KEY_TITLES = {
  install: "key installation",
  use: "primary key change",
  remove: "key removal",
  list: "key listing",
} as const;

/** The core of an agent, with a log of what it is told to do. Errors are logged and passed on. */
export class Commands {
  readonly #serf: Serf;
  readonly #log: AgentLog;

  /** Nothing was told yet. */
  constructor(serf: Serf, log: AgentLog) {
    this.#serf = serf;
    this.#log = log;
  }

  /** Joins through `addresses`; resolves with how many answered. */
  async join(
    addresses: readonly string[],
    { replay, signal }: { replay: boolean; signal: AbortSignal },
  ): Promise<number> {
    this.#info(() => `joining: [${addresses.join(" ")}] replay: ${replay}`);
    try {
      const joined = await this.#serf.join([...addresses], { ignoreOld: !replay, signal });
      if (joined > 0) this.#info(`joined: ${joined} nodes`);
      return joined;
    } catch (error) {
      if (signal.aborted) throw error;
      this.#log.write("WARN", "agent", `error joining: ${blockOf(error)}`, { multiline: true });
      throw error;
    }
  }

  /** Makes a member count as left; with `prune` it is forgotten. */
  async forceLeave(node: string, prune: boolean): Promise<void> {
    const note = prune ? " (prune)" : "";
    this.#info(`Force leaving node${note}: ${node}`);
    try {
      await this.#serf.forceLeave(node, { prune });
    } catch (error) {
      throw this.#failed(`failed to remove node${note}`, error);
    }
  }

  /** Fires a user event. */
  event(name: string, payload: Uint8Array | null, coalesce: boolean): void {
    this.#debug(() =>
      `Requesting user event send: ${name}. Coalesced: ${coalesce}. Payload: ${
        goQuoteBytes(payload)
      }`
    );
    try {
      this.#serf.userEvent(name, payload, coalesce);
    } catch (error) {
      throw this.#failed("failed to send user event", error);
    }
  }

  /** Asks the cluster. */
  query(name: string, payload: Uint8Array | null, params: QueryParams): RunningQuery {
    this.#debug(() => `Requesting query send: ${name}. Payload: ${goQuoteBytes(payload)}`);
    try {
      return this.#serf.query(name, payload, params);
    } catch (error) {
      throw this.#failed("failed to start user query", error);
    }
  }

  /** Changes the keys of the whole cluster. */
  async changeKey(
    change: "install" | "use" | "remove",
    key: string,
    options?: KeyOptions,
  ): Promise<KeyReport> {
    requireArgument("key", key, "secret");
    this.#info(`Initiating ${KEY_TITLES[change]}`);
    return await this.#serf.keys[change](key, options);
  }

  /** Counts on how many nodes each key is. */
  listKeys(options?: KeyOptions): Promise<KeyReport> {
    this.#info(`Initiating ${KEY_TITLES.list}`);
    return this.#serf.keys.list(options);
  }

  #failed(what: string, error: unknown): unknown {
    this.#log.write("WARN", "agent", `${what}: ${(error as Error).message}`);
    return error;
  }

  #info(text: string | (() => string)): void {
    this.#log.write("INFO", "agent", text);
  }

  #debug(text: () => string): void {
    this.#log.write("DEBUG", "agent", text);
  }
}
