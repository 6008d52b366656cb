/**
 * What is to be done with messages for a partition, or why nothing is: decided before anything of their entry is done, and with
 * regard to all that was decided for the same entry before. So what an entry brings is done as a whole, or not at all.
 *
 * @module
 */

import {
  checkMessages,
  messageEnd,
  type MessageId,
  type MessageSet,
} from "../../../../protocol/topics/message_set.ts";
import type { Failure } from "../../result.ts";
import type { StoreReader } from "../../store/store.ts";
import { type Messages, timeAfter } from "../append.ts";
import { BATCH_HEAD_BYTES } from "../batch.ts";
import {
  BAD_MESSAGES,
  BAD_TOPIC,
  MAX_ALL_IDS,
  MAX_ALL_PARTITIONS,
  MAX_BATCH_BYTES,
  MAX_IDS,
  MAX_PRODUCERS,
  MAX_TOPICS,
  OUT_OF_ORDER,
  PARTITION_NOT_FOUND,
  PRODUCER_FENCED,
  QUOTA_EXCEEDED,
  TOPIC_NOT_FOUND,
  UNKNOWN_PRODUCER,
} from "../limits.ts";
import { isName } from "../names.ts";
import { type Duplicate, getId, type NewId } from "../rows/ids.ts";
import { getPartition, type Partition } from "../rows/partition.ts";
import {
  duplicatesOf,
  getProducer,
  type KnownBatch,
  type Producer,
  sequenceAfter,
} from "../rows/producer.ts";
import { getTopic, type Topic } from "../rows/topic.ts";
import { getTotals, type Totals } from "../rows/totals.ts";
import type { Produce, Sequence } from "./part.ts";

/** What is to be done. */
export interface Plan {
  readonly part: Required<Produce>;
  /** The topic; `undefined`: it is to be made. */
  readonly topic: Topic | undefined;
  /** As it is before. */
  readonly partition: Partition;
  /** The same batch that was there before: nothing is to be done. */
  readonly known: KnownBatch | undefined;
  /** What is to be appended; `undefined`: nothing. */
  readonly messages: Messages | undefined;
  /** The ids of those messages. */
  readonly ids: readonly NewId[];
  /** Messages that are not to be appended. */
  readonly duplicates: readonly Duplicate[];
}

const decoder = new TextDecoder("latin1");

/** The id of a topic that is still to be made. */
const NO_TOPIC = 0;

/** Bytes of messages that a batch has room for. */
const MOST = MAX_BATCH_BYTES - BATCH_HEAD_BYTES;

/** What is decided for one entry. */
export class Planning {
  readonly #state: StoreReader;
  readonly #time: number;
  /** What there will be. */
  #totals: Totals | undefined;
  #idCount = 0;
  /** Where the messages with these ids will be, by topic and id. */
  readonly #places = new Map<string, Omit<Duplicate, "message">>();

  /** Nothing is decided yet of an entry of a time. */
  constructor(state: StoreReader, time: number) {
    this.#state = state;
    this.#time = time;
  }

  /** How many ids the messages have, or had when they were here before. */
  get ids(): number {
    return this.#idCount;
  }

  /** What is to be done with messages, or why they are refused. */
  plan(part: Required<Produce>): Plan | Failure {
    const { topic: name, partition: number, autoCreate, sequence, count, messages: bytes } = part;
    const topic = getTopic(this.#state, name);
    if (topic === undefined && !isName(name)) return BAD_TOPIC;
    if (topic === undefined && !autoCreate) return TOPIC_NOT_FOUND;
    if (number >= (topic?.partitions ?? 1)) return PARTITION_NOT_FOUND;
    const ids: MessageId[] = [];
    const checked = checkMessages(bytes, count, true, ids);
    this.#idCount += ids.length;
    if (typeof checked === "string" || count === 0 || bytes.length > MOST) return BAD_MESSAGES;
    if (this.#idCount > MAX_IDS) return BAD_MESSAGES;
    const partition = getPartition(this.#state, topic?.id ?? NO_TOPIC, number);
    const producer = sequence && getProducer(this.#state, partition, sequence.producer);
    const known = producer && this.#judge(producer, sequence, count);
    if (known !== undefined && "ok" in known) return known;
    const rest = { part, topic, partition };
    if (sequence !== undefined && known !== undefined) {
      const duplicates = duplicatesOf(this.#state, partition, sequence.producer, known);
      // They are as much work as the ids that they had, whatever comes in their place now.
      this.#idCount += Math.max(0, duplicates.length - ids.length);
      return { ...rest, known, messages: undefined, ids: [], duplicates };
    }
    if (topic === undefined && !this.#hasRoomForTopic()) return QUOTA_EXCEEDED;
    if (ids.length === 0 || topic?.dedupeMs === 0) {
      const { hasNulls } = checked;
      return { ...rest, known, messages: { bytes, count, hasNulls }, ids: [], duplicates: [] };
    }
    const { fresh, duplicates } = this.#sort(topic, partition, part, ids);
    if (fresh.length > 0 && !this.#hasRoomForIds(fresh)) return QUOTA_EXCEEDED;
    return { ...rest, known, messages: without(part, checked, duplicates), ids: fresh, duplicates };
  }

  /** The same batch that was there before, or why this one is refused; `undefined` when it comes for the first time. */
  #judge(
    { epoch: lastEpoch, batches }: Producer,
    { producer, epoch, sequence }: Sequence,
    count: number,
  ): KnownBatch | Failure | undefined {
    if (epoch < lastEpoch) return PRODUCER_FENCED;
    const known = epoch === lastEpoch ? batches : [];
    const same = known.find((batch) => batch.sequence === sequence && batch.count === count);
    if (same !== undefined) return same;
    if (batches.length === 0) {
      const totals = this.#counted();
      if (producer === 0 || producer > totals.lastProducer) return UNKNOWN_PRODUCER;
      if (++totals.producers > MAX_PRODUCERS) return QUOTA_EXCEEDED;
    }
    const last = known.at(-1);
    return sequence === (last === undefined ? 0 : sequenceAfter(last)) ? undefined : OUT_OF_ORDER;
  }

  /** Which messages with ids are new, and which are not. */
  #sort(
    topic: Topic | undefined,
    { next, number }: Partition,
    { topic: name, messages }: Produce,
    ids: readonly MessageId[],
  ): { readonly fresh: NewId[]; readonly duplicates: Duplicate[] } {
    const fresh: NewId[] = [];
    const duplicates: Duplicate[] = [];
    const about = `${decoder.decode(name)}/`;
    for (const { message, start, end } of ids) {
      const id = messages.subarray(start, end);
      const text = about + decoder.decode(id);
      const before = topic && getId(this.#state, topic.id, id);
      const isKnown = before && timeAfter(before.at, topic.dedupeMs) > this.#time;
      const known = this.#places.get(text) ?? (isKnown ? before : undefined);
      if (known !== undefined) {
        duplicates.push({ message, partition: known.partition, offset: known.offset });
        continue;
      }
      const offset = next + message - duplicates.length;
      this.#places.set(text, { partition: number, offset });
      fresh.push({ id, offset, isNew: before === undefined });
    }
    return { fresh, duplicates };
  }

  #hasRoomForTopic(): boolean {
    const totals = this.#counted();
    return ++totals.topics <= MAX_TOPICS && ++totals.partitions <= MAX_ALL_PARTITIONS;
  }

  #hasRoomForIds(ids: readonly NewId[]): boolean {
    const totals = this.#counted();
    for (const { isNew } of ids) if (isNew) totals.ids++;
    return totals.ids <= MAX_ALL_IDS;
  }

  #counted(): Totals {
    return this.#totals ??= getTotals(this.#state);
  }
}

/** The messages without those that are there already. */
function without(
  { messages: bytes, count }: Produce,
  { hasNulls }: MessageSet,
  duplicates: readonly Duplicate[],
): Messages | undefined {
  if (duplicates.length === 0) return { bytes, count, hasNulls };
  const left = count - duplicates.length;
  if (left === 0) return undefined;
  const rest = new Uint8Array(bytes.length);
  let length = 0;
  let next = 0;
  for (let message = 0, start = 0; message < count; message++) {
    const end = messageEnd(bytes, start);
    if (duplicates[next]?.message === message) {
      next++;
    } else {
      rest.set(bytes.subarray(start, end), length);
      length += end - start;
    }
    start = end;
  }
  const kept = rest.subarray(0, length);
  return { bytes: kept, count: left, hasNulls: hasNulls && hasNull(kept, left) };
}

function hasNull(bytes: Uint8Array, count: number): boolean {
  const checked = checkMessages(bytes, count, true);
  return typeof checked !== "string" && checked.hasNulls;
}
