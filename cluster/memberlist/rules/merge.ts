/**
 * Taking in the state that a peer sent in a push/pull (docs/spec/memberlist.md 8.7, 8.8).
 *
 * @module
 */

import { NO_BYTES } from "../../../protocol/bytes.ts";
import { addrToHost, isIpAddress } from "../../../protocol/ip.ts";
import { type Core, portOrOwn } from "../core/core.ts";
import { type MemberNode, NodeState, type Versions } from "../core/node.ts";
import type { PushNodeState } from "../wire/messages.ts";
import { receiveAlive } from "./alive.ts";
import { receiveDead } from "./dead.ts";
import { checkProtocols } from "./protocol_check.ts";
import { receiveSuspect } from "./suspect.ts";

/** The application refused to merge with a peer; the message is its reason. */
export class MergeRefusedError extends Error {
  /** `"MergeRefusedError"`, whatever happens to the name of the class. */
  override readonly name = "MergeRefusedError";
}

/** What a peer sent in a push/pull. */
export interface RemoteState {
  /** The nodes that the peer remembers. */
  readonly nodes: readonly PushNodeState[];
  /** The application's part; may be empty. */
  readonly userState: Uint8Array;
}

/**
 * Merges a peer's state. `join` says whether the exchange is part of a join; `source` is the peer's
 * address, for the log; `mergeState` takes the application's part, by default the delegate. Throws `ProtocolMismatchError` or {@linkcode MergeRefusedError} before anything
 * is merged.
 */
export function mergeRemoteState(
  core: Core,
  remote: RemoteState,
  join: boolean,
  source: string,
  mergeState: (state: Uint8Array) => void = (state) => core.delegate.mergeRemoteState(state, join),
): void {
  const nodes = remote.nodes.map((node) => ({ ...node, Port: portOrOwn(core, node.Port) }));
  checkProtocols(nodes, core.table.records.map((record) => record.node));
  if (join) {
    const refusal = core.delegate.notifyMerge?.(nodes.map(asMemberNode));
    if (refusal !== undefined) throw new MergeRefusedError(refusal);
  }
  for (const node of nodes) mergeNode(core, node, source);
  if (remote.userState.length > 0) mergeState(remote.userState);
}

function mergeNode(core: Core, node: PushNodeState, source: string): void {
  const { Name: Node, Incarnation } = node;
  switch (node.State) {
    case NodeState.alive:
      receiveAlive(core, { ...node, Node }, source);
      break;
    case NodeState.left:
      receiveDead(core, { Incarnation, Node, From: Node }, source);
      break;
    case NodeState.suspect:
    case NodeState.dead:
      // A peer's "dead" is only suspected, which gives the node the chance to refute.
      receiveSuspect(core, { Incarnation, Node, From: core.config.name }, source);
      break;
  }
}

function asMemberNode(node: PushNodeState): MemberNode {
  const versions = Array.from({ length: 6 }, (_, i) => node.Vsn?.[i] ?? 0);
  const addr = (node.Addr ?? NO_BYTES).slice();
  return {
    name: node.Name,
    addr,
    host: isIpAddress(addr) ? addrToHost(addr) : "",
    port: node.Port,
    meta: (node.Meta ?? NO_BYTES).slice(),
    incarnation: node.Incarnation,
    state: node.State as NodeState,
    versions: versions as unknown as Versions,
  };
}
