/**
 * Reads rows through one connection to SQLite, and believes none without its checksum.
 *
 * @module
 */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { Row } from "../../../cluster/machine/mod.ts";
import { DamagedStoreError, onFile } from "./errors.ts";

/** A row as SQLite gives it. */
interface FileRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly sum: number;
}

/** The checksum of a row: CRC-32 of its key and then its value. */
export function checksumOf(key: Uint8Array, value: Uint8Array): number {
  return crc32(value, crc32(key));
}

/** The rows that a connection sees. */
export class RowReader {
  readonly #path: string;
  readonly #one: StatementSync;
  readonly #up: StatementSync;
  readonly #upTo: StatementSync;
  readonly #down: StatementSync;
  readonly #downFrom: StatementSync;

  /** Rows of the file `path` through `connection`. */
  constructor(connection: DatabaseSync, path: string) {
    const prepare = (sql: string) => connection.prepare(sql);
    const select = "SELECT key, value, sum FROM rows WHERE key >= ?";
    this.#path = path;
    this.#one = prepare("SELECT value, sum FROM rows WHERE key = ?");
    this.#up = prepare(`${select} ORDER BY key LIMIT ?`);
    this.#upTo = prepare(`${select} AND key < ? ORDER BY key LIMIT ?`);
    this.#down = prepare(`${select} ORDER BY key DESC LIMIT ?`);
    this.#downFrom = prepare(`${select} AND key < ? ORDER BY key DESC LIMIT ?`);
  }

  /** As `StoreReader.get`. Throws a {@linkcode DamagedStoreError} for a row that is not what was written. */
  get(key: Uint8Array): Uint8Array | undefined {
    const found = onFile(this.#path, () => this.#one.get(key)) as unknown as FileRow | undefined;
    return found === undefined ? undefined : this.#checked({ ...found, key }).value;
  }

  /** As `StoreReader.range`. Throws as {@linkcode RowReader.get} does. */
  range(from: Uint8Array, to: Uint8Array | undefined, limit: number, reverse = false): Row[] {
    const most = Math.min(limit, Number.MAX_SAFE_INTEGER);
    const found = onFile(this.#path, () => {
      if (to === undefined) return (reverse ? this.#down : this.#up).all(from, most);
      return (reverse ? this.#downFrom : this.#upTo).all(from, to, most);
    });
    return (found as unknown as FileRow[]).map((row) => this.#checked(row));
  }

  #checked({ key, value, sum }: FileRow): Row {
    const whole = key instanceof Uint8Array && value instanceof Uint8Array;
    if (!whole || checksumOf(key, value) !== sum) {
      throw new DamagedStoreError(this.#path, "wrong checksum of a row");
    }
    return { key, value };
  }
}
