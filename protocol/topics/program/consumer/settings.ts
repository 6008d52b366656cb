/**
 * What a program says to its consumers.
 *
 * @module
 */

import { kindOf, type OptionKinds, requireArgument, requireOptions } from "../../../arguments.ts";
import { MAX_FRAME_BYTES, MEMBER_TIMEOUT_MS } from "../../limits.ts";
import { whole, within } from "../numbers.ts";
import { checkStart } from "../start.ts";
import type { TopicStart } from "../types.ts";
import {
  DEFAULT_AUTO_COMMIT_MS,
  DEFAULT_FETCH_BYTES,
  DEFAULT_MAX_WAIT_MS,
  DEFAULT_REBALANCE_TIMEOUT_MS,
  DEFAULT_SESSION_TIMEOUT_MS,
  MIN_MAX_WAIT_MS,
} from "./defaults.ts";

/**
 * What a consumer reads, and from where.
 *
 * @example
 * ```ts
 * import type { ConsumerOptions } from "@skein/agent/client";
 *
 * const options: ConsumerOptions = {
 *   group: "billing",
 *   sessionTimeoutMs: 10_000,
 *   onRevoked: (partitions, areLost) => console.log("had", partitions, areLost ? "and lost them" : ""),
 * };
 * console.log(options.group);
 * ```
 */
export interface ConsumerOptions {
  /** Which partitions. Default: with a group those that it has for this member, without one all. */
  readonly partitions?: readonly number[];
  /** Where it begins, unless its group has committed an offset. Default "earliest". */
  readonly start?: TopicStart;
  /** Where it goes on when the messages at its offset are gone, or were never there, or its topic was made anew. Default "earliest". */
  readonly onOutOfRange?: "earliest" | "latest" | "error";
  /**
   * Name of its group, under which offsets are committed. The consumer is a member of it, which shares the partitions with the
   * others, unless it says by itself which `partitions` it reads. Default: none.
   */
  readonly group?: string;
  /** Milliseconds between two commits of what is done with; 0: only with `commit`. Default 5,000. */
  readonly autoCommitMs?: number;
  /** A member that is silent for so many milliseconds has its partitions taken away; 1,000 to 3,600,000. Default 30,000. */
  readonly sessionTimeoutMs?: number;
  /** So many milliseconds a member may take to hand partitions over, else it is removed; 1,000 to 3,600,000. Default 60,000. */
  readonly rebalanceTimeoutMs?: number;
  /** Told of partitions that a member has got, before it reads them. It may `seek` there. */
  readonly onAssigned?: (partitions: readonly number[]) => void | Promise<void>;
  /**
   * Told of partitions that a member reads no more, before another one has them: it may `commit` for them. When they are lost, others
   * may have them already, and nothing can be committed.
   */
  readonly onRevoked?: (partitions: readonly number[], areLost: boolean) => void | Promise<void>;
  /**
   * Bytes of a fetch, but for a message that takes more by itself. Two fetches of each partition are kept: of more than 32
   * partitions they are smaller, so that all take 64 MiB. Default 1,048,576.
   */
  readonly maxBytes?: number;
  /** Milliseconds that a request may take, with all its tries. Default: the client's; of an agent 30,000. */
  readonly timeoutMs?: number;
}

/** The same, and how its servers are asked for messages. */
export interface FetchOptions extends ConsumerOptions {
  readonly minBytes?: number;
  readonly maxWaitMs?: number;
}

/** What a consumer is to do. */
export interface ConsumerSettings {
  readonly topic: string;
  /** `undefined`: all, or those that its group has for it. */
  readonly partitions: readonly number[] | undefined;
  readonly start: TopicStart;
  readonly onOutOfRange: "earliest" | "latest" | "error";
  readonly maxBytes: number;
  readonly minBytes: number;
  readonly maxWaitMs: number;
  readonly group: string | undefined;
  /** 0: only when it is told to. */
  readonly autoCommitMs: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly onAssigned: ConsumerOptions["onAssigned"];
  readonly onRevoked: ConsumerOptions["onRevoked"];
  readonly timeoutMs: number;
}

const MAX_U32 = 0xffff_ffff;
const MAX_MS = 0x7fff_ffff;

const KINDS: OptionKinds = {
  group: "text",
  partitions: "any",
  start: "any",
  onOutOfRange: "any",
  autoCommitMs: "duration",
  sessionTimeoutMs: "duration",
  rebalanceTimeoutMs: "duration",
  onAssigned: "function",
  onRevoked: "function",
  maxBytes: "number",
  timeoutMs: "duration",
};

/**
 * Checks the options of a consumer, of which its maker knows `more`, and makes settings of them.
 *
 * @throws {TypeError} when one is unknown or of a wrong type
 * @throws {RangeError} when one is out of its bounds
 */
export function consumerSettings(
  topic: string,
  options: FetchOptions,
  timeoutMs: number,
  more: OptionKinds = {},
): ConsumerSettings {
  requireArgument("name of a topic", topic, "text");
  requireArgument("options of consumer", options, "object");
  const { partitions, start = "earliest", onOutOfRange = "earliest" } = options;
  requireOptions("consumer", options, { ...KINDS, ...more });
  checkStart("start", start);
  if (!["earliest", "latest", "error"].includes(onOutOfRange)) {
    const expected = `expected "earliest", "latest" or "error", got ${kindOf(onOutOfRange)}`;
    throw new TypeError(`Invalid option 'onOutOfRange' of consumer: ${expected}`);
  }
  const { group, autoCommitMs = DEFAULT_AUTO_COMMIT_MS } = options;
  const { sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS } = options;
  const { rebalanceTimeoutMs = DEFAULT_REBALANCE_TIMEOUT_MS } = options;
  const { least, most } = MEMBER_TIMEOUT_MS;
  return {
    topic,
    partitions: partitions && checkedPartitions(partitions),
    start,
    onOutOfRange,
    group,
    autoCommitMs: group === undefined ? 0 : within("autoCommitMs", autoCommitMs, 0, MAX_MS),
    sessionTimeoutMs: whole("sessionTimeoutMs", sessionTimeoutMs, least, most),
    rebalanceTimeoutMs: whole("rebalanceTimeoutMs", rebalanceTimeoutMs, least, most),
    onAssigned: options.onAssigned,
    onRevoked: options.onRevoked,
    maxBytes: whole("maxBytes", options.maxBytes ?? DEFAULT_FETCH_BYTES, 1, MAX_FRAME_BYTES),
    minBytes: whole("minBytes", options.minBytes ?? 1, 0, MAX_U32),
    maxWaitMs: whole(
      "maxWaitMs",
      options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS,
      MIN_MAX_WAIT_MS,
      MAX_MS,
    ),
    timeoutMs: within("timeoutMs", options.timeoutMs ?? timeoutMs, 1, Infinity),
  };
}

function checkedPartitions(partitions: readonly number[]): readonly number[] {
  if (!Array.isArray(partitions) || partitions.length === 0) {
    throw new TypeError("Invalid option 'partitions' of consumer: expected at least one");
  }
  for (const partition of partitions) whole("partitions", partition, 0, MAX_U32);
  return [...new Set(partitions)];
}
