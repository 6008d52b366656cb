/**
 * Puts the parts of a Serf instance together.
 *
 * @module
 */

import { LimitedLogger } from "../memberlist/core/limited_logger.ts";
import type { MemberNode } from "../memberlist/core/node.ts";
import { Slices } from "../memberlist/core/slices.ts";
import { Timers } from "../memberlist/core/timers.ts";
import type { Runtime } from "../runtime.ts";
import { Broadcasts } from "./core/broadcasts.ts";
import { CoordinateTable } from "./core/coordinate_table.ts";
import type { ClusterLayer, Core } from "./core/core.ts";
import { Tally } from "./core/counters.ts";
import { EventRing } from "./core/event_ring.ts";
import { IntentBuffer } from "./core/intents.ts";
import { KeySaver } from "./core/key_saver.ts";
import { LostMembers } from "./core/lost_members.ts";
import { MemberTable } from "./core/member_table.ts";
import { QueryRing } from "./core/query_ring.ts";
import { RunningQueries } from "./core/running_queries.ts";
import { EventPipeline } from "./events/pipeline.ts";
import { answerInternalQuery } from "./internal_queries.ts";
import type { SerfConfig } from "./model/config.ts";
import { LamportClock } from "./model/lamport.ts";
import type { Member } from "./model/member.ts";
import { tagsOf } from "./model/tags.ts";
import { restoreClocks } from "./rejoin/rejoin.ts";

/** What the parts need of the whole. */
export interface CoreHooks {
  /** The layer below; asked for when it is used, as it is made after the core. */
  cluster(): ClusterLayer;
  /** Ends the instance. */
  shutdown(): Promise<void>;
}

/** The parts of an instance that has not started, and the way of its events to the application. */
export function createCore(
  config: SerfConfig,
  runtime: Runtime,
  hooks: CoreHooks,
): { core: Core; pipeline: EventPipeline } {
  const log = runtime.logger("serf");
  const timers = new Timers(runtime.clock);
  const noise = new LimitedLogger(timers, log);
  const { metrics } = runtime;
  const tally = new Tally(metrics);
  const running = new RunningQueries({ timers, noise, tally });
  const views = config.memberlist.shared?.views as WeakMap<MemberNode, Member> | undefined;
  const members = new MemberTable({
    onGone: (name) => running.forget(name),
    tagsOf: (node) => tagsOf(node, noise),
  }, views);
  const core: Core = {
    config,
    name: config.nodeName,
    log,
    noise,
    random: runtime.random,
    timers,
    memberClock: new LamportClock(),
    eventClock: new LamportClock(),
    queryClock: new LamportClock(),
    members,
    intents: new IntentBuffer(),
    lost: new LostMembers(),
    events: new EventRing(config.eventBuffer),
    queries: new QueryRing(config.queryBuffer),
    running,
    keySaver: new KeySaver(config),
    broadcasts: new Broadcasts(
      config,
      () => members.size,
      log,
      () => hooks.cluster().gossipSoon(),
      (count) => tally.add("broadcastsDropped", count),
    ),
    tally,
    slices: new Slices(timers),
    metrics,
    coordinates: config.coordinates ? new CoordinateTable(runtime.random) : undefined,
    get cluster() {
      return hooks.cluster();
    },
    state: "alive",
    emit: (event) => {
      config.recorder?.event(event, core.memberClock.time() - 1n);
      pipeline.push(event);
    },
    shutdown: () => hooks.shutdown(),
  };
  restoreClocks(core);
  const pipeline = new EventPipeline({
    onEvent: config.onEvent,
    onInternalQuery: (query) => answerInternalQuery(core, query),
    userPeriods: { periodMs: config.userCoalescePeriodMs, quietMs: config.userQuiescentPeriodMs },
    memberPeriods: { periodMs: config.coalescePeriodMs, quietMs: config.quiescentPeriodMs },
    timers,
    log,
  });
  return { core, pipeline };
}
