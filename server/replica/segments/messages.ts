/**
 * The messages of topics, as far as they are no rows of the state: for ports that read them, for the machine that appends them, and
 * for other servers that fetch them.
 *
 * @module
 */

import type { MessageChange, SegmentId } from "../../../cluster/machine/topics/segment.ts";
import type { SnapshotMeta } from "../../../cluster/raft/mod.ts";
import type { Logger } from "../../../cluster/runtime.ts";
import type { DamagedSegmentError } from "./errors.ts";
import { complete } from "./fetching/complete.ts";
import type { PieceNet } from "./fetching/fetch.ts";
import { Pieces } from "./fetching/pieces.ts";
import { Repair } from "./fetching/repair.ts";
import { type BatchPlace, RecentBatches } from "./recent.ts";
import type { SegmentFiles } from "./segment_files.ts";
import { segmentRowsIn, type StateOfMessages } from "./state.ts";
import type { SnapshotCompanion } from "../snapshots/snapshot_files.ts";
import { Waiting } from "./waiting.ts";

/** What messages are kept with. */
export interface MessagesParts {
  readonly files: SegmentFiles;
  readonly state: StateOfMessages;
  readonly net: PieceNet;
  readonly logger: Pick<Logger, "info" | "error">;
  /** What nobody waits for has failed for good. */
  readonly failed: (error: Error) => void;
}

/** The messages of a server. */
export class Messages implements SnapshotCompanion {
  readonly #parts: MessagesParts;
  readonly #waiting = new Waiting();
  readonly #recent = new RecentBatches();
  readonly #pieces: Pieces;
  readonly #repair: Repair;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();

  /** Those in `files`. */
  constructor(parts: MessagesParts) {
    const { files, state, net, logger } = parts;
    const applied = (): number => state.applied();
    this.#parts = parts;
    this.#pieces = new Pieces({ files, state, applied });
    this.#repair = new Repair({ files, state, net, applied, logger }, this.#closing.signal);
  }

  /** Whether so much waits for the disk that nothing may be applied before a {@linkcode Messages.flush}. */
  get mustWait(): boolean {
    return this.#parts.files.mustWait;
  }

  /** Writes what waits. Rejects with a `DiskFullError` when there is no room; it can be tried again then. */
  flush(): Promise<void> {
    return this.#parts.files.flush();
  }

  /** See {@linkcode SegmentFiles.read}. */
  read(
    segment: SegmentId,
    position: number,
    length: number,
    into?: Uint8Array,
  ): Promise<Uint8Array> {
    return this.#parts.files.read(segment, position, length, into);
  }

  /** See {@linkcode RecentBatches.find}. */
  find(topic: number, partition: number, offset: number): BatchPlace | undefined {
    return this.#recent.find(topic, partition, offset);
  }

  /**
   * Resolves once a partition has a message here with the offset `next`, when something of it is dropped, when this server ends, or
   * when the signal fires.
   */
  waitFor(topic: number, partition: number, next: number, signal: AbortSignal): Promise<void> {
    const isThere = this.#parts.state.nextOffset(topic, partition) > next;
    if (isThere || this.#closing.signal.aborted) return Promise.resolve();
    return this.#waiting.wait(topic, partition, signal);
  }

  /** Takes what entries have done, right after the state has changed. */
  take(changes: readonly MessageChange[]): void {
    this.#parts.files.take(changes);
    this.#recent.take(changes);
    this.#waiting.wake(changes);
  }

  /** Answers a request of another server for a piece of a segment. */
  answer(request: Uint8Array): Promise<Uint8Array> {
    return this.#pieces.answer(request);
  }

  /** As {@linkcode SnapshotCompanion.complete}; rejects when this server ends. */
  complete(
    dump: AsyncIterable<Uint8Array>,
    { index, configuration }: SnapshotMeta,
    signal: AbortSignal,
  ): Promise<void> {
    const after = { index, members: configuration.map(({ id }) => id) };
    const any = AbortSignal.any([signal, this.#closing.signal]);
    return this.#run(complete(this.#parts, segmentRowsIn(dump), after, any));
  }

  /** All rows of the state are others than before, or known for the first time. Rejects as `Disk` does. */
  async settle(mayRemove: () => boolean): Promise<void> {
    const { files, logger } = this.#parts;
    const found = await files.settle(mayRemove);
    if (found.length === 0) return;
    const [first] = found as [SegmentId];
    const others = found.length === 1 ? "" : `, and ${found.length - 1} others`;
    logger.error(
      `Segment '${
        files.pathOf(first)
      }'${others} has less than it should: it is had from other servers`,
    );
    this.#mend();
  }

  /** Something was found to be damaged. */
  damaged(error: DamagedSegmentError): void {
    this.#parts.logger.error(`${error.message}: it is not served, and had from other servers`);
    this.#mend();
  }

  /** Ends what is under way, and answers those who wait. The files stay open. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("The server ends"));
    this.#waiting.close();
    await Promise.allSettled(this.#running);
  }

  #mend(): void {
    if (this.#closing.signal.aborted) return;
    this.#run(this.#repair.begin()).catch(this.#parts.failed);
  }

  #run(work: Promise<void>): Promise<void> {
    const running = work.finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }
}
