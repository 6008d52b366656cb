/**
 * The one writer of a connection.
 *
 * Everything that happens in one turn of the event loop, and while a write is on its way, leaves in one write. A message
 * is appended as a whole, so that none is ever mixed into another.
 *
 * @module
 */

import { concatBytes } from "../../protocol/bytes.ts";
import type { ByteWriter, WriterPool } from "./writer_pool.ts";

/** A place for bytes: a connection, or a test's. */
export interface Sink {
  /** Writes some of `bytes` and says how many. `bytes` is written over once the promise is settled. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * What waits for many peers together. While it is too much each of them may have only {@linkcode FAIR_BYTES} waiting: nobody
 * waits for what another peer does, and who reads goes on.
 */
export class SharedBacklog {
  /** Bytes that wait now: of outboxes, and of what is to go there. */
  bytes = 0;
  readonly #most: number;

  /** `most` bytes may wait. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Whether too many wait. */
  get isFull(): boolean {
    return this.bytes > this.#most;
  }
}

/** What may wait for a peer while too much waits for all of them: small answers still share their writes. */
export const FAIR_BYTES = 16 * 1024;

/** How much may wait for a peer that reads slowly. */
export interface OutboxLimits {
  /** No message of the peer is taken while more than this many bytes wait. */
  readonly backlogBytes: number;
  /** What waits for all peers that share it. Default: each counts for itself. */
  readonly shared?: SharedBacklog;
  /** Records of one stream that wait; newer ones are dropped. */
  readonly waitingRecords: number;
  /** Records are dropped, too, when more than this many bytes wait. */
  readonly waitingBytes: number;
}

/** Messages from this size on are kept by reference until they are sent, as many connections may share one. */
const LARGE_BYTES = 16 * 1024;

/** What waits leaves in one write up to this size: more is not worth a copy. */
const JOINED_BYTES = 256 * 1024;

/** Bytes that wait, and who is told when they are sent. */
interface Chunk {
  readonly bytes: Uint8Array;
  readonly sent?: (() => void) | undefined;
}

/** Counts what one stream of records has waiting in an {@linkcode Outbox}. */
export class RecordCounter {
  /** Records that were dropped because the peer was slow. */
  dropped = 0;
  /** The batch that the last record went into, and how many are in it. */
  batch = -1;
  /** Records in that batch. */
  count = 0;
}

/** Bytes on their way to one peer. */
export class Outbox<W extends ByteWriter> {
  readonly #sink: Sink;
  readonly #writers: WriterPool<W>;
  readonly #limits: OutboxLimits;
  readonly #onBroken: (fault?: unknown) => void;
  /** What waits, in order: these chunks, then what is in the writer. */
  #chunks: Chunk[] = [];
  #chunkBytes = 0;
  #writer: W | undefined;
  #batch = 0;
  #inFlight = 0;
  #scheduled = false;
  #writing = false;
  #closed = false;
  #stalledSince: number | undefined;
  /** What the shared backlog has of this one. */
  #counted = 0;
  #waiters: { below: number; resolve: () => void }[] = [];

  /** @param onBroken Called once when a write fails; with what was thrown when that is a fault of the program. */
  constructor(
    sink: Sink,
    writers: WriterPool<W>,
    limits: OutboxLimits,
    onBroken: (fault?: unknown) => void,
  ) {
    this.#sink = sink;
    this.#writers = writers;
    this.#limits = limits;
    this.#onBroken = onBroken;
  }

  /** Bytes that the peer has not taken yet. */
  get backlog(): number {
    return this.#inFlight + this.#chunkBytes + (this.#writer?.length ?? 0);
  }

  /** Whether so much waits that no more messages should be taken. */
  get congested(): boolean {
    return this.backlog > this.#most;
  }

  /**
   * How long the peer has not taken a byte although some wait, in milliseconds; counted from the first time that it is
   * asked, so that a write costs no look at the clock.
   */
  stalledFor(now: number): number {
    if (this.#inFlight === 0) return 0;
    this.#stalledSince ??= now;
    return now - this.#stalledSince;
  }

  /**
   * Where to write the next message, or more of it, in this turn: what other messages wrote stands before it. `undefined`
   * when the outbox is closed.
   */
  open(): W | undefined {
    return this.#closed ? undefined : this.#open();
  }

  /** Appends bytes, which nobody may change before they are sent: `sent` tells when, unless the connection ends before that. */
  append(bytes: Uint8Array, sent?: () => void): void {
    if (this.#closed) return;
    const writer = this.#open();
    if (bytes.length < LARGE_BYTES) {
      writer.raw(bytes);
      return sent?.();
    }
    if (writer.length > 0) this.#chunks.push({ bytes: writer.finish() });
    this.#chunks.push({ bytes, sent });
    this.#chunkBytes += writer.length + bytes.length;
    this.#writers.give(writer);
    this.#writer = undefined;
    this.#count();
  }

  /**
   * Appends a record of a stream, unless too many wait.
   *
   * @returns `false` when the record was dropped.
   */
  record(counter: RecordCounter, header: Uint8Array, body: Uint8Array): boolean {
    if (this.#closed) return true;
    if (counter.batch !== this.#batch) {
      counter.batch = this.#batch;
      counter.count = 0;
    }
    const { waitingRecords, waitingBytes } = this.#limits;
    if (counter.count >= waitingRecords || this.backlog > waitingBytes) {
      counter.dropped++;
      return false;
    }
    counter.count++;
    this.sureRecord(header, body);
    return true;
  }

  /** Appends a record that must not be lost, such as the answer to a query. */
  sureRecord(header: Uint8Array, body: Uint8Array): void {
    if (this.#closed) return;
    this.#open().raw(header);
    this.append(body);
  }

  /** Begins to send what waits. Without this it is sent at the end of the turn. */
  flush(): void {
    this.#scheduled = false;
    if (!this.#writing && this.backlog > 0) this.#write().catch(this.#onBroken);
  }

  /** Resolves when no more than `below` bytes wait, by default half of what may, or the outbox is closed. */
  drained(below: number = this.#most / 2): Promise<void> {
    if (this.#closed || this.backlog <= below) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ below, resolve });
    });
  }

  /** Drops what waits and takes nothing more. */
  close(): void {
    this.#closed = true;
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#writer = undefined;
    this.#inFlight = 0;
    this.#count();
    this.#wake();
  }

  get #most(): number {
    const { backlogBytes, shared } = this.#limits;
    return shared?.isFull ? Math.min(FAIR_BYTES, backlogBytes) : backlogBytes;
  }

  /** Tells the shared backlog what waits, but for what is written next. */
  #count(): void {
    const { shared } = this.#limits;
    if (shared === undefined) return;
    const { backlog } = this;
    shared.bytes += backlog - this.#counted;
    this.#counted = backlog;
  }

  #open(): W {
    this.#count();
    this.#writer ??= this.#writers.take();
    if (!this.#scheduled && !this.#writing) {
      this.#scheduled = true;
      queueMicrotask(() => this.flush());
    }
    return this.#writer;
  }

  async #write(): Promise<void> {
    this.#writing = true;
    while (!this.#closed) {
      const writer = this.#writer;
      this.#writer = undefined;
      const chunks = this.#takeAll(writer);
      if (chunks.length === 0) break;
      this.#batch++;
      this.#count();
      this.#stalledSince = undefined;
      for (const { bytes, sent } of chunks) {
        for (let rest = bytes; rest.length > 0;) {
          let written: number;
          try {
            written = await this.#sink.write(rest);
          } catch {
            // The peer is gone, or the connection was closed here.
            if (!this.#closed) this.#onBroken();
            return;
          }
          if (this.#closed) return;
          rest = rest.subarray(written);
          this.#inFlight -= written;
          this.#count();
          this.#stalledSince = undefined;
          this.#wake();
        }
        sent?.();
      }
      if (writer !== undefined) this.#writers.give(writer);
    }
    this.#writing = false;
  }

  /** What waits, from now on in flight: as one when that is not much, not copied when it is only one. */
  #takeAll(writer: W | undefined): readonly Chunk[] {
    const chunks = this.#chunks;
    if (writer !== undefined && writer.length > 0) chunks.push({ bytes: writer.view() });
    this.#inFlight = this.#chunkBytes + (writer?.length ?? 0);
    this.#chunks = [];
    this.#chunkBytes = 0;
    if (chunks.length < 2 || this.#inFlight > JOINED_BYTES) return chunks;
    const bytes = concatBytes(chunks.map((chunk) => chunk.bytes));
    for (const { sent } of chunks) sent?.();
    return [{ bytes }];
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const { backlog } = this;
    const ready = this.#waiters.filter(({ below }) => this.#closed || backlog <= below);
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }
}
