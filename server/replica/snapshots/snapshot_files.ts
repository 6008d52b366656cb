/**
 * The snapshots on the disk: the own ones, and those of other servers once they are whole.
 *
 *     INDEX-TERM.snapshot    the dump of the machine, then its trailer; numbers of 16 digits
 *     saving.new             one that is being made
 *     receiving.new          one that comes from another server
 *
 * A file gets its name when all of it is on the disk, so a crash leaves whole ones. The newest two are kept: one that is on its
 * way to another server outlives the next.
 *
 * @module
 */

import {
  dump,
  DumpError,
  type DumpSummary,
  Loader,
  type Store,
  type StoreView,
} from "../../../cluster/machine/mod.ts";
import type { SnapshotMeta } from "../../../cluster/raft/mod.ts";
import type { StoreChunk } from "../../../cluster/raft/state/effects.ts";
import { type Disk, FileNotFoundError, folderOf } from "../../../cluster/runtime.ts";
import { removeIfThere } from "../../files/remove.ts";
import type { SnapshotStore } from "../driver/parts.ts";
import { DamagedSnapshotError } from "./damaged.ts";
import { SnapshotWriter } from "./snapshot_writer.ts";
import { checkSnapshot, isSame, type Kept, nameOf, openSnapshot, readPiece } from "./reading.ts";
import { PIECE_BYTES } from "./trailer.ts";

/** Snapshots that are kept. */
const KEPT = 2;

/** Bytes that are loaded between two looks at the loop: about 600 rows of 100 bytes. */
const LOAD_BYTES = 64 * 1024;

const NAME = /^(\d{16})-(\d{16})\.snapshot$/;

/** Where snapshots go to when they are loaded. */
export type LoadTarget = Store & {
  /** Makes what is in it last over a crash, if anything does. */
  sync?(): Promise<void>;
};

/** What is kept beside the rows of a state. */
export interface SnapshotCompanion {
  /**
   * Gets what the rows of another server's snapshot tell of, whose dump comes in pieces: only with it that snapshot is whole. Rejects
   * when the signal fires, and as `Disk` does.
   */
  complete(
    dump: AsyncIterable<Uint8Array>,
    snapshot: SnapshotMeta,
    signal: AbortSignal,
  ): Promise<void>;
  /** The rows are those of a snapshot now; what they do not tell of may go, unless another one is on its way. Rejects as `Disk` does. */
  settle(mayRemove: () => boolean): Promise<void>;
}

/** Where snapshots are. */
export interface SnapshotFilesOptions {
  /** The disk. */
  readonly disk: Disk;
  /** Their folder on it; it is made when it is missing. */
  readonly folder: string;
  /** Where they are loaded into. */
  readonly store: LoadTarget;
  /** What is kept beside it, if something is. */
  readonly companion?: SnapshotCompanion;
}

/** A snapshot on its way from another server. */
interface Receiving {
  readonly meta: SnapshotMeta;
  readonly writer: SnapshotWriter;
}

/** The snapshots of a folder. */
export class SnapshotFiles implements SnapshotStore {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #store: LoadTarget;
  readonly #companion: SnapshotCompanion | undefined;
  /** The newest one comes last. */
  #kept: Kept[];
  #isSaving = false;
  /** The file that is being read as a whole: it stays until then. */
  #loading: string | undefined;
  #isFolderSynced = false;
  #receiving: Receiving | undefined;
  /** The one that waits for what is kept beside it. */
  #completing: { readonly meta: SnapshotMeta; readonly abort: AbortController } | undefined;
  /** Pieces are stored one after the other. */
  #storing: Promise<unknown> = Promise.resolve();

  private constructor({ disk, folder, store, companion }: SnapshotFilesOptions, kept: Kept[]) {
    this.#companion = companion;
    this.#disk = disk;
    this.#folder = folder;
    this.#store = store;
    this.#kept = kept;
  }

  /**
   * Finds the snapshots of a folder, checks every byte of the newest one, and removes what is not needed. What is found outlives a
   * crash of the machine.
   *
   * Rejects with a {@linkcode DamagedSnapshotError} when the newest one is damaged: the log may go back no further than that. An
   * older one that is damaged is removed. Rejects as `Disk` does.
   */
  static async open(options: SnapshotFilesOptions): Promise<SnapshotFiles> {
    const { disk, folder } = options;
    const entries = await disk.list(folder).catch((error) => {
      if (!(error instanceof FileNotFoundError)) throw error;
      return [];
    });
    // A process that was killed may have left a name that was not synced, and the log goes by what is found.
    if (entries.length > 0) await disk.sync(folder);
    const files = entries.filter(({ name, kind }) => kind === "file" && NAME.test(name)).reverse();
    const kept: Kept[] = [];
    for (const { name, bytes } of files) {
      const path = `${folder}/${name}`;
      const found = kept.length < KEPT
        ? await openSnapshot(disk, path, bytes, kept.length === 0)
        : undefined;
      if (found === undefined) await disk.remove(path);
      else kept.unshift(found);
    }
    for (const name of ["saving.new", "receiving.new"]) {
      await removeIfThere(disk, `${folder}/${name}`);
    }
    const found = new SnapshotFiles(options, kept);
    if (kept.length > 0) await found.#syncAbove();
    return found;
  }

  /** The newest snapshot. */
  get newest(): SnapshotMeta | undefined {
    return this.#kept.at(-1)?.meta;
  }

  /**
   * As {@linkcode SnapshotStore.save}. Rejects as `Disk` does, and as reading the view throws; what there was of it is removed
   * then. One at a time: rejects with an `Error` while another one is made.
   */
  async save(view: StoreView, place: Omit<SnapshotMeta, "size" | "hash">): Promise<SnapshotMeta> {
    try {
      if (this.#isSaving) throw new Error("Expected no snapshot to be made beside another one");
      this.#isSaving = true;
      try {
        return await this.#save(view, place);
      } finally {
        this.#isSaving = false;
      }
    } finally {
      view.close();
    }
  }

  /**
   * Reads all of the snapshots that are kept, or until `isOver`; returns what is wrong with each that is damaged. Rejects as
   * `Disk` does.
   */
  async check(isOver: () => boolean): Promise<string[]> {
    const problems: string[] = [];
    for (const kept of [...this.#kept]) {
      try {
        await checkSnapshot(this.#disk, kept, isOver);
      } catch (error) {
        const isGone = error instanceof FileNotFoundError && !this.#kept.includes(kept);
        if (isGone) continue;
        const isDamage = error instanceof DamagedSnapshotError ||
          error instanceof FileNotFoundError;
        if (!isDamage) throw error;
        problems.push(error.message);
      }
    }
    return problems;
  }

  /**
   * As {@linkcode SnapshotStore.read}: at most 512 KiB.
   *
   * Rejects with a {@linkcode DamagedSnapshotError} when the bytes are not what was written, and as `Disk` does.
   */
  async read(index: number, offset: number): Promise<Uint8Array | undefined> {
    const kept = this.#kept.findLast(({ meta }) => meta.index === index);
    if (kept === undefined || offset >= kept.meta.size) return undefined;
    const into = offset % PIECE_BYTES;
    try {
      return (await readPiece(this.#disk, kept, (offset - into) / PIECE_BYTES)).subarray(into);
    } catch (error) {
      // A newer one may have taken its place meanwhile.
      if (error instanceof FileNotFoundError && !this.#kept.includes(kept)) return undefined;
      throw error;
    }
  }

  /**
   * As {@linkcode SnapshotStore.store}. A snapshot begins with the piece at 0, also after a restart. Rejects as `Disk` does, and
   * what there was of it is removed then. One that waits for what is kept beside it is given up when a piece of another one comes.
   */
  store(piece: StoreChunk): Promise<number> {
    const { meta, abort } = this.#completing ?? {};
    if (meta !== undefined && !isSame(meta, piece.snapshot)) abort?.abort();
    const stored = this.#storing.then(() => this.#take(piece));
    // The caller hears of what goes wrong; the next piece begins after it all the same.
    this.#storing = stored.catch(() => {});
    return stored;
  }

  /**
   * As {@linkcode SnapshotStore.load}: resolves when the machine's state lasts over a crash. A machine on the store has to be
   * made anew after it.
   *
   * Rejects with a {@linkcode DamagedSnapshotError}, with a `FormatError` when the state is of a later version, with a
   * `RangeError` when there is no such snapshot, and as disk and store do. The store is as it was then.
   */
  async load({ index, size, hash }: SnapshotMeta): Promise<void> {
    const kept = this.#kept.find(({ meta }) => meta.index === index && meta.hash === hash);
    if (kept === undefined) throw new RangeError(`No snapshot at entry ${index} with hash ${hash}`);
    const loader = new Loader(this.#store, { index, size, hash });
    this.#loading = kept.path;
    try {
      for (let at = 0; at < size; at += LOAD_BYTES) {
        loader.push(await this.#disk.read(kept.path, at, Math.min(LOAD_BYTES, size - at)));
      }
      loader.finish();
    } catch (error) {
      loader.abort();
      if (!(error instanceof DumpError)) throw error;
      throw new DamagedSnapshotError(kept.path, "it cannot be loaded", error);
    } finally {
      this.#loading = undefined;
    }
    await this.#store.sync?.();
    await this.#companion?.settle(() => {
      return this.#receiving === undefined && this.newest?.index === index;
    });
  }

  async #save(view: StoreView, place: Omit<SnapshotMeta, "size" | "hash">): Promise<SnapshotMeta> {
    const writer = await this.#begin("saving.new");
    try {
      const blocks = dump(view);
      let step = blocks.next();
      for (; !step.done; step = blocks.next()) await writer.append(step.value);
      const { index, size, hash }: DumpSummary = step.value;
      if (index !== place.index) {
        throw new RangeError(`Expected a view at entry ${place.index}, got one at ${index}`);
      }
      const meta = { ...place, size, hash };
      await this.#finish(writer, meta);
      return meta;
    } catch (error) {
      throw await discarded(writer, error);
    }
  }

  async #take({ snapshot, offset, chunk }: StoreChunk): Promise<number> {
    if (offset === 0) {
      await this.#discardReceived();
      this.#receiving = { meta: snapshot, writer: await this.#begin("receiving.new") };
    }
    const { meta, writer } = this.#receiving ?? {};
    const fits = writer !== undefined && meta !== undefined && isSame(meta, snapshot) &&
      writer.size === offset && offset + chunk.length <= meta.size;
    if (!fits) return await this.#discardReceived();
    try {
      await writer.append(chunk);
      if (writer.size < meta.size) return writer.size;
      if (writer.digest() !== meta.hash) return await this.#discardReceived();
      if (!await this.#complete(meta)) return await this.#discardReceived();
      await this.#finish(writer, meta);
      this.#receiving = undefined;
      return meta.size;
    } catch (error) {
      this.#receiving = undefined;
      throw await discarded(writer, error);
    }
  }

  /** Whether all is there that is kept beside it. */
  async #complete(meta: SnapshotMeta): Promise<boolean> {
    if (this.#companion === undefined) return true;
    const abort = new AbortController();
    this.#completing = { meta, abort };
    try {
      await this.#companion.complete(this.#received(meta.size), meta, abort.signal);
      return true;
    } catch (error) {
      if (abort.signal.aborted) return false;
      throw error;
    } finally {
      this.#completing = undefined;
    }
  }

  async *#received(size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < size; at += LOAD_BYTES) {
      yield await this.#disk.read(
        `${this.#folder}/receiving.new`,
        at,
        Math.min(LOAD_BYTES, size - at),
      );
    }
  }

  async #discardReceived(): Promise<0> {
    const received = this.#receiving;
    this.#receiving = undefined;
    await received?.writer.discard();
    return 0;
  }

  async #begin(name: string): Promise<SnapshotWriter> {
    const path = `${this.#folder}/${name}`;
    await removeIfThere(this.#disk, path);
    return new SnapshotWriter(this.#disk, path);
  }

  /** Makes a snapshot one of the kept ones. */
  async #finish(writer: SnapshotWriter, meta: SnapshotMeta): Promise<void> {
    const path = `${this.#folder}/${nameOf(meta)}`;
    if (this.#kept.some((kept) => kept.path === path && isSame(kept.meta, meta))) {
      return await writer.discard();
    }
    const trailer = await writer.finish(meta, path);
    await this.#syncAbove();
    const others = this.#kept.filter((kept) => kept.path !== path);
    const all = [...others, { path, ...trailer }].sort((a, b) => a.path < b.path ? -1 : 1);
    const isOld = (kept: Kept, i: number): boolean =>
      i < all.length - KEPT && kept.path !== this.#loading;
    this.#kept = all.filter((one, i) => !isOld(one, i));
    for (const old of all.filter(isOld)) await removeIfThere(this.#disk, old.path);
  }

  /** The folder, and those above it, may have been made with the first file in it. */
  async #syncAbove(): Promise<void> {
    if (this.#isFolderSynced) return;
    for (let folder = this.#folder; folder !== "";) {
      folder = folderOf(folder);
      await this.#disk.sync(folder);
    }
    this.#isFolderSynced = true;
  }
}

/** Removes what was written, as it may take the room that is missing, and gives the error back. */
async function discarded(writer: SnapshotWriter, error: unknown): Promise<unknown> {
  // The first error tells more.
  await writer.discard().catch(() => {});
  return error;
}
