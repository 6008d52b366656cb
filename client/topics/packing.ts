/**
 * Messages are compressed before they are sent, and inflated when they have come.
 *
 * @module
 */

import { CODE, CODEC } from "../../protocol/topics/codes.ts";
import { PayloadError, TopicError } from "../../protocol/topics/errors.ts";
import { MAX_FRAME_BYTES } from "../../protocol/topics/limits.ts";
import type { EncodedMessages, Fetched } from "../../protocol/topics/requests.ts";
import {
  compress,
  compressShort,
  inflate,
  inflateShort,
} from "../../protocol/topics/zlib/compression.ts";
import { nextTurn } from "../net/portable.ts";

/** Compresses messages; what is long piece by piece, so that the program goes on meanwhile. */
export async function packMessages(
  codec: number,
  { count, bytes }: EncodedMessages,
): Promise<EncodedMessages> {
  const packed = compressShort(codec, bytes) ?? await compress(codec, bytes, nextTurn);
  return { count, bytes: packed };
}

/**
 * Messages as they were before they were compressed.
 *
 * Rejects with a `TopicError` when they are nothing that was, or too much.
 */
export async function unpackMessages({ codec, messages }: Fetched): Promise<EncodedMessages> {
  if (codec === CODEC.none) return messages;
  const { count, bytes } = messages;
  try {
    const plain = inflateShort(codec, bytes, MAX_FRAME_BYTES) ??
      await inflate(codec, bytes, MAX_FRAME_BYTES, nextTurn);
    return { count, bytes: plain };
  } catch (cause) {
    if (!(cause instanceof PayloadError)) throw cause;
    const text = `Server gave no such messages: ${cause.message}`;
    throw new TopicError(CODE.CORRUPT_MESSAGE, text, { cause });
  }
}
