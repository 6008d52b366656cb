/**
 * Messages as they are compressed on their way.
 *
 * What is short is done at once: that is cheaper, and takes a millisecond or two. What is long is done piece by piece, with a pause
 * between pieces, for neither runtime does it beside the event loop without a fault: Deno's functions that promise that hold it until
 * they are done.
 *
 * @module
 */

import type { Gunzip, Gzip } from "node:zlib";
import { concatBytes } from "../../bytes.ts";
import { CODE, CODEC } from "../codes.ts";
import { PayloadError } from "../errors.ts";
import { zlib } from "./builtin.ts";

/** Lets others have the event loop. */
export type Pause = () => Promise<void>;

/** What is compressed to no more than this may be inflated at once ... */
const SHORT_BYTES = 64 * 1024;
/** ... if it is no more than this then; and what is no more than this is compressed at once. */
const AT_ONCE_BYTES = 256 * 1024;

/** Bytes of a piece. */
const PIECE_BYTES = 64 * 1024;
/** Pieces between two pauses: a millisecond or two. */
const PIECES = 4;
/** Bytes of a piece of what was compressed: whoever made it may have seen to it that it takes long, and becomes nothing. */
const PACKED_PIECE_BYTES = 32 * 1024;

/** The number of a compression; without one that of none. */
export function codecOf(compression: Exclude<keyof typeof CODEC, "none"> | undefined): number {
  return compression === undefined ? CODEC.none : CODEC[compression];
}

/** Compresses at once what is short, as fast as can be; `undefined` for what is not. */
export function compressShort(codec: number, bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length > AT_ONCE_BYTES) return undefined;
  const { gzipSync, deflateSync } = zlib();
  return codec === CODEC.gzip ? gzipSync(bytes, FAST) : deflateSync(bytes, FAST);
}

/** Compresses, piece by piece. */
export async function compress(
  codec: number,
  bytes: Uint8Array,
  pause: Pause,
): Promise<Uint8Array> {
  const { createGzip, createDeflate } = zlib();
  const stream = codec === CODEC.gzip ? createGzip(FAST) : createDeflate(FAST);
  const parts: Uint8Array[] = [];
  stream.on("data", (part: Uint8Array) => parts.push(part));
  const ended = new Promise<void>((resolve, reject) => {
    stream.on("end", resolve).on("error", reject);
  });
  try {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      await written(stream, bytes.subarray(at, at + PIECE_BYTES));
      await pause();
    }
    stream.end();
    await ended;
  } finally {
    stream.destroy();
  }
  return concatBytes(parts);
}

/**
 * Inflates at once what is short, compressed and not; `undefined` for what is not.
 *
 * @throws {PayloadError} when it is nothing that was compressed, or something follows it
 */
export function inflateShort(
  codec: number,
  bytes: Uint8Array,
  most: number,
): Uint8Array | undefined {
  if (bytes.length > SHORT_BYTES) return undefined;
  const { gunzipSync, inflateSync } = zlib();
  const inflate = codec === CODEC.gzip ? gunzipSync : inflateSync;
  const maxOutputLength = Math.min(most, AT_ONCE_BYTES);
  let done: Uint8Array | Informed;
  try {
    done = inflate(bytes, { maxOutputLength, info: true });
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") return undefined;
    throw broken(error);
  }
  const { buffer, engine } = done as unknown as Informed;
  checkEnd(engine.bytesWritten, bytes);
  return plain(buffer);
}

/**
 * Inflates, piece by piece. No more than `most` bytes, and a piece, are ever there.
 *
 * Rejects with a {@linkcode PayloadError} when it is nothing that was compressed, when something follows it, or when it is more.
 */
export async function inflate(
  codec: number,
  bytes: Uint8Array,
  most: number,
  pause: Pause,
): Promise<Uint8Array> {
  const { createGunzip, createInflate } = zlib();
  const options = { chunkSize: PIECE_BYTES };
  const stream = codec === CODEC.gzip ? createGunzip(options) : createInflate(options);
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    // What goes wrong comes to who reads.
    fill(stream, bytes, pause).catch(() => {});
    for await (const part of stream as AsyncIterable<Uint8Array>) {
      length += part.length;
      if (length > most) {
        throw new PayloadError(`Messages take more than ${most} bytes`, CODE.MESSAGE_TOO_LARGE);
      }
      parts.push(part);
      if (parts.length % PIECES === 0) await pause();
    }
  } catch (error) {
    throw error instanceof PayloadError ? error : broken(error);
  } finally {
    stream.destroy();
  }
  checkEnd(stream.bytesWritten, bytes);
  return plain(concatBytes(parts));
}

/** What the runtime tells when it is asked for more than the bytes. */
interface Informed {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

/** Volume counts, and more of it costs much more time. */
const FAST = { level: 1 } as const;

/** The same as no `Buffer`, whose `slice` makes no copy: parts of it go to programs. */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

function checkEnd(used: number, { length }: Uint8Array): void {
  if (used < length) throw new PayloadError(`${length - used} bytes follow what was compressed`);
}

function broken(error: unknown): PayloadError {
  return new PayloadError(`The messages cannot be inflated: ${(error as Error).message}`);
}

/** Puts compressed bytes into a stream, piece by piece. */
async function fill(stream: Gunzip, bytes: Uint8Array, pause: Pause): Promise<void> {
  for (let at = 0; at < bytes.length; at += PACKED_PIECE_BYTES) {
    if (at > 0) await pause();
    await written(stream, bytes.subarray(at, at + PACKED_PIECE_BYTES));
  }
  stream.end();
}

function written(stream: Gzip | Gunzip, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => error ? reject(error) : resolve());
  });
}
