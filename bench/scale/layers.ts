/**
 * What runs on a node of the scale measurement: a whole Serf, or the membership layer alone where a Serf for
 * every node would not fit into memory.
 *
 * @module
 */

import {
  Memberlist,
  memberlistConfig,
  type MemberNode,
  NodeState,
  type SharedKnowledge,
} from "../../cluster/memberlist/mod.ts";
import { BroadcastQueue } from "../../cluster/memberlist/core/broadcast_queue.ts";
import type { Runtime } from "../../cluster/runtime.ts";
import { Serf, serfConfig } from "../../cluster/serf/mod.ts";
import type { Identity } from "../../tests/support/simulation/mod.ts";
import { NO_APPLICATION } from "../../tests/support/simulation/memberlist_node.ts";

/** The name of a layer. */
export type Layer = "serf" | "memberlist";

/** What a node tells about what it sees. */
export interface Witness {
  /** It sees a node join, or come back. */
  joined(name: string): void;
  /** It sees a node fail. */
  failed(name: string): void;
  /** An event reached it for the first time. */
  event(name: string): void;
}

/** A node of either layer. */
export interface ScaleNode {
  /** Joins through the address. */
  join(address: string): Promise<number>;
  /** Tells an event to the whole cluster. */
  fire(event: string): void;
}

/** Where a node runs, who it is, what it knows and whom it tells. */
export interface Place {
  readonly runtime: Runtime;
  readonly identity: Identity;
  readonly shared: SharedKnowledge;
  readonly witness: Witness;
}

/** Starts a node with the LAN profile of a real agent. */
export function startNode(layer: Layer, place: Place): ScaleNode {
  return layer === "serf" ? startSerf(place) : startMemberlist(place);
}

/** A node as it says of itself when it starts. */
export function startedNode(layer: Layer, { name, ip, address }: Identity): MemberNode {
  return {
    name,
    addr: ip,
    host: address.host,
    port: address.port,
    meta: layer === "serf" ? NO_TAGS : NO_META,
    incarnation: 1,
    state: NodeState.alive,
    versions: layer === "serf" ? [1, 5, 2, 2, 5, 5] : [1, 5, 2, 0, 0, 0],
  };
}

/** An empty map of tags as Serf puts it into the meta of a node (docs/spec/serf.md 3.1). */
const NO_TAGS = Uint8Array.of(255, 0x80);
const NO_META = new Uint8Array(0);

function startSerf({ runtime, identity, shared, witness }: Place): ScaleNode {
  const { name, ip, address } = identity;
  const advertise = { addr: ip, port: address.port };
  const config = serfConfig({
    nodeName: name,
    memberlist: memberlistConfig(name, advertise, "lan", { shared }),
    onEvent: (event) => {
      if (event.type === "user") witness.event(event.name);
      if (event.type === "member-join") event.members.forEach(({ name }) => witness.joined(name));
      if (event.type === "member-failed") event.members.forEach(({ name }) => witness.failed(name));
    },
  });
  const serf = new Serf(config, runtime);
  serf.start();
  return {
    join: (to) => serf.join([to]),
    fire: (event) => serf.userEvent(event, null, false),
  };
}

/** Bytes of an event here: as many as Serf's message for an event of that kind takes. */
const EVENT_BYTES = 40;

function startMemberlist({ runtime, identity, shared, witness }: Place): ScaleNode {
  const { name, ip, address } = identity;
  const config = memberlistConfig(name, { addr: ip, port: address.port }, "lan", { shared });
  const seen = new Set<string>();
  const queue = new BroadcastQueue({
    retransmitMult: config.retransmitMult,
    nodeCount: () => memberlist.numNodes,
    onEnqueue: () => memberlist.gossipSoon(),
  });
  const learn = (message: Uint8Array): void => {
    const event = new TextDecoder().decode(message).trimEnd();
    if (seen.has(event)) return;
    seen.add(event);
    witness.event(event);
    queue.enqueue({ message: message.slice() });
  };
  const memberlist: Memberlist = new Memberlist(config, runtime, {
    ...NO_APPLICATION,
    notifyMessage: learn,
    getBroadcasts: (overhead, limit) => queue.take(overhead, limit),
    notifyJoin: (node) => witness.joined(node.name),
    notifyLeave: (node) => witness.failed(node.name),
  });
  memberlist.start();
  return {
    join: (to) => memberlist.join([to]),
    fire: (event) => learn(new TextEncoder().encode(event.padEnd(EVENT_BYTES))),
  };
}
