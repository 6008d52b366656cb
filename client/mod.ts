/**
 * A client for the RPC port of a skein or HashiCorp Serf agent.
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

export { RpcClient } from "./rpc_client.ts";
export { type Coordinate, CoordinateError, rttBetween } from "./coordinate.ts";
export type { CallOptions } from "./deadline.ts";
export type { RpcErrorCode } from "./error_code.ts";
export {
  ConnectError,
  ConnectionClosedError,
  DisconnectedError,
  RpcError,
  TimeoutError,
} from "./errors.ts";
export type { MemberEvent, QueryEvent, StreamEvent, UserEvent } from "./event.ts";
export { KeyError, type KeyReport } from "./keys.ts";
export type { ReconnectOptions } from "./link.ts";
export type { Member } from "./member.ts";
export type {
  ConnectOptions,
  EventOptions,
  ForceLeaveOptions,
  JoinOptions,
  MemberFilter,
  TagChanges,
} from "./options.ts";
export type { Payload } from "./payload.ts";
export type { QueryAck, QueryOptions, QueryRecord, QueryResponse, QueryStream } from "./query.ts";
export type { RecordStream, StreamOptions } from "./record_stream.ts";
export type { EventStream, LogStream } from "./streams.ts";
