/**
 * What became of messages that were sent.
 *
 * @module
 */

import { OutcomeUnknownError, type TopicPosition } from "../../../client/mod.ts";

/** Counts how messages end. */
export class Tally {
  /** Messages that are where they were sent. */
  acknowledged = 0;
  /** Those of them that were not appended, since others had their ids. */
  duplicates = 0;
  /** Messages that may be there or not. */
  unknown = 0;
  /** Messages that were sent. */
  sent = 0;
  /** Why the first one failed that did. */
  failure: { readonly error: unknown } | undefined;
  readonly #failed = new AbortController();
  /** Number of the first message that failed, from 1 on, whichever failed first. */
  #first = Infinity;

  /** Fires when the first message fails. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Counts a message, once it is known how it ends. */
  count(sending: Promise<TopicPosition>): void {
    const number = ++this.sent;
    sending.then(({ duplicate = false }) => {
      this.acknowledged++;
      if (duplicate) this.duplicates++;
    }, (error) => {
      this.#first = Math.min(this.#first, number);
      if (error instanceof OutcomeUnknownError) this.unknown++;
      if (this.failure !== undefined) return;
      this.failure = { error };
      this.#failed.abort();
    });
  }

  /** The figures in words. */
  get text(): string {
    const { acknowledged, unknown, sent } = this;
    const open = unknown === 0 ? "" : `, of ${unknown} it is not known whether they are there`;
    const isPartial = acknowledged > 0 && this.#first < Infinity;
    const first = isPartial ? `; line ${this.#first} is the first that is not` : "";
    return `${acknowledged} of ${sent} messages are acknowledged${open}${first}`;
  }
}
