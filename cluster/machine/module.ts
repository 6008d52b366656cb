/**
 * What a module of the machine is: the commands that change its state and the questions about it, by number.
 *
 * **Bytes.** A command or question is `version | module | operation | arguments`, each a MessagePack value. MessagePack and not
 * the encoding of keys: values go through by length, without looking at each byte for an end, as views and not as copies. Only the
 * shortest spelling counts (`strict.ts`).
 *
 * **Versions.** Servers of different versions apply the same log while a cluster is updated, and each entry must do the same on
 * all of them, or their states part for ever. So not the program decides what a command means, but the state: it has a format,
 * a number that all servers agree on. A command names the format it was written for, and an operation the format it came with;
 * the machine refuses commands of a later format than the state's, and operations later than their command, by an error result
 * that is the same in every program, old or new. The leader raises the format by a command of `sys` once every server says that
 * it knows it. A server that does not, against expectation, stops before that entry: it must not go on, since it cannot know
 * what the entries after it do. What exists in a format never changes its meaning, not even to mend it: something else is a new
 * operation, or goes by the format in the context.
 *
 * @module
 */

import { DecodeError, Reader, type Writer, written } from "../../protocol/msgpack/mod.ts";
import type { NodeChange } from "./change.ts";
import type { GroupChange } from "./group_change.ts";
import type { MessageChange } from "./message_change.ts";
import {
  type Failure,
  INVALID,
  type Result,
  UNKNOWN_ACTION,
  UNSUPPORTED_VERSION,
} from "./result.ts";
import type { StoreReader, Transaction } from "./store/store.ts";
import { readUint } from "./strict.ts";

/** What a command may know besides the state. */
export interface Context {
  /** Index of its entry. */
  index: number;
  /** The leader's clock in milliseconds since 1970, never less than for an earlier entry. */
  time: number;
  /** Format of the state. */
  format: number;
  /** Where commands say what they have changed; without it nobody listens. */
  changes?: NodeChange[];
  /** Where commands say what becomes of segments of messages; without it nobody listens. */
  messages?: MessageChange[];
  /** Where commands say what becomes of groups of consumers; without it nobody listens. */
  groups?: GroupChange[];
}

/** Nodes that have values, as far as the module that has them lets others see them. */
export interface Nodes {
  /** What their keys begin with; a key of the node below another one begins with that. */
  readonly prefix: Uint8Array;
  /** The key of the node at a path. Any bytes give a key or a failure. */
  keyOf(state: Pick<StoreReader, "allocate">, path: Uint8Array): Uint8Array | Failure;
  /** The text of the path of a key. */
  pathOf(key: Uint8Array): string;
  /** The revision of them all. */
  revision(state: StoreReader): number;
  /** The value of a node, if there is one, and with `tree` all below it, in the order of their keys. */
  values(state: StoreReader, key: Uint8Array, tree: boolean): Iterable<NodeValue>;
}

/** A node's value. */
export interface NodeValue {
  readonly key: Uint8Array;
  /** Its text. */
  readonly text: Uint8Array;
  /** The revision of its last change. */
  readonly rev: number;
}

/** Where it is told what becomes of sessions. It is no part of the state. */
export interface SessionNews {
  /** A session has got a server request. */
  request(session: { readonly id: Uint8Array; readonly serial: number }): void;
  /** A session has ended. */
  end(id: Uint8Array): void;
  /** The client of a session has given a sign of life. */
  sign(id: Uint8Array): void;
  /** Another connection has a session now. */
  move(id: Uint8Array, holder: number): void;
}

/** Places that are watched. */
export interface Watched {
  /** How many watches there are. */
  readonly size: number;
  /** There is a watch more, or one less, by its key. */
  count(key: Uint8Array, change: 1 | -1): void;
  /** Where the watches are that a change of a node is for. */
  placesOf(node: Uint8Array): readonly WatchedPlace[];
}

/** A node, or all from it on. */
export interface WatchedPlace {
  readonly tree: boolean;
  /** The key of the node, without what the keys of all begin with. */
  readonly node: Uint8Array;
}

/** What the machine does for a module whose commands have to do with the other modules. */
export interface Host {
  /** What may be watched. */
  readonly nodes: Nodes;
  /** What is watched, by the state: nobody has to be told of changes of anything else. */
  readonly watched: Watched;
  /** Where it is told what becomes of sessions; without it nobody listens. */
  readonly news: SessionNews | undefined;
  /** Does what a command of another module says, or asks a question. Any bytes give a result. */
  run(kind: keyof Module, call: Uint8Array): Result;
}

/** How an operation's arguments are read. */
interface Operation<Arguments> {
  /** The format that the operation came with. */
  readonly since: number;
  /** Takes the arguments. Throws a `DecodeError`, and nothing else, for bytes that are none. */
  read(reader: Reader): Arguments;
}

/**
 * An operation that changes the state. It must do the same for the same state, context and arguments everywhere: no clock, no
 * chance, no unordered container, no locale, nothing whose tables differ between versions of the runtime (Unicode). It throws
 * for nothing that a client can send; an error that is thrown stops the server.
 */
export interface Command<Arguments = unknown> extends Operation<Arguments> {
  /** Changes the state. A failure has changed nothing, but for what a session knows of its requests. */
  apply(state: Transaction, context: Context, args: Arguments, host: Host): Result;
}

/** An operation that reads the state. */
export interface Question<Arguments = unknown> extends Operation<Arguments> {
  /** Answers at a time: the clock of who answers, in milliseconds since 1970, never before that of the last entry. */
  answer(state: StoreReader, args: Arguments, time: number): Result;
}

/** A part of the machine. Its keys begin with its number; it knows nothing of the other modules. */
export interface Module {
  /** Commands by number. */
  readonly commands: Readonly<Record<number, Command>>;
  /** Questions by number. */
  readonly questions: Readonly<Record<number, Question>>;
}

/** All that a version of the program can do. */
export interface Program {
  /** The highest format it knows. */
  readonly format: number;
  /** Modules by number. */
  readonly modules: Readonly<Record<number, Module>>;
}

/** The bytes of a command or question; `writeArguments` adds the arguments. */
export function encodeCall(
  version: number,
  module: number,
  operation: number,
  writeArguments: (writer: Writer) => void,
): Uint8Array<ArrayBuffer> {
  return written("rpc", (writer) => {
    writer.uint(version);
    writer.uint(module);
    writer.uint(operation);
    writeArguments(writer);
  });
}

/** A command or question that was read: an operation and its arguments. */
export interface Call<O> {
  readonly ok: true;
  readonly operation: O;
  readonly args: unknown;
}

/**
 * Reads a command or question for a state of `format`. Nothing is allocated by what the bytes claim, and any bytes give a call
 * or a failure.
 */
export function readCall<K extends keyof Module>(
  program: Program,
  kind: K,
  bytes: Uint8Array,
  format: number,
): Call<Module[K][number]> | Failure {
  const reader = new Reader(bytes);
  try {
    const version = readUint(reader, 1, Number.MAX_SAFE_INTEGER);
    if (version > format) return UNSUPPORTED_VERSION;
    const module = program.modules[readUint(reader, 0, 0xff)];
    const operation = module?.[kind][readUint(reader, 0, 0xff)] as Module[K][number] | undefined;
    if (operation === undefined || operation.since > version) return UNKNOWN_ACTION;
    const args = operation.read(reader);
    return reader.remaining > 0 ? INVALID : { ok: true, operation, args };
  } catch (error) {
    if (error instanceof DecodeError) return INVALID;
    throw error;
  }
}
