/**
 * What went by on the wires of all sessions: each request has one answer, and each server request one text, however often it comes.
 *
 * @module
 */

/** All that is told of one watch has to be the values that follow each other. */
interface Push {
  readonly watch: number;
  readonly key: string;
  readonly value: number;
}

const decoder = new TextDecoder();

/** Notes of a wire, and what is wrong with them. */
export class Ledger {
  /** What no server may say. */
  readonly faults: string[] = [];
  /** Answers and server requests that came again. */
  repeated = 0;
  readonly #answers = new Map<string, string>();
  readonly #told = new Map<string, Map<number, string>>();

  /** Sessions that were answered or told something. */
  get answers(): number {
    return this.#answers.size;
  }

  /** How much was told to all sessions. */
  get told(): number {
    return [...this.#told.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** A request was answered. */
  answered(session: string, id: number, result: Uint8Array): void {
    const text = decoder.decode(result);
    const name = `request ${id} of ${session}`;
    this.#compare(name, this.#answers.get(name), text);
    this.#answers.set(name, text);
  }

  /** A server has told something by itself. */
  tell(session: string, id: number, payload: Uint8Array): void {
    const told = this.#told.get(session) ?? new Map<number, string>();
    this.#told.set(session, told);
    const text = decoder.decode(payload);
    this.#compare(`server request ${id} to ${session}`, told.get(id), text);
    told.set(id, text);
  }

  /** Whether each session was told every change of the counters that it watches, once and in order; adds what is wrong to the faults. */
  close(): readonly string[] {
    for (const [session, told] of this.#told) {
      const last = new Map<number, Push>();
      for (let id = 1; id <= told.size; id++) {
        const text = told.get(id);
        if (text === undefined) {
          this.faults.push(`${session} was told ${told.size} things, and not number ${id}`);
          break;
        }
        const push: Push = JSON.parse(text);
        const before = last.get(push.watch);
        if (before !== undefined && push.value !== before.value + 1) {
          this.faults.push(
            `${session} was told '${push.key}' is ${before.value}, then ${push.value}`,
          );
        }
        last.set(push.watch, push);
      }
    }
    return this.faults;
  }

  #compare(name: string, before: string | undefined, now: string): void {
    if (before === undefined) return;
    this.repeated++;
    if (before !== now) this.faults.push(`${name}: first ${before}, then ${now}`);
  }
}
