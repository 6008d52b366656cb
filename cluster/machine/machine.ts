/**
 * The replicated state machine: entries of the log in, results out, the state in a store.
 *
 * Servers that apply the same entries have the same rows, byte for byte, however the entries were batched.
 *
 * @module
 */

import type { NodeChange } from "./change.ts";
import type { GroupChange } from "./group_change.ts";
import { KV, kv, nodes } from "./kv/mod.ts";
import type { MessageChange } from "./message_change.ts";
import {
  type Command,
  type Context,
  type Host,
  type Program,
  readCall,
  type SessionNews,
  type Watched,
} from "./module.ts";
import type { Result } from "./result.ts";
import type { Store, Transaction } from "./store/store.ts";
import {
  FIRST_FORMAT,
  readContext,
  SYS,
  sys,
  tellSessions,
  WatchedPlaces,
  writeContext,
} from "./sys/mod.ts";
import { TOPICS, topics } from "./topics/mod.ts";

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
export const PROGRAM: Program = {
  format: FIRST_FORMAT,
  modules: { [SYS]: sys, [KV]: kv, [TOPICS]: topics },
};

/** What entries have done to sessions, whose ids these are. */
export interface SessionChanges {
  /** Those that have got server requests. */
  readonly requests: readonly Uint8Array[];
  /** Those that have ended, of the others too. */
  readonly ended: readonly Uint8Array[];
  /** Those whose clients have given a sign of life by an entry. */
  readonly alive: readonly Uint8Array[];
  /** Those that another connection has now. */
  readonly moved: readonly MovedSession[];
}

/** A session that another connection has now. */
export interface MovedSession {
  readonly id: Uint8Array;
  /** What tells that connection from others; 0 when none has it. */
  readonly holder: number;
}

/** Who wants to know what entries do. It is told once that has taken effect, and must not throw. */
export interface MachineListener {
  /** The changes of nodes, in order. */
  changes?(changes: readonly NodeChange[]): void;
  /** What has become of sessions. */
  sessions?(changes: SessionChanges): void;
  /** What has become of segments of messages, in order. */
  messages?(changes: readonly MessageChange[]): void;
  /** What has become of groups of consumers. */
  groups?(changes: readonly GroupChange[]): void;
}

/** The machine on a store. */
export class Machine {
  readonly #store: Store;
  readonly #program: Program;
  /** What a request of a session may call. */
  readonly #inner: Program;
  readonly #listener: MachineListener;
  #context: Context;
  /** What sessions watch; it is read when it is not known. */
  #watched: Watched | undefined;

  /**
   * Goes on where the store is. Another `program` is for tests of updates.
   *
   * @throws {FormatError} when the state is of a later version of the program
   */
  constructor(store: Store, program: Program = PROGRAM, listener: MachineListener = {}) {
    this.#store = store;
    this.#program = program;
    const { [SYS]: _, ...others } = program.modules;
    this.#inner = { ...program, modules: others };
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
    const context: Context = { ...this.#context };
    if (this.#listener.changes !== undefined) context.changes = [];
    if (this.#listener.messages !== undefined) context.messages = [];
    if (this.#listener.groups !== undefined) context.groups = [];
    const news = this.#listener.sessions && new News();
    const results = this.#transaction((state) => {
      const host = this.#host(state, context, news);
      const results = entries.map((entry) => this.#applyOne(state, context, host, entry));
      writeContext(state, context);
      return results;
    });
    const { index, time, format, changes, messages, groups } = context;
    this.#context = { index, time, format };
    if (messages !== undefined && messages.length > 0) this.#listener.messages?.(messages);
    if (changes !== undefined && changes.length > 0) this.#listener.changes?.(changes);
    if (groups !== undefined && groups.length > 0) this.#listener.groups?.(groups);
    if (news?.isAny) this.#listener.sessions?.(news);
    return results;
  }

  /** Answers a question from the state as it is. `clock` is that of who answers, in milliseconds since 1970. */
  query(question: Uint8Array, clock = 0): Result {
    const { format, time } = this.#context;
    const call = readCall(this.#program, "questions", question, format);
    return call.ok ? call.operation.answer(this.#store, call.args, Math.max(clock, time)) : call;
  }

  #transaction<T>(change: (state: Transaction) => T): T {
    try {
      return this.#store.transaction(change);
    } catch (error) {
      // What it had done is undone.
      this.#watched = undefined;
      throw error;
    }
  }

  #host(state: Transaction, context: Context, news: SessionNews | undefined): Host {
    const host: Host = {
      nodes,
      watched: this.#watched ??= new WatchedPlaces(state),
      news,
      run: (kind, bytes) => {
        const call = readCall(this.#inner, kind, bytes, context.format);
        if (!call.ok) return call;
        const { operation, args } = call;
        return "apply" in operation
          ? operation.apply(state, context, args, host)
          : operation.answer(state, args, context.time);
      },
    };
    return host;
  }

  #applyOne(
    state: Transaction,
    context: Context,
    host: Host,
    { index, type, time, data }: LogEntry,
  ): Result | undefined {
    if (index !== context.index + 1) {
      throw new RangeError(`Expected entry ${context.index + 1} to apply, got ${index}`);
    }
    context.index = index;
    // A time that is no whole number would not be the same again when it is read from the store.
    if (time > context.time && Number.isSafeInteger(time)) context.time = time;
    if (type !== "command") return undefined;
    const call = readCall(this.#program, "commands", data, context.format);
    if (!call.ok) return call;
    const { operation, args } = call;
    if (host.watched.size > 0) return this.#applyWatched(state, context, host, operation, args);
    const result = operation.apply(state, context, args, host);
    checkFormat(context, this.#program);
    return result;
  }

  /** Applies a command, and tells sessions what it has changed. */
  #applyWatched(
    state: Transaction,
    context: Context,
    host: Host,
    operation: Command,
    args: unknown,
  ): Result {
    if (this.#listener.changes === undefined) context.changes = [];
    const { changes = [] } = context;
    const told = changes.length;
    const result = operation.apply(state, context, args, host);
    checkFormat(context, this.#program);
    if (changes.length > told) tellSessions(state, context, host, changes.slice(told));
    return result;
  }
}

/** What entries do to sessions, each told once. */
class News implements SessionNews, SessionChanges {
  readonly #requests = new Map<number, Uint8Array>();
  readonly ended: Uint8Array[] = [];
  readonly alive: Uint8Array[] = [];
  readonly moved: MovedSession[] = [];

  get requests(): Uint8Array[] {
    return [...this.#requests.values()];
  }

  get isAny(): boolean {
    return this.#requests.size + this.ended.length + this.alive.length + this.moved.length > 0;
  }

  request({ id, serial }: { readonly id: Uint8Array; readonly serial: number }): void {
    this.#requests.set(serial, id);
  }

  end(id: Uint8Array): void {
    this.ended.push(id);
  }

  sign(id: Uint8Array): void {
    this.alive.push(id);
  }

  move(id: Uint8Array, holder: number): void {
    this.moved.push({ id, holder });
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
