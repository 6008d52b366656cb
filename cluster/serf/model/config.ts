/**
 * The settings of a Serf instance and their defaults (docs/spec/serf.md 18.1).
 *
 * @module
 */

import type { MemberlistConfig } from "../../memberlist/core/config.ts";
import { SerfConfigError } from "./errors.ts";
import type { SerfEvent } from "./event.ts";
import type { Recorder, Restored } from "./restored.ts";
import { encodeTags, type Tags } from "./tags.ts";

/** The Serf protocol versions that are understood; all of them use memberlist's protocol 2 (docs/spec/serf.md 18.3). */
export const SERF_VERSIONS = { min: 2, max: 5 } as const;

/** The hard limit of `userEventSizeLimit`, in bytes (docs/spec/serf.md 3.3). */
export const MAX_USER_EVENT_BYTES = 9 * 1024;

/** Longest node name under {@linkcode SerfConfig.validateNodeNames}, in bytes (docs/spec/serf.md 3.2). */
const MAX_NAME_BYTES = 128;

/**
 * All settings. {@linkcode serfConfig} fills in the defaults; durations are in milliseconds.
 *
 * @example
 * ```ts
 * import { hostToAddr, memberlistConfig, type SerfConfig, serfConfig } from "@skein/agent/cluster";
 *
 * const advertise = { addr: hostToAddr("10.0.0.5"), port: 7946 };
 * const memberlist = memberlistConfig("alpha", advertise, "lan");
 * const config: SerfConfig = serfConfig({ nodeName: "alpha", memberlist, onEvent() {} });
 * console.log(config.eventBuffer); // 512
 * ```
 */
export interface SerfConfig {
  /** Name of the own node, unique in the cluster. */
  readonly nodeName: string;
  /** Tags of the own node at start; at most 512 bytes encoded. Default none. */
  readonly tags: Tags;
  /** Serf protocol version to speak, 2 to 5. Default 5, as the agent. */
  readonly protocolVersion: number;
  /** The layer below. Its `name`, `protocolVersion` and `delegateVersions` are set by Serf. */
  readonly memberlist: MemberlistConfig;
  /** Gets every event, synchronously, after coalescing. What it throws is logged. */
  readonly onEvent: (event: SerfEvent) => void;
  /** How long to wait until news of a leave, a forced leave or new tags is sent. Default 5 s. */
  readonly broadcastTimeoutMs: number;
  /** How long a leaving node stays to answer probes. Default 1 s. */
  readonly leavePropagateDelayMs: number;
  /** Longest wait of member events for more of them; 0 turns coalescing off. Default 0; the agent sets 3 s. */
  readonly coalescePeriodMs: number;
  /** Wait after the last member event; 0 turns coalescing off. Default 0; the agent sets 1 s. */
  readonly quiescentPeriodMs: number;
  /** As `coalescePeriodMs`, for user events. */
  readonly userCoalescePeriodMs: number;
  /** As `quiescentPeriodMs`, for user events. */
  readonly userQuiescentPeriodMs: number;
  /** Time between two rounds of the reaper. Default 15 s. */
  readonly reapIntervalMs: number;
  /** Time between two attempts to reach a failed member. Default 30 s. */
  readonly reconnectIntervalMs: number;
  /**
   * Time between two looks for members that were lost: failed and forgotten, or never met. 0 turns it off. Default 5
   * min.
   */
  readonly healIntervalMs: number;
  /** How long a failed member is remembered. Default 24 h. */
  readonly reconnectTimeoutMs: number;
  /** How long a member that left is remembered. Default 24 h. */
  readonly tombstoneTimeoutMs: number;
  /** A member that is back within this time after it failed counts as flapping. Default 60 s. */
  readonly flapTimeoutMs: number;
  /** How long an intent about an unknown node is kept. Default 5 min. */
  readonly recentIntentTimeoutMs: number;
  /** Time between two looks at the length of the queues. Default 30 s. */
  readonly queueCheckIntervalMs: number;
  /** Warn when a queue holds this many messages. Default 128. */
  readonly queueDepthWarning: number;
  /** Most messages in a queue, when `minQueueDepth` is 0. Default 4096. */
  readonly maxQueueDepth: number;
  /** When above 0, a queue may hold the greater of this and twice the number of members. Default 0. */
  readonly minQueueDepth: number;
  /** Lamport times of user events that are remembered. Default 512. */
  readonly eventBuffer: number;
  /** Lamport times of queries that are remembered. Default 512. */
  readonly queryBuffer: number;
  /** Largest user event to send, in bytes, at most 9216. Default 512. */
  readonly userEventSizeLimit: number;
  /** Largest query to send, in bytes. Default 1024. */
  readonly querySizeLimit: number;
  /** Largest answer to a query to send, in bytes. Default 1024. */
  readonly queryResponseSizeLimit: number;
  /** Factor of the default query timeout, see {@linkcode defaultQueryTimeout}. Default 16. */
  readonly queryTimeoutMult: number;
  /** Whether to ask the cluster when another node claims the own name, and to stop when it wins. Default true. */
  readonly resolveNameConflicts: boolean;
  /**
   * Keeps the keys, the primary first, after each change that the cluster asks for; the change is confirmed when it
   * resolves, and its error is told to the node that asked. One call at a time. Default none: keys last as long as the
   * instance.
   */
  readonly saveKeys?: (keys: readonly Uint8Array[]) => Promise<void>;
  /** Whether the own name must be of letters, digits, `-` and `.`, at most 128 of them. Default false. */
  readonly validateNodeNames: boolean;
  /** Whether to take part in network coordinates. Default true. */
  readonly coordinates: boolean;
  /** What a rejoin file kept of an earlier life. Default nothing. */
  readonly restored?: Restored;
  /** Who keeps a rejoin file for a later life. Default nobody. */
  readonly recorder?: Recorder;
}

/**
 * Settings that have no default.
 *
 * @example
 * ```ts
 * import { hostToAddr, memberlistConfig, type RequiredSettings, serfConfig } from "@skein/agent/cluster";
 *
 * const advertise = { addr: hostToAddr("10.0.0.5"), port: 7946 };
 * const memberlist = memberlistConfig("alpha", advertise, "lan");
 * const required: RequiredSettings = { nodeName: "alpha", memberlist, onEvent: console.log };
 * console.log(serfConfig(required).nodeName);
 * ```
 */
export type RequiredSettings = Pick<SerfConfig, "nodeName" | "memberlist" | "onEvent">;

/**
 * Settings with the defaults of docs/spec/serf.md 18.1 and `overrides`.
 *
 * @example
 * ```ts
 * import { hostToAddr, memberlistConfig, serfConfig } from "@skein/agent/cluster";
 *
 * const nodeName = "alpha";
 * const advertise = { addr: hostToAddr("10.0.0.5"), port: 7946 };
 * const memberlist = memberlistConfig(nodeName, advertise, "lan");
 * const config = serfConfig({ nodeName, memberlist, onEvent: console.log }, { tags: { role: "web" } });
 * console.log(config.eventBuffer); // 512
 * ```
 */
export function serfConfig(
  required: RequiredSettings,
  overrides: Partial<SerfConfig> = {},
): SerfConfig {
  return {
    tags: {},
    protocolVersion: SERF_VERSIONS.max,
    broadcastTimeoutMs: 5_000,
    leavePropagateDelayMs: 1_000,
    coalescePeriodMs: 0,
    quiescentPeriodMs: 0,
    userCoalescePeriodMs: 0,
    userQuiescentPeriodMs: 0,
    reapIntervalMs: 15_000,
    reconnectIntervalMs: 30_000,
    healIntervalMs: 5 * 60_000,
    reconnectTimeoutMs: 24 * 3_600_000,
    tombstoneTimeoutMs: 24 * 3_600_000,
    flapTimeoutMs: 60_000,
    recentIntentTimeoutMs: 5 * 60_000,
    queueCheckIntervalMs: 30_000,
    queueDepthWarning: 128,
    maxQueueDepth: 4_096,
    minQueueDepth: 0,
    eventBuffer: 512,
    queryBuffer: 512,
    userEventSizeLimit: 512,
    querySizeLimit: 1_024,
    queryResponseSizeLimit: 1_024,
    queryTimeoutMult: 16,
    resolveNameConflicts: true,
    validateNodeNames: false,
    coordinates: true,
    ...required,
    ...overrides,
  };
}

/**
 * Checks settings in the order in which Go does.
 *
 * @throws {SerfConfigError} naming the first setting that is out of range
 * @throws {TagsTooLargeError} when the tags do not fit
 */
export function checkSerfConfig(config: SerfConfig): void {
  const { protocolVersion: version } = config;
  const { min, max } = SERF_VERSIONS;
  if (!(version >= min && version <= max)) {
    const problem = version < min ? "low" : "high";
    throw new SerfConfigError(
      `Protocol version '${version}' too ${problem}. Must be in range: [${min}, ${max}]`,
    );
  }
  if (config.userEventSizeLimit > MAX_USER_EVENT_BYTES) {
    throw new SerfConfigError(
      `user event size limit exceeds limit of ${MAX_USER_EVENT_BYTES} bytes`,
    );
  }
  for (const buffer of ["eventBuffer", "queryBuffer"] as const) {
    if (!Number.isInteger(config[buffer]) || config[buffer] < 1) {
      throw new SerfConfigError(`Setting '${buffer}' is ${config[buffer]}, wanted at least 1`);
    }
  }
  encodeTags(config.tags, version);
  if (config.validateNodeNames) checkNodeName(config.nodeName);
}

/** The texts are Go's, odd spaces included. */
function checkNodeName(name: string): void {
  if (/[^A-Za-z0-9\-.]/.test(name)) {
    throw new SerfConfigError(
      `Node name contains invalid characters ${name} , Valid characters include all ` +
        "alpha-numerics and dashes and '.' ",
    );
  }
  if (name.length > MAX_NAME_BYTES) {
    throw new SerfConfigError(
      `Node name is ${name.length} characters. Valid length is between 1 and ${MAX_NAME_BYTES} characters`,
    );
  }
}
