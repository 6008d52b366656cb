/**
 * What the parts of an agent see of it.
 *
 * @module
 */

import type { Keyring } from "../../cluster/memberlist/mod.ts";
import type { Address } from "../../cluster/runtime.ts";
import type { Serf, SerfEvent } from "../../cluster/serf/mod.ts";
import type { AgentConfig } from "../config/load.ts";
import type { AgentLog } from "../logging/log.ts";
import type { AgentMetrics } from "../metrics/agent_metrics.ts";

/** An agent as its parts see it. */
export interface AgentHost {
  /** The settings it was started with. */
  readonly config: AgentConfig;
  /** Its log. */
  readonly log: AgentLog;
  /** Where its figures go. */
  readonly metrics: AgentMetrics;
  /** The cluster core. */
  readonly serf: Serf;
  /** Where it gossips. */
  readonly address: Address;
  /** The keys that gossip is encrypted with, if it is. */
  readonly keyring: Keyring | undefined;
  /** Joins the cluster through some addresses; resolves with how many answered, rejects when none did. */
  join(
    addresses: readonly string[],
    options: { replay: boolean; signal?: AbortSignal },
  ): Promise<number>;
  /** Calls `listener` with every event, in order. Returns how to end that. */
  subscribe(listener: (event: SerfEvent) => void): () => void;
}
