/**
 * A disk whose syncs are put off, for those who can do without: data that need not outlive a crash of the machine.
 *
 * @module
 */

import type { Disk, DiskEntry } from "../../cluster/runtime.ts";

/** A disk that says at once that a file is synced, and does so every now and then, or never. */
export class LazyDisk implements Disk, AsyncDisposable {
  readonly #disk: Disk;
  readonly #due = new Set<string>();
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #syncing: Promise<unknown> = Promise.resolve();
  /** Whether the owner knows that a sync has failed. */
  #isFailed = false;

  /** Syncs what is due every `everyMs` milliseconds; never without. Nobody knows what is on the disk once that has `failed`. */
  constructor(disk: Disk, failed: (error: Error) => void, everyMs?: number) {
    this.#disk = disk;
    if (everyMs === undefined) return;
    this.#timer = setInterval(() => {
      this.flush().catch((error) => {
        // All that were under way fail with it.
        if (this.#isFailed) return;
        clearInterval(this.#timer);
        this.#isFailed = true;
        failed(error);
      });
    }, everyMs);
  }

  /** See {@linkcode Disk.append}. */
  append(path: string, bytes: Uint8Array): Promise<void> {
    return this.#disk.append(path, bytes);
  }

  /** See {@linkcode Disk.write}. */
  write(path: string, position: number, bytes: Uint8Array): Promise<void> {
    return this.#disk.write(path, position, bytes);
  }

  /** Notes that it is due. Nothing ever is without a clock. */
  sync(path: string): Promise<void> {
    if (this.#timer !== undefined) this.#due.add(path);
    return Promise.resolve();
  }

  /** See {@linkcode Disk.read}. */
  read(path: string, position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.#disk.read(path, position, length, into);
  }

  /** See {@linkcode Disk.truncate}. */
  truncate(path: string, length: number): Promise<void> {
    return this.#disk.truncate(path, length);
  }

  /** See {@linkcode Disk.rename}. What is due is synced before: a file that has its name follows what lasts, and is whole. */
  async rename(from: string, to: string): Promise<void> {
    await this.flush();
    await this.#disk.rename(from, to);
  }

  /** See {@linkcode Disk.list}. */
  list(folder: string): Promise<DiskEntry[]> {
    return this.#disk.list(folder);
  }

  /** See {@linkcode Disk.remove}. */
  remove(path: string): Promise<void> {
    this.#due.delete(path);
    return this.#disk.remove(path);
  }

  /** Syncs what is due, and waits for those syncs that are under way. Rejects as the disk does, also when an earlier one has. */
  async flush(): Promise<void> {
    const syncs = [...this.#due].map((path) => this.#disk.sync(path));
    this.#due.clear();
    this.#syncing = Promise.all([this.#syncing, ...syncs]);
    await this.#syncing;
  }

  /** Syncs what is due, unless that has failed before. The disk below stays open. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (!this.#isFailed) await this.flush();
  }

  /** Same as {@linkcode LazyDisk.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
