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
  const toLeft = new Pipe();
  const toRight = new Pipe();
  return [
    end("127.0.0.2", toLeft, toRight, chunkBytes),
    end("127.0.0.1", toRight, toLeft, chunkBytes),
  ];
}

/** A stream on which `bytes` arrive in chunks of at most `chunkBytes`, and then the end. */
export function streamOf(bytes: Uint8Array, chunkBytes?: number): Stream {
  const [near, far] = streamPair(chunkBytes === undefined ? {} : { chunkBytes });
  far.write(bytes);
  far.close();
  return near;
}

function end(remote: string, incoming: Pipe, outgoing: Pipe, chunkBytes: number): Stream {
  return {
    remote: { host: remote, port: 7946 },
    read: () => incoming.take(),
    write(bytes) {
      if (outgoing.isClosed) return Promise.reject(new Error("Stream is closed"));
      for (let from = 0; from < bytes.length; from += chunkBytes) {
        outgoing.put(bytes.slice(from, from + chunkBytes));
      }
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
  readonly #chunks: Uint8Array[] = [];
  #waiting: ((chunk: Uint8Array | null) => void) | undefined;
  isClosed = false;

  put(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
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
    if (waiting === undefined || (this.#chunks.length === 0 && !this.isClosed)) return;
    this.#waiting = undefined;
    waiting(this.#chunks.shift() ?? null);
  }
}
