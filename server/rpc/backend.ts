/**
 * What the RPC server needs of an agent.
 *
 * @module
 */

import type { Coordinate } from "../../cluster/coordinate/mod.ts";
import type { Metrics } from "../../cluster/runtime.ts";
import type {
  KeyReport,
  Member,
  QueryParams,
  RunningQuery,
  SerfEvent,
} from "../../cluster/serf/mod.ts";
import type { AgentLog } from "../logging/log.ts";

/**
 * What a reload did.
 *
 * @example
 * ```ts
 * import { Agent, type ReloadReport } from "@skein/agent";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const reload = async (): Promise<ReloadReport> => {
 *   await agent.updateTags({ set: { build: "8" } });
 *   return { applied: ["build"], restart: [] };
 * };
 * agent.listenRpc("127.0.0.1:0", { reload });
 * ```
 */
export interface ReloadReport {
  /** The options whose new values are in effect. */
  readonly applied: readonly string[];
  /** The options whose new values need a restart. */
  readonly restart: readonly string[];
}

/**
 * Reads a configuration again. Rejects with what is wrong with it.
 *
 * @example
 * ```ts
 * import { Agent, type Reload } from "@skein/agent";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const reload: Reload = async () => {
 *   await agent.updateTags({ set: { build: "8" } });
 *   return { applied: ["build"], restart: [] };
 * };
 * agent.listenRpc("127.0.0.1:0", { reload });
 * ```
 */
export type Reload = () => Promise<ReloadReport>;

/** An agent as its RPC clients see it. Errors carry the text that the client gets. */
export interface RpcBackend {
  /** The agent's log. */
  readonly log: AgentLog;
  /** Where figures go, if anywhere. */
  readonly metrics?: Metrics;
  /** Changes whenever `members()` does. */
  readonly membersVersion: number;
  /** All members, in every status. */
  members(): readonly Member[];
  /** Joins the cluster through some addresses; resolves with how many answered, at least one unless there are none. */
  join(addresses: readonly string[], options: { replay: boolean }): Promise<number>;
  /** Makes a failed member count as left, or forgets it. */
  forceLeave(node: string, options: { prune: boolean }): Promise<void>;
  /** Fires a user event. Throws when it is too large. Keeps `payload`. */
  event(name: string, payload: Uint8Array | null, options: { coalesce: boolean }): void;
  /** Asks the cluster. Throws when the query is too large, or is not one that clients may send. Keeps `payload`. */
  query(name: string, payload: Uint8Array | null, params: QueryParams): RunningQuery;
  /** Adds a base64 key to every keyring. Rejects with `KeyOperationError` when a node failed or was silent. */
  installKey(key: string): Promise<KeyReport>;
  /** Makes a base64 key of every keyring the one that encrypts. Rejects like `installKey`. */
  useKey(key: string): Promise<KeyReport>;
  /** Takes a base64 key off every keyring. Rejects like `installKey`. */
  removeKey(key: string): Promise<KeyReport>;
  /** Counts on how many nodes each key is. Rejects like `installKey`. */
  listKeys(): Promise<KeyReport>;
  /** The network coordinate of a node, `undefined` when it is unknown. */
  coordinate(node: string): Coordinate | undefined;
  /** Deletes tags, then sets others. */
  updateTags(changes: {
    readonly set: Readonly<Record<string, string>>;
    readonly delete: readonly string[];
  }): Promise<void>;
  /** The replicated state, if the agent keeps it. */
  readonly state?:
    | {
      administer(action: string, node: string, limitMs: number): Promise<unknown>;
      administerSessions(action: string, session: string): Promise<unknown>;
    }
    | undefined;
  /** Leaves the cluster gracefully. Rejects with `LeaveInProgressError` while another leave is under way, which goes on. */
  leave(): Promise<void>;
  /** Ends the agent. */
  shutdown(): Promise<void>;
  /** Resolves when the agent has ended. */
  readonly closed: Promise<unknown>;
  /** Figures for operators, by group and name. */
  stats(): Record<string, Record<string, string>>;
  /** Calls `listener` with every event. Returns how to end that. */
  subscribe(listener: (event: SerfEvent) => void): () => void;
}
