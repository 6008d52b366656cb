/**
 * Transactions of a producer: one after the other, each once. A program is told of each what has become of it.
 *
 * @module
 */

import { kindOf, requireArgument, requireOptions } from "../../arguments.ts";
import type { CallOptions } from "../../call_options.ts";
import { OutcomeUnknownError } from "../../kv/errors.ts";
import { CODE, OFFSET } from "../codes.ts";
import { isTakenOver, TopicError } from "../errors.ts";
import { MAX_FRAME_BYTES, MAX_MESSAGE_BYTES } from "../limits.ts";
import { messageBytes, writeMessage } from "../messages.ts";
import { isTopicName } from "../names.ts";
import type { Replies, Requests, Transact } from "../requests.ts";
import { FrameWriter } from "../writer.ts";
import { positionsOf, type TopicPosition, wireMessage } from "./messages.ts";
import { partitionOfKey } from "./routing.ts";
import type { TopicProgress, TopicTransaction, TransactedMessage } from "./types.ts";

/** What a request takes besides messages, in bytes; more than that. */
const OVERHEAD_BYTES = 1024 * 1024;

/** Sequences are numbers of 31 bits: another identity begins long before their end. */
const LAST_SEQUENCE = 0x7000_0000;

/** The offset that a group has may be any. */
const ANY_OFFSET = -2;

/** What transactions need. */
export interface TransactionWorld {
  /**
   * Asks the server that leads, with as many tries as the time allows. Rejects with a `TopicError` only when nothing was done, and
   * with an `OutcomeUnknownError`, whose cause is what was said last, when a try before that may have been.
   */
  ask<K extends "transact" | "initProducer">(
    kind: K,
    request: Requests[K],
    options: CallOptions,
  ): Promise<Replies[K]>;
  /** How many partitions a topic has; one that is made as it is needed has one. */
  partitions(topic: string, options: CallOptions): Promise<number>;
}

/** A message as it was when it was given. */
interface Taken {
  readonly topic: string;
  readonly key: Uint8Array | null;
  /** Where it is to go; else its key decides. */
  readonly partition: number | undefined;
  readonly bytes: Uint8Array;
}

/** Messages for one partition. */
interface Part {
  readonly topic: string;
  readonly partition: number;
  readonly writer: FrameWriter;
  /** Which messages of the transaction they are. */
  readonly members: number[];
}

/** The transactions of one producer. */
export class Transactions {
  readonly #world: TransactionWorld;
  readonly #partitions = new Map<string, number>();
  #identity: { readonly producerId: number; readonly epoch: number } | undefined;
  /** The next sequence of each partition. */
  readonly #sequences = new Map<string, number>();
  /** Where messages without a key go, one after the other. */
  #turn = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** Nothing was done yet. */
  constructor(world: TransactionWorld) {
    this.#world = world;
  }

  /** Resolves when all that were asked for before are done, or refused. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** Does one once those before are done. What it consists of is taken at once. */
  run(transaction: TopicTransaction, options: CallOptions): Promise<TopicPosition[]> {
    requireOptions("transact", options, { signal: "signal", timeoutMs: "duration" });
    const { messages = [], ...others } = transaction;
    requireOptions("transaction", others, { offsets: "object" });
    if (!Array.isArray(messages)) {
      throw new TypeError(`Invalid messages: expected an array, got ${kindOf(messages)}`);
    }
    const taken = takenOf(messages);
    const done = this.#last.then(() => {
      options.signal?.throwIfAborted();
      return this.#run(taken, others.offsets, options);
    });
    this.#last = done.catch(() => {}); // It is told who asked for it.
    return done;
  }

  async #run(
    messages: readonly Taken[],
    offsets: TopicProgress | undefined,
    options: CallOptions,
  ): Promise<TopicPosition[]> {
    const parts = await this.#partsOf(messages, options);
    try {
      const ask = (self?: { readonly member: string; readonly generation: number }) =>
        this.#ask(parts, offsets && { ...offsets, ...self }, options);
      const replies = await (offsets?.inTurn?.(ask) ?? ask());
      offsets?.committed?.();
      const positions: TopicPosition[] = [];
      parts.forEach(({ partition, members }, i) => {
        const reply = replies[i];
        if (reply === undefined) throw new TopicError(CODE.INVALID_PROTOCOL, "A part is missing");
        positionsOf(partition, members.length, reply).forEach((position, k) => {
          positions[members[k] as number] = position;
        });
      });
      return positions;
    } catch (error) {
      // Who gives up may do so with any error.
      const isGivenUp = options.signal?.aborted === true;
      const isRefused = error instanceof TopicError && !isGivenUp;
      // What may be done, or still be on its way, has taken sequences, or not.
      if (!isRefused) this.#identity = undefined;
      const isMissing = isRefused &&
        (error.code === CODE.PARTITION_NOT_FOUND || error.code === CODE.TOPIC_NOT_FOUND);
      if (isMissing) this.#partitions.clear();
      throw isGivenUp || parts.length === 0 ? error : refusalOf(error, offsets);
    }
  }

  /** Asks, and once more under another identity when the servers do not know this one any more. */
  async #ask(
    parts: readonly Part[],
    progress: TopicProgress | undefined,
    options: CallOptions,
  ): Promise<Replies["transact"]["parts"]> {
    for (let isAgain = false;; isAgain = true) {
      const request = await this.#requestOf(parts, progress, options);
      try {
        const { parts: replies } = await this.#world.ask("transact", request, options);
        for (const { topic, partition, baseSequence, messages } of request.parts) {
          this.#sequences.set(nameOf(topic, partition), baseSequence + messages.count);
        }
        return replies;
      } catch (error) {
        if (isAgain || !isLostTrack(error)) throw error;
        this.#identity = undefined;
      }
    }
  }

  async #requestOf(
    parts: readonly Part[],
    progress: TopicProgress | undefined,
    options: CallOptions,
  ): Promise<Transact> {
    const hasMessages = parts.length > 0;
    if ([...this.#sequences.values()].some((sequence) => sequence > LAST_SEQUENCE)) {
      this.#identity = undefined;
    }
    if (hasMessages && this.#identity === undefined) {
      const nobody = { transactionalId: "" };
      this.#identity = await this.#world.ask("initProducer", nobody, options);
      this.#sequences.clear();
    }
    const { producerId, epoch } = hasMessages && this.#identity || { producerId: 0, epoch: 0 };
    return {
      producerId,
      epoch,
      parts: parts.map(({ topic, partition, writer, members }) => ({
        topic,
        partition,
        baseSequence: this.#sequences.get(nameOf(topic, partition)) ?? 0,
        messages: { count: members.length, bytes: writer.view() },
      })),
      group: progress?.group ?? "",
      generation: progress?.generation ?? 0,
      member: progress?.member ?? "",
      offsets: (progress?.offsets ?? []).map(expectedOf),
    };
  }

  async #partsOf(messages: readonly Taken[], options: CallOptions): Promise<readonly Part[]> {
    const parts = new Map<string, Part>();
    for (const [i, { topic, key, bytes, ...given }] of messages.entries()) {
      const { partition = await this.#choose(topic, key, options) } = given;
      const name = nameOf(topic, partition);
      const part = parts.get(name) ?? { topic, partition, writer: new FrameWriter(), members: [] };
      parts.set(name, part);
      part.writer.raw(bytes);
      part.members.push(i);
    }
    return [...parts.values()];
  }

  async #choose(topic: string, key: Uint8Array | null, options: CallOptions): Promise<number> {
    const count = this.#partitions.get(topic) ?? await this.#world.partitions(topic, options);
    this.#partitions.set(topic, count);
    return key === null ? this.#turn++ % count : partitionOfKey(key, count);
  }
}

/** Messages as they are now, if they are some. */
function takenOf(messages: readonly TransactedMessage[]): Taken[] {
  let all = 0;
  return messages.map(({ topic, ...given }) => {
    requireArgument("name of a topic", topic, "text");
    if (!isTopicName(topic)) throw new TypeError(`'${topic}' is no name of a topic`);
    const message = wireMessage(given);
    const size = messageBytes(message);
    all += size;
    if (size > MAX_MESSAGE_BYTES || all > MAX_FRAME_BYTES - OVERHEAD_BYTES) {
      const text = `Messages take ${all} bytes, more than there is room for at once`;
      throw new TopicError(CODE.MESSAGE_TOO_LARGE, text);
    }
    const writer = new FrameWriter(size);
    writeMessage(writer, message, true);
    return {
      topic,
      key: message.key?.slice() ?? null,
      partition: given.partition,
      bytes: writer.view(),
    };
  });
}

function expectedOf(
  { topic, partition, offset, from }: TopicProgress["offsets"][number],
): Transact["offsets"][number] {
  const expected = from === undefined ? ANY_OFFSET : from ?? OFFSET.latest;
  return { topic, partition, offset, metadata: "", expected };
}

function nameOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/**
 * What a transaction with messages has failed with. Servers look at commits once they know that the messages were not here before: so
 * when a commit is refused, no try before was done. One that is still on its way is refused alike, unless somebody puts the offset
 * back: then the messages are to be read again, and it is as if another program had done so.
 */
function refusalOf(error: unknown, offsets: TopicProgress | undefined): unknown {
  const { cause } = error instanceof OutcomeUnknownError ? error : {};
  if (!(cause instanceof TopicError)) return error;
  // A program without a member may commit again once the group has none.
  const isFinal = cause.code !== CODE.UNKNOWN_MEMBER || offsets?.inTurn !== undefined;
  const isCommits = cause.code === CODE.TRANSACTION_ABORTED || isTakenOver(cause);
  return isCommits && isFinal ? cause : error;
}

/** Whether servers do not know the producer any more, or expect another batch. */
function isLostTrack(error: unknown): boolean {
  return error instanceof TopicError &&
    (error.code === CODE.OUT_OF_ORDER_SEQUENCE || error.code === CODE.UNKNOWN_PRODUCER);
}
