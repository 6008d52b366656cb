/**
 * From a message to a stream and back (docs/spec/memberlist.md 6). Layers from the inside out: message, compression,
 * encryption, label. One message travels each way.
 *
 * @module
 */

import { concatBytes, NO_BYTES } from "../../../protocol/bytes.ts";
import { Writer } from "../../../protocol/msgpack/mod.ts";
import type { Metrics, Stream } from "../../runtime.ts";
import { compress, CompressionError, unpack } from "./compress.ts";
import type { ExpansionBudget } from "./expansion_budget.ts";
import { addLabel, checkLabel, LabelError } from "./label.ts";
import { Compress, MessageType, PushNodeState, PushPullHeader, UserHeader } from "./messages.ts";
import type { PacketOptions } from "./packet.ts";
import type { BudgetShare } from "./receive_budget.ts";
import { DecryptError, seal, sealedLength, unseal } from "./seal.ts";
import { StreamBody, StreamError } from "./stream_body.ts";

export { StreamBody, StreamError, type StreamErrorKind } from "./stream_body.ts";

/** How much a peer may send. */
export interface StreamLimits {
  /** Bytes of one encrypted frame; 20 MiB by default (docs/spec/memberlist.md 6.1). */
  readonly frameBytes: number;
  /** Bytes that a compressed message may take when decompressed; 40 MiB by default (docs/spec/memberlist.md 3.5). */
  readonly decompressedBytes: number;
  /**
   * Bytes read from one stream in all; 40 MiB by default, so that a plain push/pull may be as large as a
   * compressed one.
   */
  readonly totalBytes: number;
  /**
   * Nodes of one push/pull; 65,536 by default, as many as are remembered. The reference takes 1,048,576: as many
   * nodes without content are a few KiB when compressed, and hold the loop up for a second.
   */
  readonly nodes: number;
  /** Bytes of the user state of a push/pull; 20 MiB by default (docs/spec/memberlist.md 6.3). */
  readonly userStateBytes: number;
  /** Bytes of one user message; 20 MiB by default (docs/spec/memberlist.md 6.4). */
  readonly userMessageBytes: number;
}

const MIB = 1024 * 1024;

/** The limits of the reference (docs/spec/memberlist.md 10), but for the nodes. */
export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  frameBytes: 20 * MIB,
  decompressedBytes: 40 * MIB,
  totalBytes: 40 * MIB,
  nodes: 65_536,
  userStateBytes: 20 * MIB,
  userMessageBytes: 20 * MIB,
};

/** Type byte and length in front of an encrypted frame. */
const FRAME_HEADER_LENGTH = 5;

/** One message as it came out of its layers. */
export interface StreamMessage {
  /**
   * Its type. Any number is possible; the accepting side closes the stream without a word on one that it
   * does not serve, among them a compression in a compression (docs/spec/memberlist.md 6.2).
   */
  readonly type: number;
  /** What follows the type byte. */
  readonly body: StreamBody;
}

/**
 * Wraps one message for a stream: compressed if enabled, even when that makes it longer, and encrypted.
 * The dialling side also writes its label, the accepting side does not. Throws `RangeError` for an empty
 * message, {@linkcode StreamError} `too-large` for one that no peer would take.
 */
export function sealStream(
  message: Uint8Array,
  options: PacketOptions,
  withLabel: boolean,
): Uint8Array {
  if (message.length === 0) throw new RangeError("Message is empty");
  checkSize("Message", message.length, DEFAULT_STREAM_LIMITS.decompressedBytes);
  let bytes = options.compression ? compress(message) : message;
  const key = options.verifyOutgoing ? options.keyring?.primary : undefined;
  if (key !== undefined) bytes = sealFrame(bytes, key, options);
  return withLabel ? addLabel(options.label, bytes) : bytes;
}

function sealFrame(message: Uint8Array, key: Uint8Array, options: PacketOptions): Uint8Array {
  const { encryptionVersion, label, random } = options;
  const length = sealedLength(message.length, encryptionVersion);
  checkSize("Encrypted message", length, DEFAULT_STREAM_LIMITS.frameBytes);
  const frame = new Uint8Array(FRAME_HEADER_LENGTH + length);
  const header = frame.subarray(0, FRAME_HEADER_LENGTH);
  header[0] = MessageType.encrypt;
  new DataView(header.buffer).setUint32(1, length);
  // Beside its content a frame authenticates its header and the label, also when none is sent.
  const aad = concatBytes([header, label]);
  const sealed = seal(message, key, encryptionVersion, aad, random);
  frame.set(sealed, FRAME_HEADER_LENGTH);
  return frame;
}

/** Reads the one message that a peer sends on a stream. */
export class StreamReader {
  readonly #options: PacketOptions;
  readonly #limits: StreamLimits;
  readonly #share: BudgetShare | undefined;
  readonly #expansion: ExpansionBudget | undefined;
  readonly #source: string;
  readonly #metrics: Metrics | undefined;
  readonly #received: StreamBody;

  /**
   * A reader of `stream`, which stays the caller's to close.
   *
   * @param bounds `limits`: default {@linkcode DEFAULT_STREAM_LIMITS}; `share`: what is received is taken from it, and
   * the caller releases it; `expansion`: what the peer may let a compressed message grow to, default as much as the
   * limits say; `metrics`: are told how large an encrypted message is
   */
  constructor(
    stream: Stream,
    options: PacketOptions,
    bounds: {
      readonly limits?: Partial<StreamLimits>;
      readonly share?: BudgetShare;
      readonly expansion?: ExpansionBudget | undefined;
      readonly metrics?: Metrics | undefined;
    } = {},
  ) {
    this.#options = options;
    this.#limits = { ...DEFAULT_STREAM_LIMITS, ...bounds.limits };
    this.#share = bounds.share;
    this.#expansion = bounds.expansion;
    this.#source = stream.remote.host;
    this.#metrics = bounds.metrics;
    const { totalBytes } = this.#limits;
    this.#received = new StreamBody(NO_BYTES, stream, totalBytes, bounds.share?.take);
  }

  /**
   * Waits for the message's layers and opens them. The accepting side expects the peer's label, the
   * dialling side gets its answer without one. Throws {@linkcode StreamError}, whose text for the peer is
   * its message; an error of the stream itself passes through.
   */
  async readMessage(expectLabel: boolean): Promise<StreamMessage> {
    const first = await this.#received.byte();
    if (first === undefined) throw new StreamError("closed", "Stream ended before a message");
    try {
      return await this.#open(expectLabel ? await this.#passLabel(first) : first);
    } catch (cause) {
      throw asStreamError(cause);
    }
  }

  /** Reads a label, when `first` announces one, and returns the byte after it. */
  async #passLabel(first: number): Promise<number> {
    if (first !== MessageType.hasLabel) {
      checkLabel(this.#options.label, NO_BYTES);
      return first;
    }
    const [length] = await this.#received.bytes(1);
    if (length === 0) throw new LabelError("Label header is malformed");
    checkLabel(this.#options.label, await this.#received.bytes(length as number));
    const [next] = await this.#received.bytes(1);
    return next as number;
  }

  async #open(first: number): Promise<StreamMessage> {
    const { keyring, verifyIncoming } = this.#options;
    const encrypts = keyring !== undefined && keyring.size > 0;
    let type = first;
    let body = this.#received;
    if (type === MessageType.encrypt) {
      const plaintext = await this.#unsealFrame();
      type = typeOf(plaintext, "Encrypted frame");
      body = new StreamBody(plaintext.subarray(1));
    } else if (encrypts && verifyIncoming) {
      const text = "encryption is configured but remote state is not encrypted";
      throw new StreamError("plaintext", text);
    }
    if (type === MessageType.compress) {
      const message = this.#unpack(await body.value(Compress));
      type = typeOf(message, "Compressed message");
      body = new StreamBody(message.subarray(1));
    }
    return { type, body };
  }

  /** No more is decompressed than there is room for. */
  #unpack(packed: Compress): Uint8Array {
    const { decompressedBytes } = this.#limits;
    const most = Math.min(
      decompressedBytes,
      this.#share?.left ?? decompressedBytes,
      this.#expansion?.room(this.#source) ?? decompressedBytes,
    );
    try {
      const message = unpack(packed, most);
      this.#share?.take(message.length);
      this.#expansion?.spend(this.#source, message.length);
      return message;
    } catch (cause) {
      if (!(cause instanceof CompressionError)) throw cause;
      this.#expansion?.spend(this.#source, cause.wasted);
      if (!cause.isTooLong || most === decompressedBytes) throw cause;
      throw new StreamError("too-large", `No room for more than ${most} bytes now`, { cause });
    }
  }

  async #unsealFrame(): Promise<Uint8Array> {
    const { keyring, label } = this.#options;
    if (keyring === undefined || keyring.size === 0) {
      const text = "remote state is encrypted and encryption is not configured";
      throw new StreamError("encrypted", text);
    }
    const header = new Uint8Array(FRAME_HEADER_LENGTH);
    header[0] = MessageType.encrypt;
    header.set(await this.#received.bytes(FRAME_HEADER_LENGTH - 1), 1);
    const length = new DataView(header.buffer).getUint32(1);
    this.#metrics?.sample("memberlist.size.remote", length);
    checkSize("Encrypted frame", length, this.#limits.frameBytes);
    return unseal(await this.#received.bytes(length), keyring, concatBytes([header, label]));
  }
}

function typeOf(message: Uint8Array, holder: string): number {
  const type = message[0];
  if (type === undefined) throw new StreamError("malformed", `${holder} holds no message`);
  return type;
}

function asStreamError(cause: unknown): unknown {
  if (cause instanceof LabelError) return new StreamError("label", cause.message, { cause });
  if (cause instanceof DecryptError) return new StreamError("decrypt", cause.message, { cause });
  if (cause instanceof CompressionError) {
    return new StreamError("malformed", cause.message, { cause });
  }
  return cause;
}

function checkSize(what: string, size: number, limit: number): void {
  if (size > limit) throw new StreamError("too-large", `${what} takes ${size} of ${limit} bytes`);
}

/** One side's half of a push/pull (docs/spec/memberlist.md 6.3). */
export interface PushPull {
  /** Whether the exchange is part of a join. */
  join: boolean;
  /** All nodes the sender remembers. */
  nodes: PushNodeState[];
  /** The application's state; may be empty. */
  userState: Uint8Array;
}

/** A push/pull message, type byte first. */
export function encodePushPull({ join, nodes, userState }: PushPull): Uint8Array {
  const writer = beginPushPull({ join, count: nodes.length, userStateBytes: userState.length });
  for (const node of nodes) PushNodeState.write(writer, node);
  writer.raw(userState);
  return writer.finish();
}

/** The beginning of a push/pull message: `count` nodes are to be written after it, and the user state. */
export function beginPushPull(
  { join, count, userStateBytes }: { join: boolean; count: number; userStateBytes: number },
): Writer {
  // A node takes some 90 bytes beside its name and meta.
  const writer = new Writer("gossip", 64 + 128 * count + userStateBytes);
  writer.byte(MessageType.pushPull);
  PushPullHeader.write(writer, { Nodes: count, UserStateLen: userStateBytes, Join: join });
  return writer;
}

/**
 * Reads the body of a push/pull message. Throws {@linkcode StreamError}.
 *
 * @param pieces `size` nodes are read at a time; `next` is called between two pieces, and may wait or throw
 */
export async function decodePushPull(
  body: StreamBody,
  limits: StreamLimits = DEFAULT_STREAM_LIMITS,
  pieces?: { readonly size: number; next(): Promise<void> },
): Promise<PushPull> {
  const { Nodes, UserStateLen, Join } = await body.value(PushPullHeader);
  checkCount("node count", Nodes, limits.nodes);
  checkCount("user state length", UserStateLen, limits.userStateBytes);
  const nodes: PushNodeState[] = [];
  for (let i = 0; i < Nodes; i++) {
    if (pieces !== undefined && i > 0 && i % pieces.size === 0) await pieces.next();
    nodes.push(await body.value(PushNodeState));
  }
  return { join: Join, nodes, userState: await body.bytes(UserStateLen) };
}

/** A user message for a stream, type byte first (docs/spec/memberlist.md 6.4). */
export function encodeUserStream(message: Uint8Array): Uint8Array {
  const writer = new Writer("gossip", 32 + message.length);
  writer.byte(MessageType.user);
  UserHeader.write(writer, { UserMsgLen: message.length });
  writer.raw(message);
  return writer.finish();
}

/** Reads the body of a user message; it may be empty. Throws {@linkcode StreamError}. */
export async function decodeUserStream(
  body: StreamBody,
  limits: StreamLimits = DEFAULT_STREAM_LIMITS,
): Promise<Uint8Array> {
  const { UserMsgLen } = await body.value(UserHeader);
  checkCount("user message length", UserMsgLen, limits.userMessageBytes);
  return await body.bytes(UserMsgLen);
}

function checkCount(what: string, count: number, limit: number): void {
  if (count >= 0 && count <= limit) return;
  throw new StreamError("malformed", `Declared ${what} is ${count}, wanted 0 to ${limit}`);
}
