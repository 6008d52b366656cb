/**
 * Who is in the cluster and who is alive: HashiCorp memberlist's protocol, SWIM with Lifeguard.
 *
 * @module
 */

export { AddressError, addrToHost, hostToAddr } from "../../protocol/ip.ts";
export {
  type Broadcast,
  BroadcastQueue,
  type BroadcastQueueOptions,
} from "./core/broadcast_queue.ts";
export { type Cidr, parseCidr } from "./core/cidr.ts";
export {
  type DelegateVersions,
  lanProfile,
  localProfile,
  MAX_META_BYTES,
  type MemberlistConfig,
  memberlistConfig,
  type Profile,
  type ProfileTimings,
  profileTimings,
  PROTOCOL_VERSIONS,
  wanProfile,
} from "./core/config.ts";
export type { Delegate } from "./core/delegate.ts";
export {
  JoinError,
  LeaveTimeoutError,
  LeftError,
  MemberlistConfigError,
  NodeNameRequiredError,
  PingTimeoutError,
  RemoteError,
  ShutdownError,
  UpdateTimeoutError,
} from "./core/errors.ts";
export { Keyring, KeyringError } from "./wire/keyring.ts";
export { Memberlist } from "./memberlist.ts";
export { MergeRefusedError } from "./rules/merge.ts";
export {
  type Destination,
  isLive,
  type MemberNode,
  NodeState,
  type SharedKnowledge,
  type Versions,
} from "./core/node.ts";
export { ProtocolMismatchError } from "./rules/protocol_check.ts";
export type { ExchangeOptions } from "./traffic/push_pull.ts";
export { loadCiphers } from "./wire/seal.ts";
