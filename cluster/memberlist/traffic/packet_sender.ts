/**
 * Sending messages in packets, with queued broadcasts in the room that is left (docs/spec/memberlist.md 3.7, 9.5).
 *
 * @module
 */

import { joinHostPort } from "../../../protocol/host_port.ts";
import type { Address } from "../../runtime.ts";
import type { Core } from "../core/core.ts";
import { NodeNameRequiredError } from "../core/errors.ts";
import { type Destination, maxProtocol, type MemberNode } from "../core/node.ts";
import type { NodeRecord } from "../core/node_table.ts";
import { COMPOUND_OVERHEAD, COMPOUND_PART_OVERHEAD } from "../wire/compound.ts";
import { MessageType } from "../wire/messages.ts";
import { packCompound, packetOverhead, sealPacket } from "../wire/packet.ts";

/** What an application's message costs beside its own bytes: a part of a compound and its type byte. */
const USER_MESSAGE_OVERHEAD = COMPOUND_PART_OVERHEAD + 1;

/** From this protocol on a node understands checksums (docs/spec/memberlist.md 1.2). */
const CHECKSUM_PROTOCOL = 5;

/**
 * Sends `message` together with as many broadcasts as fit. Throws {@linkcode NodeNameRequiredError}.
 */
export function sendWithBroadcasts(core: Core, to: Destination, message: Uint8Array): void {
  checkNamed(core, to);
  const room = roomInPacket(core) - message.length;
  const broadcasts = takeBroadcasts(core, room);
  sendMessages(core, to, broadcasts.length === 0 ? [message] : [message, ...broadcasts]);
}

/**
 * Sends a packet of broadcasts to a node, or returns `false` when there are none. Each message that is
 * sent counts as transmitted once.
 */
export function sendBroadcasts(core: Core, record: NodeRecord): boolean {
  const broadcasts = takeBroadcasts(core, roomInPacket(core));
  if (broadcasts.length === 0) return false;
  sendMessages(core, record.node, broadcasts, record.node);
  return true;
}

/**
 * Sends messages in as few packets as the format allows. With the receiver's node known, they carry a
 * checksum if it understands that. Throws {@linkcode NodeNameRequiredError}.
 */
export function sendMessages(
  core: Core,
  to: Destination,
  messages: readonly Uint8Array[],
  receiver?: MemberNode,
): void {
  checkNamed(core, to);
  const crc = receiver !== undefined && maxProtocol(receiver) >= CHECKSUM_PROTOCOL;
  for (const packet of packCompound(messages)) {
    const sealed = sealPacket(packet, core.packetOptions, crc);
    core.metrics?.count("memberlist.udp.sent", sealed.length);
    core.transport.sendPacket(to, sealed);
  }
}

/** Counts and logs that a packet did not leave this machine; all destinations together get one line a second. */
export function tellUnsent(core: Core, to: Address, reason: string): void {
  core.metrics?.count("memberlist.udp.unsent");
  const place = joinHostPort(to.host, to.port);
  core.noise.write("error", "unsent packets", `Failed to send UDP packet to ${place}: ${reason}`);
}

/** Throws {@linkcode NodeNameRequiredError} when names are required and there is none. */
export function checkNamed(core: Core, to: Destination): void {
  if (core.config.requireNodeNames && !to.name) throw new NodeNameRequiredError();
}

/** A message of the application as it travels in packets. */
export function userMessage(message: Uint8Array): Uint8Array {
  const typed = new Uint8Array(1 + message.length);
  typed[0] = MessageType.user;
  typed.set(message, 1);
  return typed;
}

function roomInPacket(core: Core): number {
  return core.config.packetBufferBytes - COMPOUND_OVERHEAD - packetOverhead(core.packetOptions);
}

/**
 * The cluster's news first, then the application's; the other way round after a packet that the former took most
 * of, so that tens of thousands of members, invented or not, do not keep events and queries from being sent.
 */
function takeBroadcasts(core: Core, room: number): Uint8Array[] {
  if (core.newsTookMost) {
    core.newsTookMost = false;
    const user = takeUserMessages(core, room);
    return [...user, ...takeNews(core, room - bytesInCompound(user))];
  }
  const news = takeNews(core, room);
  const left = room - bytesInCompound(news);
  core.newsTookMost = left < room / 2;
  return [...news, ...takeUserMessages(core, left)];
}

function takeNews({ broadcasts }: Core, room: number): Uint8Array[] {
  return broadcasts.take(COMPOUND_PART_OVERHEAD, room);
}

function takeUserMessages({ delegate }: Core, room: number): Uint8Array[] {
  if (room <= USER_MESSAGE_OVERHEAD) return [];
  return delegate.getBroadcasts(USER_MESSAGE_OVERHEAD, room).map(userMessage);
}

function bytesInCompound(messages: readonly Uint8Array[]): number {
  return messages.reduce((bytes, { length }) => bytes + length + COMPOUND_PART_OVERHEAD, 0);
}
