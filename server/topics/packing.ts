/**
 * Messages are inflated and compressed for the clients of a port. What is long is done one after the other, piece by piece: the event
 * loop does it, and has other things to do.
 *
 * @module
 */

import {
  CODEC,
  compress,
  compressShort,
  type EncodedMessages,
  inflate,
  MAX_FRAME_BYTES,
} from "../../protocol/topics/mod.ts";
import { Lanes } from "../files/lanes.ts";
import { nextTurn } from "../runtime.ts";
import { MAX_PACKED_BYTES } from "./limits.ts";

/** Messages, and how they are compressed. */
export interface PackedMessages {
  readonly codec: number;
  readonly messages: EncodedMessages;
}

/** Does it for one port. */
export class Packing {
  readonly #lanes = new Lanes();
  readonly #most: number;
  /** Bytes that are inflated, or wait for that. */
  #waiting = 0;

  /** Takes no more while more than `most` compressed bytes wait. */
  constructor(most = MAX_PACKED_BYTES) {
    this.#most = most;
  }

  /** Whether so much waits that nothing more is taken. */
  get isFull(): boolean {
    return this.#waiting > this.#most;
  }

  /** Inflates what is long. Rejects with a `PayloadError` when it is nothing that was compressed, or too much. */
  async inflate(codec: number, bytes: Uint8Array): Promise<Uint8Array> {
    this.#waiting += bytes.length;
    try {
      return await this.#lanes.run(
        ["inflate"],
        () => inflate(codec, bytes, MAX_FRAME_BYTES, nextTurn),
      );
    } finally {
      this.#waiting -= bytes.length;
    }
  }

  /** Compresses messages, unless they would not get shorter. */
  async compress(codec: number, messages: EncodedMessages): Promise<PackedMessages> {
    const { count, bytes } = messages;
    const packed = compressShort(codec, bytes) ??
      await this.#lanes.run(["compress"], () => compress(codec, bytes, nextTurn));
    return packed.length + LENGTH_BYTES < bytes.length
      ? { codec, messages: { count, bytes: packed } }
      : { codec: CODEC.none, messages };
  }
}

/** Bytes of the length that stands before what is compressed. */
const LENGTH_BYTES = 4;
