/**
 * Frames on one connection, in both directions: each a block of its own, or, sealed, many in one block.
 *
 * @module
 */

import { concatBytes, putU32 } from "../../../protocol/bytes.ts";
import type { Writer } from "../../../protocol/msgpack/mod.ts";
import type { Peer } from "../../net/conversation.ts";
import { BLOCK_HEAD_BYTES, BlockError, BlockParser } from "./blocks.ts";
import { type Frame, framesIn } from "./frames.ts";
import { HelloError, PREAMBLE_BYTES } from "./hello.ts";
import { BATCH_BYTES, MAX_BLOCK_BYTES, MAX_STRANGER_BYTES } from "./limits.ts";
import { DecryptError, type Sealing } from "./sealing.ts";

/** The way to a peer. */
export class Line {
  /** Finds the blocks. */
  readonly parser: BlockParser;
  readonly #peer: Peer<Writer>;
  #sealing: Sealing | undefined;

  /** @param deliver Gets the preamble and then each block, for {@linkcode Line.frames}. */
  constructor(peer: Peer<Writer>, deliver: (block: Uint8Array) => void) {
    this.#peer = peer;
    this.parser = new BlockParser(PREAMBLE_BYTES, MAX_STRANGER_BYTES, deliver);
  }

  /** Sends bytes as they are. */
  sendPreamble(bytes: Uint8Array): void {
    this.#peer.outbox.append(bytes);
  }

  /** From now on everything is sealed, in both directions. */
  seal(sealing: Sealing | undefined): void {
    this.#sealing = sealing;
  }

  /** The peer has shown who it is: larger blocks are taken from it. */
  know(): void {
    this.parser.limit = MAX_BLOCK_BYTES;
    this.#peer.know();
  }

  /** Sends frames, which nobody may change any more, in this order and in one write. */
  send(frames: readonly Uint8Array[]): void {
    const { outbox } = this.#peer;
    if (this.#sealing === undefined) {
      for (const frame of frames) outbox.append(frame);
      return;
    }
    for (let from = 0; from < frames.length;) {
      let to = from;
      let length = 0;
      do length += (frames[to++] as Uint8Array).length; while (
        to < frames.length && length + (frames[to] as Uint8Array).length <= BATCH_BYTES
      );
      const sealed = this.#sealing.seal(concatBytes(frames.slice(from, to)));
      const head = new Uint8Array(BLOCK_HEAD_BYTES);
      putU32(head, 0, sealed.length);
      outbox.append(head);
      outbox.append(sealed);
      from = to;
    }
  }

  /**
   * The frames in a block, their bytes for good.
   *
   * @throws {BlockError | DecryptError} when there are none, or the block is not the next one of the peer's
   */
  frames(block: Uint8Array): Frame[] {
    if (this.#sealing !== undefined) return framesIn(this.#sealing.open(block));
    return [{ channel: block[0] as number, payload: block.slice(1) }];
  }
}

/** Whether it is what the other end has sent that is wrong. */
export function isPeersFault(error: unknown): error is Error {
  return error instanceof BlockError || error instanceof DecryptError ||
    error instanceof HelloError;
}
