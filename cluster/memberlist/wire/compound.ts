/**
 * Several messages in one packet (docs/spec/memberlist.md 3.4):
 * `07 ‖ count (1 byte) ‖ count × length (2 bytes) ‖ the messages`.
 *
 * @module
 */

import { MessageType } from "./messages.ts";

/** More parts than this make memberlist before 0.2.4 read the packet wrongly (docs/spec/memberlist.md 3.4). */
const MAX_PARTS = 127;
/** The length of a part is a 16-bit number. */
const MAX_PART_LENGTH = 0xffff;

/** What a compound costs beside its parts: the type byte and the count. */
export const COMPOUND_OVERHEAD = 2;
/** What each part costs beside its own bytes: its length. */
export const COMPOUND_PART_OVERHEAD = 2;

/** A compound of which not even the table of lengths is there. */
export class CompoundError extends Error {
  /** Names the class in logs. */
  override readonly name = "CompoundError";
}

/** The parts of a compound, and what was wrong with the others. */
export interface SplitCompound {
  /** The parts that are there in full; none is empty. Views into the packet. */
  readonly parts: Uint8Array[];
  /** How many parts the packet is too short for. They are always the last ones. */
  readonly truncated: number;
  /** How many parts had no bytes at all. */
  readonly empty: number;
}

/**
 * Packs messages into as few packets as the rules allow, in order. A message that is alone in its packet
 * is sent bare. Empty messages are left out: they would kill a node of memberlist 0.2.
 */
export function packCompound(messages: readonly Uint8Array[]): Uint8Array[] {
  const packets: Uint8Array[] = [];
  let group: Uint8Array[] = [];
  const flush = () => {
    if (group.length > 0) packets.push(packGroup(group));
    group = [];
  };
  for (const message of messages) {
    if (message.length === 0) continue;
    if (message.length > MAX_PART_LENGTH) {
      flush();
      packets.push(message);
      continue;
    }
    group.push(message);
    if (group.length === MAX_PARTS) flush();
  }
  flush();
  return packets;
}

function packGroup(messages: readonly Uint8Array[]): Uint8Array {
  if (messages.length === 1) return messages[0] as Uint8Array;
  let size = COMPOUND_OVERHEAD + COMPOUND_PART_OVERHEAD * messages.length;
  for (const message of messages) size += message.length;
  const packet = new Uint8Array(size);
  packet[0] = MessageType.compound;
  packet[1] = messages.length;
  let lengthAt = COMPOUND_OVERHEAD;
  let at = COMPOUND_OVERHEAD + COMPOUND_PART_OVERHEAD * messages.length;
  for (const message of messages) {
    packet[lengthAt++] = message.length >>> 8;
    packet[lengthAt++] = message.length;
    packet.set(message, at);
    at += message.length;
  }
  return packet;
}

/**
 * Splits a compound, given from its type byte on. Bytes after the last part are ignored. Throws
 * {@linkcode CompoundError} when the packet ends within the table of lengths.
 */
export function splitCompound(packet: Uint8Array): SplitCompound {
  const count = packet[1];
  if (count === undefined) throw new CompoundError("Compound message has no part count");
  let at = COMPOUND_OVERHEAD + COMPOUND_PART_OVERHEAD * count;
  if (packet.length < at) {
    throw new CompoundError(
      `Compound message of ${count} parts takes ${packet.length} bytes, its header alone needs ${at}`,
    );
  }
  const parts: Uint8Array[] = [];
  let empty = 0;
  for (let i = 0; i < count; i++) {
    const lengthAt = COMPOUND_OVERHEAD + COMPOUND_PART_OVERHEAD * i;
    const length = (packet[lengthAt] as number) << 8 | packet[lengthAt + 1] as number;
    if (length > packet.length - at) return { parts, truncated: count - i, empty };
    if (length === 0) {
      empty++;
    } else {
      parts.push(packet.subarray(at, at + length));
      at += length;
    }
  }
  return { parts, truncated: 0, empty };
}
