/**
 * How much memory all streams together may take for what peers send.
 *
 * @module
 */

import { StreamError } from "./stream_body.ts";

/**
 * Bytes for all streams of one node: three of the largest messages at once. One stream is bounded by its own limits,
 * many at once only by this.
 */
export const RECEIVE_BUDGET_BYTES = 128 * 1024 * 1024;

/** What one stream has of the budget. */
export interface BudgetShare {
  /** Bytes that nobody holds. */
  readonly left: number;
  /** Takes `bytes` more. Throws {@linkcode StreamError} `too-large` when other streams hold them. */
  take(bytes: number): void;
  /** Gives everything back. */
  release(): void;
}

/** The memory that streams share. */
export class ReceiveBudget {
  #left: number;

  /** A budget of so many bytes. */
  constructor(bytes: number = RECEIVE_BUDGET_BYTES) {
    this.#left = bytes;
  }

  /** Bytes that nobody holds. */
  get left(): number {
    return this.#left;
  }

  /** An empty share, for one stream. */
  share(): BudgetShare {
    let held = 0;
    const left = () => this.#left;
    return {
      get left() {
        return left();
      },
      take: (bytes) => {
        if (bytes > this.#left) {
          throw new StreamError("too-large", "Other streams take the memory that is set aside");
        }
        this.#left -= bytes;
        held += bytes;
      },
      release: () => {
        this.#left += held;
        held = 0;
      },
    };
  }
}
