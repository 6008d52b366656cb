/**
 * What `skein agent` does about errors that nobody expected: they are told, and decide about the exit code.
 *
 * @module
 */

import { errorOf, stackOf } from "../logging/errors.ts";
import type { AgentLog } from "../logging/log.ts";

/** The errors that nobody expected in one run. */
export class Faults {
  /** Resolves with the first one. */
  readonly first: Promise<Error>;
  readonly #resolve: (error: Error) => void;
  readonly #print: (text: string) => void;
  #log: AgentLog | undefined;
  #any = false;

  /** @param print Prints the first one, as long as there is no log. */
  constructor(print: (text: string) => void) {
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.first = promise;
    this.#resolve = resolve;
    this.#print = print;
  }

  /** Whether there were some. */
  get any(): boolean {
    return this.#any;
  }

  /** From now on they go to a log, and those that it gets from elsewhere count, too. Returns how to end that. */
  goTo(log: AgentLog): () => void {
    this.#log = log;
    return log.onUnexpected((error) => this.#note(error));
  }

  /** Takes one. */
  take(thrown: unknown): void {
    if (this.#log !== undefined) return this.#log.unexpected(thrown);
    if (!this.#any) this.#print(`Unexpected error: ${stackOf(thrown)}`);
    this.#note(errorOf(thrown));
  }

  #note(error: Error): void {
    this.#any = true;
    this.#resolve(error);
  }
}
