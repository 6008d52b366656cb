/**
 * What makes a file of SQLite one that holds rows of the machine: its tables and its marks. Each row has a checksum, for SQLite
 * keeps none.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { DamagedStoreError, onFile, StoreFailedError, StoreFormatError } from "./errors.ts";
import { checksumOf } from "./row_reader.ts";

/** Marks a file of SQLite as one of ours: "skst". */
const APPLICATION_ID = 0x736b7374;

/** Version of what is in the file. */
const FORMAT = 1;

/** What a file of SQLite begins with (https://sqlite.org/fileformat.html). */
const HEADER = new TextEncoder().encode("SQLite format 3\0");

/** How a file in WAL mode has to be written and read: two bytes of its header. */
const WAL_VERSION = 2;

/** Most memory for pages of a connection that walks over rows once, or only fills a file, in KiB. */
export const SMALL_CACHE_KIB = 2 * 1024;

const SCHEMA = [
  "CREATE TABLE rows (key BLOB PRIMARY KEY, value BLOB NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE redo (seq INTEGER PRIMARY KEY, last INTEGER NOT NULL, changes BLOB NOT NULL)",
  `PRAGMA application_id = ${APPLICATION_ID}`,
  `PRAGMA user_version = ${FORMAT}`,
];

/** A file that is filled before anybody uses it. */
export interface FreshFile {
  /** Adds a row. Keys come in ascending order. */
  put(key: Uint8Array, value: Uint8Array): void;
  /** Finishes the file and lets go of it; it is not synced. */
  finish(): void;
  /** Lets go of the file. */
  abort(): void;
}

/** Makes a file without rows. There must be none of that path. Throws as `Database.write` does. */
export function createFile(path: string): FreshFile {
  return onFile(path, () => {
    const connection = new DatabaseSync(path);
    try {
      // A file that is not whole is never used: it needs no journal.
      const settings = [
        "PRAGMA journal_mode = OFF",
        "PRAGMA synchronous = OFF",
        `PRAGMA cache_size = -${SMALL_CACHE_KIB}`,
      ];
      runAll(connection, [...settings, ...SCHEMA, "BEGIN"]);
    } catch (error) {
      connection.close();
      throw error;
    }
    const insert = connection.prepare("INSERT INTO rows VALUES (?, ?, ?)");
    const commit = connection.prepare("COMMIT");
    return {
      put: (key, value) => {
        onFile(path, () => insert.run(key, value, checksumOf(key, value)));
      },
      finish() {
        onFile(path, () => {
          commit.run();
          runAll(connection, ["PRAGMA journal_mode = WAL"]);
          connection.close();
        });
      },
      abort() {
        if (connection.isOpen) connection.close();
      },
    };
  });
}

/** Runs statements one by one: errors of several at once have no code. */
export function runAll(connection: DatabaseSync, statements: readonly string[]): void {
  for (const sql of statements) connection.prepare(sql).all();
}

/** SQLite takes an empty file for a new database, and one of a later version for one that is only to be read. */
export function checkHeader(path: string): void {
  const found = new Uint8Array(HEADER.length + 4);
  try {
    using file = Deno.openSync(path);
    file.readSync(found);
  } catch (cause) {
    throw new StoreFailedError(path, cause);
  }
  if (HEADER.some((byte, i) => byte !== found[i])) {
    throw new DamagedStoreError(path, "it does not begin like a file of SQLite");
  }
  const versions = found.subarray(HEADER.length + 2);
  // Rows are only safe where the journal is what `write` counts on.
  if (versions.some((version) => version !== WAL_VERSION)) {
    throw new StoreFormatError(path, `journal versions ${versions}, wanted ${WAL_VERSION}`);
  }
}

export function checkFormat(path: string, connection: DatabaseSync): void {
  const read = (pragma: string) =>
    Object.values(connection.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
  const id = read("application_id");
  if (id !== APPLICATION_ID) {
    throw new StoreFormatError(path, `a database with application id ${id}`);
  }
  const format = read("user_version");
  if (format !== FORMAT) throw new StoreFormatError(path, `format ${format}, wanted ${FORMAT}`);
}
