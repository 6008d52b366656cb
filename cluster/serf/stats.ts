/**
 * The figures of an instance as text (docs/spec/serf.md 17.1).
 *
 * @module
 */

import type { Core } from "./core/core.ts";

/** Names and values, in the order in which they are shown. */
export function statsOf(
  core: Core,
  { healthScore, encrypted }: { healthScore: number; encrypted: boolean },
): Record<string, string> {
  const { coordinates } = core;
  return {
    members: String(core.members.size),
    failed: String(core.members.failed.size),
    left: String(core.members.left.size),
    health_score: String(healthScore),
    member_time: String(core.memberClock.time()),
    event_time: String(core.eventClock.time()),
    query_time: String(core.queryClock.time()),
    intent_queue: String(core.broadcasts.depth("intents")),
    event_queue: String(core.broadcasts.depth("events")),
    query_queue: String(core.broadcasts.depth("queries")),
    encrypted: String(encrypted),
    ...(coordinates === undefined ? {} : { coordinate_resets: String(coordinates.resets) }),
  };
}
