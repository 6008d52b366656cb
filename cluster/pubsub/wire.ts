/**
 * What agents say to each other about channels, the payload of a frame of the peer link.
 *
 *     interests  1 | text, again and again                 all that the sender's subscribers want
 *     changes    2 | u8 added | text, again and again      what they want besides, or no more
 *     message    3 | text channel | line                   a push, ready for subscribers without a pattern
 *     dropped    4 | u32 count | text channel, again       how many messages the sender could not send; an empty channel: of others
 *
 * A text is `u16 length | UTF-8`. Integers have their highest byte first.
 *
 * @module
 */

import { concatBytes, getU32, putU32 } from "../../protocol/bytes.ts";
import { decodeUtf8, encodeUtf8 } from "../../protocol/text.ts";
import { type Interest, interestOfText, MAX_INTEREST_BYTES } from "./channel.ts";

/** The kinds by their numbers, which never change. */
const INTERESTS = 1;
const CHANGES = 2;
const MESSAGE = 3;
const DROPPED = 4;

const LINE_FEED = 0x0a;
const CLOSING_BRACE = 0x7d;

/** What an agent says. */
export type News =
  | { readonly kind: "interests"; readonly interests: readonly Interest[] }
  | { readonly kind: "changes"; readonly changes: readonly (readonly [Interest, boolean])[] }
  | { readonly kind: "message"; readonly channel: string; readonly line: Uint8Array }
  | { readonly kind: "dropped"; readonly dropped: readonly (readonly [string, number])[] };

/** The bytes are nothing that an agent says. */
export class NewsError extends Error {
  /** "NewsError". */
  override readonly name = "NewsError";
}

/** All that is wanted. */
export function encodeInterests(texts: Iterable<string>): Uint8Array {
  return concatBytes([Uint8Array.of(INTERESTS), ...[...texts].map((text) => textBytes(text))]);
}

/** What is wanted besides, and what no more. */
export function encodeChanges(changes: Iterable<readonly [string, boolean]>): Uint8Array {
  const parts = [...changes].map(([text, isAdded]) => textBytes(text, [isAdded ? 1 : 0]));
  return concatBytes([Uint8Array.of(CHANGES), ...parts]);
}

/** A message. */
export function encodeNewsMessage(channel: string, line: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(MESSAGE), textBytes(channel), line]);
}

/** How many messages of which channels were dropped. */
export function encodeDropped(dropped: Iterable<readonly [string, number]>): Uint8Array {
  const parts = [...dropped].map(([channel, count]) => {
    const bytes = textBytes(channel, [0, 0, 0, 0]);
    putU32(bytes, 0, Math.min(count, 0xffff_ffff));
    return bytes;
  });
  return concatBytes([Uint8Array.of(DROPPED), ...parts]);
}

/** Reads what an agent says; the line of a message is a view. Throws {@linkcode NewsError}. */
export function decodeNews(bytes: Uint8Array): News {
  const reader = new NewsReader(bytes);
  switch (reader.byte()) {
    case INTERESTS:
      return { kind: "interests", interests: reader.all(() => interestIn(reader.text())) };
    case CHANGES:
      return {
        kind: "changes",
        changes: reader.all(() => {
          const isAdded = reader.byte() === 1;
          return [interestIn(reader.text()), isAdded] as const;
        }),
      };
    case MESSAGE:
      return { kind: "message", channel: reader.text(), line: lineIn(reader.rest()) };
    case DROPPED:
      return {
        kind: "dropped",
        dropped: reader.all(() => {
          const count = reader.u32();
          return [reader.text(), count] as const;
        }),
      };
    default:
      throw new NewsError(`News of kind ${bytes[0]}`);
  }
}

function textBytes(text: string, head: readonly number[] = []): Uint8Array {
  const encoded = encodeUtf8(text);
  const bytes = new Uint8Array(head.length + 2 + encoded.length);
  bytes.set(head);
  bytes[head.length] = encoded.length >> 8;
  bytes[head.length + 1] = encoded.length;
  bytes.set(encoded, head.length + 2);
  return bytes;
}

function interestIn(text: string): Interest {
  const interest = text === "" ? undefined : interestOfText(text);
  if (interest === undefined) throw new NewsError(`No channel or pattern: '${text}'`);
  return interest;
}

/** One line, or a subscriber would take its second half for something else. */
function lineIn(line: Uint8Array): Uint8Array {
  const end = line.length - 1;
  if (line[end - 1] !== CLOSING_BRACE || line.indexOf(LINE_FEED) !== end) {
    throw new NewsError("A message that is not one line");
  }
  return line;
}

/** Goes through the bytes. */
class NewsReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#take(1)[0] as number;
  }

  u32(): number {
    return getU32(this.#take(4), 0);
  }

  text(): string {
    const [high, low] = this.#take(2) as unknown as [number, number];
    const length = (high << 8) | low;
    if (length > MAX_INTEREST_BYTES) throw new NewsError(`A channel of ${length} bytes`);
    return decodeUtf8(this.#take(length));
  }

  rest(): Uint8Array {
    return this.#take(this.#bytes.length - this.#at);
  }

  all<T>(read: () => T): T[] {
    const items: T[] = [];
    while (this.#at < this.#bytes.length) items.push(read());
    return items;
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new NewsError("News is cut off");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
