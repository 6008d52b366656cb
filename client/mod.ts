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

export {
  type ConnectOptions,
  type EventOptions,
  type EventStream,
  type ForceLeaveOptions,
  type JoinOptions,
  type LogStream,
  type MemberFilter,
  RpcClient,
  type TagChanges,
} from "./rpc_client.ts";
export type { CallOptions } from "./deadline.ts";
export type { MemberEvent, QueryEvent, StreamEvent, UserEvent } from "./event.ts";
export type { Member } from "./member.ts";
export type { RecordStream, StreamOptions } from "./record_stream.ts";
export { ConnectError, ConnectionClosedError, RpcError, TimeoutError } from "./errors.ts";
