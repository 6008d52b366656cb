/**
 * What clients and servers say to each other about topics, as values (docs/spec/topics.md 3).
 *
 * @module
 */

import type {
  GroupDescription,
  JoinGroup,
  ListedGroup,
  Membership,
  Share,
  SyncGroup,
} from "./group_requests.ts";
import type { Partition } from "./names.ts";

/** Names a request on its connection: 64 bits, a bigint only where a number cannot hold them. */
export type RequestId = number | bigint;

/** Messages as they are encoded, one after the other, or what became of these bytes by a codec. */
export interface EncodedMessages {
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Who produces, so that a batch that comes again is known. */
export interface ProducerBatch {
  /** From 1 to 2^53-1. */
  readonly id: number;
  readonly epoch: number;
  /** Number of the first message among all of this producer to the partition. */
  readonly baseSequence: number;
}

/** Appends messages to a partition. */
export interface Produce {
  readonly topic: string;
  readonly partition: number;
  /** -1 and 1: once they are committed; 0 is taken for the same. */
  readonly acks: number;
  /** How long it may take, in milliseconds; 0: as long as the server allows. */
  readonly timeoutMs: number;
  readonly producer: ProducerBatch | undefined;
  /** How the messages are compressed: one of `CODEC`, and unless it is 0 with the flag `compressed`. */
  readonly codec: number;
  /** At least one. */
  readonly messages: EncodedMessages;
}

/** Where the messages are: those that were appended follow each other from `baseOffset` on. */
export interface Produced {
  /** The high water mark when none was appended. */
  readonly baseOffset: number;
  /** How many were appended. */
  readonly count: number;
  readonly highWaterMark: number;
  /** The others, in order: a message with the id of each was there before. The first version cannot tell of them. */
  readonly duplicates: readonly DuplicateMessage[];
}

/** Which message of a request was not appended, from 0 on, and where the one with its id is that was there before. */
export interface DuplicateMessage {
  readonly message: number;
  readonly partition: number;
  readonly offset: number;
}

/** Asks for messages of a partition. */
export interface Fetch {
  readonly topic: string;
  readonly partition: number;
  /** The first one that is wanted, or one of `OFFSET`. */
  readonly offset: number;
  /** Bytes of encoded messages at most; but one message, if there is any. */
  readonly maxBytes: number;
  /** It is waited for so many bytes ... */
  readonly minBytes: number;
  /** ... for so many milliseconds. */
  readonly maxWaitMs: number;
  /** How the messages may be compressed: one of `CODEC`, and unless it is 0 with the flag `compressed`. */
  readonly codec: number;
}

/** Messages of a partition. */
export interface Fetched {
  /** Offset of the next message that will be there. */
  readonly highWaterMark: number;
  /** How the messages are compressed: one of `CODEC`, 0 unless that was asked for. */
  readonly codec: number;
  readonly messages: EncodedMessages;
}

/** Asks which messages a partition has. */
export interface GetOffset extends Partition {
  /** Nanoseconds since 1970: which message is the first at or after it? Absent: that is not asked for. */
  readonly time?: bigint | undefined;
}

/** What a partition has. */
export interface PartitionOffsets extends Partition {
  /** Offset of the first message that is kept. */
  readonly start: number;
  /** Offset of the next message in the log of the leader. */
  readonly end: number;
  /** Offset of the next message that will be committed. */
  readonly highWaterMark: number;
  /** Offset of the first message, in the order of offsets, at or after the time that was asked for; -1: there is none. */
  readonly atTime: number;
}

/** Names a topic. */
export interface Topic {
  readonly topic: string;
}

/** Creates a topic. */
export interface CreateTopic extends Topic {
  /** 1 to 1,024. */
  readonly partitions: number;
  /** Is only told again by `describeTopic`: all servers have all data. */
  readonly replicationFactor: number;
}

/** What became of it. */
export interface Created extends Topic {
  /** Whether it is new. */
  readonly created: boolean;
}

/** What became of it. */
export interface Deleted extends Topic {
  readonly deleted: boolean;
}

/** A topic of a list. */
export interface ListedTopic {
  readonly name: string;
  readonly partitions: number;
}

/** How a server does. */
export interface Health {
  /** `healthy` or `unhealthy`. */
  readonly status: string;
  readonly uptimeSeconds: number;
}

/** An offset that a group is to go on from. */
export interface CommittedOffset extends Partition {
  /** -1: none, in answers. */
  readonly offset: number;
  readonly metadata: string;
}

/** Keeps offsets of a group. */
export interface CommitOffsets {
  readonly group: string;
  /** That of the last sync of the member; 0 where there is none. */
  readonly generation: number;
  /** Empty: who commits is no member, and the group has none. */
  readonly member: string;
  readonly offsets: readonly CommittedOffset[];
}

/** Appends messages to partitions and keeps offsets of a group, all of it or nothing. Without a group there are no offsets. */
export interface Transact extends ProducerId, Omit<CommitOffsets, "offsets"> {
  /** Of each partition once; with sequences if there is a producer. */
  readonly parts:
    readonly (Pick<Produce, keyof Partition | "messages"> & Pick<ProducerBatch, "baseSequence">)[];
  /** Each if the group has the one that is expected: -1: none, -2: whatever it is. */
  readonly offsets: readonly (CommittedOffset & { readonly expected: number })[];
}

/** Asks for offsets of a group. */
export interface FetchOffsets {
  readonly group: string;
  /** Empty: all that the group has. */
  readonly partitions: readonly Partition[];
}

/** A producer whose batches are known when they come again. */
export interface ProducerId {
  readonly producerId: number;
  readonly epoch: number;
}

/** Says who this is. */
export interface Hello {
  readonly client: string;
  /** Empty: none. */
  readonly token: string;
}

/** Says who that is. */
export interface Welcome {
  readonly serverId: string;
  readonly clusterId: string;
  /** Bits of `FEATURE`. */
  readonly features: number;
}

/** A server that keeps topics. */
export interface TopicServer {
  readonly id: string;
  readonly host: string;
  /** 0: it serves no topics. */
  readonly port: number;
  /** One of `ROLE`. */
  readonly role: number;
}

/** Where a partition begins and ends. */
export interface PartitionRange {
  readonly start: number;
  readonly highWaterMark: number;
}

/** A topic of the metadata. */
export interface TopicMetadata {
  readonly name: string;
  /** Of each topic another one, also of those that were deleted. */
  readonly topicId: number;
  readonly partitions: readonly PartitionRange[];
}

/** The cluster and its topics. */
export interface Metadata {
  readonly servers: readonly TopicServer[];
  /** Id of the server that leads; empty when none is known to. */
  readonly leader: string;
  /** Those that were asked for and are there, by name. */
  readonly topics: readonly TopicMetadata[];
}

/** What is set for a topic. */
export interface TopicSettings {
  /** Messages go so many milliseconds after they were appended; -1: never. */
  readonly retentionMs: number;
  /** The oldest messages of a partition go when it has more bytes than that; -1: never. */
  readonly retentionBytes: number;
  /** A segment ends with so many bytes. */
  readonly segmentBytes: number;
  /** A segment ends so many milliseconds after its first message. */
  readonly segmentMs: number;
  /** Of messages with one id, one is appended within so many milliseconds; 0: all are. */
  readonly dedupeMs: number;
}

/** A partition of a topic that is described. */
export interface DescribedPartition extends PartitionRange {
  /** Of the messages that are kept. */
  readonly bytes: number;
}

/** All about a topic. */
export interface TopicDescription extends Topic {
  readonly topicId: number;
  readonly replicationFactor: number;
  readonly settings: TopicSettings;
  readonly partitions: readonly DescribedPartition[];
}

/** Changes what is set for a topic. */
export interface AlterTopic extends Topic {
  /** -2: as it is. */
  readonly settings: TopicSettings;
}

/** Deletes the messages of a partition before one. */
export interface DeleteRecords extends Partition {
  /** The first one that stays; -1: none does. */
  readonly offset: number;
}

/** Without a field. */
export type Empty = Readonly<Record<never, never>>;

/** The requests. */
export interface Requests {
  readonly produce: Produce;
  readonly fetch: Fetch;
  readonly getOffset: GetOffset;
  readonly createTopic: CreateTopic;
  readonly deleteTopic: Topic;
  readonly listTopics: Empty;
  readonly healthCheck: Empty;
  readonly commitOffsets: CommitOffsets;
  readonly fetchOffsets: FetchOffsets;
  readonly initProducer: { readonly transactionalId: string };
  readonly hello: Hello;
  readonly metadata: { readonly topics: readonly string[] };
  readonly describeTopic: Topic;
  readonly alterTopic: AlterTopic;
  readonly deleteRecords: DeleteRecords;
  readonly transact: Transact;
  readonly joinGroup: JoinGroup;
  readonly syncGroup: SyncGroup;
  readonly heartbeat: Membership & { readonly group: string };
  readonly leaveGroup: { readonly group: string; readonly member: string };
  readonly describeGroup: { readonly group: string };
  readonly listGroups: Empty;
}

/** A kind of request. */
export type RequestKind = keyof Requests;

/** The replies to them. */
export interface Replies {
  readonly produce: Produced;
  readonly fetch: Fetched;
  readonly getOffset: PartitionOffsets;
  readonly createTopic: Created;
  readonly deleteTopic: Deleted;
  readonly listTopics: { readonly topics: readonly ListedTopic[] };
  readonly healthCheck: Health;
  /** A code for each offset, 0 for one that is kept. */
  readonly commitOffsets: { readonly codes: readonly number[] };
  readonly fetchOffsets: { readonly offsets: readonly CommittedOffset[] };
  readonly initProducer: ProducerId;
  readonly hello: Welcome;
  readonly metadata: Metadata;
  readonly describeTopic: TopicDescription;
  readonly alterTopic: { readonly settings: TopicSettings };
  readonly deleteRecords: { readonly start: number };
  readonly transact: { readonly parts: readonly Produced[] };
  readonly joinGroup: Membership;
  readonly syncGroup: Share;
  readonly heartbeat: Empty;
  readonly leaveGroup: Empty;
  readonly describeGroup: GroupDescription;
  /** By name. */
  readonly listGroups: { readonly groups: readonly ListedGroup[] };
}

/** A request of one kind as it comes to a server. */
export interface RequestOf<K extends RequestKind> {
  readonly kind: K;
  readonly id: RequestId;
  /** 1 or 2; of a null only 2 knows. */
  readonly version: number;
  /** Bits of `FLAG`. */
  readonly flags: number;
  readonly body: Requests[K];
}

/** A request as it comes to a server. */
export type Request = { readonly [K in RequestKind]: RequestOf<K> }[RequestKind];

/** A reply as it comes to a client: of what kind it is, only the request tells. */
export interface Reply {
  readonly id: RequestId;
  /** One of `STATUS`. */
  readonly status: number;
  /** One of `CODE`; 0 when there is a result. */
  readonly code: number;
  readonly payload: Uint8Array;
}
