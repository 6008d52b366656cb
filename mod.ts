/**
 * skein: an agent that speaks HashiCorp Serf's protocols, and the parts it is made of.
 *
 * {@linkcode Agent} is a whole cluster member on real sockets. {@linkcode Serf} and {@linkcode Memberlist} are its
 * cores, which run on any clock, random source and network that a program gives them. {@linkcode RpcClient} talks to an
 * agent in another process, skein's or HashiCorp's.
 *
 * @example A cluster of two in one process
 * ```ts
 * import { Agent } from "@skein/agent";
 *
 * await using alpha = await Agent.start({ nodeName: "alpha", bind: "127.0.0.1:0" });
 * await using beta = await Agent.start({ nodeName: "beta", bind: "127.0.0.1:0" });
 * await beta.join([`127.0.0.1:${alpha.address.port}`]);
 * beta.userEvent("deploy", new TextEncoder().encode("v1.2"), true);
 * console.log(alpha.members().map((member) => member.name));
 * ```
 *
 * @module
 */

export { Agent, type AgentSettings, AgentStartError } from "./server/agent.ts";
export { type AgentConfig, ConfigError, DEFAULT_AGENT_CONFIG } from "./server/config.ts";
export { type AgentPlan, planAgent } from "./server/config/plan.ts";
export {
  AgentLog,
  type LineFields,
  type LineOptions,
  LOG_LEVELS,
  type LogLevel,
  type LogLine,
  type LogSink,
  type Monitor,
} from "./server/logging.ts";
export type { RpcBackend } from "./server/rpc/backend.ts";
export { RpcListenError, RpcServer, type RpcServerOptions } from "./server/rpc/server.ts";
export { realClock, realRandom, realRuntime } from "./server/runtime.ts";
export {
  BindError,
  DialError,
  NetTransport,
  type NetTransportOptions,
  ResolveError,
} from "./server/transport.ts";

export * from "./cluster/runtime.ts";
export * from "./cluster/memberlist/mod.ts";
export * from "./cluster/serf/mod.ts";

export {
  type CallOptions,
  ConnectError,
  ConnectionClosedError,
  type ConnectOptions,
  type EventOptions,
  type EventStream,
  type ForceLeaveOptions,
  type JoinOptions,
  type LogStream,
  type Member as RpcMember,
  type MemberEvent as RpcMemberEvent,
  type MemberFilter,
  type QueryEvent as RpcQueryEvent,
  type RecordStream,
  RpcClient,
  RpcError,
  type StreamEvent as RpcStreamEvent,
  type StreamOptions,
  type TagChanges,
  TimeoutError,
  type UserEvent as RpcUserEvent,
} from "./client/mod.ts";
