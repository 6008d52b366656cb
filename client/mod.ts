/**
 * A client for the RPC port of a skein or HashiCorp Serf agent.
 *
 * @example Who is in the cluster
 * ```ts ignore
 * import { RpcClient } from "@skein/agent/client";
 *
 * await using client = await RpcClient.connect({ address: "127.0.0.1:7373" });
 * console.log(await client.members());
 * ```
 *
 * @module
 */

export { type EventStream, type LogStream, RpcClient } from "./rpc_client.ts";
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
