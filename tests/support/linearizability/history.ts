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

/** What a client asks for. Values are texts of JSON. */
export interface Request {
  readonly action: "SET" | "GET" | "DEL" | "INCR" | "TXN";
  readonly key: string;
  /** Of SET, and of TXN: what it sets if there is what it expects, and what there is it reads otherwise. */
  readonly value?: string;
  /** Of TXN. */
  readonly expected?: string;
  /** Condition of SET and DEL: the revision of the last change, 0 for none. */
  readonly if_rev?: number;
}

/** One line. Times are microseconds of one clock. */
export interface Operation extends Request {
  /** Who did it; a process does one after the other. */
  readonly process: number;
  readonly start: number;
  readonly end?: number;
  readonly outcome: Outcome;
  /** What GET read, the sum of INCR, or what a TXN found that has not set its value: `null` for none. */
  readonly seen?: string;
  /** Whether a TXN has set its value. */
  readonly swapped?: boolean;
  /** Revision of the change, or of what was found. */
  readonly rev?: number;
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
