/**
 * Has segments whole again of which something is damaged or missing, in the background, one at a time.
 *
 * @module
 */

import type { SegmentRow } from "../../../../cluster/machine/topics/segment.ts";
import { DiskFullError, type Logger } from "../../../../cluster/runtime.ts";
import { DamagedSegmentError, SegmentAbsentError, SegmentGoneError } from "../errors.ts";
import type { SegmentFiles, SegmentState } from "../segment_files.ts";
import { fetchBatches, type PieceNet } from "./fetch.ts";

/** Pause before the next try, in milliseconds; it doubles from the first to the longest. */
const PAUSE_MS = { first: 1_000, longest: 60_000 } as const;

/** What it is done with. */
export interface RepairParts {
  readonly files: SegmentFiles;
  readonly state: Pick<SegmentState, "row">;
  readonly net: PieceNet;
  /** The entry that was applied last. */
  readonly applied: () => number;
  readonly logger: Pick<Logger, "info">;
}

/** The repairing of one server. */
export class Repair {
  readonly #parts: RepairParts;
  readonly #signal: AbortSignal;
  #running: Promise<void> | undefined;
  #pauseMs: number = PAUSE_MS.first;
  #wake = new AbortController();

  /** Nothing is known to be damaged. It ends with the signal. */
  constructor(parts: RepairParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  /** Something is damaged, by the files. Resolves when nothing is any more, or it is over; rejects as `Disk` does. */
  begin(): Promise<void> {
    this.#pauseMs = PAUSE_MS.first;
    this.#wake.abort();
    return this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    try {
      for (let rows = this.#damaged(); rows.length > 0; rows = this.#damaged()) {
        let isAnyWhole = false;
        for (const row of rows) isAnyWhole = await this.#mend(row) || isAnyWhole;
        if (isAnyWhole) this.#pauseMs = PAUSE_MS.first;
        else await this.#pause();
      }
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    }
  }

  /** Waits longer each time, or until something else is damaged. */
  async #pause(): Promise<void> {
    const ms = this.#pauseMs;
    this.#pauseMs = Math.min(2 * ms, PAUSE_MS.longest);
    this.#wake = new AbortController();
    const signal = AbortSignal.any([this.#signal, this.#wake.signal]);
    try {
      await this.#parts.net.pause(ms, signal);
    } catch (error) {
      if (this.#signal.aborted || !signal.aborted) throw error;
    }
  }

  /** What the state has no more, or not yet, need not be whole. */
  #damaged(): SegmentRow[] {
    const { files, state } = this.#parts;
    const rows = files.damaged().map((segment) => state.row(segment));
    return rows.filter((row) => row !== undefined)
      .filter(({ segment, bytes }) => files.have(segment) < bytes);
  }

  async #mend({ segment, bytes: to }: SegmentRow): Promise<boolean> {
    const { files, net, applied, logger } = this.#parts;
    const wanted = { segment, from: 0, to, index: applied() };
    try {
      await files.replace(segment, to, fetchBatches(net, wanted, this.#signal, true));
    } catch (error) {
      const isForLater = error instanceof DiskFullError || error instanceof SegmentAbsentError ||
        error instanceof SegmentGoneError || error instanceof DamagedSegmentError;
      if (!isForLater) throw error;
      return false;
    }
    logger.info(`Segment '${files.pathOf(segment)}' is whole again`);
    return true;
  }
}
