/**
 * Clients for the ports of an agent: `RpcClient` for the RPC port of a skein or HashiCorp Serf agent, `KvClient` for the
 * key-value port of a skein agent that keeps state, `SessionClient` for durable sessions with such agents, `TopicClient` for
 * their topics.
 *
 * @example Who is in the cluster
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { RpcClient } from "@skein/agent/client";
 *
 * // Usually the agent is another process; this one makes the example complete.
 * await using agent = await Agent.start({ nodeName: "alpha", bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 *
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * for (const { name, status } of await client.members()) console.log(name, status);
 * ```
 *
 * @module
 */

export { KvClient } from "./kv/client.ts";
export type {
  KvCallOptions,
  KvChildrenCallOptions,
  KvConnectOptions,
  KvDeleteCallOptions,
  KvDispatchCallOptions,
  KvGetCallOptions,
  KvIncrementCallOptions,
  KvKeysCallOptions,
  KvSetCallOptions,
} from "./kv/options.ts";
export {
  ConditionFailedError,
  KvError,
  NoLeaderError,
  OutcomeUnknownError,
  RevisionGoneError,
} from "../protocol/kv/errors.ts";
export { type LockEnd, LockLostError, LockTimeoutError } from "../protocol/kv/lock/errors.ts";
export type { KvLock, KvLockOptions } from "../protocol/kv/lock/lock.ts";
export type {
  KvCondition,
  KvOutcome,
  KvStep,
  KvTransaction,
} from "../protocol/kv/actions/transaction.ts";
export type {
  KvChange,
  KvEntry,
  KvExistence,
  KvItem,
  KvKey,
  KvMessage,
  KvSetItem,
  KvValue,
  KvWatch,
  KvWatchOptions,
} from "../protocol/kv/values.ts";
export { RpcClient } from "./rpc/client.ts";
export { type Coordinate, CoordinateError, rttBetween } from "./rpc/coordinate.ts";
export type { CallOptions } from "./net/deadline.ts";
export type { TlsOptions } from "./net/dial.ts";
export type { RpcErrorCode } from "./rpc/error_code.ts";
export { RpcError } from "./rpc/errors.ts";
export {
  ConnectError,
  ConnectionClosedError,
  DisconnectedError,
  TimeoutError,
} from "./net/errors.ts";
export type { MemberEvent, QueryEvent, StreamEvent, UserEvent } from "./rpc/event.ts";
export { KeyError, type KeyReport } from "./rpc/keys.ts";
export type { ReconnectOptions } from "./net/reconnect.ts";
export type { Member } from "./rpc/member.ts";
export type {
  ConnectOptions,
  EventOptions,
  ForceLeaveOptions,
  JoinOptions,
  MemberFilter,
  ReloadReport,
  TagChanges,
} from "./rpc/options.ts";
export { type Payload, PayloadBytes } from "./rpc/payload.ts";
export type {
  QueryAck,
  QueryOptions,
  QueryRecord,
  QueryResponse,
  QueryStream,
} from "./rpc/query.ts";
export { SessionClient } from "./sessions/client.ts";
export type { ServerRequest, SessionEvents } from "./sessions/core/inputs.ts";
export {
  QueueFullError,
  SessionBrokenError,
  SessionExpiredError,
  SessionRejectedError,
} from "./sessions/errors.ts";
export type { SessionJob } from "./sessions/jobs.ts";
export type { SessionKv } from "./sessions/kv.ts";
export type { SessionCloseOptions, SessionOptions } from "./sessions/options.ts";
export type { SessionWatchOptions } from "./sessions/watch.ts";
export { TopicClient } from "./topics/client.ts";
export type {
  NewTopicMessage,
  TopicMessage,
  TopicPosition,
} from "../protocol/topics/program/messages.ts";
export type {
  TopicConnectOptions,
  TopicConsumerOptions,
  TopicProducerOptions,
  TopicRetryOptions,
} from "./topics/options.ts";
export type { TopicStatistics } from "./topics/statistics.ts";
export type { ConsumerOptions } from "../protocol/topics/program/consumer/settings.ts";
export type { TopicGroup, TopicGroupInfo } from "../protocol/topics/program/groups.ts";
export type {
  CreateTopicOptions,
  TopicCluster,
  TopicInfo,
  TopicRetention,
} from "../protocol/topics/program/topics.ts";
export type {
  ConsumerStatistics,
  ProducerStatistics,
  TopicCompression,
  TopicConsumer,
  TopicProducer,
  TopicProgress,
  TopicStart,
  TopicTransaction,
  TransactedMessage,
} from "../protocol/topics/program/types.ts";
export { TopicError } from "../protocol/topics/errors.ts";
export type { RecordStream, StreamOptions } from "./net/record_stream.ts";
export type { EventStream, LogStream } from "./rpc/streams.ts";
