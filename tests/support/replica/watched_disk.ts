/**
 * A disk between a test and another disk: it tells what is called, and fails when it is told to.
 *
 * @module
 */

import type { Disk, DiskEntry } from "../../../cluster/runtime.ts";

/** The calls of a disk. */
export type DiskCall = keyof Disk;

/** A disk that is watched. */
export class WatchedDisk implements Disk {
  /** What was called since the test has emptied it: `append raft/vote`. */
  calls: string[] = [];
  /** The error that a call is to reject with, before it does anything. */
  failure: (call: DiskCall, path: string) => Error | undefined = () => undefined;
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** How often something was called. */
  count(call: DiskCall): number {
    return this.calls.filter((it) => it.startsWith(`${call} `)).length;
  }

  append(path: string, bytes: Uint8Array): Promise<void> {
    return this.#call("append", path, () => this.#disk.append(path, bytes));
  }

  write(path: string, position: number, bytes: Uint8Array): Promise<void> {
    return this.#call("write", path, () => this.#disk.write(path, position, bytes));
  }

  sync(path: string): Promise<void> {
    return this.#call("sync", path, () => this.#disk.sync(path));
  }

  read(path: string, position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.#call("read", path, () => this.#disk.read(path, position, length, into));
  }

  truncate(path: string, length: number): Promise<void> {
    return this.#call("truncate", path, () => this.#disk.truncate(path, length));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call("rename", from, () => this.#disk.rename(from, to));
  }

  list(folder: string): Promise<DiskEntry[]> {
    return this.#call("list", folder, () => this.#disk.list(folder));
  }

  remove(path: string): Promise<void> {
    return this.#call("remove", path, () => this.#disk.remove(path));
  }

  #call<T>(call: DiskCall, path: string, work: () => Promise<T>): Promise<T> {
    this.calls.push(`${call} ${path}`);
    const error = this.failure(call, path);
    return error === undefined ? work() : Promise.reject(error);
  }
}
