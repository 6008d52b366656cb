/**
 * What happens when a node is suspected of having failed (docs/spec/memberlist.md 8.4, 8.9).
 *
 * @module
 */

import type { Core } from "../core/core.ts";
import { NodeState } from "../core/node.ts";
import type { NodeRecord } from "../core/node_table.ts";
import { Suspicion, suspicionLimits } from "../core/suspicion.ts";
import type { Suspect } from "../wire/messages.ts";
import { announceSuspect } from "./announce.ts";
import { receiveDead } from "./dead.ts";
import { isFarFetched } from "./incarnation.ts";
import { refute } from "./refute.ts";

/** Takes in a suspicion, the own node's or another's. `source` is who sent it, for the log. */
export function receiveSuspect(core: Core, message: Suspect, source: string): void {
  const record = core.table.get(message.Node);
  if (record === undefined || message.Incarnation < record.node.incarnation) return;
  if (isFarFetched(core, record, message, source)) return;
  if (record.suspicion !== undefined) {
    if (record.suspicion.confirm(message.From)) announceSuspect(core, message);
    return;
  }
  if (record.node.state !== NodeState.alive) return;
  if (message.Node === core.config.name) {
    core.noise.write("warn", source, `Refuting a suspect message (from: ${message.From})`);
    refute(core, message.Incarnation);
    return;
  }
  announceSuspect(core, message);
  core.metrics?.count("memberlist.msg.suspect");
  const { suspect: state } = NodeState;
  core.table.replace(record, { ...record.node, incarnation: message.Incarnation, state });
  record.changedAt = core.timers.now();
  record.suspicion = startSuspicion(core, record, message.From);
}

function startSuspicion(core: Core, record: NodeRecord, from: string): Suspicion {
  const limits = suspicionLimits(core.config, core.table.size);
  return new Suspicion(core.timers, limits, from, (confirmations) => {
    const { name, incarnation } = record.node;
    if (confirmations < limits.confirmations) core.metrics?.count("memberlist.degraded.timeout");
    core.logger.info(
      `Marking ${name} as failed, suspect timeout reached (${confirmations} peer confirmations)`,
    );
    const message = { Incarnation: incarnation, Node: name, From: core.config.name };
    receiveDead(core, message, "self");
  });
}
