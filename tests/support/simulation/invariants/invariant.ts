/**
 * What always holds in a simulation. It is looked at after every step, so that a run ends where something went wrong and
 * not where that was noticed.
 *
 * @module
 */

/** Something that always holds at one process. */
export interface Invariant {
  /** It, as a sentence. */
  readonly sentence: string;
  /**
   * What contradicts it, `undefined` while it holds. Called after each step of the process, so it must be quick: what takes
   * time is noted when it happens.
   */
  broken(): string | undefined;
}

/** When something happened in a run. */
export interface Step {
  /** How many events there have been, this one included. */
  readonly number: number;
  /** Virtual milliseconds since the start. */
  readonly time: number;
  /** The host whose process acted. */
  readonly host: string;
}

/** A step broke an invariant. */
export class InvariantError extends Error {
  /** "InvariantError". */
  override readonly name = "InvariantError";
  /** What should hold, as a sentence. */
  readonly sentence: string;
  /** What broke it. */
  readonly step: Step;

  /** `problem` is what contradicts the sentence. */
  constructor(sentence: string, problem: string, step: Step) {
    const { number, time, host } = step;
    super(`Step ${number}, at ${time.toFixed(3)} ms on ${host}, broke '${sentence}': ${problem}`);
    this.sentence = sentence;
    this.step = step;
  }
}

/** An invariant that somebody else watches over: it is broken from the first problem on that is noted. */
export class Noted implements Invariant {
  readonly sentence: string;
  #problem: string | undefined;

  /** An invariant that holds. */
  constructor(sentence: string) {
    this.sentence = sentence;
  }

  /** Breaks the invariant. */
  note(problem: string): void {
    this.#problem ??= problem;
  }

  /** See {@linkcode Invariant.broken}. */
  broken(): string | undefined {
    return this.#problem;
  }
}
