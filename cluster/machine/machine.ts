/**
 * The replicated state machine: entries of the log in, results out, the state in a store.
 *
 * Servers that apply the same entries have the same rows, byte for byte, however the entries were batched.
 *
 * @module
 */

import type { NodeChange } from "./change.ts";
import { KV, kv } from "./kv/mod.ts";
import { type Context, type Program, readCall } from "./module.ts";
import type { Result } from "./result.ts";
import type { Store, Transaction } from "./store/store.ts";
import { FIRST_FORMAT, readContext, SYS, sys, writeContext } from "./sys.ts";

/** One entry of the log, as far as the machine looks at it. */
export interface LogEntry {
  /** Its place, from 1. */
  readonly index: number;
  /** Only `"command"` is for a module. */
  readonly type: string;
  /** The leader's wall clock, in milliseconds since 1970. */
  readonly time: number;
  /** The command. */
  readonly data: Uint8Array;
}

/** The state has a format that this program does not know, or is about to get it. */
export class FormatError extends Error {
  /** "FormatError". */
  override readonly name = "FormatError";
}

/** This version of the program. */
export const PROGRAM: Program = { format: FIRST_FORMAT, modules: { [SYS]: sys, [KV]: kv } };

/** The machine on a store. */
export class Machine {
  readonly #store: Store;
  readonly #program: Program;
  readonly #listener: ((changes: readonly NodeChange[]) => void) | undefined;
  #context: Context;

  /**
   * Goes on where the store is. Another `program` is for tests of updates.
   *
   * @param listener Gets what entries have changed, in order, once that has taken effect; it must not throw.
   * @throws {FormatError} when the state is of a later version of the program
   */
  constructor(
    store: Store,
    program: Program = PROGRAM,
    listener?: (changes: readonly NodeChange[]) => void,
  ) {
    this.#store = store;
    this.#program = program;
    this.#listener = listener;
    this.#context = readContext(store);
    checkFormat(this.#context, program);
  }

  /** Index of the last entry that was applied, its time, and the format of the state. */
  get context(): Readonly<Context> {
    return this.#context;
  }

  /**
   * Applies entries that follow the last one, all or none, and returns a result for each: `undefined` for what is no command.
   *
   * @throws {RangeError} when they do not follow
   * @throws {FormatError} when one asks for a format that this program does not know
   */
  apply(entries: readonly LogEntry[]): (Result | undefined)[] {
    const changes: NodeChange[] | undefined = this.#listener && [];
    const context: Context = { ...this.#context, ...changes && { changes } };
    const results = this.#store.transaction((state) => {
      const results = entries.map((entry) => this.#applyOne(state, context, entry));
      writeContext(state, context);
      return results;
    });
    const { index, time, format } = context;
    this.#context = { index, time, format };
    if (changes !== undefined && changes.length > 0) this.#listener?.(changes);
    return results;
  }

  /** Answers a question from the state as it is. `clock` is that of who answers, in milliseconds since 1970. */
  query(question: Uint8Array, clock = 0): Result {
    const { format, time } = this.#context;
    const call = readCall(this.#program, "questions", question, format);
    return call.ok ? call.operation.answer(this.#store, call.args, Math.max(clock, time)) : call;
  }

  #applyOne(state: Transaction, context: Context, entry: LogEntry): Result | undefined {
    const { index, type, time, data } = entry;
    if (index !== context.index + 1) {
      throw new RangeError(`Expected entry ${context.index + 1} to apply, got ${index}`);
    }
    context.index = index;
    // A time that is no whole number would not be the same again when it is read from the store.
    if (time > context.time && Number.isSafeInteger(time)) context.time = time;
    if (type !== "command") return undefined;
    const call = readCall(this.#program, "commands", data, context.format);
    if (!call.ok) return call;
    const result = call.operation.apply(state, context, call.args);
    checkFormat(context, this.#program);
    return result;
  }
}

/**
 * Checks that a state can be gone on with.
 *
 * @throws {FormatError} when it is of a later version of the program
 */
export function checkFormat(
  { index, format }: { readonly index: number; readonly format: number },
  program: Program,
): void {
  if (format <= program.format) return;
  throw new FormatError(
    `State has format ${format} from entry ${index} on, this program knows formats up to ${program.format}`,
  );
}
