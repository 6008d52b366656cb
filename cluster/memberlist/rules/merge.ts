/**
 * Taking in the state that a peer sent in a push/pull (docs/spec/memberlist.md 8.7, 8.8).
 *
 * @module
 */

import { NO_BYTES } from "../../../protocol/bytes.ts";
import { addrToHost, isIpAddress } from "../../../protocol/ip.ts";
import { type Core, portOrOwn } from "../core/core.ts";
import { type MemberNode, NodeState, type Versions } from "../core/node.ts";
import { NODES_PER_SLICE } from "../core/slices.ts";
import type { PushNodeState } from "../wire/messages.ts";
import { receiveAlive } from "./alive.ts";
import { receiveDead } from "./dead.ts";
import { checkProtocols } from "./protocol_check.ts";
import { receiveSuspect } from "./suspect.ts";

/** Who joins and knows no more nodes than this is a newcomer. */
const NEWCOMERS = 4;

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

/** How a state is merged. */
export interface MergeOptions {
  /** Whether the exchange is part of a join. */
  readonly join: boolean;
  /** Whether somebody asked this node for that join. Default false. */
  readonly chosen?: boolean;
  /** Takes the application's part. Default: the delegate. */
  readonly mergeState?: ((state: Uint8Array) => void | Promise<void>) | undefined;
}

/**
 * Merges a peer's state; `source` is its address, for the log. Rejects with `ProtocolMismatchError` or
 * {@linkcode MergeRefusedError} before anything is merged. A long state is merged in pieces, a short one at once.
 */
export async function mergeRemoteState(
  core: Core,
  { nodes, userState }: RemoteState,
  { join, chosen = false, mergeState }: MergeOptions,
  source: string,
): Promise<void> {
  checkProtocols(nodes, core.table.records.map((record) => record.node));
  if (join && core.delegate.notifyMerge !== undefined) {
    const members = nodes.map((node) => asMemberNode(node, portOrOwn(core, node.Port)));
    const refusal = core.delegate.notifyMerge(members);
    if (refusal !== undefined) throw new MergeRefusedError(refusal);
  }
  if (nodes.length > NODES_PER_SLICE) {
    await core.slices.run(mergeNodes(core, nodes, source));
  } else {
    for (const node of nodes) mergeNode(core, node, source, join && nodes.length <= NEWCOMERS);
  }
  if (userState.length === 0) return;
  if (mergeState !== undefined) await mergeState(userState);
  else await core.delegate.mergeRemoteState(userState, join, chosen);
}

function* mergeNodes(
  core: Core,
  nodes: readonly PushNodeState[],
  source: string,
): Generator<void> {
  for (const [i, node] of nodes.entries()) {
    if (i > 0 && i % NODES_PER_SLICE === 0) yield;
    mergeNode(core, node, source);
  }
}

function mergeNode(core: Core, node: PushNodeState, source: string, joins = false): void {
  const { Name: Node, Incarnation } = node;
  switch (node.State) {
    case NodeState.alive:
      receiveAlive(core, { ...node, Node, Port: portOrOwn(core, node.Port) }, source, joins);
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

function asMemberNode(node: PushNodeState, port: number): MemberNode {
  const versions = Array.from({ length: 6 }, (_, i) => node.Vsn?.[i] ?? 0);
  const addr = (node.Addr ?? NO_BYTES).slice();
  return {
    name: node.Name,
    addr,
    host: isIpAddress(addr) ? addrToHost(addr) : "",
    port,
    meta: (node.Meta ?? NO_BYTES).slice(),
    incarnation: node.Incarnation,
    state: node.State as NodeState,
    versions: versions as unknown as Versions,
  };
}
