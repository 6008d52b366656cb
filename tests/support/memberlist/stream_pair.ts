/**
 * Two ends of one in-memory stream, for tests of what travels on streams.
 *
 * @module
 */

import type { Stream } from "../../../cluster/runtime.ts";

/** Options of {@linkcode streamPair}. */
export interface StreamPairOptions {
  /** Longest chunk that a `read` gives, in bytes; unlimited by default. 1 cuts between all bytes. */
  chunkBytes?: number;
}

/** Two connected streams: what one writes, the other reads. */
export function streamPair(options: StreamPairOptions = {}): [Stream, Stream] {
  const chunkBytes = options.chunkBytes ?? Infinity;
  const toLeft = new Pipe(chunkBytes);
  const toRight = new Pipe(chunkBytes);
  return [end("127.0.0.2", toLeft, toRight), end("127.0.0.1", toRight, toLeft)];
}

/** A stream on which `bytes` arrive in chunks of at most `chunkBytes`, and then the end. */
export function streamOf(bytes: Uint8Array, chunkBytes?: number): Stream {
  const [near, far] = streamPair(chunkBytes === undefined ? {} : { chunkBytes });
  far.write(bytes);
  far.close();
  return near;
}

function end(remote: string, incoming: Pipe, outgoing: Pipe): Stream {
  return {
    remote: { host: remote, port: 7946 },
    read: () => incoming.take(),
    write(bytes) {
      if (outgoing.isClosed) return Promise.reject(new Error("Stream is closed"));
      outgoing.put(bytes.slice());
      return Promise.resolve();
    },
    close() {
      incoming.close();
      outgoing.close();
    },
  };
}

/** One direction. */
class Pipe {
  readonly #chunkBytes: number;
  readonly #written: Uint8Array[] = [];
  #waiting: ((chunk: Uint8Array | null) => void) | undefined;
  isClosed = false;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
  }

  put(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#written.push(bytes);
    this.#deliver();
  }

  take(): Promise<Uint8Array | null> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#deliver();
    });
  }

  close(): void {
    this.isClosed = true;
    this.#deliver();
  }

  #deliver(): void {
    const waiting = this.#waiting;
    const first = this.#written[0];
    if (waiting === undefined || (first === undefined && !this.isClosed)) return;
    this.#waiting = undefined;
    if (first === undefined) return waiting(null);
    if (first.length > this.#chunkBytes) this.#written[0] = first.subarray(this.#chunkBytes);
    else this.#written.shift();
    waiting(first.slice(0, this.#chunkBytes));
  }
}
