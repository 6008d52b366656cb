/**
 * Frames of topics, beside what they say. Those of the first version are what the codec of StreamBus 1.0.1 makes.
 *
 * @module
 */

import type { Replies, RequestKind, Requests } from "../../../protocol/topics/mod.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A request and its frame. */
export type RequestVector = {
  readonly [K in RequestKind]: {
    readonly hex: string;
    readonly id: number;
    readonly kind: K;
    readonly version: number;
    readonly flags: number;
    readonly body: Requests[K];
  };
}[RequestKind];

/** A reply and its frame. */
export type ReplyVector = {
  readonly [K in RequestKind]: {
    readonly hex: string;
    readonly id: number;
    readonly kind: K;
    readonly version: number;
    readonly body: Replies[K];
  };
}[RequestKind];

/** The message of the vectors. */
export const MESSAGE = {
  offset: 0,
  timestamp: 1_800_000_000_000_000_000n,
  key: bytes("k"),
  value: bytes("v"),
  headers: [["h", bytes("x")]],
} as const;

const ENCODED = "000000000000000018fae27693b40000000000016b00000001760000000100000001680000000178";
const messages = { count: 1, bytes: Uint8Array.fromHex(ENCODED) };
const first = { version: 1, flags: 0 } as const;

/** Requests of the first version. */
export const REQUESTS: readonly RequestVector[] = [
  {
    hex: "00000010000000000000000107010000daa0bd51",
    id: 1,
    kind: "healthCheck",
    ...first,
    body: {},
  },
  {
    hex: "0000001b0000000000000002040100000000000174000000010001403b2b35",
    id: 2,
    kind: "createTopic",
    ...first,
    body: { topic: "t", partitions: 1, replicationFactor: 1 },
  },
  {
    hex: `0000004500000000000000030101000100000001740000000000000001${ENCODED}febe1f18`,
    id: 3,
    kind: "produce",
    version: 1,
    flags: 1,
    body: {
      topic: "t",
      partition: 0,
      acks: -1,
      timeoutMs: 0,
      producer: undefined,
      codec: 0,
      messages,
    },
  },
  {
    hex: "00000025000000000000000402010000000000017400000000000000000000000000000400dd297570",
    id: 4,
    kind: "fetch",
    ...first,
    body: {
      topic: "t",
      partition: 0,
      offset: 0,
      maxBytes: 1_024,
      minBytes: 0,
      maxWaitMs: 0,
      codec: 0,
    },
  },
  {
    hex: "0000001900000000000000050301000000000001740000000024c61eed",
    id: 5,
    kind: "getOffset",
    ...first,
    body: { topic: "t", partition: 0, time: undefined },
  },
  {
    hex: "00000010000000000000000606010000d03c0624",
    id: 6,
    kind: "listTopics",
    ...first,
    body: {},
  },
  {
    hex: "000000150000000000000007050100000000000174e37d2b71",
    id: 7,
    kind: "deleteTopic",
    ...first,
    body: { topic: "t" },
  },
];

/** Replies of the first version. */
export const REPLIES: readonly ReplyVector[] = [
  {
    hex: "000000220000000000000001000000000000076865616c7468790000000000000005bddb8292",
    id: 1,
    kind: "healthCheck",
    version: 1,
    body: { status: "healthy", uptimeSeconds: 5 },
  },
  {
    hex: "000000150000000000000002000000000000017401f08cc7d3",
    id: 2,
    kind: "createTopic",
    version: 1,
    body: { topic: "t", created: true },
  },
  {
    hex: "0000002300000000000000030000000000000000000000000000010000000000000001516b214d",
    id: 3,
    kind: "produce",
    version: 1,
    body: { baseOffset: 0, count: 1, highWaterMark: 1, duplicates: [] },
  },
  {
    hex: `000000430000000000000004000000000000000000000100000001${ENCODED}acd79ba4`,
    id: 4,
    kind: "fetch",
    version: 1,
    body: { highWaterMark: 1, codec: 0, messages },
  },
  {
    hex:
      "000000300000000000000005000000000000017400000000000000000000000000000000000000010000000000000001406c2d29",
    id: 5,
    kind: "getOffset",
    version: 1,
    body: { topic: "t", partition: 0, start: 0, end: 1, highWaterMark: 1, atTime: -1 },
  },
  {
    hex: "0000001c0000000000000006000000000000010000000174000000015b3eb32a",
    id: 6,
    kind: "listTopics",
    version: 1,
    body: { topics: [{ name: "t", partitions: 1 }] },
  },
  {
    hex: "00000015000000000000000700000000000001740116a50c97",
    id: 7,
    kind: "deleteTopic",
    version: 1,
    body: { topic: "t", deleted: true },
  },
];

/** The error 8, "no topic", of the request 8. */
export const NO_TOPIC = "0000001b0000000000000008010008000000086e6f20746f706963bdc2b323";

/** Frames of requests that are none. */
export const BROKEN = {
  unknownType: "0000001000000000000000097f010000445b7ee3",
  version9: "00000010000000000000000a07090000a363ddf8",
  /** Its checksum is that of nothing. */
  killer: "0000000400000000",
} as const;
