/**
 * The parts of one memberlist without its periodic tasks, for tests of single rules.
 *
 * @module
 */

import type { MemberlistConfig } from "../../../cluster/memberlist/core/config.ts";
import { type Core, createCore } from "../../../cluster/memberlist/core/core.ts";
import type { MemberNode } from "../../../cluster/memberlist/core/node.ts";
import { announceSelf } from "../../../cluster/memberlist/rules/alive.ts";
import {
  Ack,
  Alive,
  Dead,
  IndirectPing,
  MessageType,
  Nack,
  Ping,
  Suspect,
} from "../../../cluster/memberlist/wire/messages.ts";
import { openPacket, type PacketOptions } from "../../../cluster/memberlist/wire/packet.ts";
import { decode } from "../../../protocol/msgpack/mod.ts";
import { ManualClock } from "../manual_clock.ts";
import { FakeNetwork } from "./fake_network.ts";
import { type FakeHost, fakeHost } from "./fakes.ts";
import { packetOptions } from "./packet_options.ts";

/** A message by the name of its type. */
export type Decoded =
  | { type: "ping" } & Ping
  | { type: "indirectPing" } & IndirectPing
  | { type: "ack" } & Ack
  | { type: "nack" } & Nack
  | { type: "suspect" } & Suspect
  | { type: "alive" } & Alive
  | { type: "dead" } & Dead
  | { type: "user"; payload: Uint8Array };

/** A message from its type byte on. */
export function decodeMessage(message: Uint8Array): Decoded {
  switch (message[0]) {
    case MessageType.ping:
      return { type: "ping", ...decode(Ping, message, 1) };
    case MessageType.indirectPing:
      return { type: "indirectPing", ...decode(IndirectPing, message, 1) };
    case MessageType.ack:
      return { type: "ack", ...decode(Ack, message, 1) };
    case MessageType.nack:
      return { type: "nack", ...decode(Nack, message, 1) };
    case MessageType.suspect:
      return { type: "suspect", ...decode(Suspect, message, 1) };
    case MessageType.alive:
      return { type: "alive", ...decode(Alive, message, 1) };
    case MessageType.dead:
      return { type: "dead", ...decode(Dead, message, 1) };
    case MessageType.user:
      return { type: "user", payload: message.subarray(1) };
    default:
      throw new Error(`Message of type ${message[0]}`);
  }
}

/** The messages of a packet. */
export function decodePacket(
  packet: Uint8Array,
  options: PacketOptions = packetOptions(),
): Decoded[] {
  return openPacket(packet, options).messages.map(decodeMessage);
}

/** The own node "me" at 10.0.0.1, and what surrounds it. */
export interface FakeCore extends FakeHost {
  readonly core: Core;
  readonly clock: ManualClock;
  readonly network: FakeNetwork;
  /** What is queued for gossip, in short: `alive n 2`, `suspect n 1 by x`; empties the queue. */
  queued(): string[];
  /** What was sent in packets since the last call. */
  sent(): { to: string; messages: Decoded[] }[];
  /** The node of that name; the test fails when there is none. */
  node(name: string): MemberNode;
}

/** A core whose own node is known, but nothing runs and nothing is queued. */
export function fakeCore(overrides: Partial<MemberlistConfig> = {}): FakeCore {
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  const host = fakeHost(network, "me", "10.0.0.1", { overrides });
  const core = createCore(host.config, host.runtime, host.delegate);
  announceSelf(core);
  const queued = () => {
    const messages = core.broadcasts.take(0, 1_000_000);
    core.broadcasts.prune(0);
    return messages.map((message) => inShort(decodeMessage(message)));
  };
  queued();
  host.delegate.events.length = 0;
  const sent = () =>
    network.packets.splice(0).map(({ to, bytes }) => ({
      to,
      messages: decodePacket(bytes, core.packetOptions),
    }));
  const node = (name: string) => {
    const record = core.table.get(name);
    if (record === undefined) throw new Error(`Node ${name} is unknown`);
    return record.node;
  };
  return { ...host, core, clock, network, queued, sent, node };
}

/** A message in a few words. */
export function inShort(message: Decoded): string {
  switch (message.type) {
    case "alive":
      return `alive ${message.Node} ${message.Incarnation}`;
    case "suspect":
    case "dead":
      return `${message.type} ${message.Node} ${message.Incarnation} by ${message.From}`;
    case "user":
      return `user ${new TextDecoder().decode(message.payload)}`;
    default:
      return `${message.type} ${message.SeqNo}`;
  }
}

/** The first message of a type among packets; the test fails when there is none. */
export function firstOf<T extends Decoded["type"]>(
  packets: readonly { messages: Decoded[] }[],
  type: T,
): Extract<Decoded, { type: T }> {
  for (const { messages } of packets) {
    for (const message of messages) {
      if (message.type === type) return message as Extract<Decoded, { type: T }>;
    }
  }
  throw new Error(`No ${type} was sent`);
}
