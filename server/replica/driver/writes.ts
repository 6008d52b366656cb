/**
 * Writes of the log and of votes, in order, over a disk that may be full for a while.
 *
 * To the core a full disk is a slow one: what was asked for is not reported as written before there is room for it, and it is
 * never forgotten. Any other failure is the end: after it nobody knows what is on the disk.
 *
 * @module
 */

import type { SnapshotMeta } from "../../../cluster/raft/mod.ts";
import type { LogWrite, VoteWrite } from "../../../cluster/raft/state/effects.ts";
import { type Clock, DiskFullError, type Timer } from "../../../cluster/runtime.ts";
import type { LogStore, VoteStore } from "./parts.ts";

/** Pause before a full disk is tried again. */
const RETRY_MS = 500;

/** What the writes are done with, and who hears of them. */
export interface WriteParts {
  readonly clock: Clock;
  readonly log: LogStore;
  readonly votes: VoteStore;
  /** Puts a received snapshot in the place of the machine's state, before the log begins after it. */
  readonly install: (snapshot: SnapshotMeta) => Promise<void>;
  readonly logWritten: (seq: number) => void;
  readonly voteWritten: (seq: number) => void;
  /** A write has found no room, which is told again with each try; or what found none is written. */
  readonly full: (isFull: boolean) => void;
  /** It cannot go on. */
  readonly failed: (error: Error) => void;
}

/** The writes of one server. */
export class Writes {
  readonly #parts: WriteParts;
  /** Those that are not on the disk, in order. */
  #log: LogWrite[] = [];
  /** How many of them the log has been given. */
  #given = 0;
  #installing = false;
  #vote: VoteWrite | undefined;
  #closed = false;
  /** The next tries of a full disk. */
  readonly #retries: { log?: Timer; vote?: Timer } = {};
  /** Whether nothing is given to them before the next try ... */
  readonly #waits = { log: false, vote: false };
  /** ... and whether there was no room when something was written last. */
  readonly #full = { log: false, vote: false };

  /** Nothing is to be written yet. */
  constructor(parts: WriteParts) {
    this.#parts = parts;
  }

  /** Whether a write of the log is under way. */
  get isWriting(): boolean {
    return this.#log.length > 0;
  }

  /** Has the log changed, after all earlier changes. */
  write(write: LogWrite): void {
    this.#log.push(write);
    this.#give();
  }

  /** Has term and vote written. */
  writeVote(write: VoteWrite): void {
    this.#vote = write;
    if (!this.#waits.vote) this.#giveVote(write);
  }

  /** Reports nothing any more. */
  close(): void {
    this.#closed = true;
    this.#retries.log?.cancel();
    this.#retries.vote?.cancel();
  }

  #give(): void {
    while (!this.#waits.log && !this.#installing && this.#given < this.#log.length) {
      const write = this.#log[this.#given] as LogWrite;
      if (write.reset !== undefined && !this.#isOvertaken()) {
        // What is written before it must not come after it.
        if (this.#given > 0) return;
        return this.#install(write, write.reset.snapshot);
      }
      this.#giveOne(write);
    }
  }

  /**
   * Whether a newer snapshot waits to take effect: then the next one need not, and may be gone already. The newer one is on the
   * disk, so that a start finds it.
   */
  #isOvertaken(): boolean {
    return this.#log.slice(this.#given + 1).some(({ reset }) => reset !== undefined);
  }

  #giveOne(write: LogWrite): void {
    this.#given++;
    const { log } = this.#parts;
    log.write(write).then(() => this.#written(write), (error) => this.#logFailed(error));
  }

  #install(write: LogWrite, snapshot: SnapshotMeta): void {
    this.#installing = true;
    const installed = (): void => {
      this.#installing = false;
      if (!this.#closed) this.#giveOne(write);
    };
    this.#parts.install(snapshot).then(installed, (error) => {
      this.#installing = false;
      this.#logFailed(error);
    });
  }

  #written(write: LogWrite): void {
    if (this.#closed) return;
    if (this.#log.shift() !== write) {
      throw new RangeError(`Write ${write.seq} is not the oldest one`);
    }
    this.#given--;
    this.#setFull("log", false);
    this.#parts.logWritten(write.seq);
    this.#give();
  }

  #logFailed(error: Error): void {
    if (this.#closed) return;
    if (this.#given > 0) this.#given--;
    if (!(error instanceof DiskFullError)) return this.#fail(error);
    // All that the log was given fails with the first one.
    this.#waits.log = true;
    if (this.#given > 0) return;
    this.#retryLog();
    this.#setFull("log", true);
  }

  #retryLog(): void {
    this.#retries.log = this.#parts.clock.setTimer(RETRY_MS, () => {
      try {
        this.#parts.log.recover();
      } catch (error) {
        return this.#fail(error as Error);
      }
      this.#waits.log = false;
      this.#give();
    });
  }

  #giveVote(write: VoteWrite): void {
    this.#parts.votes.write(write).then(() => {
      if (this.#closed) return;
      this.#setFull("vote", false);
      this.#parts.voteWritten(write.seq);
    }, (error) => {
      if (this.#closed || this.#waits.vote) return;
      if (!(error instanceof DiskFullError)) return this.#fail(error);
      this.#waits.vote = true;
      this.#retries.vote = this.#parts.clock.setTimer(RETRY_MS, () => {
        this.#waits.vote = false;
        this.#giveVote(this.#vote as VoteWrite);
      });
      this.#setFull("vote", true);
    });
  }

  #setFull(file: "log" | "vote", isFull: boolean): void {
    const before = this.#full.log || this.#full.vote;
    this.#full[file] = isFull;
    const after = this.#full.log || this.#full.vote;
    if (before || after) this.#parts.full(after);
  }

  #fail(error: Error): void {
    this.close();
    this.#parts.failed(error);
  }
}
