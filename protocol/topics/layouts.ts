/**
 * Which fields each kind of request and reply has, in which version (docs/spec/topics.md 3).
 *
 * @module
 */

import { CODEC, OFFSET } from "./codes.ts";
import {
  acks,
  codec,
  compressed,
  type Field,
  fixed,
  flag,
  group,
  i31,
  i64,
  list,
  messages,
  name,
  packed,
  place,
  producer,
  record,
  sizedMessages,
  subscription,
  text,
  time,
  topic,
  u16,
  u32,
  u8,
  untold,
} from "./fields.ts";
import {
  MAX_COMMITTED,
  MAX_FRAME_BYTES,
  MAX_GROUP_PARTITIONS,
  MAX_NAMED_TOPICS,
  MAX_TRANSACT_ITEMS,
} from "./limits.ts";
import type { Fetched, Replies, RequestKind, Requests, TopicSettings } from "./requests.ts";

/** The two payloads of a kind. */
export interface Layout<Q, R> {
  readonly request: Field<Q>;
  readonly reply: Field<R>;
}

/** A kind of request: its number, and its payloads by version; the first one may not know it. */
export interface Kind<Q, R> {
  readonly type: number;
  readonly versions: readonly [first: Layout<Q, R> | undefined, second: Layout<Q, R>];
  /** The payloads of the second version with the flag `compressed`, where it may be set. */
  readonly compressed?: Layout<Q, R>;
}

const none = record<Readonly<Record<never, never>>>({});
/** A text that only the frame bounds. */
const long = text(MAX_FRAME_BYTES);
const offset = i64(0);
const partition = { topic, partition: u32 };
const range = { start: offset, highWaterMark: offset };
const offsets = { ...partition, start: offset, end: offset, highWaterMark: offset };
const wanted = { ...partition, offset: place(OFFSET.earliest), maxBytes: u32 };
const committed = record({ ...partition, offset: i64(-1), metadata: long });
const shared = list(record(partition), MAX_GROUP_PARTITIONS);
const listed = record({ name: topic, partitions: u32 });
const server = record({ id: name, host: name, port: u16, role: u8 });
const topicMetadata = record({ name: topic, topicId: offset, partitions: list(record(range)) });
const appended = { baseOffset: offset, count: u32, highWaterMark: offset };
const duplicate = record({ message: u32, partition: u32, offset });
const produced = record({ ...appended, duplicates: list(duplicate) });
const part = record({ ...partition, baseSequence: i31, messages: sizedMessages });
const expected = record({ ...partition, offset, metadata: long, expected: i64(-2) });
const fetched = record({
  highWaterMark: offset,
  codec: fixed<number>(CODEC.none),
  messages: messages(0),
});
const fetchedPacked: Field<Fetched> = {
  least: offset.least + packed.least,
  write(writer, value) {
    offset.write(writer, value.highWaterMark);
    packed.write(writer, value);
  },
  read: (reader) => ({ highWaterMark: offset.read(reader), ...packed.read(reader) }),
};
const produceSecond = { ...partition, acks, timeoutMs: i31, producer };
const fetchSecond = { ...wanted, minBytes: u32, maxWaitMs: u32 };
const someCodec = codec(CODEC.gzip, CODEC.deflate);

/** Where a frame that answers a fetch has its messages: behind length, head, high water mark and the number of messages. */
export const FETCHED_AT = 27;

/** The kinds of requests. Those that the first version does not know are reserved numbers of StreamBus, or skein's own. */
export const KINDS: { readonly [K in RequestKind]: Kind<Requests[K], Replies[K]> } = {
  produce: {
    type: 0x01,
    versions: [
      {
        request: record({
          ...partition,
          acks: fixed(-1),
          timeoutMs: fixed(0),
          producer: fixed(undefined),
          codec: fixed<number>(CODEC.none),
          messages: messages(1),
        }),
        reply: record({ ...appended, duplicates: untold([]) }),
      },
      {
        request: record({
          ...produceSecond,
          codec: codec(CODEC.none, CODEC.none),
          messages: messages(1),
        }),
        reply: produced,
      },
    ],
    compressed: {
      request: record({ ...produceSecond, codec: someCodec, messages: compressed(1) }),
      reply: produced,
    },
  },
  fetch: {
    type: 0x02,
    versions: [
      {
        request: record({
          ...wanted,
          minBytes: fixed(0),
          maxWaitMs: fixed(0),
          codec: fixed<number>(CODEC.none),
        }),
        reply: fetched,
      },
      {
        request: record({ ...fetchSecond, codec: fixed<number>(CODEC.none) }),
        reply: fetched,
      },
    ],
    compressed: { request: record({ ...fetchSecond, codec: someCodec }), reply: fetchedPacked },
  },
  getOffset: {
    type: 0x03,
    versions: [
      {
        request: record({ ...partition, time: fixed(undefined) }),
        reply: record({ ...offsets, atTime: fixed(-1) }),
      },
      { request: record({ ...partition, time }), reply: record({ ...offsets, atTime: i64(-1) }) },
    ],
  },
  createTopic: both(
    0x04,
    record({ topic, partitions: u32, replicationFactor: u16 }),
    record({ topic, created: flag }),
  ),
  deleteTopic: both(0x05, record({ topic }), record({ topic, deleted: flag })),
  listTopics: both(0x06, none, record({ topics: list(listed) })),
  healthCheck: both(0x07, none, record({ status: name, uptimeSeconds: offset })),
  commitOffsets: second(
    0x0c,
    record({ group, generation: u32, member: name, offsets: list(committed, MAX_COMMITTED) }),
    record({ codes: list(u16) }),
  ),
  fetchOffsets: second(
    0x0d,
    record({ group, partitions: list(record(partition), MAX_COMMITTED) }),
    record({ offsets: list(committed) }),
  ),
  initProducer: second(
    0x0e,
    record({ transactionalId: name }),
    record({ producerId: offset, epoch: u16 }),
  ),
  hello: second(
    0x40,
    record({ client: name, token: long }),
    record({ serverId: name, clusterId: name, features: u32 }),
  ),
  metadata: second(
    0x41,
    record({ topics: list(topic, MAX_NAMED_TOPICS) }),
    record({ servers: list(server), leader: name, topics: list(topicMetadata) }),
  ),
  describeTopic: second(
    0x42,
    record({ topic }),
    record({
      topic,
      topicId: offset,
      replicationFactor: u16,
      settings: settings(-1),
      partitions: list(record({ ...range, bytes: offset })),
    }),
  ),
  alterTopic: second(
    0x43,
    record({ topic, settings: settings(-2) }),
    record({ settings: settings(-1) }),
  ),
  deleteRecords: second(
    0x44,
    record({ ...partition, offset: place(OFFSET.latest) }),
    record({ start: offset }),
  ),
  transact: second(
    0x45,
    record({
      producerId: offset,
      epoch: u16,
      parts: list(part, MAX_TRANSACT_ITEMS),
      group: name,
      generation: u32,
      member: name,
      offsets: list(expected, MAX_TRANSACT_ITEMS),
    }),
    record({ parts: list(produced, MAX_TRANSACT_ITEMS) }),
  ),
  joinGroup: second(
    0x08,
    record({
      group,
      member: name,
      client: name,
      sessionTimeoutMs: u32,
      rebalanceTimeoutMs: u32,
      topics: subscription,
    }),
    record({ member: name, generation: u32 }),
  ),
  syncGroup: second(
    0x09,
    record({ group, generation: u32, member: name, held: shared }),
    record({ generation: u32, assigned: shared, more: flag }),
  ),
  heartbeat: second(0x0a, record({ group, generation: u32, member: name }), none),
  leaveGroup: second(0x0b, record({ group, member: name }), none),
  describeGroup: second(
    0x46,
    record({ group }),
    record({
      generation: u32,
      members: list(record({ member: name, client: name, generation: u32, owned: shared })),
    }),
  ),
  listGroups: second(
    0x47,
    none,
    record({ groups: list(record({ group, generation: u32, members: u32 })) }),
  ),
};

/** A kind whose payloads are the same in both versions. */
function both<Q, R>(type: number, request: Field<Q>, reply: Field<R>): Kind<Q, R> {
  return { type, versions: [{ request, reply }, { request, reply }] };
}

/** A kind that only the second version knows. */
function second<Q, R>(type: number, request: Field<Q>, reply: Field<R>): Kind<Q, R> {
  return { type, versions: [undefined, { request, reply }] };
}

/** What is set for a topic: -1 stands for never, -2 for what it was. */
function settings(least: number): Field<TopicSettings> {
  const value = i64(least);
  return record({
    retentionMs: value,
    retentionBytes: value,
    segmentBytes: value,
    segmentMs: value,
    dedupeMs: value,
  });
}
