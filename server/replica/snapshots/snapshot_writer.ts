/**
 * Writes a snapshot under another name, and gives it its own when it is whole.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { SnapshotMeta } from "../../../cluster/raft/mod.ts";
import { type Disk, folderOf } from "../../../cluster/runtime.ts";
import { removeIfThere } from "../../files/remove.ts";
import { encodeTrailer, PieceSums, type Trailer } from "./trailer.ts";

/** A snapshot that is being written. Who gives it up, or gets an error, calls {@linkcode SnapshotWriter.discard}. */
export class SnapshotWriter {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #sums = new PieceSums();
  readonly #hash = createHash("sha256");

  /** Writes to the file `path`, of which there must be none. */
  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  /** Bytes of the dump so far. */
  get size(): number {
    return this.#sums.size;
  }

  /** Adds bytes, which must not change meanwhile. Rejects as `Disk` does. */
  async append(bytes: Uint8Array): Promise<void> {
    this.#sums.push(bytes);
    this.#hash.update(bytes);
    await this.#disk.append(this.#path, bytes);
  }

  /** SHA-256 of all that was added, in hex; then nothing more may be. */
  digest(): string {
    return this.#hash.digest("hex");
  }

  /** Puts the snapshot on the disk as the file `path` in the same folder. Rejects as `Disk` does. */
  async finish(meta: SnapshotMeta, path: string): Promise<Trailer> {
    const trailer = { meta, sums: this.#sums.encode() };
    await this.#disk.append(this.#path, encodeTrailer(trailer));
    await this.#disk.sync(this.#path);
    await this.#disk.rename(this.#path, path);
    await this.#disk.sync(folderOf(path));
    return trailer;
  }

  /** Removes what there is of it. Rejects as `Disk` does. */
  discard(): Promise<void> {
    return removeIfThere(this.#disk, this.#path);
  }
}
