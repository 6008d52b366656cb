/**
 * Members that share what they know with others in the same process (see `SharedKnowledge`).
 *
 * @module
 */

import type { Core } from "./core.ts";
import type { MemberNode } from "./node.ts";

/** The object to keep in the table in place of `node`. */
export function kept({ config }: Core, node: MemberNode): MemberNode {
  return config.shared === undefined ? node : config.shared.intern(node);
}

/** Takes in the nodes that are known from the start on. */
export function adoptKnown(core: Core): void {
  const changedAt = core.timers.now();
  for (const node of core.config.shared?.known ?? []) {
    if (core.table.get(node.name) !== undefined) continue;
    core.table.add({ node, changedAt, suspicion: undefined });
    core.delegate.notifyJoin(node);
  }
}
