/**
 * What an agent does from time to time: forget members that are long gone, try to reach failed ones, watch its
 * queues (docs/spec/serf.md 8).
 *
 * @module
 */

import { joinHostPort } from "../../protocol/host_port.ts";
import { randomInt } from "../runtime.ts";
import type { Core } from "./core/core.ts";
import type { MemberRecord } from "./core/member_table.ts";
import type { Healer } from "./healer.ts";
import { erase } from "./members/tell.ts";

/** Time between two looks at the member clock for the rejoin file, in milliseconds (docs/spec/serf.md 15.1). */
const REJOIN_TICK_MS = 500;

/** Starts the tasks; they end when the timers are closed. */
export function startBackgroundTasks(core: Core, healer: Healer): void {
  const { reapIntervalMs, reconnectIntervalMs, queueCheckIntervalMs, healIntervalMs } = core.config;
  repeat(core, reapIntervalMs, () => reap(core));
  repeat(core, reconnectIntervalMs, () => reconnect(core));
  repeat(core, healIntervalMs, () => healer.look());
  repeat(core, queueCheckIntervalMs, () => core.broadcasts.check(core.metrics));
  const { recorder } = core.config;
  if (recorder === undefined) return;
  repeat(core, REJOIN_TICK_MS, () => recorder.tick(core.memberClock.time() - 1n));
}

/** Runs `task` every `ms` milliseconds, counted from the end of the run before; never when `ms` is 0. */
function repeat(core: Core, ms: number, task: () => void | Promise<void>): void {
  if (ms <= 0) return;
  const round = async (): Promise<void> => {
    await task();
    repeat(core, ms, task);
  };
  core.timers.set(ms, () => core.timers.background(round()));
}

/** Forgets members that failed or left too long ago, and old intents. */
function reap(core: Core): void {
  const { members, config, timers } = core;
  const now = timers.now();
  for (const { name, node } of reapGone(core, members.failed, now - config.reconnectTimeoutMs)) {
    if (config.healIntervalMs > 0) core.lost.add(name, node, now);
  }
  reapGone(core, members.left, now - config.tombstoneTimeoutMs);
  core.intents.expire(now, config.recentIntentTimeoutMs);
}

/** Forgets those who have been gone since before `limit`, and returns them. */
function reapGone(
  core: Core,
  gone: ReadonlyMap<string, MemberRecord>,
  limit: number,
): MemberRecord[] {
  const reaped = [...gone.values()].filter((member) => (member.leftAt ?? limit) < limit);
  for (const member of reaped) {
    core.log.info(`EventMemberReap: ${member.name}`);
    erase(core, member);
  }
  return reaped;
}

/**
 * Tries one failed member, the likelier the more have failed: in a large cluster all agents together try about each
 * failed member once in a round. No intent is sent (docs/spec/serf.md 21.13).
 */
async function reconnect(core: Core): Promise<void> {
  const failed = [...core.members.failed.values()];
  const others = core.members.size - failed.length - core.members.left.size;
  if (core.random.float() > failed.length / Math.max(1, others)) return;
  const member = failed[randomInt(core.random, failed.length)];
  if (member === undefined) return;
  const place = joinHostPort(member.node.host, member.node.port);
  core.log.info(`attempting reconnect to ${member.name} ${place}`);
  // A name with a slash cannot be told from the address behind it.
  const target = member.name.includes("/") ? place : `${member.name}/${place}`;
  try {
    await core.cluster.join([target], { chosen: false });
  } catch (error) {
    core.log.debug(`Failed to reconnect to ${member.name}: ${(error as Error).message}`, { error });
  }
}
