/**
 * One server's part in a comparison: it waits for a certain entry, looks at its state as it is right after that, and hashes it;
 * then it reads its files.
 *
 * Equal entries make equal states, so two servers whose hashes differ at one entry are not what they should be. The entry is a
 * barrier, which changes nothing, with the token of the comparison in it. A server that was not asked before does nothing when
 * it comes to it, nor does one that applies it again after a restart.
 *
 * @module
 */

import type { StoreView } from "../../../cluster/machine/mod.ts";
import type { Entry } from "../../../cluster/raft/mod.ts";
import type { Clock, Timer } from "../../../cluster/runtime.ts";
import type { CheckAnswer, CheckQuestion } from "./questions.ts";
import { tokenIn } from "./questions.ts";
import { type Checkable, hashOf, problemsOf } from "./reading.ts";

/** Who has begun a comparison and asks no more for so long has given it up, in milliseconds. */
const FORSAKEN_MS = 10_000;

/** What a check looks at. */
export interface ChecksParts {
  readonly clock: Clock;
  /** The state as it is now. */
  readonly view: () => StoreView;
  /** The files. */
  readonly files: readonly Checkable[];
  /** The entry that was applied last. */
  readonly applied: () => number;
  /** Something is damaged. */
  readonly found: (problem: string) => void;
  /** Lets work run that nobody waits for. */
  readonly background: (work: Promise<void>) => void;
}

/** The one that is under way, or was last. */
interface Check {
  readonly token: string;
  askedAt: number;
  state: "waiting" | "reading" | "done" | "passed";
  index: number | undefined;
  hash: string | undefined;
  bytes: number;
  problems: readonly string[];
}

/** The checks of one server, one at a time. */
export class Checks {
  readonly #parts: ChecksParts;
  #check: Check | undefined;
  /** What still reads, also for one that was given up. */
  #reading: Promise<void> = Promise.resolve();
  readonly #pauses = new Set<{ readonly timer: Timer; readonly resolve: () => void }>();
  #isClosed = false;

  /** None is under way. */
  constructor(parts: ChecksParts) {
    this.#parts = parts;
  }

  /** Answers a question. */
  ask({ token, begins, index }: CheckQuestion): CheckAnswer {
    if (begins) this.#begin(token);
    const check = this.#check;
    const applied = this.#parts.applied();
    if (check?.token !== token) {
      return { state: begins ? "busy" : "unknown", applied, problems: [] };
    }
    check.askedAt = this.#parts.clock.now();
    if (check.state === "waiting" && index !== undefined && applied >= index) {
      check.state = "passed";
    }
    const { state, index: at, hash, bytes, problems } = check;
    return { state, applied, index: at, hash, bytes, problems };
  }

  /** A barrier was applied, and nothing after it. */
  barrier({ index, data }: Entry): void {
    const check = this.#check;
    if (this.#isClosed || check?.state !== "waiting" || check.token !== tokenIn(data)) return;
    check.state = "reading";
    check.index = index;
    this.#reading = Promise.all([this.#reading, this.#read(check)]).then(() => {});
    this.#parts.background(this.#reading);
  }

  /** Gives up what is under way; resolves when nothing is read any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { timer, resolve } of this.#pauses) {
      timer.cancel();
      resolve();
    }
    await this.#reading;
  }

  #begin(token: string): void {
    const { clock } = this.#parts;
    const check = this.#check;
    const isUnderWay = check !== undefined && check.token !== token &&
      (check.state === "waiting" || check.state === "reading") &&
      clock.now() < check.askedAt + FORSAKEN_MS;
    if (this.#isClosed || isUnderWay || check?.token === token) return;
    this.#check = {
      token,
      askedAt: clock.now(),
      state: "waiting",
      index: undefined,
      hash: undefined,
      bytes: 0,
      problems: [],
    };
  }

  /** The view is taken before anything else is done. */
  async #read(check: Check): Promise<void> {
    const { clock, files } = this.#parts;
    const isOver = (): boolean =>
      this.#isClosed || check !== this.#check || clock.now() >= check.askedAt + FORSAKEN_MS;
    const progress = (bytes: number): void => void (check.bytes = bytes);
    const problems: string[] = [];
    let view: StoreView | undefined;
    try {
      view = this.#parts.view();
      check.hash = (await hashOf(view, () => this.#pause(), isOver, progress))?.hash;
    } catch (error) {
      problems.push((error as Error).message);
    } finally {
      view?.close();
    }
    problems.push(...await problemsOf(files, isOver));
    if (isOver()) return;
    for (const problem of problems) this.#parts.found(problem);
    check.problems = problems;
    check.state = "done";
  }

  #pause(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#pauses.delete(pause);
        resolve();
      };
      const pause = { timer: this.#parts.clock.setTimer(0, done), resolve };
      this.#pauses.add(pause);
    });
  }
}
