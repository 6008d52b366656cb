/**
 * Messages: structures that travel as maps keyed by field name.
 *
 * @module
 */

import type { Codec, Infer } from "./codec.ts";
import { DecodeError } from "./limits.ts";
import { isArrayType, Reader } from "./reader.ts";
import { type Dialect, Writer } from "./writer.ts";

/** The codecs of a struct's fields by name, in Go's declaration order. */
export type Fields = Record<string, Codec<unknown>>;

/** The value of a struct with these fields. */
export type StructOf<F extends Fields> = { [K in keyof F]: Infer<F[K]> };

/** The codec of a struct; it can also read over a value that is already there. */
export interface StructCodec<T> extends Codec<T> {
  /**
   * Reads the next value into `target`. Fields that are missing keep what `target` holds, which is how the
   * RPC header inherits from the one before it (agent.md 1.5); a nil struct sets every field to its zero.
   */
  readInto(reader: Reader, target: T): void;
}

interface Field {
  readonly name: string;
  readonly codec: Codec<unknown>;
  /** The key as it is written, per dialect: they differ for names of 32 bytes and more. */
  readonly gossipKey: Uint8Array;
  readonly rpcKey: Uint8Array;
  /** The name alone. */
  readonly nameBytes: Uint8Array;
}

/**
 * The codec of a struct with `fields`, given in Go's declaration order.
 *
 * It is written as a map whose keys are sorted by their bytes; fields with {@linkcode optional} codecs are
 * left out when empty. It is read from a map with keys in any order (unknown ones are skipped, of equal
 * ones the last wins, missing ones are zero), from an array in declaration order (a missing tail is zero,
 * more elements are skipped), or from nil (all zero): agent.md 1.3 and memberlist.md 2.3.
 */
export function struct<F extends Fields>(fields: F): StructCodec<StructOf<F>> {
  return new Struct(fields) as unknown as StructCodec<StructOf<F>>;
}

type Plain = Record<string, unknown>;

class Struct implements StructCodec<Plain> {
  readonly #declared: readonly Field[];
  readonly #sorted: readonly Field[];
  readonly #optional: readonly Field[];
  /** Zeros that are values; cloned, because that is faster than setting field by field. */
  readonly #zeros: Plain;
  /** Fields whose zero is an object of its own. */
  readonly #nested: readonly Field[];

  constructor(fields: Fields) {
    this.#declared = Object.entries(fields).map(([name, codec]) => field(name, codec));
    this.#sorted = [...this.#declared].sort((a, b) => compareBytes(a.nameBytes, b.nameBytes));
    this.#optional = this.#declared.filter((f) => f.codec.isEmpty !== undefined);
    this.#zeros = Object.fromEntries(this.#declared.map((f) => [f.name, f.codec.zero()]));
    this.#nested = this.#declared.filter((f) => {
      const zero = f.codec.zero();
      return typeof zero === "object" && zero !== null;
    });
  }

  write(writer: Writer, value: Plain): void {
    let count = this.#sorted.length;
    for (const { name, codec } of this.#optional) if (codec.isEmpty!(value[name])) count--;
    writer.mapHeader(count);
    const omits = count < this.#sorted.length;
    const gossip = writer.dialect === "gossip";
    for (const { name, codec, gossipKey, rpcKey } of this.#sorted) {
      const fieldValue = value[name];
      if (omits && codec.isEmpty?.(fieldValue)) continue;
      writer.raw(gossip ? gossipKey : rpcKey);
      codec.write(writer, fieldValue);
    }
  }

  read(reader: Reader): Plain {
    const value = this.zero();
    if (!reader.nil()) this.#readFields(reader, value);
    return value;
  }

  readInto(reader: Reader, target: Plain): void {
    if (reader.nil()) Object.assign(target, this.zero());
    else this.#readFields(reader, target);
  }

  zero(): Plain {
    const value = { ...this.#zeros };
    for (const { name, codec } of this.#nested) value[name] = codec.zero();
    return value;
  }

  #readFields(reader: Reader, target: Plain): void {
    if (isArrayType(reader.peek())) return this.#readArray(reader, target);
    const sorted = this.#sorted;
    const count = reader.mapHeader();
    let next = 0;
    for (let i = 0; i < count; i++) {
      const index = matchKey(reader, sorted, next);
      if (index < 0) {
        reader.skip();
      } else {
        readField(reader, sorted[index] as Field, target);
        next = index + 1;
      }
    }
  }

  #readArray(reader: Reader, target: Plain): void {
    const count = reader.arrayHeader();
    for (let i = 0; i < count; i++) {
      const declared = this.#declared[i];
      if (declared === undefined) reader.skip();
      else readField(reader, declared, target);
    }
  }
}

function readField(reader: Reader, { name, codec }: Field, target: Plain): void {
  try {
    target[name] = codec.read(reader);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(`Field "${name}": ${error.message}`, { cause: error });
  }
}

/**
 * Reads a key and returns the index of its field, or -1 when there is none. Peers write keys in sorted
 * order, so the search starts at `next`, the field after the last one.
 */
function matchKey(reader: Reader, sorted: readonly Field[], next: number): number {
  const length = reader.nil() ? 0 : reader.rawHeader("a map key");
  const start = reader.offset;
  reader.offset = start + length;
  for (let i = 0; i < sorted.length; i++) {
    let index = next + i;
    if (index >= sorted.length) index -= sorted.length;
    const name = (sorted[index] as Field).nameBytes;
    if (name.length !== length) continue;
    let at = 0;
    while (at < length && name[at] === reader.bytes[start + at]) at++;
    if (at === length) return index;
  }
  return -1;
}

function field(name: string, codec: Codec<unknown>): Field {
  return {
    name,
    codec,
    gossipKey: key(name, "gossip"),
    rpcKey: key(name, "rpc"),
    nameBytes: new TextEncoder().encode(name),
  };
}

function key(name: string, dialect: Dialect): Uint8Array {
  const writer = new Writer(dialect);
  writer.str(name);
  return writer.finish();
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  }
  return a.length - b.length;
}
