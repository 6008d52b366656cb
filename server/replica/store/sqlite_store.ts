/**
 * The machine's state on the disk: rows in SQLite, and above them in memory what has changed lately.
 *
 * A transaction changes nothing but memory. What has gathered there is written behind, sorted and in slices, so that the file is
 * always the state after one of the transactions, mostly not the last one: after a crash the log is replayed from there.
 *
 *     #active      changes of transactions
 *     #frozen      changes that are being written
 *     generation   the file
 *
 * @module
 */

import type {
  Replacement,
  Row,
  Store,
  StoreView,
  Transaction,
} from "../../../cluster/machine/mod.ts";
import { checkRow } from "../../../cluster/machine/store/store.ts";
import { DiskFullError } from "../../../cluster/runtime.ts";
import { compareBytes } from "../../../protocol/bytes.ts";
import { Slab } from "../../../protocol/slab.ts";
import { createFile, type FreshFile } from "./file_format.ts";
import { finishFlush, flushLayer, type FlushState } from "./flushing.ts";
import { fileOf, Generation } from "./generation.ts";
import { DEFAULT_STORE_LIMITS, type StoreLimits } from "./limits.ts";
import { DELETED, Layer, type Rows, stacked } from "./layer.ts";

/** What is kept beside the rows, in an order with them that a crash must not break. */
export interface Companion {
  /**
   * Makes all last that rows tell of which have changed up to now: called before they go into the file. Rejects as
   * {@linkcode SqliteStore.flush} may.
   */
  sync(): Promise<void>;
  /** Called when rows are about to go into the file. What it returns is done once they last. */
  forgettable(): (() => Promise<void>) | undefined;
}

/** How a store is opened. */
export interface SqliteStoreOptions {
  /**
   * Takes what went wrong while nobody waited: a `DiskFullError` once, and the store tries again until there is room; anything
   * else once, and nothing is written any more.
   */
  readonly failed: (error: unknown) => void;
  /** What is kept beside the rows, if something is. */
  readonly companion?: Companion;
  /** Other limits than the {@linkcode DEFAULT_STORE_LIMITS}. */
  readonly limits?: Partial<StoreLimits>;
}

/** A layer on its way into the file. */
interface Frozen {
  readonly layer: Layer;
  readonly state: FlushState;
}

/** A store on the disk. Reading throws a `DamagedStoreError` or a `StoreFailedError` where the file cannot be read. */
export class SqliteStore implements Store, AsyncDisposable {
  readonly #folder: string;
  readonly #limits: StoreLimits;
  readonly #failed: (error: unknown) => void;
  readonly #companion: Companion | undefined;
  /** What is to be done once the rows last that are being written. */
  #forgets: (() => Promise<void>)[] = [];
  readonly #slab = new Slab();
  #generation: Generation;
  /** Those that were replaced, until nobody has a view of them. */
  #retired: Generation[] = [];
  #active = new Layer();
  #frozen: Frozen | undefined;
  #inside = false;
  /** All that is done to files, one after the other. */
  #work: Promise<void> = Promise.resolve();
  /** A flush that has not begun. */
  #nextFlush: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the last flush that nobody waited for found no room. */
  #isFull = false;
  /** Why nothing is written any more. */
  #failure: { readonly error: unknown } | undefined;
  #closing: Promise<void> | undefined;

  private constructor(folder: string, generation: Generation, options: SqliteStoreOptions) {
    this.#folder = folder;
    this.#generation = generation;
    this.#failed = options.failed;
    this.#companion = options.companion;
    this.#limits = { ...DEFAULT_STORE_LIMITS, ...options.limits };
  }

  /**
   * Opens the store of a folder, which is made when it is missing, and finishes what a crash has left half done. One process
   * at a time may have it.
   *
   * Rejects with a `DamagedStoreError`, with a `StoreFormatError` when it is of another version, with a `DiskFullError`, and
   * with a `StoreFailedError` or the system's error when it cannot be read or written.
   */
  static async open(folder: string, options: SqliteStoreOptions): Promise<SqliteStore> {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const generation = await Generation.open(folder);
    try {
      await finishFlush(generation);
    } catch (error) {
      await generation.close();
      throw error;
    }
    return new SqliteStore(folder, generation, options);
  }

  /** Whether so much is in memory that no more may be changed before a {@linkcode SqliteStore.flush}. */
  get mustWait(): boolean {
    const { mostRows, mostBytes } = this.#limits;
    const frozen = this.#frozen?.layer;
    return this.#active.count + (frozen?.count ?? 0) >= mostRows ||
      this.#active.bytes + (frozen?.bytes ?? 0) >= mostBytes;
  }

  /** As {@linkcode Store.get}. */
  get(key: Uint8Array): Uint8Array | undefined {
    const value = this.#active.get(key) ?? this.#frozen?.layer.get(key);
    if (value !== undefined) return value === DELETED ? undefined : value;
    return this.#generation.database.get(key);
  }

  /** As {@linkcode Store.range}. */
  range(from: Uint8Array, to: Uint8Array | undefined, limit: number, reverse = false): Row[] {
    return stacked(this.#generation.database, this.#layers()).range(from, to, limit, reverse);
  }

  /** As {@linkcode Store.allocate}. */
  allocate(length: number): Uint8Array {
    return this.#slab.take(length);
  }

  /** As {@linkcode Store.transaction}; in memory. */
  transaction<T>(change: (state: Transaction) => T): T {
    if (this.#inside) throw new Error("Expected no transaction inside another one");
    const active = this.#active;
    const undo: { key: Uint8Array; before: Uint8Array | undefined }[] = [];
    this.#inside = true;
    try {
      return change({
        get: (key) => this.get(key),
        range: (from, to, limit, reverse) => this.range(from, to, limit, reverse),
        allocate: (length) => this.#slab.take(length),
        put(key, value) {
          checkRow(key, value);
          undo.push({ key, before: active.set(key, value) });
        },
        delete(key) {
          undo.push({ key, before: active.set(key, DELETED) });
        },
      });
    } catch (error) {
      for (const { key, before } of undo.reverse()) active.restore(key, before);
      throw error;
    } finally {
      this.#inside = false;
      this.#schedule();
    }
  }

  /**
   * As {@linkcode Store.view}. As long as one is open, as little as possible is written, for the WAL cannot shrink: half of what
   * may be in memory, so that the other half has room for what comes while that is written.
   */
  view(): StoreView {
    const generation = this.#generation;
    const rows = generation.pin(() => {
      if (generation !== this.#generation && this.#closing === undefined) this.#flushBehind();
    });
    const layers: Rows[] = this.#frozen === undefined ? [] : [this.#frozen.layer];
    if (this.#active.count > 0) layers.push(this.#active.copy());
    const { get, range } = stacked(rows, layers);
    let closed = false;
    return {
      get,
      range,
      allocate: (length) => this.#slab.take(length),
      close() {
        if (!closed) rows.close();
        closed = true;
      },
    };
  }

  /** As {@linkcode Store.replacement}: a file beside the other. It lasts over a crash after the next {@linkcode SqliteStore.flush}. */
  replacement(): Replacement {
    const number = this.#generation.number + 1;
    const path = fileOf(this.#folder, number);
    removeLeftover(path);
    const file = this.#create(path);
    let last: Uint8Array = new Uint8Array();
    return {
      put(key, value) {
        checkRow(key, value);
        if (compareBytes(key, last) <= 0) throw new RangeError("Expected keys in ascending order");
        file.put(key, value);
        last = key;
      },
      commit: () => {
        if (number !== this.#generation.number + 1) {
          throw new Error("Expected one replacement at a time");
        }
        file.finish();
        this.#replace(new Generation(this.#folder, number, false));
      },
      abort() {
        file.abort();
        removeLeftover(path);
      },
    };
  }

  /**
   * Writes all that was changed before, so that it outlives the process.
   *
   * Rejects with `DiskFullError` when there is no room: everything stays in memory and may be written later. Rejects with
   * `DamagedStoreError`, `StoreFailedError` or the system's error when it cannot be written; then nothing is any more.
   */
  flush(): Promise<void> {
    this.#nextFlush ??= this.#enqueue(async () => {
      this.#nextFlush = undefined;
      await this.#write();
    });
    return this.#nextFlush;
  }

  /** Writes all that was changed before, so that it outlives a crash of the machine. Rejects as {@linkcode SqliteStore.flush} does. */
  sync(): Promise<void> {
    return this.#enqueue(async () => {
      await this.#write();
      await this.#generation.sync();
      await this.#generation.checkpoint(true);
    });
  }

  /** Writes what is in memory and closes the store; every view must be closed. Rejects as {@linkcode SqliteStore.sync} does. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Same as {@linkcode SqliteStore.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      clearTimeout(this.#timer);
      for (const generation of [...this.#retired, this.#generation]) await generation.close();
    }
  }

  #create(path: string): FreshFile {
    try {
      return createFile(path);
    } catch (error) {
      removeLeftover(path);
      throw error;
    }
  }

  #layers(): Rows[] {
    const layers: Rows[] = [];
    if (this.#frozen !== undefined) layers.push(this.#frozen.layer);
    if (this.#active.count > 0) layers.push(this.#active);
    return layers;
  }

  /** Does `work` after all that was asked for before. What goes wrong is kept, unless it can go right again. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(async () => {
      if (this.#failure !== undefined) throw this.#failure.error;
      try {
        await work();
      } catch (error) {
        if (!(error instanceof DiskFullError)) this.#failure = { error };
        throw error;
      }
    });
    // Whoever asked hears of it.
    this.#work = done.catch(() => {});
    return done;
  }

  async #write(): Promise<void> {
    // An earlier try failed, and what was changed since then is to be written as well.
    if (this.#frozen !== undefined) await this.#writeFrozen();
    if (this.#active.count > 0) {
      this.#frozen = { layer: this.#active, state: { noted: false } };
      this.#active = new Layer();
      const forget = this.#companion?.forgettable();
      if (forget !== undefined) this.#forgets.push(forget);
      await this.#writeFrozen();
    }
    await this.#generation.settle();
    const unused = this.#retired.filter(({ views }) => views === 0);
    this.#retired = this.#retired.filter(({ views }) => views > 0);
    for (const generation of unused) await generation.remove();
    if (this.#forgets.length > 0) await this.#generation.sync();
    for (const forget of this.#forgets.splice(0)) await forget();
    this.#isFull = false;
  }

  /**
   * Proof obligation: no row is in the file before what it tells of beside it is there to stay, for a crash keeps the one and not the
   * other. All of that has come by now: the rows of a transaction are frozen in a later turn.
   */
  async #writeFrozen(): Promise<void> {
    const generation = this.#generation;
    await generation.settle();
    await this.#companion?.sync();
    // A replacement does away with it.
    if (this.#frozen === undefined) return;
    const { layer, state } = this.#frozen;
    await flushLayer(generation, layer, state, () => generation === this.#generation);
    this.#frozen = undefined;
  }

  /** Sees to it that changes are written in time. */
  #schedule(): void {
    if (this.#closing !== undefined || this.#failure !== undefined) return;
    const { count } = this.#active;
    if (count === 0 && this.#frozen === undefined) return;
    if (this.#isDue && !this.#isFull) return this.#flushBehind();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#generation.views > 0 && !this.#isDue) this.#schedule();
      else this.#flushBehind();
    }, this.#limits.flushMs);
  }

  /** Whether so much has changed that it is to be written. */
  get #isDue(): boolean {
    const { flushRows, flushBytes, mostRows, mostBytes } = this.#limits;
    const { count, bytes } = this.#active;
    return this.#generation.views > 0
      ? count >= mostRows / 2 || bytes >= mostBytes / 2
      : count >= flushRows || bytes >= flushBytes;
  }

  #flushBehind(): void {
    if (this.#nextFlush !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.flush().then(() => this.#schedule(), (error) => {
      const isKnown = this.#isFull;
      this.#isFull = error instanceof DiskFullError;
      if (!isKnown || !this.#isFull) this.#failed(error);
      this.#schedule();
    });
  }

  #replace(next: Generation): void {
    this.#retired.push(this.#generation);
    this.#generation = next;
    this.#active = new Layer();
    this.#frozen = undefined;
    this.#flushBehind();
  }
}

/** Files of a replacement that came to nothing. */
function removeLeftover(path: string): void {
  for (const end of ["", "-wal", "-shm"]) {
    try {
      Deno.removeSync(path + end);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
