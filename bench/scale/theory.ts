/**
 * What the protocol's formulas say for a cluster of some size, with the LAN profile.
 *
 * @module
 */

import { memberlistConfig } from "../../cluster/memberlist/mod.ts";
import { suspicionLimits } from "../../cluster/memberlist/core/suspicion.ts";
import { pushPullIntervalMs } from "../../cluster/memberlist/traffic/push_pull.ts";

const LAN = memberlistConfig("any", { addr: Uint8Array.of(10, 0, 0, 1), port: 7946 }, "lan");

/** What the formulas say. */
export interface Theory {
  /** Rounds until gossip has reached all: log of N to the base fanout + 1, plus ln N / fanout (Pittel 1987). */
  readonly roundsToAll: number;
  /** Rounds until it has reached 99 %: the first part, plus ln 100 / fanout. */
  readonly roundsTo99: number;
  /** How often each node sends each piece of news (docs/spec/memberlist.md 9.5). */
  readonly transmissions: number;
  /** From a death until all know, in milliseconds: found by a probe, suspected by others too, declared. */
  readonly deathMs: number;
  /** Packets a second of a node to which nothing happens: a ping and an answer, whatever the size. */
  readonly idlePackets: number;
  /** Time between two push/pulls of a node, in milliseconds (docs/spec/memberlist.md 9.4). */
  readonly pushPullMs: number;
}

/**
 * Probe rounds until some node probes a given one: with every node probing one other at random in each,
 * e / (e - 1) (SWIM, Das et al. 2002).
 */
const FIRST_PROBE = Math.E / (Math.E - 1);

/** The formulas for `nodes` nodes. */
export function theory(nodes: number): Theory {
  const { gossipNodes: fanout, retransmitMult, probeIntervalMs, pushPullIntervalMs: interval } =
    LAN;
  const growth = Math.log(nodes) / Math.log(fanout + 1);
  return {
    roundsToAll: growth + Math.log(nodes) / fanout,
    roundsTo99: growth + Math.log(100) / fanout,
    transmissions: retransmitMult * Math.ceil(Math.log10(nodes + 1)),
    // The verdict on a probe comes at the end of its interval.
    deathMs: (FIRST_PROBE + 1) * probeIntervalMs + suspicionLimits(LAN, nodes).minMs,
    idlePackets: 2_000 / probeIntervalMs,
    pushPullMs: pushPullIntervalMs(interval, nodes),
  };
}
