/**
 * News about nodes, queued for gossip (docs/spec/memberlist.md 9.5: one message per node at a time).
 *
 * @module
 */

import type { Core } from "../core/core.ts";
import type { MemberNode } from "../core/node.ts";
import { Alive, Dead, encodeMessage, MessageType, Suspect } from "../wire/messages.ts";

/** How an announcement is queued. */
export interface AnnounceOptions {
  /** Replaces what is queued under the same key. Default: the name of the node. */
  readonly key?: string;
  /** Called when the announcement was sent often enough, or replaced. */
  readonly onFinished?: () => void;
}

/** Announces a node as it is recorded: alive. */
export function announceAlive(core: Core, node: MemberNode, options: AnnounceOptions = {}): void {
  const message = encodeMessage(MessageType.alive, Alive, {
    Incarnation: node.incarnation,
    Node: node.name,
    Addr: node.addr,
    Port: node.port,
    Meta: node.meta,
    Vsn: new Uint8Array(node.versions),
  });
  announce(core, node.name, message, options);
}

/** Passes on that a node is suspected. */
export function announceSuspect(core: Core, suspect: Suspect): void {
  announce(core, suspect.Node, encodeMessage(MessageType.suspect, Suspect, suspect), {});
}

/** Passes on that a node is dead or left. */
export function announceDead(core: Core, dead: Dead, options: AnnounceOptions = {}): void {
  announce(core, dead.Node, encodeMessage(MessageType.dead, Dead, dead), options);
}

function announce(core: Core, node: string, message: Uint8Array, options: AnnounceOptions): void {
  const { key = node, onFinished } = options;
  core.broadcasts.enqueue({ name: key, message, ...(onFinished && { onFinished }) });
}
