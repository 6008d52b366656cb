/**
 * Messages of topics as a second codec has them: slow, plain, and knowing nothing of the first one.
 *
 * @module
 */

import { below } from "../random_value.ts";
import type { SeededRandom } from "../simulation/random.ts";

/** A message. */
export interface TestMessage {
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
}

/** A message of a value; the rest is 0, null or empty. */
export function messageOf(value: string, rest: Partial<TestMessage> = {}): TestMessage {
  return {
    offset: 0n,
    timestamp: 0n,
    key: new Uint8Array(),
    value: new TextEncoder().encode(value),
    headers: [],
    ...rest,
  };
}

/** The bytes of messages, one after the other. */
export function encodeMessages(messages: readonly TestMessage[]): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  const u32 = (value: number) => {
    for (const shift of [24, 16, 8, 0]) out.push(value >>> shift & 255);
  };
  const i64 = (value: bigint) => {
    for (let shift = 56n; shift >= 0n; shift -= 8n) {
      out.push(Number(BigInt.asUintN(64, value) >> shift & 255n));
    }
  };
  const field = (bytes: Uint8Array | null) => {
    u32(bytes === null ? 0xffffffff : bytes.length);
    for (const byte of bytes ?? []) out.push(byte);
  };
  for (const { offset, timestamp, key, value, headers } of messages) {
    i64(offset);
    i64(timestamp);
    field(key);
    field(value);
    u32(headers.length);
    for (const [name, content] of headers) {
      field(new TextEncoder().encode(name));
      field(content);
    }
  }
  return Uint8Array.from(out);
}

/** The messages that bytes are. Throws a `RangeError` for anything else. */
export function decodeMessages(bytes: Uint8Array): TestMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages: TestMessage[] = [];
  let at = 0;
  const u32 = () => view.getUint32((at += 4) - 4);
  const i64 = () => view.getBigInt64((at += 8) - 8);
  const field = (): Uint8Array | null => {
    const length = u32();
    if (length === 0xffffffff) return null;
    at += length;
    if (at > bytes.length) throw new RangeError("Field ends behind the bytes");
    return bytes.slice(at - length, at);
  };
  while (at < bytes.length) {
    const [offset, timestamp, key, value] = [i64(), i64(), field(), field()];
    const headers: [string, Uint8Array][] = [];
    for (let left = u32(); left > 0; left--) {
      const name = new TextDecoder("utf-8", { fatal: true }).decode(field() as Uint8Array);
      headers.push([name, field() as Uint8Array]);
    }
    messages.push({ offset, timestamp, key, value, headers });
  }
  return messages;
}

/** A message of any kind, of at most some hundred bytes. */
export function randomMessage(random: SeededRandom, withNulls: boolean): TestMessage {
  const field = () => withNulls && below(random, 4) === 0 ? null : randomBytes(random);
  const timestamps = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 1_800_000_000_000_000_000n];
  return {
    offset: BigInt.asIntN(64, BigInt(random.uint32()) << BigInt(below(random, 33))),
    timestamp: timestamps[below(random, timestamps.length)] as bigint,
    key: field(),
    value: field(),
    headers: Array.from(
      { length: below(random, 4) },
      () => [["", "h", "é", "x".repeat(40)][below(random, 4)] as string, randomBytes(random)],
    ),
  };
}

function randomBytes(random: SeededRandom): Uint8Array {
  return random.bytes(below(random, 2) === 0 ? below(random, 3) : below(random, 200));
}
