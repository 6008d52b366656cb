/**
 * Join and leave intents about nodes that memberlist has not told of yet (docs/spec/serf.md 6.2).
 *
 * An intent can overtake the alive message of its node; it is kept here until the node shows up.
 *
 * @module
 */

import { fitsUtf8 } from "../../../protocol/text.ts";

/** What a node was said to intend. */
export type IntentKind = "join" | "leave";

interface Intent {
  readonly kind: IntentKind;
  readonly ltime: bigint;
  /** Clock milliseconds. */
  readonly storedAt: number;
}

/** Most intents kept; the one that was stored first makes room. Serf itself has no bound. */
const MAX_INTENTS = 16_384;

/** Longest name kept, in bytes: an alive message with a longer one fits no gossip packet. */
const MAX_NAME_BYTES = 1_395;

/** The newest intent of each node that is not a member. */
export class IntentBuffer {
  readonly #intents = new Map<string, Intent>();

  /** How many intents are kept. */
  get size(): number {
    return this.#intents.size;
  }

  /**
   * Stores an intent unless one with the same or a greater time, of either kind, is there.
   *
   * @param now clock milliseconds
   * @returns whether the intent was news
   */
  upsert(name: string, kind: IntentKind, ltime: bigint, now: number): boolean {
    if (!fitsUtf8(name, MAX_NAME_BYTES)) return false;
    const known = this.#intents.get(name);
    if (known !== undefined && ltime <= known.ltime) return false;
    this.#intents.delete(name);
    this.#intents.set(name, { kind, ltime, storedAt: now });
    if (this.#intents.size > MAX_INTENTS) {
      for (const oldest of this.#intents.keys()) {
        this.#intents.delete(oldest);
        break;
      }
    }
    return true;
  }

  /** The time of the intent of this kind about a node, whatever its age. */
  find(name: string, kind: IntentKind): bigint | undefined {
    const intent = this.#intents.get(name);
    return intent?.kind === kind ? intent.ltime : undefined;
  }

  /** Forgets intents that were stored more than `timeoutMs` before `now`. */
  expire(now: number, timeoutMs: number): void {
    for (const [name, intent] of this.#intents) {
      if (now - intent.storedAt <= timeoutMs) break;
      this.#intents.delete(name);
    }
  }
}
