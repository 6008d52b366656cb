/**
 * What the connections of a topics port share.
 *
 * @module
 */

import type { Result, SegmentId } from "../../cluster/machine/mod.ts";
import type { TopicServer } from "../../protocol/topics/mod.ts";
import type { Access } from "../kv/access/access.ts";
import type { Lanes } from "../files/lanes.ts";
import type { SharedBacklog } from "../net/outbox.ts";
import type { Packing } from "./packing.ts";
import type { BatchPlace } from "../replica/segments/recent.ts";
import type { Buffers } from "./buffers.ts";

/** The replicated state of this server. */
export interface TopicState {
  /**
   * Has a command executed, or a question answered, by this server as the leader. `done` is called once, later, with `undefined`
   * when it does not lead and has done nothing.
   */
  askHere(
    kind: "command" | "question",
    bytes: Uint8Array,
    timeoutMs: number,
    done: (result: Result | undefined) => void,
  ): void;
  /** A member of a group has given a sign of life here, which counts while this server leads. */
  heard(member: number): void;
  /** Answers a question from what this server has. */
  peek(question: Uint8Array): Result;
}

/** The messages of this server. */
export interface MessageReader {
  /**
   * Whole batches from `position` on, where one begins: as many as `length` bytes hold, but at least one. They are put into `into`,
   * which has room for `length` bytes; a batch that takes more is in memory of its own.
   */
  read(
    segment: SegmentId,
    position: number,
    length: number,
    into: Uint8Array,
  ): Promise<Uint8Array>;
  /** Where the batch begins whose first message has this offset, if that is known without looking: else `undefined`. */
  find(topic: number, partition: number, offset: number): BatchPlace | undefined;
  /** Resolves once a partition has a message here with the offset `next`, when something of it goes, or when the signal fires. */
  waitFor(topic: number, partition: number, next: number, signal: AbortSignal): Promise<void>;
}

/** The servers of the cluster, as this one knows them. */
export interface TopicCluster {
  /** The name of this one. */
  readonly name: string;
  /** "" while it belongs to none. */
  readonly clusterId: string;
  /** Who leads, and whether that is this one. */
  readonly leader: string | undefined;
  readonly isLeader: boolean;
  /** Whether the disk has no room. */
  readonly isFull: boolean;
  /** All of them, with where they serve topics. */
  servers(): readonly TopicServer[];
}

/** What requests are done by. */
export interface RequestServices {
  readonly state: TopicState;
  readonly messages: MessageReader;
  readonly cluster: TopicCluster;
  /** Whether a produce makes the topic that is missing. */
  readonly autoCreate: boolean;
  /** How long a request may take, in milliseconds. */
  readonly requestLimitMs: number;
  /** Bytes that wait for whoever asked. */
  readonly waiting: SharedBacklog;
  /** Memory for messages that are read. */
  readonly buffers: Buffers;
  /** Reads while that is too much: one at a time, for a message may bring a batch of many with it. */
  readonly scarce: Lanes;
  /** Inflates and compresses messages. */
  readonly packing: Packing;
  /** When that began, by `performance.now()`. */
  readonly startedAt: number;
}

/** What requests of clients are dealt with by. */
export interface Services extends RequestServices {
  /** Who may do what; `undefined`: everybody everything. */
  readonly access: Access | undefined;
  /** A client that sends no frame for this long is disconnected, in milliseconds; 0: none is. */
  readonly idleLimitMs: number;
  /** A frame has to end this long after its first byte, in milliseconds. */
  readonly frameLimitMs: number;
  /** Whether the port is about to close: nothing more is taken on. */
  readonly closing: boolean;
  /** Writes a line about a client's mistake, unless there was one of this kind about its address within the last second. */
  complain(source: string, kind: string, text: string): void;
  /** Logs a fault of the program with its stack, and returns what names it. */
  incident(error: unknown): string;
}
