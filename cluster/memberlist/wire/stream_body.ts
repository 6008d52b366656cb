/**
 * What a peer sent on a stream, taken piece by piece: bytes that are there already, and more from the
 * stream when they do not suffice.
 *
 * @module
 */

import { type Codec, DecodeError, Reader, Splitter } from "../../../protocol/msgpack/mod.ts";
import type { Stream } from "../../runtime.ts";

/** What was wrong with a stream. */
export type StreamErrorKind =
  /** The peer closed before it sent a byte. */
  | "closed"
  /** The peer closed in the middle of a message. */
  | "truncated"
  /** The label is not ours. */
  | "label"
  /** It is not encrypted, but has to be. */
  | "plaintext"
  /** It is encrypted, but we have no key. */
  | "encrypted"
  /** None of our keys fits, or the encrypted frame is malformed. */
  | "decrypt"
  /** It is no message. */
  | "malformed"
  /** It is larger than a limit. */
  | "too-large";

/** A stream that carries no message we can use. */
export class StreamError extends Error {
  /** Names the class in logs. */
  override readonly name = "StreamError";
  /** What was wrong. */
  readonly kind: StreamErrorKind;

  /** An error of the given kind. */
  constructor(kind: StreamErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }

  /**
   * Whether the accepting side tells the peer with an `err` message. It does not after the end of the
   * stream nor to a stranger with another label (docs/spec/memberlist.md 6.2).
   */
  get isAnswered(): boolean {
    return this.kind !== "closed" && this.kind !== "truncated" && this.kind !== "label";
  }
}

/** Room for most requests of small clusters. */
const FIRST_BUFFER_BYTES = 1024;

/** Thrown through a {@linkcode Splitter} to stop it after one value. */
const ENOUGH = Symbol("enough");

/**
 * Bytes to be read in order. Views that were handed out stay valid: the buffer is never written over.
 *
 * Every method throws {@linkcode StreamError}: `truncated` at the end of the stream, `too-large` when the
 * stream brought more than its limit. An error of the stream itself passes through.
 */
export class StreamBody {
  readonly #stream: Stream | undefined;
  readonly #maxBytes: number;
  readonly #onReceive: ((bytes: number) => void) | undefined;
  /** Received and not dropped yet; unread from `#start` to `#end`. */
  #buffer: Uint8Array;
  #start = 0;
  #end: number;
  #received = 0;

  /**
   * Reads `bytes` and then, when there is a `stream`, at most `maxBytes` bytes of it. `onReceive` is told of each
   * chunk before it is kept, and may refuse it by throwing.
   */
  constructor(
    bytes: Uint8Array,
    stream?: Stream,
    maxBytes = 0,
    onReceive?: (bytes: number) => void,
  ) {
    this.#onReceive = onReceive;
    this.#buffer = bytes;
    this.#end = bytes.length;
    this.#stream = stream;
    this.#maxBytes = maxBytes;
  }

  /** The next byte, or `undefined` at the end of the stream. */
  async byte(): Promise<number | undefined> {
    while (this.#start === this.#end) if (!await this.#fill()) return undefined;
    return this.#buffer[this.#start++];
  }

  /** The next `length` bytes. Memory is spent as they arrive, not as they are promised. */
  async bytes(length: number): Promise<Uint8Array> {
    while (this.#end - this.#start < length) {
      if (!await this.#fill()) throw truncated();
    }
    const bytes = this.#buffer.subarray(this.#start, this.#start + length);
    this.#start += length;
    return bytes;
  }

  /** The next MessagePack value. Throws {@linkcode StreamError} `malformed` when it is not one of `codec`. */
  async value<T>(codec: Codec<T>): Promise<T> {
    try {
      return this.#stream === undefined ? this.#decode(codec) : await this.#pullValue(codec);
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause;
      throw new StreamError("malformed", cause.message, { cause });
    }
  }

  #decode<T>(codec: Codec<T>): T {
    const reader = new Reader(this.#buffer.subarray(this.#start, this.#end));
    const value = codec.read(reader);
    this.#start += reader.offset;
    return value;
  }

  /** Most values are there already. For another, the splitter finds its end, byte after byte just once. */
  async #pullValue<T>(codec: Codec<T>): Promise<T> {
    try {
      return this.#decode(codec);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
    let value: Uint8Array | undefined;
    const splitter = new Splitter((whole) => {
      value = whole;
      throw ENOUGH;
    }, { maxValueBytes: this.#maxBytes });
    for (;;) {
      const before = splitter.pending;
      try {
        splitter.push(this.#buffer.subarray(this.#start, this.#end));
      } catch (error) {
        if (error !== ENOUGH) throw error;
      }
      if (value !== undefined) {
        this.#start += value.length - before;
        return codec.read(new Reader(value));
      }
      this.#start = this.#end;
      if (!await this.#fill()) throw truncated();
    }
  }

  /** Waits for more bytes; `false` at the end of the stream. */
  async #fill(): Promise<boolean> {
    const chunk = this.#stream === undefined ? null : await this.#stream.read();
    if (chunk === null) return false;
    this.#received += chunk.length;
    if (this.#received > this.#maxBytes) {
      throw new StreamError("too-large", `Stream brought more than ${this.#maxBytes} bytes`);
    }
    this.#onReceive?.(chunk.length);
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
    return true;
  }

  #makeRoom(length: number): void {
    const unread = this.#buffer.subarray(this.#start, this.#end);
    const size = Math.max(FIRST_BUFFER_BYTES, 2 * unread.length, unread.length + length);
    this.#buffer = new Uint8Array(size);
    this.#buffer.set(unread);
    this.#start = 0;
    this.#end = unread.length;
  }
}

function truncated(): StreamError {
  return new StreamError("truncated", "Stream ended in the middle of a message");
}
