/**
 * One file of SQLite that holds rows, through the connection that writes it.
 *
 * The file is in WAL mode. Commits are not synced, so a crash of the machine may take the last ones, in the order in which they
 * came. Moving the log's pages into the file is a matter of its own: see {@linkcode Database.checkpoint}.
 *
 * @module
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Row, StoreReader } from "../../../cluster/machine/mod.ts";
import { DamagedStoreError, onFile, storeError } from "./errors.ts";
import { DELETED } from "./layer.ts";
import { decodeChunk } from "./redo.ts";
import { checkFormat, checkHeader, runAll, SMALL_CACHE_KIB } from "./file_format.ts";
import { checksumOf, RowReader } from "./row_reader.ts";

/** Most memory for pages that were read, in KiB. It is taken as pages come. */
const CACHE_KIB = 64 * 1024;

/** A WAL that grew while a view was open does not stay longer than this, in bytes. */
const WAL_BYTES = 16 * 1024 * 1024;

/** Rows as they were when it was made. */
export interface PinnedRows extends Pick<StoreReader, "get" | "range"> {
  /** Gives them up. */
  close(): void;
}

/** An open file. */
export class Database {
  /** Where it is. */
  readonly path: string;
  readonly #connection: DatabaseSync;
  /** Its checkpoints do not sync: who asks for one does that, without blocking. */
  readonly #checkpointer: DatabaseSync;
  readonly #rows: RowReader;
  readonly #statements: Readonly<Record<StatementName, StatementSync>>;
  readonly #checkpoint: StatementSync;
  readonly #truncate: StatementSync;
  readonly #look: StatementSync;

  /**
   * Opens a file that is there.
   *
   * @throws {DamagedStoreError} when SQLite cannot make sense of it
   * @throws {StoreFormatError} when it is none of this version
   * @throws {StoreFailedError} when the system does not let it be opened
   */
  constructor(path: string) {
    this.path = path;
    const opened: DatabaseSync[] = [];
    try {
      checkHeader(path);
      const open = (...settings: string[]) => {
        const connection = new DatabaseSync(path);
        opened.push(connection);
        // The first look at the file; what is wrong with it has a code here, but not where tables are looked up.
        runAll(connection, ["PRAGMA schema_version", "PRAGMA wal_autocheckpoint = 0", ...settings]);
        return connection;
      };
      this.#connection = open(
        "PRAGMA synchronous = NORMAL",
        `PRAGMA cache_size = -${CACHE_KIB}`,
        `PRAGMA journal_size_limit = ${WAL_BYTES}`,
        "PRAGMA cell_size_check = ON",
      );
      this.#checkpointer = open("PRAGMA synchronous = OFF", "PRAGMA cache_size = -64");
      checkFormat(path, this.#connection);
      this.#rows = new RowReader(this.#connection, path);
      this.#statements = prepared(this.#connection);
      const checkpoint = (mode: string) =>
        this.#checkpointer.prepare(`PRAGMA wal_checkpoint(${mode})`);
      this.#look = checkpoint("NOOP");
      this.#checkpoint = checkpoint("PASSIVE");
      this.#truncate = checkpoint("TRUNCATE");
    } catch (cause) {
      for (const connection of opened) connection.close();
      const isWithoutCode = cause instanceof Error && "code" in cause && !("errcode" in cause);
      if (opened.length === 0 || !isWithoutCode) throw storeError(path, cause);
      throw new DamagedStoreError(path, "SQLite cannot make sense of it", cause);
    }
  }

  /** As `StoreReader.get`. */
  get(key: Uint8Array): Uint8Array | undefined {
    return this.#rows.get(key);
  }

  /** As `StoreReader.range`. */
  range(from: Uint8Array, to: Uint8Array | undefined, limit: number, reverse?: boolean): Row[] {
    return this.#rows.range(from, to, limit, reverse);
  }

  /**
   * Makes changes as one transaction.
   *
   * @throws {DiskFullError} when there is no room for them: nothing has changed
   * @throws {DamagedStoreError} when SQLite finds the file damaged
   * @throws {StoreFailedError} when the system cannot read or write
   */
  write(changes: Iterable<Row>): void {
    const { put, remove } = this.#statements;
    this.#transaction(() => {
      for (const { key, value } of changes) {
        if (value === DELETED) remove.run(key);
        else put.run(key, value, checksumOf(key, value));
      }
    });
  }

  /** Notes a chunk of changes that are to be made; all of them are noted with the last one. Throws as `write` does. */
  note(seq: number, isLast: boolean, chunk: Uint8Array): void {
    this.#transaction(() => this.#statements.note.run(seq, isLast ? 1 : 0, chunk));
  }

  /** Forgets the notes, from the last chunk on, one each time; `false` when there is none left. Throws as `write` does. */
  forgetNote(): boolean {
    let changes: number | bigint = 0;
    this.#transaction(() => ({ changes } = this.#statements.forget.run()));
    return Number(changes) > 0;
  }

  /** How many chunks are noted, if all of them are; else 0. */
  notes(): number {
    const found = onFile(this.path, () => this.#statements.notes.get());
    const { chunks, last } = found as { chunks: number; last: number | null };
    return last === chunks - 1 ? chunks : 0;
  }

  /**
   * The changes in a chunk that is noted.
   *
   * @throws {DamagedStoreError} when they are not what was noted
   */
  noted(seq: number): Row[] {
    const found = onFile(this.path, () => this.#statements.noted.get(seq));
    const { changes } = (found ?? {}) as { changes?: unknown };
    const decoded = changes instanceof Uint8Array ? decodeChunk(changes) : undefined;
    if (decoded !== undefined) return decoded;
    throw new DamagedStoreError(this.path, "wrong checksum of changes to be made");
  }

  /** The rows as they are now, whatever is written later. */
  pin(): PinnedRows {
    return onFile(this.path, () => {
      const connection = new DatabaseSync(this.path);
      try {
        runAll(connection, [
          "PRAGMA wal_autocheckpoint = 0",
          "PRAGMA query_only = ON",
          `PRAGMA cache_size = -${SMALL_CACHE_KIB}`,
          "BEGIN",
        ]);
        const rows = new RowReader(connection, this.path);
        // Only a read makes the transaction see this moment.
        rows.range(new Uint8Array(), undefined, 1);
        return {
          get: (key) => rows.get(key),
          range: (from, to, limit, reverse) => rows.range(from, to, limit, reverse),
          close: () => connection.close(),
        };
      } catch (error) {
        connection.close();
        throw error;
      }
    });
  }

  /** Pages in the WAL that are not in the file. */
  waitingPages(): number {
    const { log, checkpointed } = this.#run(this.#look);
    return log - checkpointed;
  }

  /**
   * Moves pages from the WAL into the file, but for those that came after the oldest view. The WAL must be synced before.
   * Nothing may be written until the file is synced.
   */
  checkpoint(): void {
    this.#run(this.#checkpoint);
  }

  /** Empties a WAL whose pages are all in the file, and synced there; one that a view needs stays. */
  truncateWal(): void {
    const { log, checkpointed } = this.#run(this.#look);
    if (log > 0 && log === checkpointed) this.#run(this.#truncate);
  }

  /** Closes both connections. */
  close(): void {
    onFile(this.path, () => {
      this.#checkpointer.close();
      this.#connection.close();
    });
  }

  #transaction(work: () => void): void {
    const { begin, commit, rollback } = this.#statements;
    onFile(this.path, () => {
      begin.run();
      try {
        work();
        commit.run();
      } catch (error) {
        // After some failures SQLite has rolled back by itself.
        if (this.#connection.isTransaction) rollback.run();
        throw error;
      }
    });
  }

  #run(checkpoint: StatementSync): { log: number; checkpointed: number } {
    const result = onFile(this.path, () => checkpoint.get());
    return result as { log: number; checkpointed: number };
  }
}

/** The names of what is done to a file besides reading rows. */
type StatementName = keyof typeof STATEMENTS;

const STATEMENTS = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  put: `INSERT INTO rows VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, sum = excluded.sum`,
  remove: "DELETE FROM rows WHERE key = ?",
  note: "INSERT INTO redo VALUES (?, ?, ?)",
  notes: `SELECT (SELECT count(*) FROM redo) AS chunks,
    (SELECT seq FROM redo WHERE last = 1) AS last`,
  noted: "SELECT changes FROM redo WHERE seq = ?",
  forget: "DELETE FROM redo WHERE seq = (SELECT max(seq) FROM redo)",
} as const;

function prepared(connection: DatabaseSync): Record<StatementName, StatementSync> {
  const statements: Partial<Record<StatementName, StatementSync>> = {};
  for (const [name, sql] of Object.entries(STATEMENTS)) {
    statements[name as StatementName] = connection.prepare(sql);
  }
  return statements as Record<StatementName, StatementSync>;
}
