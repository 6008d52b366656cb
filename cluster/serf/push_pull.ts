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
import type { LamportClock } from "./model/lamport.ts";
import {
  decodeMessage,
  encodeMessage,
  type EventGroup,
  MessageType,
  PushPull,
} from "./model/messages.ts";

/** Statuses, and events, of a peer that are taken in at a time: about a millisecond's worth. */
const ITEMS_PER_SLICE = 1_024;

/**
 * The own state, with one entry for each slot of the event ring, used or not.
 *
 * A member that is leaving is among those that left, one time earlier, which is read as the leave intent it is. Among
 * the others its time would be read as a join's, the intent that is still on its way would look old, and the member
 * would fail instead of leave (docs/spec/serf.md 13.3).
 */
export function localState(core: Core): Uint8Array {
  const statusTimes: Record<string, bigint> = Object.create(null);
  const left = [...core.members.left.keys()];
  for (const { name, statusTime, status } of core.members.records()) {
    const leaving = status === "leaving";
    statusTimes[name] = leaving ? statusTime - 1n : statusTime;
    if (leaving) left.push(name);
  }
  const state: PushPull = {
    LTime: core.memberClock.time(),
    StatusLTimes: statusTimes,
    LeftMembers: left,
    EventLTime: core.eventClock.time(),
    Events: core.events.groups.map(toWire),
    QueryLTime: core.queryClock.time(),
  };
  return encodeMessage(MessageType.pushPull, PushPull, state);
}

/** How a peer's state is taken in. */
export interface StateOptions {
  /** Whether the events of before it are not wanted, as some joins do not (docs/spec/serf.md 13.2). Default false. */
  readonly ignoreOldEvents?: boolean;
  /** Whether somebody asked this node for the join: then it follows the peer's clocks wherever they are. Default false. */
  readonly chosen?: boolean | undefined;
}

/** Takes a peer's state in: a long one in pieces, a short one at once. */
export function mergeRemoteState(
  core: Core,
  bytes: Uint8Array,
  { ignoreOldEvents = false, chosen = false }: StateOptions = {},
): void | Promise<void> {
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
  meet(core, core.memberClock, state.LTime, chosen);
  meet(core, core.eventClock, state.EventLTime, chosen);
  meet(core, core.queryClock, state.QueryLTime, chosen);
  return core.slices.run(mergeContent(core, state, ignoreOldEvents));
}

function* mergeContent(core: Core, state: PushPull, ignoreOldEvents: boolean): Generator<void> {
  yield* mergeStatuses(core, state);
  if (ignoreOldEvents) ignoreEventsBefore(core, state.EventLTime);
  yield* mergeEvents(core, state.Events ?? []);
}

/** Whether a Lamport time of another node must be wrong, and what carries it is not to be taken in: counted and logged. */
export function isRefused(core: Core, clock: LamportClock, ltime: bigint): boolean {
  if (!clock.isFarFetched(ltime)) return false;
  core.tally.count("lamportRejected");
  core.noise.write("warn", "ltime", `Ignoring Lamport time ${ltime}, ours is ${clock.time()}`);
  return true;
}

/** Moves a clock up to a peer's, whose next unused time is `remote`. */
function meet(core: Core, clock: LamportClock, remote: bigint, chosen: boolean): void {
  if (remote === 0n) return;
  if (chosen) clock.follow(remote - 1n);
  if (!isRefused(core, clock, remote - 1n)) clock.witness(remote - 1n);
}

/** The clock has met the peer's; one that it refused to follow does not count. */
function ignoreEventsBefore(core: Core, ltime: bigint): void {
  if (ltime > core.events.minTime && ltime <= core.eventClock.time()) core.events.minTime = ltime;
}

/** Reads the peer's statuses as intents. A leave is set after the member's last known time, to count as newer. */
function* mergeStatuses(core: Core, state: PushPull): Generator<void> {
  const times = new Map(Object.entries(state.StatusLTimes ?? {}));
  let count = 0;
  for (const name of state.LeftMembers ?? []) {
    if (++count % ITEMS_PER_SLICE === 0) yield;
    const ltime = (times.get(name) ?? 0n) + 1n;
    times.delete(name);
    if (!isRefused(core, core.memberClock, ltime)) {
      handleLeaveIntent(core, { LTime: ltime, Node: name, Prune: false });
    }
  }
  for (const [name, ltime] of times) {
    if (++count % ITEMS_PER_SLICE === 0) yield;
    if (isRefused(core, core.memberClock, ltime)) continue;
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

function* mergeEvents(core: Core, groups: readonly (EventGroup | null)[]): Generator<void> {
  let count = 0;
  for (const group of groups) {
    if (group === null || isRefused(core, core.eventClock, group.LTime)) continue;
    for (const { Name, Payload } of group.Events ?? []) {
      if (++count % ITEMS_PER_SLICE === 0) yield;
      handleUserEvent(core, { LTime: group.LTime, Name, Payload, CC: false });
    }
  }
}

function toWire(group: RingGroup | null): EventGroup | null {
  if (group === null) return null;
  const Events = group.events.map(({ name, payload }) => ({ Name: name, Payload: payload }));
  return { LTime: group.ltime, Events };
}
