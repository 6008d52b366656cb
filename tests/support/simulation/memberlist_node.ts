/**
 * Memberlist as the thing that runs on a simulated node.
 *
 * @module
 */

import {
  Memberlist,
  type MemberlistConfig,
  memberlistConfig,
  NodeState,
} from "../../../cluster/memberlist/mod.ts";
import type { Delegate } from "../../../cluster/memberlist/core/delegate.ts";
import type { NodeApp, StartApp } from "./cluster.ts";
import { Beliefs } from "./invariants/beliefs.ts";
import { namesAreUnique } from "./invariants/process.ts";

/** A memberlist without an application. */
export interface MemberlistApp extends NodeApp {
  /** The thing itself. */
  readonly memberlist: Memberlist;
}

/** What a memberlist tells to an application that has nothing to say and does not listen. */
export const NO_APPLICATION: Delegate = {
  nodeMeta: () => new Uint8Array(0),
  notifyMessage: () => {},
  getBroadcasts: () => [],
  localState: () => new Uint8Array(0),
  mergeRemoteState: () => {},
  notifyJoin: () => {},
  notifyLeave: () => {},
  notifyUpdate: () => {},
  notifyConflict: () => {},
  ackPayload: () => null,
  notifyPingComplete: () => {},
};

/** Starts memberlists with the LAN profile and `overrides`, whose every step is watched. */
export function startMemberlist(
  overrides: Partial<MemberlistConfig> = {},
): StartApp<MemberlistApp> {
  return (runtime, { name, ip, address }, view) => {
    const { simulation } = view;
    const beliefs = new Beliefs(name, runtime.clock, simulation.names);
    const config = memberlistConfig(name, { addr: ip, port: address.port }, "lan", {
      ...overrides,
      shared: beliefs.watched(overrides.shared),
    });
    const memberlist = new Memberlist(config, runtime, {
      ...NO_APPLICATION,
      notifyJoin: (node) => view.join(node.name),
      notifyLeave: (node) =>
        view.lose(node.name, node.state === NodeState.left ? "left" : "failed"),
    });
    simulation.watch(address.host, [...beliefs.invariants, namesAreUnique(memberlist)]);
    memberlist.start();
    return {
      memberlist,
      join: (addresses) => memberlist.join(addresses),
      leave: () => memberlist.leave(5_000),
      shutdown: () => memberlist.shutdown(),
      statuses: () => new Map(memberlist.nodes().map((node) => [node.name, STATUS[node.state]])),
    };
  };
}

/** By {@linkcode NodeState}; a node that is only suspected still takes part. */
const STATUS = ["alive", "alive", "failed", "left"] as const;
