/**
 * Messages as programs send and get them.
 *
 * @module
 */

import { kindOf, requireArgument } from "../../arguments.ts";
import { bytesOf, PayloadBytes } from "../../payload.ts";
import { ID_HEADER, MAX_ID_BYTES } from "../message_set.ts";
import type { Header, Message } from "../messages.ts";
import type { Produced } from "../requests.ts";

/**
 * A message to be sent.
 *
 * @example
 * ```ts
 * import type { NewTopicMessage } from "@skein/agent/client";
 *
 * const message: NewTopicMessage = { key: "order-7", value: JSON.stringify({ sum: 12 }), headers: { trace: "ab12" } };
 * console.log(message.key);
 * ```
 */
export interface NewTopicMessage {
  /** What it is about: messages of one key go to one partition, in order. Default: none. */
  readonly key?: Uint8Array | string | null;
  /** What it says. `null` stands for nothing, which is not the same as empty. */
  readonly value: Uint8Array | string | null;
  /**
   * What tells it from all others of its topic, 1 to 64 bytes: one that was sent before, not long ago, is not appended again. It
   * becomes the header `Msg-Id`.
   */
  readonly id?: Uint8Array | string;
  /** By name, or as pairs where a name comes more than once. */
  readonly headers?:
    | Readonly<Record<string, Uint8Array | string>>
    | readonly (readonly [name: string, value: Uint8Array | string])[];
  /** Milliseconds since 1970, or as a bigint nanoseconds. Default: the time of the server. */
  readonly timestamp?: number | bigint;
  /** Where it goes. Default: where its key belongs; without a key one partition after the other, batch by batch. */
  readonly partition?: number;
}

/**
 * Where a message is in its topic.
 *
 * @example
 * ```ts
 * import type { TopicPosition } from "@skein/agent/client";
 *
 * const textOf = ({ partition, offset }: TopicPosition): string => `${partition}/${offset}`;
 * console.log(textOf({ partition: 0, offset: 41 })); // 0/41
 * ```
 */
export interface TopicPosition {
  /** The partition, from 0 on. */
  readonly partition: number;
  /** The offset, from 0 on; -1 when nobody was to acknowledge it. */
  readonly offset: number;
  /** Of a message that was sent: there when it was not appended, since one with its id was here before. */
  readonly duplicate?: boolean;
}

/**
 * A message of a topic. Its bytes lie in what was received together with it: copy what is kept for long.
 *
 * @example
 * ```ts
 * import type { TopicMessage } from "@skein/agent/client";
 *
 * const show = ({ partition, offset, timestamp, value }: TopicMessage): void => {
 *   console.log(partition, offset, new Date(timestamp), value?.text());
 * };
 * console.log(show.name);
 * ```
 */
export interface TopicMessage extends TopicPosition {
  /** Its topic. */
  readonly topic: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** Nanoseconds since 1970, exactly as they were sent. */
  readonly timestampNs: bigint;
  /** What it is about, if anything. */
  readonly key: PayloadBytes | null;
  /** What it says. */
  readonly value: PayloadBytes | null;
  /** In the order in which they were sent. */
  readonly headers: readonly (readonly [name: string, value: PayloadBytes])[];
}

const NS_PER_MS = 1_000_000n;

const MEMBERS = ["key", "value", "id", "headers", "timestamp", "partition"];

const NO_HEADERS: Message["headers"] = [];
const NO_BYTES = new Uint8Array();

/** A message for the wire. */
export function wireMessage(message: NewTopicMessage): Message {
  requireArgument("message", message, "object");
  for (const name in message) {
    if (MEMBERS.includes(name)) continue;
    throw new TypeError(`Unknown member '${name}' of message: expected ${MEMBERS.join(", ")}`);
  }
  const { key = null, value, id, headers, timestamp, partition } = message;
  if (partition !== undefined && !(Number.isSafeInteger(partition) && partition >= 0)) {
    throw new TypeError(`Invalid partition: expected a whole number, got ${kindOf(partition)}`);
  }
  const others = headers === undefined ? NO_HEADERS : wireHeaders(headers);
  return {
    offset: 0,
    timestamp: timestamp === undefined ? 0n : nanosecondsOfTime(timestamp),
    key: bytesOf(key),
    value: bytesOf(value),
    headers: id === undefined ? others : [idHeader(id), ...others],
  };
}

/** Whether a message has an id. */
export function hasId({ headers }: Message): boolean {
  return headers.some(([name]) => name === ID_HEADER);
}

/** Where each of `count` messages is that were sent to a partition, by what has come of it. */
export function positionsOf(
  partition: number,
  count: number,
  { baseOffset, duplicates }: Produced,
): TopicPosition[] {
  let next = baseOffset;
  let passed = 0;
  return Array.from({ length: count }, (_, i) => {
    const duplicate = duplicates[passed];
    if (duplicate?.message !== i) return { partition, offset: next++ };
    passed++;
    return { partition: duplicate.partition, offset: duplicate.offset, duplicate: true };
  });
}

/** Messages of the wire as programs get them. */
export class ReceivedMessage implements TopicMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampNs: bigint;
  readonly key: PayloadBytes | null;
  readonly value: PayloadBytes | null;
  readonly headers: readonly (readonly [name: string, value: PayloadBytes])[];

  /** Shows the bytes of `message`, which stay where they are. */
  constructor(topic: string, partition: number, message: Message) {
    this.topic = topic;
    this.partition = partition;
    this.offset = message.offset;
    this.timestampNs = message.timestamp;
    this.key = payload(message.key);
    this.value = payload(message.value);
    const { headers } = message;
    this.headers = headers.map(([name, value]) => [name, payload(value) as PayloadBytes]);
  }

  /** See {@linkcode TopicMessage.timestamp}. */
  get timestamp(): number {
    const ms = this.timestampNs / NS_PER_MS;
    return Number(ms) + Number(this.timestampNs - ms * NS_PER_MS) / 1e6;
  }
}

function payload(bytes: Uint8Array | null): PayloadBytes | null {
  if (bytes === null) return null;
  return new PayloadBytes(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}

function idHeader(id: Uint8Array | string): Header {
  const bytes = bytesOf(id) ?? NO_BYTES;
  if (bytes.length > 0 && bytes.length <= MAX_ID_BYTES) return [ID_HEADER, bytes];
  throw new RangeError(
    `Id of a message takes ${bytes.length} bytes, expected 1 to ${MAX_ID_BYTES}`,
  );
}

/**
 * Nanoseconds since 1970 of milliseconds, or of a bigint that is nanoseconds already.
 *
 * @throws {TypeError} when it is no number
 * @throws {RangeError} when 64 bits do not hold it
 */
export function nanosecondsOfTime(timestamp: number | bigint): bigint {
  const isBig = typeof timestamp === "bigint";
  if (!isBig && !Number.isFinite(timestamp)) {
    throw new TypeError(`Invalid timestamp: expected milliseconds, got ${kindOf(timestamp)}`);
  }
  const whole = isBig ? 0 : Math.floor(timestamp);
  const ns = isBig
    ? timestamp
    : BigInt(whole) * NS_PER_MS + BigInt(Math.round((timestamp - whole) * 1e6));
  if (ns === BigInt.asIntN(64, ns)) return ns;
  throw new RangeError(`Timestamp of ${ns} ns is none of 64 bits`);
}

function wireHeaders(headers: NonNullable<NewTopicMessage["headers"]>): Message["headers"] {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  return pairs.map((pair) => {
    const [name, value] = pair as readonly [string, Uint8Array | string];
    requireArgument("name of a header", name, "text");
    const bytes = bytesOf(value);
    if (bytes === null) throw new TypeError(`Invalid header '${name}': expected bytes, got null`);
    return [name, bytes];
  });
}
