/**
 * Lifeguard's local health: how far this node should trust its own probes (docs/spec/memberlist.md 9.2).
 *
 * @module
 */

/**
 * A score from 0 (healthy) up. It rises when the node's own probes go unanswered or it has to refute,
 * falls with every answered probe, and stretches the probe interval.
 */
export class Awareness {
  readonly #highest: number;
  readonly #onChange: (score: number) => void;
  #score = 0;

  /** The score stays in 0 to `maxMultiplier - 1`; `onChange` gets each new one. */
  constructor(maxMultiplier: number, onChange: (score: number) => void = () => {}) {
    this.#highest = maxMultiplier - 1;
    this.#onChange = onChange;
  }

  /** 0 when healthy. */
  get score(): number {
    return this.#score;
  }

  /** Adds `delta`, which may be negative. */
  change(delta: number): void {
    const before = this.#score;
    this.#score = Math.max(0, Math.min(this.#highest, before + delta));
    if (this.#score !== before) this.#onChange(this.#score);
  }

  /** `ms` stretched by the score. */
  scale(ms: number): number {
    return ms * (this.#score + 1);
  }
}
