/**
 * How long a client has been silent. It is looked at now and then, so that a frame costs no look at the clock.
 *
 * @module
 */

/** What a client is doing. */
export interface Activity {
  /** Bytes of a frame that has not ended. */
  readonly pending: number;
  /** Frames that have. */
  readonly frames: number;
  /** Whether requests are not answered. */
  readonly isWaiting: boolean;
}

/** How long a client may take, in milliseconds. */
export interface SilenceLimits {
  /** From the first byte of a frame to its last. */
  readonly frameLimitMs: number;
  /** From one frame to the next, with nothing to wait for; 0: for ever. */
  readonly idleLimitMs: number;
}

/** Watches one client. */
export class Silence {
  #seenFrames = -1;
  #insideSince = 0;
  #idleSince = 0;

  /** Whether a frame has taken too long, or none has come. `now` is the time, in milliseconds. */
  look(
    now: number,
    { pending, frames, isWaiting }: Activity,
    { frameLimitMs, idleLimitMs }: SilenceLimits,
  ): "late frame" | "idle" | undefined {
    const isNew = frames !== this.#seenFrames;
    this.#seenFrames = frames;
    if (isNew || pending === 0) this.#insideSince = now;
    else if (now - this.#insideSince >= frameLimitMs) return "late frame";
    if (isNew || isWaiting) this.#idleSince = now;
    else if (idleLimitMs > 0 && now - this.#idleSince >= idleLimitMs) return "idle";
    return undefined;
  }
}
