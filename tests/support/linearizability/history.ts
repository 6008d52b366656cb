/**
 * What clients did and saw, one JSON object a line, as `tests/linearizability/judge` reads it.
 *
 * @module
 */

/** What a client knows of its operation. */
export type Outcome =
  /** It happened. */
  | "done"
  /** It found no value. */
  | "missing"
  /** The condition on the revision did not hold. */
  | "refused"
  /** It surely did not happen. */
  | "never"
  /** Nobody knows. */
  | "unknown";

/** Holds when its key has this value; `null` is none. */
export interface Condition {
  readonly key: string;
  readonly value: string;
}

/** One of the things that are done at one moment. */
export interface Step {
  readonly action: "SET" | "GET" | "DEL" | "INCR";
  readonly key: string;
  readonly value?: string;
}

/** What a client asks for. Values are texts of JSON. */
export interface Request {
  readonly action: "SET" | "GET" | "DEL" | "INCR" | "TXN" | "MSET" | "MGET" | "APPEND" | "FETCH";
  /** The key, the log of APPEND and FETCH, or the group of what is about several. */
  readonly key: string;
  /** Of a key that is judged together with others. */
  readonly group?: string;
  /** Of SET. */
  readonly value?: string;
  /** Condition of SET and DEL: the revision of the last change, 0 for none. */
  readonly if_rev?: number;
  /** Of TXN. */
  readonly if?: readonly Condition[];
  /** Of TXN, MSET and MGET: what is done, of TXN if all conditions hold. */
  readonly then?: readonly Step[];
  /** Of TXN: what is done otherwise. */
  readonly else?: readonly Step[];
}

/** One line. Times are microseconds of one clock. */
export interface Operation extends Request {
  /** Who did it; a process does one after the other. */
  readonly process: number;
  readonly start: number;
  readonly end?: number;
  readonly outcome: Outcome;
  /** What GET read, and the sum of INCR. */
  readonly seen?: string;
  /** Whether the conditions of a TXN held; always, of MSET and MGET. */
  readonly succeeded?: boolean;
  /** Results of the steps that were done. */
  readonly results?: readonly string[];
  /** Revision of the change, of what was found, or of all there was when a TXN changed nothing. */
  readonly rev?: number;
  /** Messages that APPEND adds, from `offset` on, or that FETCH finds there. */
  readonly values?: readonly string[];
  readonly offset?: number;
  /** Offset after the last message of the log that FETCH saw. */
  readonly high?: number;
}

/** Lines that are written together. */
const BATCH = 500;

/** A file that grows with every operation. */
export class History implements Disposable {
  readonly path: string;
  readonly #file: Deno.FsFile;
  #lines: string[] = [];
  readonly #counts: Record<Outcome, number> = {
    done: 0,
    missing: 0,
    refused: 0,
    never: 0,
    unknown: 0,
  };

  /** Makes the file. */
  constructor(path: string) {
    this.path = path;
    this.#file = Deno.openSync(path, { write: true, createNew: true });
  }

  /** How many operations had each outcome. */
  get counts(): Readonly<Record<Outcome, number>> {
    return this.#counts;
  }

  /** The time, in microseconds of the one clock. */
  now(): number {
    return Math.round(performance.now() * 1_000);
  }

  /** Keeps an operation. */
  add(operation: Operation): void {
    this.#counts[operation.outcome]++;
    this.#lines.push(JSON.stringify(operation) + "\n");
    if (this.#lines.length >= BATCH) this.flush();
  }

  /** Writes what is not in the file. */
  flush(): void {
    let rest = new TextEncoder().encode(this.#lines.join(""));
    this.#lines = [];
    while (rest.length > 0) rest = rest.subarray(this.#file.writeSync(rest));
  }

  /** Writes the rest and closes the file. */
  [Symbol.dispose](): void {
    this.flush();
    this.#file.close();
  }
}
