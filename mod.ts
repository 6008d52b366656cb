/**
 * skein: an agent that speaks HashiCorp Serf's protocols, to run inside a program.
 *
 * {@linkcode Agent} is a whole cluster member on real sockets. `@skein/agent/client` talks to an agent in another
 * process, skein's or HashiCorp's. `@skein/agent/cluster` has the cores alone, for a clock and a network of one's own.
 *
 * @example A cluster of two in one process
 * ```ts
 * import { Agent } from "@skein/agent";
 *
 * await using alpha = await Agent.start({ nodeName: "alpha", bind: "127.0.0.1:0" });
 * await using beta = await Agent.start({
 *   nodeName: "beta",
 *   bind: "127.0.0.1:0",
 *   startJoin: [`127.0.0.1:${alpha.address.port}`],
 *   handlers: { "query:uptime": () => `${Math.round(performance.now())} ms` },
 * });
 * for await (const { from, payload } of alpha.query("uptime", null, { nodes: ["beta"] })) {
 *   console.log(from, payload?.text());
 * }
 * ```
 *
 * @module
 */

import { loadPatterns } from "./cluster/serf/mod.ts";
import { forwardLogs } from "./server/logging/log.ts";
import { toLogTape } from "./server/logging/logtape.ts";

export { Agent } from "./server/agent/agent.ts";
export type { EventFeed, FeedOptions } from "./server/feed.ts";
export { HandlerError, type OnHandlerError } from "./server/agent/events/handler_error.ts";
export type {
  EventHandler,
  HandlerAnswer,
  Handlers,
  QueryHandler,
} from "./server/agent/events/handlers.ts";
export type { AgentState, RereadFiles, StateAddresses } from "./server/agent/state.ts";
export { NameTakenError } from "./server/agent/ending.ts";
export { AgentStartError } from "./server/agent/start/open.ts";
export { type Payload, PayloadBytes } from "./server/agent/payload.ts";
export type { AgentQuery } from "./server/agent/query.ts";
export type { EventOptions, MemberFilter, TagChanges } from "./server/agent/requests.ts";
export type { RpcListener } from "./server/agent/rpc_listener.ts";
export type { AgentSettings } from "./server/agent/start/settings.ts";
export {
  type AgentConfig,
  ConfigError,
  DEFAULT_AGENT_CONFIG,
  type KvConfig,
  type MdnsConfig,
  type RaftConfig,
  type SessionsConfig,
  type TopicsConfig,
} from "./server/config/load.ts";
export type { SomeOf } from "./server/config/options/option.ts";
export type { AgentPlan } from "./server/config/plan.ts";
export { TagsFileError } from "./server/files/tags_file.ts";
export {
  AgentLog,
  type LineFields,
  type LineOptions,
  LOG_LEVELS,
  type LogLevel,
  type LogLine,
  type LogSink,
  type Monitor,
} from "./server/logging/log.ts";
export type {
  AgentMetrics,
  AgentMetricsOptions,
  MetricSink,
} from "./server/metrics/agent_metrics.ts";
export {
  type AgentKv,
  ConditionFailedError,
  type KvChange,
  type KvChildrenOptions,
  type KvCondition,
  type KvDeleteOptions,
  type KvEntry,
  KvError,
  type KvExistence,
  type KvGetOptions,
  type KvIncrementOptions,
  type KvItem,
  type KvKey,
  type KvKeysOptions,
  type KvMessage,
  type KvOutcome,
  type KvRequestOptions,
  type KvSetItem,
  type KvSetOptions,
  type KvStep,
  type KvTransaction,
  type KvValue,
  type KvWatch,
  type KvWatchOptions,
  NoLeaderError,
  OutcomeUnknownError,
  RevisionGoneError,
} from "./server/kv/local/local.ts";
export {
  type KvLock,
  type KvLockOptions,
  type LockEnd,
  LockLostError,
  LockTimeoutError,
} from "./server/kv/local/lock.ts";
export {
  type AgentConsumerOptions,
  type AgentProducerOptions,
  type AgentTopicCallOptions,
  type AgentTopicOptions,
  type AgentTopics,
  type ConsumerOptions,
  type ConsumerStatistics,
  type NewTopicMessage,
  type ProducerStatistics,
  type TopicConsumer,
  TopicError,
  type TopicGroup,
  type TopicGroupInfo,
  type TopicInfo,
  type TopicMessage,
  type TopicPosition,
  type TopicProducer,
  type TopicProgress,
  type TopicRetention,
  type TopicStart,
  type TopicTransaction,
  type TransactedMessage,
} from "./server/topics/local/local.ts";
export type { Consistency } from "./server/replica/service.ts";
export { LeaveRefusedError, NoStateError } from "./server/replica/errors.ts";
export type { Reload, ReloadReport } from "./server/rpc/backend.ts";
export { RpcListenError } from "./server/rpc/server.ts";
export { realRuntime } from "./server/runtime.ts";
export {
  BindError,
  DialError,
  NetTransport,
  type NetTransportOptions,
  ResolveError,
} from "./server/gossip/transport.ts";

export type { Coordinate } from "./cluster/coordinate/mod.ts";
export { JoinError, UpdateTimeoutError } from "./cluster/memberlist/mod.ts";
export type {
  Address,
  Clock,
  Logger,
  Metrics,
  Random,
  Runtime,
  Transport,
} from "./cluster/runtime.ts";
export {
  EventQueueFullError,
  EventTooLargeError,
  ForceLeaveTimeoutError,
  KeyOperationError,
  type KeyOptions,
  type KeyProgress,
  type KeyReport,
  LeaveInProgressError,
  type Member,
  type MemberEvent,
  type MemberStatus,
  PatternError,
  type QueryAnswer,
  QueryError,
  type QueryEvent,
  type QueryOutcome,
  type QueryParams,
  type QueryTargets,
  RespondError,
  type RunningQuery,
  type Serf,
  type SerfEvent,
  SerfStateError,
  type Tags,
  TagsTooLargeError,
  type UserEventNotice,
} from "./cluster/serf/mod.ts";

// `skein agent` starts without LogTape and without the engine of patterns. A program may use both in its next line.
forwardLogs(toLogTape);
await loadPatterns();
