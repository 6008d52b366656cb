/**
 * The file that holds the state now. Another one takes its place when all rows are replaced.
 *
 *     state.N.db       the rows; SQLite keeps `-wal` and `-shm` beside it
 *     state.N.whole    empty: that file was on the disk as a whole. The one with the greatest N holds the state
 *
 * SQLite itself syncs only where it must before it goes on. The larger syncs are made here, without blocking: of the WAL
 * before its pages are moved into the file, and of the file before the WAL is emptied.
 *
 * @module
 */

import { FileNotFoundError } from "../../../cluster/runtime.ts";
import { FileDisk } from "../../files/disk.ts";
import { Database, type PinnedRows } from "./database.ts";
import { createFile } from "./file_format.ts";
import { DamagedStoreError, StoreFailedError } from "./errors.ts";

/** Pages in the WAL that are moved into the file at once: 3 ms (measured, at random in a file of 140 MB). */
const CHECKPOINT_PAGES = 1_000;

const NAME = /^state\.(\d{1,15})\.(db|whole)/;

/** Path of the file of that number. */
export function fileOf(folder: string, number: number): string {
  return `${folder}/state.${number}.db`;
}

/** A file that holds, or held, the state. */
export class Generation {
  /** Its N. */
  readonly number: number;
  /** The open file. */
  readonly database: Database;
  readonly #folder: string;
  readonly #disk: FileDisk;
  /** Closing any handle of a file takes SQLite's locks on it away: this one stays open. */
  #file: Deno.FsFile | undefined;
  #isWhole: boolean;
  #views = 0;
  #closed = false;

  /** Opens a file that is there; `isWhole` if it is known to be on the disk. Throws as {@linkcode Database} does. */
  constructor(folder: string, number: number, isWhole: boolean) {
    this.#folder = folder;
    this.#disk = new FileDisk(folder);
    this.#isWhole = isWhole;
    this.number = number;
    this.database = new Database(fileOf(folder, number));
  }

  /**
   * Finds the file that holds the state in a folder, or makes one, and removes all others.
   *
   * Rejects as {@linkcode Database} throws, and as `Disk` does.
   */
  static async open(folder: string): Promise<Generation> {
    await using disk = new FileDisk(folder);
    const names = (await disk.list("")).map(({ name }) => name);
    let newest = 0;
    for (const name of names) {
      const [, number, kind] = NAME.exec(name) ?? [];
      if (kind === "whole") newest = Math.max(newest, Number(number));
    }
    for (const name of names) {
      const [, number] = NAME.exec(name) ?? [];
      if (number !== undefined && Number(number) !== newest) await disk.remove(name);
    }
    if (newest > 0) {
      const path = fileOf(folder, newest);
      if (names.includes(`state.${newest}.db`)) return new Generation(folder, newest, true);
      throw new DamagedStoreError(path, "the file is missing");
    }
    createFile(fileOf(folder, 1)).finish();
    const first = new Generation(folder, 1, false);
    try {
      await first.settle();
      return first;
    } catch (error) {
      await first.close();
      throw error;
    }
  }

  /** The rows as they are now; the file stays as long as anybody holds them. */
  pin(closed: () => void): PinnedRows {
    const rows = this.database.pin();
    this.#views++;
    return {
      get: rows.get,
      range: rows.range,
      close: () => {
        rows.close();
        this.#views--;
        closed();
      },
    };
  }

  /** Views that are open. */
  get views(): number {
    return this.#views;
  }

  /** Makes a file that was filled unsynced last over a crash. Rejects as {@linkcode Generation.checkpoint} does. */
  async settle(): Promise<void> {
    if (this.#isWhole) return;
    await this.#syncFile();
    const marker = `state.${this.number}.whole`;
    await this.#disk.append(marker, new Uint8Array());
    for (const path of [marker, ""]) {
      await this.#disk.sync(path).catch((cause) => this.#failed(cause));
    }
    this.#isWhole = true;
  }

  /** Makes what was written last over a crash. Rejects as {@linkcode Generation.checkpoint} does. */
  async sync(): Promise<void> {
    // It is there for good as long as the file is open, and holds no locks.
    using wal = await Deno.open(`${this.database.path}-wal`, { write: true })
      .catch((cause) => this.#failed(cause));
    await wal.sync().catch((cause) => this.#failed(cause));
  }

  /**
   * Moves pages of the WAL into the file, when many wait or, with `all`, any. Nothing else may be written meanwhile. A view keeps
   * those where they are that came after it: while one is open this does nothing without `all`, or each slice of a flush would take
   * four syncs for next to nothing.
   *
   * Rejects with {@linkcode StoreFailedError} when they cannot be read, written or synced, and with `DiskFullError`.
   */
  async checkpoint(all = false): Promise<void> {
    if (this.#views > 0 && !all) return;
    const { database } = this;
    const waiting = database.waitingPages();
    if (waiting === 0 || (!all && waiting < CHECKPOINT_PAGES)) return;
    await this.sync();
    database.checkpoint();
    await this.#syncFile();
    database.truncateWal();
    await this.sync();
  }

  /** Closes the file, once. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.database.close();
    this.#file?.close();
    await this.#disk.close();
  }

  /** Closes a file that another one has replaced, and removes it. Nobody may hold a view of it. */
  async remove(): Promise<void> {
    await this.close();
    await using disk = new FileDisk(this.#folder);
    for (const end of ["db", "db-wal", "db-shm", "whole"]) {
      await disk.remove(`state.${this.number}.${end}`).catch((error) => {
        if (!(error instanceof FileNotFoundError)) throw error;
      });
    }
  }

  async #syncFile(): Promise<void> {
    this.#file ??= await Deno.open(this.database.path, { write: true })
      .catch((cause) => this.#failed(cause));
    await this.#file.sync().catch((cause) => this.#failed(cause));
  }

  #failed(cause: unknown): never {
    throw new StoreFailedError(this.database.path, cause);
  }
}
