/**
 * Serf as the thing that runs on a simulated node.
 *
 * @module
 */

import {
  Keyring,
  type MemberlistConfig,
  memberlistConfig,
} from "../../../cluster/memberlist/mod.ts";
import {
  type QueryEvent,
  Serf,
  type SerfConfig,
  serfConfig,
  type SerfEvent,
} from "../../../cluster/serf/mod.ts";
import type { NodeApp, StartApp } from "./cluster.ts";
import { Beliefs } from "./invariants/beliefs.ts";
import { clocksGoOn, namesAreUnique } from "./invariants/process.ts";
import { Tellings } from "./invariants/tellings.ts";

/** A Serf instance and the user events it saw. */
export interface SerfApp extends NodeApp {
  /** The thing itself. */
  readonly serf: Serf;
  /** How often each user event was seen, and when first, by name. */
  readonly userEvents: Map<string, { count: number; firstAt: number }>;
}

/** What differs from a Serf agent in the LAN profile. */
export interface SerfNodeOptions {
  /** Settings of Serf. */
  readonly serf?: Partial<SerfConfig>;
  /** Settings of the memberlist below. */
  readonly memberlist?: Partial<MemberlistConfig>;
  /** The keys to begin with; none when absent. */
  readonly keys?: readonly Uint8Array[];
  /** Gets the queries that reach the node called `name`. */
  readonly onQuery?: (query: QueryEvent, name: string) => void;
}

/** Starts Serf instances whose every step is watched. */
export function startSerf(options: SerfNodeOptions = {}): StartApp<SerfApp> {
  return (runtime, { name, ip, address }, view) => {
    const advertise = { addr: ip, port: address.port };
    const { keys, onQuery } = options;
    const { simulation } = view;
    const beliefs = new Beliefs(name, runtime.clock, simulation.names);
    const tellings = new Tellings(simulation.names);
    const memberlist = memberlistConfig(name, advertise, "lan", {
      ...options.memberlist,
      ...(keys && { keyring: new Keyring(keys) }),
      shared: beliefs.watched(options.memberlist?.shared),
    });
    const userEvents: SerfApp["userEvents"] = new Map();
    const onEvent = (event: SerfEvent): void => {
      tellings.tell(event);
      if (event.type === "user") {
        const seen = userEvents.get(event.name);
        if (seen === undefined) {
          userEvents.set(event.name, { count: 1, firstAt: runtime.clock.now() });
        } else seen.count++;
      } else if (event.type === "query") {
        onQuery?.(event, name);
      } else {
        for (const member of event.members) {
          if (event.type === "member-join") view.join(member.name);
          else if (event.type === "member-failed") view.lose(member.name, "failed");
          else if (event.type === "member-leave") view.lose(member.name, "left");
        }
      }
    };
    const config = serfConfig({ nodeName: name, memberlist, onEvent }, options.serf);
    const serf = new Serf(config, runtime);
    const always = [namesAreUnique(serf.memberlist), clocksGoOn(serf)];
    simulation.watch(address.host, [...beliefs.invariants, ...tellings.invariants, ...always]);
    serf.start();
    return {
      serf,
      userEvents,
      join: (addresses) => serf.join(addresses),
      leave: () => serf.leave(),
      shutdown: () => serf.shutdown(),
      statuses: () => new Map(serf.members().map((member) => [member.name, member.status])),
    };
  };
}
