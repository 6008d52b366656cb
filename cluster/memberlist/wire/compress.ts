/**
 * The compression layer (docs/spec/memberlist.md 3.5): `09 ‖ map { Algo: 0, Buf: LZW of a whole message }`.
 *
 * @module
 */

import { decode, DecodeError } from "../../../protocol/msgpack/mod.ts";
import { compressLzw, decompressLzw, LzwError } from "./lzw.ts";
import { Compress, encodeMessage, MessageType } from "./messages.ts";

/** The one algorithm there is. */
const LZW = 0;

/** A compressed message that cannot be read, is empty, or grows beyond the limit. */
export class CompressionError extends Error {
  /** Names the class in logs. */
  override readonly name = "CompressionError";

  /** Whether the message is only larger than the limit. */
  get isTooLong(): boolean {
    return this.cause instanceof LzwError && this.cause.isTooLong;
  }

  /** Bytes that were decompressed in vain. */
  get wasted(): number {
    return this.cause instanceof LzwError ? this.cause.produced : 0;
  }
}

/** Wraps a message. The result may be longer than the message. */
export function compress(message: Uint8Array): Uint8Array {
  const packed = { Algo: LZW, Buf: compressLzw(message) };
  return encodeMessage(MessageType.compress, Compress, packed);
}

/**
 * The message in a compressed one, given from its type byte on; never empty. Throws
 * {@linkcode CompressionError}, also when there would be more than `maxBytes` bytes.
 */
export function decompress(message: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return unpack(decode(Compress, message, 1), maxBytes);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new CompressionError("Compressed message is malformed", { cause });
  }
}

/** Like {@linkcode decompress}, for a map that was decoded before. */
export function unpack(packed: Compress, maxBytes: number): Uint8Array {
  if (packed.Algo !== LZW) {
    throw new CompressionError(`cannot decompress unknown algorithm ${packed.Algo}`);
  }
  let message;
  try {
    message = decompressLzw(packed.Buf ?? new Uint8Array(0), maxBytes);
  } catch (cause) {
    if (!(cause instanceof LzwError)) throw cause;
    throw new CompressionError(cause.message, { cause });
  }
  if (message.length === 0) throw new CompressionError("Compressed message is empty");
  return message;
}
