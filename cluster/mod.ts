/**
 * The bare cores of an agent: {@linkcode Serf}, and {@linkcode Memberlist} below it. They run on any clock, random source
 * and network that a program gives them as a {@linkcode Runtime}; `@skein/agent` has the real ones.
 *
 * @example A cluster of one on a network that leads nowhere
 * ```ts
 * import { realRuntime } from "@skein/agent";
 * import {
 *   hostToAddr,
 *   memberlistConfig,
 *   Serf,
 *   serfConfig,
 *   type Transport,
 * } from "@skein/agent/cluster";
 *
 * const nowhere: Transport = {
 *   localAddress: { host: "10.0.0.5", port: 7946 },
 *   start() {},
 *   sendPacket() {},
 *   dial: () => Promise.reject(new Error("Nobody is there")),
 *   resolve: (host) => Promise.resolve([host]),
 *   close: () => Promise.resolve(),
 * };
 * const advertise = { addr: hostToAddr("10.0.0.5"), port: 7946 };
 * const memberlist = memberlistConfig("alpha", advertise, "lan");
 * const config = serfConfig({ nodeName: "alpha", memberlist, onEvent: console.log });
 * await using serf = new Serf(config, realRuntime(nowhere, () => console));
 * serf.start();
 * serf.userEvent("deploy", null, false);
 * ```
 *
 * @module
 */

import { loadCiphers } from "./memberlist/mod.ts";
import { loadPatterns } from "./serf/mod.ts";

export { type Coordinate, CoordinateError, distance } from "./coordinate/mod.ts";
export {
  AddressError,
  addrToHost,
  type Cidr,
  type Delegate,
  type DelegateVersions,
  type Destination,
  type ExchangeOptions,
  hostToAddr,
  JoinError,
  Keyring,
  KeyringError,
  LeaveTimeoutError,
  LeftError,
  Memberlist,
  type MemberlistConfig,
  memberlistConfig,
  MemberlistConfigError,
  type MemberNode,
  NodeState,
  parseCidr,
  PingTimeoutError,
  type Profile,
  type ProfileTimings,
  RemoteError,
  type SharedKnowledge,
  ShutdownError,
  UpdateTimeoutError,
  type Versions,
} from "./memberlist/mod.ts";
export type {
  Address,
  Clock,
  Logger,
  Metrics,
  Random,
  Runtime,
  Stream,
  Timer,
  Transport,
  TransportHandlers,
} from "./runtime.ts";
export {
  CoordinatesDisabledError,
  type Counters,
  EventQueueFullError,
  EventTooLargeError,
  ForceLeaveTimeoutError,
  KeyManager,
  KeyOperationError,
  type KeyOptions,
  type KeyProgress,
  type KeyReport,
  LeaveInProgressError,
  type Member,
  type MemberEvent,
  type MemberStatus,
  type QueryAnswer,
  QueryError,
  type QueryEvent,
  type QueryOutcome,
  type QueryParams,
  type QueryTargets,
  type Recorder,
  type RequiredSettings,
  RespondError,
  type Restored,
  type RunningQuery,
  Serf,
  type SerfConfig,
  serfConfig,
  SerfConfigError,
  type SerfEvent,
  type SerfState,
  SerfStateError,
  type Tags,
  TagsTooLargeError,
  type UserEventNotice,
} from "./serf/mod.ts";

// An agent loads these when it needs them. A core may need them in its first packet.
await Promise.all([loadCiphers(), loadPatterns()]);
