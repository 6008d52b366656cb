/**
 * A fingerprint of a run: every event that happened, with its time, its hosts and its bytes, in order.
 * Two runs with the same fingerprint did the same, byte for byte.
 *
 * @module
 */

import { crc32 } from "node:zlib";

/** Two 32-bit lanes that every event is mixed into. */
export class TraceHash {
  #first = 0x9e3779b9 | 0;
  #second = 0x85ebca6b | 0;
  readonly #time = new Float64Array(1);
  readonly #words = new Uint32Array(this.#time.buffer);

  /** Mixes in one event. */
  event(time: number, kind: number, host: number, from: number): void {
    this.#time[0] = time;
    this.#mix(this.#words[0]!);
    this.#mix(this.#words[1]!);
    this.#mix((kind << 28) ^ (host << 14) ^ from);
  }

  /** Mixes in the bytes of a packet or a piece of a stream. */
  bytes(bytes: Uint8Array): void {
    this.#mix(bytes.length);
    this.#mix(crc32(bytes));
  }

  /** 16 hexadecimal digits. */
  get value(): string {
    const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, "0");
    return hex(this.#first) + hex(this.#second);
  }

  #mix(word: number): void {
    let first = Math.imul(this.#first ^ word, 0xcc9e2d51);
    first ^= first >>> 15;
    let second = Math.imul((this.#second + word) | 0, 0x1b873593);
    second ^= (second >>> 13) ^ first;
    this.#first = first;
    this.#second = second;
  }
}
