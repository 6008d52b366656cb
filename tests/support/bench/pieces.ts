/**
 * Pieces of a server that a benchmark measures by themselves.
 *
 * @module
 */

import { LineWriter } from "../../../protocol/kv/mod.ts";
import { FileDisk } from "../../../server/files/disk.ts";
import { Outbox, type Sink } from "../../../server/net/outbox.ts";
import { WriterPool } from "../../../server/net/writer_pool.ts";
import { LogFiles } from "../../../server/replica/log/log_files.ts";
import { appended, entry } from "../replica/writes.ts";

/** A log on a real disk. */
export interface BenchLog extends AsyncDisposable {
  /** Hands over `count` entries of 128 bytes, one a write, and waits until the disk has all. */
  readonly together: (count: number) => Promise<void>;
  /** The same, but each waits for the one before. */
  readonly oneByOne: (count: number) => Promise<void>;
}

/** Opens an empty log in a folder that is there. */
export async function openBenchLog(folder: string): Promise<BenchLog> {
  await using stack = new AsyncDisposableStack();
  const disk = stack.use(new FileDisk(folder));
  const { log } = await LogFiles.open(disk, "log");
  stack.use(log);
  let last = 0;
  const write = (): Promise<void> => log.write(appended(entry(++last, 1, 128)));
  const owned = stack.move();
  return {
    together: async (count) => {
      await Promise.all(Array.from({ length: count }, write));
    },
    oneByOne: async (count) => {
      for (let i = 0; i < count; i++) await write();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What leaves a connection of the key-value port, which nothing but the connection limits. */
export function openOutbox(sink: Sink): Outbox<LineWriter> {
  const limits = { backlogBytes: Infinity, waitingRecords: Infinity, waitingBytes: Infinity };
  return new Outbox(sink, new WriterPool(() => new LineWriter()), limits, (fault) => {
    throw fault ?? new Error("The connection is gone");
  });
}
