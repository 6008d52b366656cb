/**
 * Leaving the cluster, and making another member leave (docs/spec/serf.md 7.3 and 7.4).
 *
 * @module
 */

import { type Core, pause } from "../core/core.ts";
import { ForceLeaveTimeoutError, LeaveInProgressError, SerfStateError } from "../model/errors.ts";
import { encodeMessage, LeaveIntent, MessageType } from "../model/messages.ts";
import { handleLeaveIntent } from "./intent_rules.ts";

/**
 * Leaves the cluster gracefully: others will see `left`, not `failed`. What takes longer than its timeout is
 * logged and passed over. Takes at most twice `broadcastTimeoutMs` plus `leavePropagateDelayMs`.
 *
 * @throws {LeaveInProgressError} while another leave is under way
 * @throws {SerfStateError} after a shutdown
 */
export async function leave(core: Core): Promise<void> {
  if (core.state === "left") return;
  if (core.state === "leaving") throw new LeaveInProgressError();
  if (core.state === "shutdown") throw new SerfStateError("Leave called after Shutdown");
  core.state = "leaving";
  if (core.config.recorder !== undefined) await core.config.recorder.leave();
  const { broadcastTimeoutMs, leavePropagateDelayMs } = core.config;

  const audience = hasOtherAlive(core);
  const message = ownLeaveIntent(core, core.name, false);
  if (audience && !await spread(core, message)) {
    core.log.warn("Timeout while waiting for graceful leave");
  }
  try {
    await core.cluster.leave(broadcastTimeoutMs);
  } catch (error) {
    core.log.warn(`Timeout waiting for leave broadcast: ${(error as Error).message}`, { error });
  }
  // Peers that have not heard yet still get their probes answered.
  await pause(core, leavePropagateDelayMs);
  core.state = stateAfterLeave(core);
}

/**
 * Makes a member leave: a failed one counts as left, an alive one as leaving until it objects. An unknown name is
 * no error. With `prune` every agent forgets the member.
 *
 * @throws {ForceLeaveTimeoutError} when the news is not sent within `broadcastTimeoutMs`
 */
export async function forceLeave(core: Core, name: string, prune: boolean): Promise<void> {
  // Asked before the member counts as leaving: Go asks after, and never tells the only other member, which then
  // cannot object.
  const audience = hasOtherAlive(core);
  const message = ownLeaveIntent(core, name, prune);
  if (audience && !await spread(core, message)) {
    throw new ForceLeaveTimeoutError("timed out broadcasting node removal");
  }
}

/** Takes a leave intent of this moment in, and returns its message. */
function ownLeaveIntent(core: Core, name: string, prune: boolean): Uint8Array {
  const intent: LeaveIntent = { LTime: core.memberClock.time(), Node: name, Prune: prune };
  core.memberClock.increment();
  handleLeaveIntent(core, intent);
  return encodeMessage(MessageType.leave, LeaveIntent, intent);
}

/** Whether the message was gossiped often enough within the broadcast timeout. */
function spread(core: Core, message: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const giveUp = () => resolve(false);
    const timer = core.timers.set(core.config.broadcastTimeoutMs, giveUp, giveUp);
    core.broadcasts.enqueue("intents", message, () => {
      timer.cancel();
      resolve(true);
    });
  });
}

/** Whether another member is alive. */
export function hasOtherAlive(core: Core): boolean {
  for (const member of core.members.records()) {
    if (member.status === "alive" && member.name !== core.name) return true;
  }
  return false;
}

/** A shutdown during the leave stays a shutdown. */
function stateAfterLeave(core: Core): Core["state"] {
  return core.state === "shutdown" ? "shutdown" : "left";
}
