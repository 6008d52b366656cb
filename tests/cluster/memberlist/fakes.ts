/**
 * A world for memberlists without sockets: a clock that is moved by hand, seeded chance, a network in
 * memory that can lose packets and cut hosts off, and an application that writes down what it is told.
 *
 * @module
 */

import assert from "node:assert/strict";
import type {
  Address,
  Clock,
  Logger,
  Random,
  Runtime,
  Stream,
  Timer,
  Transport,
  TransportHandlers,
} from "../../../cluster/runtime.ts";
import { hostToAddr } from "../../../cluster/memberlist/address.ts";
import {
  type MemberlistConfig,
  memberlistConfig,
  type Profile,
} from "../../../cluster/memberlist/config.ts";
import type { Delegate } from "../../../cluster/memberlist/delegate.ts";
import { Memberlist } from "../../../cluster/memberlist/memberlist.ts";
import { Alive, type Dead, type Suspect } from "../../../cluster/memberlist/messages.ts";
import type { MemberNode } from "../../../cluster/memberlist/node.ts";

/** The port of every fake node. */
export const PORT = 7946;

interface Pending {
  readonly at: number;
  readonly id: number;
  readonly fn: () => void;
}

/** Time that stands still until it is moved. */
export class ManualClock implements Clock {
  #now = 0;
  #lastId = 0;
  readonly #pending = new Map<number, Pending>();

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fn: () => void): Timer {
    const id = ++this.#lastId;
    this.#pending.set(id, { at: this.#now + Math.max(0, ms), id, fn });
    return { cancel: () => void this.#pending.delete(id) };
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Lets `ms` pass: runs what is due, in order, and lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    while (this.#runNext(end)) await settle();
    this.#now = end;
  }

  /** Like {@linkcode advance}, for code without promises. */
  advanceSync(ms: number): void {
    const end = this.#now + ms;
    while (this.#runNext(end));
    this.#now = end;
  }

  /** Lets time pass until `holds`; fails the test after `limitMs`. Returns the milliseconds it took. */
  async until(holds: () => boolean, limitMs: number, what = "the state"): Promise<number> {
    const start = this.#now;
    await settle();
    while (!holds()) {
      if (!this.#runNext(start + limitMs)) assert.fail(`Waited ${limitMs} ms in vain for ${what}`);
      await settle();
    }
    return this.#now - start;
  }

  #runNext(end: number): boolean {
    let next: Pending | undefined;
    for (const timer of this.#pending.values()) {
      if (timer.at > end) continue;
      if (next === undefined || timer.at < next.at || timer.at === next.at && timer.id < next.id) {
        next = timer;
      }
    }
    if (next === undefined) return false;
    this.#pending.delete(next.id);
    this.#now = next.at;
    next.fn();
    return true;
  }
}

/** Lets every promise settle that does not wait for time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await null;
}

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

/** A packet on its way. */
export interface SentPacket {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

/** A network in memory. Packets and streams take one millisecond each way. */
export class FakeNetwork {
  readonly clock: ManualClock;
  /** Every packet that was sent, also those that got lost. */
  readonly packets: SentPacket[] = [];
  /** Returns whether a packet gets lost. */
  loses: (packet: SentPacket) => boolean = () => false;
  readonly #hosts = new Map<string, FakeTransport>();
  readonly #silent = new Set<string>();

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  /** A transport at `host` and {@linkcode PORT}. `names` are the host names that it can resolve. */
  open(host: string, names: Record<string, string[]> = {}): FakeTransport {
    const transport = new FakeTransport(this, host, names);
    this.#hosts.set(host, transport);
    return transport;
  }

  /** Cuts a host off, as when its process is stopped. */
  silence(host: string): void {
    this.#silent.add(host);
  }

  /** Undoes {@linkcode silence}. */
  restore(host: string): void {
    this.#silent.delete(host);
  }

  /** The transport at an address, if it can be reached by `from`. */
  reach(from: string, to: Address): FakeTransport | undefined {
    if (this.isCut(from, to.host) || to.port !== PORT) return undefined;
    return this.#hosts.get(to.host);
  }

  /** Whether one of both hosts is cut off. */
  isCut(from: string, to: string): boolean {
    return this.#silent.has(from) || this.#silent.has(to);
  }

  /** Forgets a transport. */
  remove(host: string): void {
    this.#hosts.delete(host);
  }
}

/** One host of a {@linkcode FakeNetwork}. */
export class FakeTransport implements Transport {
  readonly localAddress: Address;
  handlers: TransportHandlers | undefined;
  readonly #network: FakeNetwork;
  readonly #names: Record<string, string[]>;
  readonly #streams = new Set<FakeStream>();
  #closed = false;

  constructor(network: FakeNetwork, host: string, names: Record<string, string[]>) {
    this.#network = network;
    this.#names = names;
    this.localAddress = { host, port: PORT };
  }

  start(handlers: TransportHandlers): void {
    this.handlers = handlers;
  }

  sendPacket(to: Address, bytes: Uint8Array): void {
    if (this.#closed) return;
    assert.ok(bytes.length > 0, "A packet is empty");
    const network = this.#network;
    const packet = { from: this.localAddress.host, to: to.host, bytes: bytes.slice() };
    network.packets.push(packet);
    if (network.loses(packet)) return;
    network.clock.setTimer(1, () => {
      network.reach(packet.from, to)?.handlers?.packet(this.localAddress, packet.bytes);
    });
  }

  dial(to: Address, timeoutMs: number): Promise<Stream> {
    const { promise, resolve, reject } = Promise.withResolvers<Stream>();
    const { clock } = this.#network;
    const fail = (reason: string): void =>
      reject(new Error(`dial tcp ${to.host}:${to.port}: ${reason}`));
    if (this.#network.isCut(this.localAddress.host, to.host)) {
      clock.setTimer(timeoutMs, () => fail("i/o timeout"));
      return promise;
    }
    clock.setTimer(1, () => {
      const peer = this.#network.reach(this.localAddress.host, to);
      if (peer?.handlers === undefined) return fail("connect: connection refused");
      const { near, far } = streamPair(clock, this.localAddress, to);
      this.#streams.add(near);
      peer.#streams.add(far);
      peer.handlers.stream(far);
      resolve(near);
    });
    return promise;
  }

  resolve(host: string): Promise<string[]> {
    const found = this.#names[host];
    if (found !== undefined) return Promise.resolve(found);
    return Promise.reject(new Error(`lookup ${host}: no such host`));
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const stream of this.#streams) stream.close();
    this.#network.remove(this.localAddress.host);
    return Promise.resolve();
  }

  /** Whether every stream that was opened or accepted here is closed. */
  get isIdle(): boolean {
    return [...this.#streams].every((stream) => stream.isClosed);
  }
}

/** One end of a stream in memory. */
export class FakeStream implements Stream {
  readonly remote: Address;
  peer: FakeStream | undefined;
  isClosed = false;
  readonly #clock: ManualClock;
  readonly #chunks: (Uint8Array | null)[] = [];
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined;

  constructor(clock: ManualClock, remote: Address) {
    this.#clock = clock;
    this.remote = remote;
  }

  read(): Promise<Uint8Array | null> {
    if (this.isClosed) return Promise.reject(new Error("use of closed network connection"));
    const chunk = this.#chunks[0];
    if (chunk === undefined) {
      this.#reader = Promise.withResolvers();
      return this.#reader.promise;
    }
    if (chunk !== null) this.#chunks.shift();
    return Promise.resolve(chunk);
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.isClosed) return Promise.reject(new Error("use of closed network connection"));
    const { peer } = this;
    const copy = bytes.slice();
    this.#clock.setTimer(1, () => peer?.receive(copy));
    return Promise.resolve();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#reader?.reject(new Error("use of closed network connection"));
    const { peer } = this;
    this.#clock.setTimer(1, () => peer?.receive(null));
  }

  receive(chunk: Uint8Array | null): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (chunk === null || reader === undefined) this.#chunks.push(chunk);
    reader?.resolve(chunk);
  }
}

/** Both ends of a stream from `dialler` to `acceptor`. */
export function streamPair(clock: ManualClock, dialler: Address, acceptor: Address) {
  const near = new FakeStream(clock, acceptor);
  const far = new FakeStream(clock, dialler);
  near.peer = far;
  far.peer = near;
  return { near, far };
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
