/**
 * Records that slow peers have lost: counted for each peer and in all, told while it goes on and when it is over.
 *
 * @module
 */

import type { Peer } from "./conversation.ts";
import type { ByteWriter } from "./writer_pool.ts";

/** How many records of one kind a peer has lost. */
export interface LossCount {
  /** In all. */
  total: number;
  /** How many of them were told in sum. */
  told: number;
}

/** What is told of losses of one kind of record, about a peer by its name. */
export interface LossReport<Cause> {
  /** Another record was lost: called for each, so that it must be told only now and then. */
  readonly dropping: (name: string, cause: Cause) => void;
  /** The peer has read everything that waits, or is gone; it has lost so many records since the last sum. */
  readonly dropped: (name: string, lost: number) => void;
  /** Gets what `dropped` throws. */
  readonly onUnexpected: (error: unknown) => void;
}

/** Counts the losses of one kind of record. */
export class Losses<Cause> {
  readonly #report: LossReport<Cause>;
  /** Records that were dropped because a peer was slow. */
  total = 0;

  /** Nothing is lost yet. */
  constructor(report: LossReport<Cause>) {
    this.#report = report;
  }

  /** Counts one record. */
  count(
    { name, outbox }: Pick<Peer<ByteWriter>, "name" | "outbox">,
    loss: LossCount,
    cause: Cause,
  ): void {
    this.total++;
    if (loss.total++ === loss.told) {
      outbox.drained(0).then(() => this.#sum(name, loss)).catch(this.#report.onUnexpected);
    }
    this.#report.dropping(name, cause);
  }

  #sum(name: string, loss: LossCount): void {
    const lost = loss.total - loss.told;
    loss.told = loss.total;
    this.#report.dropped(name, lost);
  }
}
