/**
 * The one writer of an RPC connection.
 *
 * Everything that happens in one turn of the event loop, and while a write is on its way, leaves in one write. A message
 * is appended as a whole, so that none is ever mixed into another.
 *
 * @module
 */

import { ResponseHeader } from "../../protocol/ipc/mod.ts";
import { Writer } from "../../protocol/msgpack/mod.ts";
import { MAX_BACKLOG_BYTES, MAX_WAITING_BYTES, MAX_WAITING_RECORDS } from "./limits.ts";

/** A place for bytes: a TCP connection, or a test's. */
export interface Sink {
  /** Writes some of `bytes` and says how many. `bytes` is written over once the promise is settled. */
  write(bytes: Uint8Array): Promise<number>;
}

/** The body of a response: its bytes, or what writes it. */
export type Body = Uint8Array | ((writer: Writer) => void);

/** The first bytes of every success: a map of 2, `Error`, an empty text, `Seq`. */
const SUCCESS = new Uint8Array([0x82, 0xa5, 69, 114, 114, 111, 114, 0xa0, 0xa3, 83, 101, 113]);

/** Bodies from this size on are kept by reference until they are sent, as many connections may share one. */
const LARGE_BYTES = 16 * 1024;

/** Buffers between two uses: an idle connection holds none. */
const idleWriters: Writer[] = [];
/** What they hold together, and may hold at most. */
let idleBytes = 0;
const MAX_IDLE_BYTES = 2 * 1024 * 1024;

const NOTHING = new Uint8Array(0);

/** Counts what one stream or monitor has waiting in an {@linkcode Output}. */
export class RecordCounter {
  /** Records that were dropped because the client was slow. */
  dropped = 0;
  /** The batch that the last record went into, and how many are in it. */
  batch = -1;
  /** Records in that batch. */
  count = 0;
}

/** Bytes on their way to one client. */
export class Output {
  readonly #sink: Sink;
  readonly #onBroken: (fault?: unknown) => void;
  /** What waits, in order: these chunks, then what is in the writer. */
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  #writer: Writer | undefined;
  #batch = 0;
  #inFlight = 0;
  #scheduled = false;
  #writing = false;
  #closed = false;
  #stalledSince: number | undefined;
  #waiters: { below: number; resolve: () => void }[] = [];

  /** @param onBroken Called once when a write fails; with the error when it is none of the sink's. */
  constructor(sink: Sink, onBroken: (fault?: unknown) => void) {
    this.#sink = sink;
    this.#onBroken = onBroken;
  }

  /** Bytes that the client has not taken yet. */
  get backlog(): number {
    return this.#inFlight + this.#chunkBytes + (this.#writer?.length ?? 0);
  }

  /**
   * How long the client has not taken a byte although some wait, in milliseconds; counted from the first time that it is
   * asked, so that a write costs no look at the clock.
   */
  stalledFor(now: number): number {
    if (this.#inFlight === 0) return 0;
    this.#stalledSince ??= now;
    return now - this.#stalledSince;
  }

  /** Appends a response: a header and a body. What a body throws passes through, and nothing is appended. */
  respond(seq: number | bigint, error: string, body?: Body): void {
    if (this.#closed) return;
    const writer = this.#open();
    const start = writer.length;
    if (error === "") {
      writer.raw(SUCCESS);
      writer.uint(seq);
    } else {
      ResponseHeader.write(writer, { Error: error, Seq: seq });
    }
    if (body === undefined) return;
    if (typeof body !== "function") return this.#appendBody(writer, body);
    try {
      body(writer);
    } catch (error) {
      writer.reset(start);
      throw error;
    }
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
    if (counter.count >= MAX_WAITING_RECORDS || this.backlog > MAX_WAITING_BYTES) {
      counter.dropped++;
      return false;
    }
    counter.count++;
    this.#append(header, body);
    return true;
  }

  /** Appends a record that must not be lost, such as a retained line for a new monitor. */
  sureRecord(header: Uint8Array, body: Uint8Array): void {
    if (!this.#closed) this.#append(header, body);
  }

  /** Begins to send what waits. Without this it is sent at the end of the turn. */
  flush(): void {
    this.#scheduled = false;
    if (!this.#writing && this.backlog > 0) this.#write().catch(this.#onBroken);
  }

  /** Whether so much waits that no more requests should be taken. */
  get congested(): boolean {
    return this.backlog > MAX_BACKLOG_BYTES;
  }

  /** Resolves when no more than `below` bytes wait, or the output is closed. */
  drained(below: number = MAX_BACKLOG_BYTES / 2): Promise<void> {
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
    this.#wake();
  }

  #append(header: Uint8Array, body: Uint8Array): void {
    const writer = this.#open();
    writer.raw(header);
    this.#appendBody(writer, body);
  }

  #appendBody(writer: Writer, body: Uint8Array): void {
    if (body.length < LARGE_BYTES) return writer.raw(body);
    this.#chunks.push(writer.finish(), body);
    this.#chunkBytes += writer.length + body.length;
    release(writer);
    this.#writer = undefined;
  }

  #open(): Writer {
    this.#writer ??= idleWriter();
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
      const bytes = this.#takeAll(writer);
      if (bytes.length === 0) break;
      this.#batch++;
      this.#inFlight = bytes.length;
      this.#stalledSince = undefined;
      try {
        for (let rest = bytes; this.#inFlight > 0; rest = bytes.subarray(-this.#inFlight)) {
          const written = await this.#sink.write(rest);
          if (this.#closed) return;
          this.#inFlight -= written;
          this.#stalledSince = undefined;
          this.#wake();
        }
      } catch {
        // The client is gone, or the connection was closed here.
        if (!this.#closed) this.#onBroken();
        return;
      }
      if (writer !== undefined) release(writer);
    }
    this.#writing = false;
  }

  /** What waits as one: without large bodies it is what `writer` holds, not copied. */
  #takeAll(writer: Writer | undefined): Uint8Array {
    const last = writer?.view() ?? NOTHING;
    if (this.#chunks.length === 0) return last;
    const bytes = concat([...this.#chunks, last]);
    this.#chunks = [];
    this.#chunkBytes = 0;
    return bytes;
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const { backlog } = this;
    const ready = this.#waiters.filter(({ below }) => this.#closed || backlog <= below);
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }
}

/** An empty writer. */
function idleWriter(): Writer {
  const writer = idleWriters.pop();
  if (writer === undefined) return new Writer("rpc", 1024);
  idleBytes -= writer.capacity;
  return writer;
}

/** Puts a writer back to the idle ones, unless these hold enough. */
function release(writer: Writer): void {
  if (idleBytes + writer.capacity > MAX_IDLE_BYTES) return;
  writer.reset();
  idleWriters.push(writer);
  idleBytes += writer.capacity;
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
