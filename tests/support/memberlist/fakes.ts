/**
 * What surrounds memberlists without sockets: hosts on a fake network with seeded chance, an application that writes
 * down what it is told, and messages.
 *
 * @module
 */

import {
  type MemberlistConfig,
  memberlistConfig,
  type Profile,
} from "../../../cluster/memberlist/core/config.ts";
import type { Delegate } from "../../../cluster/memberlist/core/delegate.ts";
import type { MemberNode } from "../../../cluster/memberlist/core/node.ts";
import { Memberlist } from "../../../cluster/memberlist/memberlist.ts";
import { Alive, type Dead, type Suspect } from "../../../cluster/memberlist/wire/messages.ts";
import type { Logger, Random, Runtime } from "../../../cluster/runtime.ts";
import { hostToAddr } from "../../../protocol/ip.ts";
import { type FakeNetwork, type FakeTransport, PORT } from "./fake_network.ts";

/** Chance that is the same for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed;
  const float = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
  return { float, bytes: (length) => Uint8Array.from({ length }, () => float() * 256) };
}

/** A log that keeps its lines: `LEVEL text`. */
export function keepingLogger(lines: string[]): Logger {
  const at = (level: string) => (message: string): void => void lines.push(`${level} ${message}`);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** An application that writes down what it is told. */
export class KeepingDelegate implements Delegate {
  /** `join a`, `leave a`, `update a`, `conflict a`, `merge TEXT`, ... */
  readonly events: string[] = [];
  readonly messages: Uint8Array[] = [];
  readonly conflicts: { existing: MemberNode; other: MemberNode }[] = [];
  readonly roundTrips: { name: string; rttMs: number; payload: Uint8Array }[] = [];
  /** Application messages to gossip; the ones that fit are taken. */
  readonly broadcasts: Uint8Array[] = [];
  meta = new Uint8Array(0);
  state = new Uint8Array(0);
  payload: Uint8Array | null = null;
  notifyMerge?: (nodes: MemberNode[]) => string | undefined;
  notifyAlive?: (node: MemberNode) => string | undefined;

  nodeMeta(): Uint8Array {
    return this.meta;
  }
  notifyMessage(message: Uint8Array): void {
    this.messages.push(message);
  }
  getBroadcasts(overhead: number, limit: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let free = limit;
    for (;;) {
      const index = this.broadcasts.findIndex((message) => message.length + overhead <= free);
      if (index < 0) return taken;
      const [message] = this.broadcasts.splice(index, 1) as [Uint8Array];
      taken.push(message);
      free -= message.length + overhead;
    }
  }
  localState(join: boolean): Uint8Array {
    this.events.push(`state ${join}`);
    return this.state;
  }
  mergeRemoteState(state: Uint8Array, join: boolean): void {
    this.events.push(`merge ${new TextDecoder().decode(state)} ${join}`);
  }
  notifyJoin(node: MemberNode): void {
    this.events.push(`join ${node.name}`);
  }
  notifyLeave(node: MemberNode): void {
    this.events.push(`leave ${node.name}`);
  }
  notifyUpdate(node: MemberNode): void {
    this.events.push(`update ${node.name}`);
  }
  notifyConflict(existing: MemberNode, other: MemberNode): void {
    this.events.push(`conflict ${existing.name}`);
    this.conflicts.push({ existing, other });
  }
  ackPayload(): Uint8Array | null {
    return this.payload;
  }
  notifyPingComplete(node: MemberNode, rttMs: number, payload: Uint8Array): void {
    this.roundTrips.push({ name: node.name, rttMs, payload });
  }
}

/** Everything a memberlist is given, and what it leaves behind. */
export interface FakeHost {
  readonly config: MemberlistConfig;
  readonly runtime: Runtime;
  readonly transport: FakeTransport;
  readonly delegate: KeepingDelegate;
  readonly log: string[];
}

/** What a fake host is made of. */
export interface FakeHostOptions {
  readonly profile?: Profile;
  readonly overrides?: Partial<MemberlistConfig>;
  /** Host names that can be resolved there. */
  readonly names?: Record<string, string[]>;
}

/** The host of the node `name` at the IP address `host`. */
export function fakeHost(
  network: FakeNetwork,
  name: string,
  host: string,
  { profile = "lan", overrides = {}, names = {} }: FakeHostOptions = {},
): FakeHost {
  const log: string[] = [];
  const transport = network.open(host, names);
  const seed = [...host].reduce((sum, char) => sum * 31 + char.charCodeAt(0) | 0, 7);
  const runtime = {
    clock: network.clock,
    random: seededRandom(seed),
    transport,
    logger: () => keepingLogger(log),
  };
  const advertise = { addr: hostToAddr(host), port: PORT };
  const config = memberlistConfig(name, advertise, profile, overrides);
  return { config, runtime, transport, delegate: new KeepingDelegate(), log };
}

/** A started memberlist on a fake host. */
export function startNode(
  network: FakeNetwork,
  name: string,
  host: string,
  options: FakeHostOptions = {},
): FakeHost & { readonly list: Memberlist } {
  const fake = fakeHost(network, name, host, options);
  const list = new Memberlist(fake.config, fake.runtime, fake.delegate);
  list.start();
  return { ...fake, list };
}

/** The version bytes of a Serf agent. */
export const SERF_VERSIONS = Uint8Array.of(1, 5, 2, 2, 5, 5);

/** An alive message about `name`, as a Serf agent would send it. */
export function alive(name: string, host: string, fields: Partial<Alive> = {}): Alive {
  return {
    Incarnation: 1,
    Node: name,
    Addr: hostToAddr(host),
    Port: PORT,
    Meta: new Uint8Array(0),
    Vsn: SERF_VERSIONS,
    ...fields,
  };
}

/** A suspect or dead message. */
export function accusation(node: string, from: string, incarnation = 1): Suspect & Dead {
  return { Node: node, From: from, Incarnation: incarnation };
}
