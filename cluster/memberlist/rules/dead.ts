/**
 * What happens when a node is declared dead, or says that it leaves (docs/spec/memberlist.md 8.5).
 *
 * @module
 */

import type { Core } from "../core/core.ts";
import { isLive, NodeState } from "../core/node.ts";
import { endSuspicion } from "../core/node_table.ts";
import type { Dead } from "../wire/messages.ts";
import { announceDead } from "./announce.ts";
import { isFarFetched } from "./incarnation.ts";
import { refute } from "./refute.ts";

/** Takes in a dead message. `source` is who sent it, for the log. */
export function receiveDead(core: Core, message: Dead, source: string): void {
  applyDead(core, message, source);
}

/**
 * Declares the own node left, after `own.leaving` was set. `onFinished` is called when the news was sent
 * often enough.
 */
export function announceLeave(core: Core, onFinished: () => void): void {
  const { name } = core.config;
  const message = { Incarnation: core.own.incarnation, Node: name, From: name };
  applyDead(core, message, "self", onFinished);
}

function applyDead(core: Core, message: Dead, source: string, onFinished?: () => void): void {
  const record = core.table.get(message.Node);
  if (record === undefined || message.Incarnation < record.node.incarnation) return;
  if (isFarFetched(core, record, message, source)) return;
  endSuspicion(record);
  if (!isLive(record.node)) return;
  if (message.Node === core.config.name && !core.own.leaving) {
    core.noise.write("warn", source, `Refuting a dead message (from: ${message.From})`);
    refute(core, message.Incarnation);
    return;
  }
  announceDead(core, message, onFinished && { onFinished });
  core.metrics?.count("memberlist.msg.dead");
  const state = message.From === message.Node ? NodeState.left : NodeState.dead;
  core.table.replace(record, { ...record.node, incarnation: message.Incarnation, state });
  record.changedAt = core.timers.now();
  core.delegate.notifyLeave(record.node);
}
