/**
 * From messages to a packet and back (docs/spec/memberlist.md 3.1). Layers from the inside out: message or
 * compound, compression, checksum, encryption, label.
 *
 * @module
 */

import type { Random } from "../../runtime.ts";
import { addChecksum, ChecksumError, hasChecksum, stripChecksum } from "./checksum.ts";
import { CompoundError, splitCompound } from "./compound.ts";
import { compress, CompressionError, decompress } from "./compress.ts";
import type { ExpansionBudget } from "./expansion_budget.ts";
import type { Keyring } from "./keyring.ts";
import { addLabel, LabelError, labelOverhead, stripLabel } from "./label.ts";
import { MessageType } from "./messages.ts";
import { DecryptError, type EncryptionVersion, seal, sealOverhead, unseal } from "./seal.ts";

export { packCompound } from "./compound.ts";

/** The settings of the layers around a message; the same for packets and streams. */
export interface PacketOptions {
  /** UTF-8 that is sent with and demanded from every packet and stream; empty for none. At most 255 bytes. */
  label: Uint8Array;
  /** Encryption is on when there is a ring and a key on it. */
  keyring: Keyring | undefined;
  /** Whether what is not encrypted with one of our keys is dropped (docs/spec/memberlist.md 5.3). */
  verifyIncoming: boolean;
  /** Whether what we send is encrypted (docs/spec/memberlist.md 5.3). */
  verifyOutgoing: boolean;
  /** Whether what we send is compressed. What we get is read either way. */
  compression: boolean;
  /** 0 when we speak protocol 1, else 1 (docs/spec/memberlist.md 1.2). */
  encryptionVersion: EncryptionVersion;
  /** Source of nonces. */
  random: Random;
}

/** Compounds and compressed messages in each other, at most. The reference nests one in the other. */
const MAX_DEPTH = 8;
/**
 * Bytes that one packet may decompress to in all. The reference allows 40 MiB; but a packet is filled
 * from at most some kilobytes, and one crafted datagram must not cost more than a few milliseconds.
 */
const MAX_DECOMPRESSED = 1024 * 1024;
/** Messages in one packet. A compound holds up to 255, and 64 KiB seldom more than a thousand. */
const MAX_MESSAGES = 4096;
/** Problems of one packet that are told; the others only repeat them. */
const MAX_PROBLEMS = 8;
/**
 * A message up to this length cannot become shorter: the wrapping takes 13 bytes, and n bytes take at
 * least as many 9-bit codes as 1 + 2 + 3 ... need to reach n, plus the clear and the end code.
 */
const INCOMPRESSIBLE = 24;

/** Which layer of a packet was wrong. */
export type PacketErrorKind = "label" | "decrypt" | "checksum" | "malformed";

/** A packet that holds no usable message. */
export class PacketError extends Error {
  /** Names the class in logs. */
  override readonly name = "PacketError";
  /** Which layer was wrong. */
  readonly kind: PacketErrorKind;

  /** An error of the layer `kind`; `cause` is that layer's own error. */
  constructor(kind: PacketErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What was in a packet. */
export interface OpenedPacket {
  /**
   * The messages in order, each with its type byte first; at least one. Mostly views into the packet.
   * Types that have no place in a packet (a nested checksum, say) are among them.
   */
  readonly messages: readonly Uint8Array[];
  /** What could not be used, in words for the log; mostly empty. */
  readonly problems: readonly string[];
}

const NO_PROBLEMS: readonly string[] = [];

/**
 * Wraps one message (or compound) for sending: compressed if that makes it shorter, with a checksum if
 * `crc`, encrypted, labelled. May return `message` itself. Throws `RangeError` for an empty message,
 * which would kill a node of memberlist 0.2.
 */
export function sealPacket(message: Uint8Array, options: PacketOptions, crc: boolean): Uint8Array {
  if (message.length === 0) throw new RangeError("Message is empty");
  let packet = message;
  if (options.compression && message.length > INCOMPRESSIBLE) {
    const compressed = compress(message);
    if (compressed.length < message.length) packet = compressed;
  }
  if (crc) packet = addChecksum(packet);
  const key = options.verifyOutgoing ? options.keyring?.primary : undefined;
  if (key !== undefined) {
    const { encryptionVersion, label, random } = options;
    packet = seal(packet, key, encryptionVersion, label, random);
  }
  return addLabel(options.label, packet);
}

/** The most that label and encryption add to a packet, in bytes (docs/spec/memberlist.md 3.7). */
export function packetOverhead(options: PacketOptions): number {
  const encrypted = options.verifyOutgoing && options.keyring !== undefined &&
    options.keyring.size > 0;
  return labelOverhead(options.label) + (encrypted ? sealOverhead(options.encryptionVersion) : 0);
}

/**
 * Unwraps a packet. Throws {@linkcode PacketError} when it holds no usable message; a part that cannot
 * be used beside others that can is a problem of the result.
 *
 * @param budget What a packet of `source` may decompress to; without it, as much as any packet may.
 */
export function openPacket(
  packet: Uint8Array,
  options: PacketOptions,
  budget?: ExpansionBudget,
  source = "",
): OpenedPacket {
  let message;
  try {
    message = stripLabel(options.label, packet);
    message = decrypted(message, options);
    if (hasChecksum(message)) message = stripChecksum(message);
  } catch (cause) {
    throw asPacketError(cause);
  }
  const type = message[0];
  if (type === undefined) throw new PacketError("malformed", "Packet holds no message");
  if (type !== MessageType.compound && type !== MessageType.compress) {
    return { messages: [message], problems: NO_PROBLEMS };
  }
  const room = Math.min(MAX_DECOMPRESSED, budget?.room(source) ?? MAX_DECOMPRESSED);
  const content: Content = { messages: [], problems: [], decompressed: 0, room };
  unwrap(message, 0, content);
  budget?.spend(source, content.decompressed);
  const { messages, problems } = content;
  if (messages.length === 0) {
    throw new PacketError("malformed", problems[0] ?? "Packet holds no message");
  }
  return { messages, problems };
}

function decrypted(packet: Uint8Array, options: PacketOptions): Uint8Array {
  if (options.keyring === undefined || options.keyring.size === 0) return packet;
  try {
    return unseal(packet, options.keyring, options.label);
  } catch (error) {
    if (error instanceof DecryptError && !options.verifyIncoming) return packet;
    throw error;
  }
}

function asPacketError(cause: unknown): unknown {
  if (cause instanceof LabelError) return new PacketError("label", cause.message, { cause });
  if (cause instanceof DecryptError) {
    return new PacketError("decrypt", `Decrypt packet failed: ${cause.message}`, { cause });
  }
  if (cause instanceof ChecksumError) return new PacketError("checksum", cause.message, { cause });
  return cause;
}

interface Content {
  readonly messages: Uint8Array[];
  readonly problems: string[];
  /** Bytes that came out of compressed messages so far. */
  decompressed: number;
  /** Bytes that may. */
  readonly room: number;
}

/** Adds what is in `message`, whatever compounds and compressions are nested in each other. */
function unwrap(message: Uint8Array, depth: number, content: Content): void {
  const type = message[0];
  if (type !== MessageType.compound && type !== MessageType.compress) {
    if (content.messages.length < MAX_MESSAGES) content.messages.push(message);
    else addProblem(content, `Packet holds more than ${MAX_MESSAGES} messages`);
    return;
  }
  if (depth === MAX_DEPTH) {
    addProblem(content, `Messages are nested in more than ${MAX_DEPTH} layers`);
    return;
  }
  try {
    if (type === MessageType.compress) {
      const inner = decompress(message, content.room - content.decompressed);
      content.decompressed += inner.length;
      unwrap(inner, depth + 1, content);
    } else {
      const { parts, truncated, empty } = splitCompound(message);
      if (truncated > 0) addProblem(content, `Compound message is short of ${truncated} parts`);
      if (empty > 0) addProblem(content, `Compound message has ${empty} empty parts`);
      for (const part of parts) unwrap(part, depth + 1, content);
    }
  } catch (error) {
    if (!(error instanceof CompoundError || error instanceof CompressionError)) throw error;
    if (error instanceof CompressionError) content.decompressed += error.wasted;
    addProblem(content, error.message);
  }
}

function addProblem(content: Content, problem: string): void {
  if (content.problems.length < MAX_PROBLEMS) content.problems.push(problem);
}
