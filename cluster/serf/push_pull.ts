/**
 * What two agents exchange when they meet, and from time to time after (docs/spec/serf.md 13).
 *
 * @module
 */

import { DecodeError } from "../../protocol/msgpack/mod.ts";
import type { Core } from "./core/core.ts";
import type { RingGroup } from "./core/event_ring.ts";
import { handleUserEvent } from "./events/user_events.ts";
import { announceJoin, handleJoinIntent, handleLeaveIntent } from "./members/intent_rules.ts";
import { type LamportClock, MAX_LAMPORT_TIME } from "./model/lamport.ts";
import {
  decodeMessage,
  encodeMessage,
  type EventGroup,
  MessageType,
  PushPull,
} from "./model/messages.ts";

/** The own state, with one entry for each slot of the event ring, used or not. */
export function localState(core: Core): Uint8Array {
  const statusTimes: Record<string, bigint> = Object.create(null);
  for (const { name, statusTime } of core.members.records()) statusTimes[name] = statusTime;
  const state: PushPull = {
    LTime: core.memberClock.time(),
    StatusLTimes: statusTimes,
    LeftMembers: [...core.members.left.keys()],
    EventLTime: core.eventClock.time(),
    Events: core.events.groups.map(toWire),
    QueryLTime: core.queryClock.time(),
  };
  return encodeMessage(MessageType.pushPull, PushPull, state);
}

/**
 * Takes a peer's state in. A join may not want the events of before it, `ignoreOldEvents` (docs/spec/serf.md 13.2).
 */
export function mergeRemoteState(core: Core, bytes: Uint8Array, ignoreOldEvents = false): void {
  if (bytes[0] !== MessageType.pushPull) {
    core.noise.write("error", "push/pull", `Remote state has bad type: ${bytes[0] ?? "none"}`);
    return;
  }
  let state: PushPull;
  try {
    state = decodeMessage(PushPull, bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    core.noise.write("error", "push/pull", `Failed to decode remote state: ${error.message}`);
    return;
  }
  meet(core.memberClock, state.LTime);
  meet(core.eventClock, state.EventLTime);
  meet(core.queryClock, state.QueryLTime);
  mergeStatuses(core, state);
  if (ignoreOldEvents) ignoreEventsBefore(core, state.EventLTime);
  mergeEvents(core, state.Events ?? []);
}

/** Moves a clock up to a peer's, whose next unused time is `remote`. */
function meet(clock: LamportClock, remote: bigint): void {
  if (remote > 0n && remote <= MAX_LAMPORT_TIME) clock.witness(remote - 1n);
}

/** The clock has met the peer's; one that it refused to follow does not count. */
function ignoreEventsBefore(core: Core, ltime: bigint): void {
  if (ltime > core.events.minTime && ltime <= core.eventClock.time()) core.events.minTime = ltime;
}

/** Reads the peer's statuses as intents. A leave is set after the member's last known time, to count as newer. */
function mergeStatuses(core: Core, state: PushPull): void {
  const times = new Map(Object.entries(state.StatusLTimes ?? {}));
  for (const name of state.LeftMembers ?? []) {
    const ltime = (times.get(name) ?? 0n) + 1n;
    times.delete(name);
    if (ltime <= MAX_LAMPORT_TIME) {
      handleLeaveIntent(core, { LTime: ltime, Node: name, Prune: false });
    }
  }
  for (const [name, ltime] of times) {
    if (ltime > MAX_LAMPORT_TIME) continue;
    if (name === core.name) outdo(core, ltime);
    else handleJoinIntent(core, { LTime: ltime, Node: name });
  }
}

/**
 * A later time for the own node than its own is that of a forced leave that is still on its way here, or of
 * an earlier life. Taken over, it would make that leave look old, and nobody would refute it.
 */
function outdo(core: Core, ltime: bigint): void {
  const own = core.members.get(core.name);
  if (own === undefined || ltime <= own.statusTime) return;
  core.memberClock.witness(ltime);
  if (core.state === "alive") announceJoin(core, core.memberClock.time());
}

function mergeEvents(core: Core, groups: readonly (EventGroup | null)[]): void {
  for (const group of groups) {
    if (group === null || group.LTime > MAX_LAMPORT_TIME) continue;
    for (const { Name, Payload } of group.Events ?? []) {
      handleUserEvent(core, { LTime: group.LTime, Name, Payload, CC: false });
    }
  }
}

function toWire(group: RingGroup | null): EventGroup | null {
  if (group === null) return null;
  const Events = group.events.map(({ name, payload }) => ({ Name: name, Payload: payload }));
  return { LTime: group.ltime, Events };
}
