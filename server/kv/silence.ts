/**
 * How long a client has been silent, and what follows from it. It is looked at now and then, so that a line costs no look at the
 * clock.
 *
 * @module
 */

import type { Services } from "./services.ts";

/** A client with a session is asked for a sign of life so often in the time that the session has. */
const ASKED_PER_TIMEOUT = 4;

/** What a client is doing. */
export interface Activity {
  /** Whether it has begun a line that has not ended, and how many have. */
  readonly inside: boolean;
  readonly ended: number;
  /** Lines that were taken. */
  readonly taken: number;
  /** Whether requests are not answered. */
  readonly isWaiting: boolean;
  /** Whether it is connected for what it hears, so that it need not ask for anything. */
  readonly listens: boolean;
  /** Whether it has a session, which needs signs of life. */
  readonly hasSession: boolean;
}

/** What follows: nothing, the line has taken too long, the client is to go, or it is to be asked for a sign of life. */
export type Consequence = "late line" | "idle" | "ask" | undefined;

/** Watches one client. */
export class Silence {
  #seenEnded = -1;
  #insideSince = 0;
  #seenTaken = -1;
  #idleSince = 0;
  /** Whether it was asked for a line since. */
  #isAsked = false;

  /** @param now The time, in milliseconds. */
  look(
    now: number,
    { inside, ended, taken, isWaiting, listens, hasSession }: Activity,
    { idleLimitMs, lineLimitMs, pingMs, sessionTimeoutMs }: Services,
  ): Consequence {
    if (!inside || ended !== this.#seenEnded) {
      this.#seenEnded = ended;
      this.#insideSince = now;
    } else if (now - this.#insideSince >= lineLimitMs) {
      return "late line";
    }
    if (taken !== this.#seenTaken || isWaiting) {
      this.#seenTaken = taken;
      this.#idleSince = now;
      this.#isAsked = false;
      return undefined;
    }
    const idleMs = now - this.#idleSince;
    const isListening = listens || hasSession;
    const limitMs = isListening ? 2 * pingMs : idleLimitMs;
    if (limitMs > 0 && idleMs >= limitMs) return "idle";
    const askMs = hasSession ? Math.min(pingMs, sessionTimeoutMs / ASKED_PER_TIMEOUT) : pingMs;
    if (!isListening || idleMs < askMs || this.#isAsked) return undefined;
    this.#isAsked = true;
    return "ask";
  }
}
