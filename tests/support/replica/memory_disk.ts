/**
 * A disk that is a map, for tests that put something else into its files.
 *
 * @module
 */

import { type Disk, type DiskEntry, FileNotFoundError } from "../../../cluster/runtime.ts";
import { concatBytes, putInto } from "../../../protocol/bytes.ts";

/** Files by their paths. Folders are there when something is in them, and `""` always. */
export class MemoryDisk implements Disk {
  readonly files: Map<string, Uint8Array>;

  constructor(files: Iterable<readonly [string, Uint8Array]> = []) {
    this.files = new Map(files);
  }

  async append(path: string, bytes: Uint8Array): Promise<void> {
    const before = this.files.get(path) ?? new Uint8Array(0);
    this.files.set(path, concatBytes([before, bytes.slice()]));
    await null;
  }

  async write(path: string, position: number, bytes: Uint8Array): Promise<void> {
    const before = this.#file(path);
    if (position > before.length) throw new RangeError(`Position ${position} is beyond '${path}'`);
    const after = new Uint8Array(Math.max(before.length, position + bytes.length));
    after.set(before);
    after.set(bytes, position);
    this.files.set(path, after);
    await null;
  }

  async sync(): Promise<void> {}

  async read(
    path: string,
    position: number,
    length: number,
    into?: Uint8Array,
  ): Promise<Uint8Array> {
    return await putInto(this.#file(path).slice(position, position + length), into);
  }

  async truncate(path: string, length: number): Promise<void> {
    await this.files.set(path, this.#file(path).slice(0, length));
  }

  async rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.#file(from));
    await this.files.delete(from);
  }

  async list(folder: string): Promise<DiskEntry[]> {
    const above = folder === "" ? "" : `${folder}/`;
    const found = new Map<string, DiskEntry>();
    for (const [path, { length }] of this.files) {
      if (!path.startsWith(above)) continue;
      const [name = "", ...below] = path.slice(above.length).split("/");
      const isFile = below.length === 0;
      found.set(
        name,
        isFile ? { name, kind: "file", bytes: length } : { name, kind: "folder", bytes: 0 },
      );
    }
    if (found.size === 0 && folder !== "") throw new FileNotFoundError(folder);
    return await [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  }

  async remove(path: string): Promise<void> {
    this.#file(path);
    await this.files.delete(path);
  }

  #file(path: string): Uint8Array {
    const file = this.files.get(path);
    if (file === undefined) throw new FileNotFoundError(path);
    return file;
  }
}
