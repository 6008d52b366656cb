/**
 * The module `topics`: logs of messages that only grow at their ends.
 *
 * A topic has partitions, each a sequence of messages with offsets from 0 on, without a gap, none of which ever belongs to another
 * message. This module decides offsets, segments, what is kept how long, and what a producer or a group of consumers is told; the
 * messages themselves are no rows of the state, but in the segments (`segment.ts`).
 *
 * @module
 */

import type { Module } from "../module.ts";
import { COMMIT_OFFSETS, commitOffsets, GROUP_OFFSETS, groupOffsets } from "./commit.ts";
import { ALTER, alter, CREATE, create, del, DELETE } from "./create.ts";
import { askedHeartbeat, HEARTBEAT, heartbeat } from "./groups/heartbeat.ts";
import { JOIN, join } from "./groups/join.ts";
import { LEAVE, leave, REMOVE, remove } from "./groups/leave.ts";
import {
  DESCRIBE_GROUP,
  describeGroup,
  GROUP_MEMBERS,
  groupMembers,
  LIST_GROUPS,
  listGroups,
} from "./groups/listing.ts";
import { SYNC, sync } from "./groups/sync.ts";
import { DESCRIBE, describe, LIST, list, SEGMENTS, segments, TOTALS, totals } from "./listing.ts";
import { LOCATE, locate } from "./locate.ts";
import { LOCATE_TIME, locateTime } from "./locate_time.ts";
import { INIT_PRODUCER, initProducer, PRODUCE, produce } from "./produce.ts";
import { DUE, due, SWEEP, sweep } from "./sweep.ts";
import { TRANSACT, transact } from "./transact.ts";
import { TRIM, trim } from "./trim.ts";

export {
  BATCH_HEAD_BYTES,
  type BatchHead,
  HAS_NULLS,
  isBatchWhole,
  readBatchHead,
} from "./batch.ts";
export {
  allGroupOffsetsQuestion,
  type Commit,
  commitOffsetsCommand,
  COMMITTED,
  decodeGroupOffsets,
  type GroupOffset,
  type GroupOffsets,
  groupOffsetsQuestion,
  type NamedPlace,
  NOT_COMMITTED,
} from "./commit.ts";
export {
  type Alteration,
  alterTopicCommand,
  createTopicCommand,
  type Creation,
  deleteTopicCommand,
  hasCreated,
} from "./create.ts";
export type { MemberName, TopicPartitions } from "./groups/calls.ts";
export { type Committer, NO_MEMBER } from "./groups/fence.ts";
export { heartbeatCall } from "./groups/heartbeat.ts";
export { decodeJoined, type Join, joinCommand, type Joined, NEW_MEMBER } from "./groups/join.ts";
export { decodeRemoved, leaveCommand, removeMembersCommand, type Silent } from "./groups/leave.ts";
export {
  decodeGroup,
  decodeGroups,
  decodeMembers,
  describeGroupQuestion,
  type GroupDescription,
  groupMembersQuestion,
  type GroupPage,
  type ListedGroup,
  listGroupsQuestion,
  type MemberDescription,
  type MemberTimes,
} from "./groups/listing.ts";
export { decodeSynced, type Sync, syncCommand, type Synced } from "./groups/sync.ts";
export * from "./limits.ts";
export {
  decodeDescription,
  decodeSegments,
  decodeTopics,
  decodeTopicTotals,
  describeTopicQuestion,
  type ListedSegment,
  type ListedTopic,
  listTopicsQuestion,
  type PartitionDescription,
  type SegmentPage,
  segmentsQuestion,
  type TopicDescription,
  type TopicPage,
  topicTotalsQuestion,
} from "./listing.ts";
export {
  decodeLocation,
  locateQuestion,
  type Location,
  NEXT_OFFSET,
  type Span,
  START_OFFSET,
  type Where,
} from "./locate.ts";
export { locateTimeQuestion, type When } from "./locate_time.ts";
export { isGroup, isName } from "./names.ts";
export { decodeProduced, decodeProducer, initProducerCommand, produceCommand } from "./produce.ts";
export type { Produce, Produced, Sequence } from "./producing/part.ts";
export type { Duplicate } from "./rows/ids.ts";
export { TOPICS } from "./rows/keys.ts";
export { DEFAULT_OPTIONS, type TopicOptions } from "./rows/topic.ts";
export { nextOffset, SEGMENT_KEYS, segmentRow, segmentRowOf, segmentRows } from "./rows/lookup.ts";
export type { MessageChange, SegmentId, SegmentRow } from "./segment.ts";
export {
  decodeTopicsDue,
  decodeTopicsSwept,
  sweepTopicsCommand,
  topicsDueQuestion,
} from "./sweep.ts";
export {
  ANY_OFFSET,
  decodeTransacted,
  type ExpectedCommit,
  type Transact,
  transactCommand,
} from "./transact.ts";
export { decodeStart, type Trim, trimCommand } from "./trim.ts";

/** The module. */
export const topics: Module = {
  commands: {
    [CREATE]: create,
    [DELETE]: del,
    [ALTER]: alter,
    [TRIM]: trim,
    [PRODUCE]: produce,
    [INIT_PRODUCER]: initProducer,
    [COMMIT_OFFSETS]: commitOffsets,
    [SWEEP]: sweep,
    [TRANSACT]: transact,
    [JOIN]: join,
    [SYNC]: sync,
    [HEARTBEAT]: heartbeat,
    [LEAVE]: leave,
    [REMOVE]: remove,
  },
  questions: {
    [LOCATE]: locate,
    [LOCATE_TIME]: locateTime,
    [LIST]: list,
    [DESCRIBE]: describe,
    [SEGMENTS]: segments,
    [GROUP_OFFSETS]: groupOffsets,
    [TOTALS]: totals,
    [DUE]: due,
    [DESCRIBE_GROUP]: describeGroup,
    [LIST_GROUPS]: listGroups,
    [GROUP_MEMBERS]: groupMembers,
    [HEARTBEAT]: askedHeartbeat,
  },
};
