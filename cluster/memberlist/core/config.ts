/**
 * The settings of a memberlist and the three profiles they start from (docs/spec/memberlist.md 10).
 *
 * @module
 */

import { addrToHost, isIpAddress } from "../../../protocol/ip.ts";
import { asRead, fitsUtf8, showBytes, utf8Length } from "../../../protocol/text.ts";
import type { Keyring } from "../wire/keyring.ts";
import { labelBytes } from "../wire/label.ts";
import { type Cidr, cidrContains } from "./cidr.ts";
import { MemberlistConfigError } from "./errors.ts";
import type { SharedKnowledge, Versions } from "./node.ts";

/**
 * The kind of network: one data centre, the Internet, or one machine.
 *
 * @example
 * ```ts
 * import type { Profile } from "@skein/agent/cluster";
 *
 * const profiles: Profile[] = ["lan", "wan", "local"];
 * console.log(profiles.length);
 * ```
 */
export type Profile = "lan" | "wan" | "local";

/**
 * What the profiles differ in. Durations are milliseconds; a periodic task with interval 0 is off.
 *
 * @example
 * ```ts
 * import { hostToAddr, memberlistConfig, type ProfileTimings } from "@skein/agent/cluster";
 *
 * const faster: Partial<ProfileTimings> = { gossipIntervalMs: 50 };
 * const advertise = { addr: hostToAddr("10.0.0.5"), port: 7946 };
 * console.log(memberlistConfig("alpha", advertise, "lan", faster).gossipIntervalMs); // 50
 * ```
 */
export interface ProfileTimings {
  /** Bound of opening a stream, and of each direction of an exchange on it. */
  readonly tcpTimeoutMs: number;
  /** How many other nodes are asked to ping a node that does not answer. */
  readonly indirectChecks: number;
  /** Factor of how often each broadcast is sent. */
  readonly retransmitMult: number;
  /** Factor of the time that a suspected node has. */
  readonly suspicionMult: number;
  /** The longest time of a suspected node as a multiple of the shortest. */
  readonly suspicionMaxTimeoutMult: number;
  /** Between two exchanges of the full state; stretched in clusters of more than 32 nodes. */
  readonly pushPullIntervalMs: number;
  /** Between two probes. */
  readonly probeIntervalMs: number;
  /** How long a probe waits for the direct answer before it asks others. */
  readonly probeTimeoutMs: number;
  /** The local health score stays below this, and so does the stretch of the probe interval. */
  readonly awarenessMaxMultiplier: number;
  /** How many nodes each round of gossip goes to. */
  readonly gossipNodes: number;
  /** Between two rounds of gossip. */
  readonly gossipIntervalMs: number;
  /** How long a dead node is gossiped to, and after how long it is forgotten. */
  readonly gossipToTheDeadTimeMs: number;
}

/**
 * The application's protocol versions ("delegate versions"), each 0 to 255.
 *
 * @example
 * ```ts
 * import type { DelegateVersions } from "@skein/agent/cluster";
 *
 * const versions: DelegateVersions = { min: 2, max: 5, current: 5 };
 * console.log(versions.current);
 * ```
 */
export interface DelegateVersions {
  /** Lowest version it understands. */
  readonly min: number;
  /** Highest version it understands. */
  readonly max: number;
  /** Version it speaks. */
  readonly current: number;
}

/**
 * All settings of a memberlist; {@linkcode memberlistConfig} fills in the defaults.
 *
 * @example
 * ```ts
 * import { hostToAddr, type MemberlistConfig, memberlistConfig } from "@skein/agent/cluster";
 *
 * const advertise = { addr: hostToAddr("10.0.0.5"), port: 7946 };
 * const config: MemberlistConfig = memberlistConfig("alpha", advertise, "lan");
 * console.log(config.advertise.port);
 * ```
 */
export interface MemberlistConfig extends ProfileTimings {
  /** The name of the own node, unique in the cluster. */
  readonly name: string;
  /** The address that other nodes are told to use: 4 or 16 bytes, and a port that is not 0. */
  readonly advertise: { readonly addr: Uint8Array; readonly port: number };
  /** The memberlist protocol to speak: 1 to 5. Default 2, as every Serf agent. */
  readonly protocolVersion: number;
  /** The application's versions. Default 0, 0, 0. */
  readonly delegateVersions: DelegateVersions;
  /** Never ping over a stream when packets go unanswered. Default false. */
  readonly disableTcpPings: boolean;
  /** Drop what is not encrypted, when there are keys. Default true. */
  readonly verifyIncoming: boolean;
  /** Encrypt what is sent, when there are keys. Default true. */
  readonly verifyOutgoing: boolean;
  /** Compress what is sent. Default true. */
  readonly compression: boolean;
  /** Keys. Default none: nothing is encrypted. */
  readonly keyring?: Keyring;
  /** Keeps clusters on one network apart; at most 255 bytes. Default "": none. */
  readonly label: string;
  /** How much is put into one packet, in bytes, before compression. Default 1400. */
  readonly packetBufferBytes: number;
  /** Networks that nodes must be in. Default none: all networks. */
  readonly allowedNetworks: readonly Cidr[];
  /** After this time in ms a dead node's name may come back with another address. Default 0: never. */
  readonly deadNodeReclaimTimeMs: number;
  /** Refuse to send to a destination whose node name is not given. Default false. */
  readonly requireNodeNames: boolean;
  /** How many nodes are remembered; others are ignored. Default 65,536. */
  readonly maxNodes: number;
  /** What the members in one process share. Default nothing: there is one. */
  readonly shared?: SharedKnowledge;
}

/** The memberlist protocols that are understood (docs/spec/memberlist.md 1.2). */
export const PROTOCOL_VERSIONS = { min: 1, max: 5 } as const;

/** Largest meta of a node in bytes (docs/spec/memberlist.md 3.7). */
export const MAX_META_BYTES = 512;

/** Below this a packet has no room for the protocol's own messages. */
const LEAST_PACKET_BYTES = 576;

/** Timings for one data centre. */
export function lanProfile(): ProfileTimings {
  return {
    tcpTimeoutMs: 10_000,
    indirectChecks: 3,
    retransmitMult: 4,
    suspicionMult: 4,
    suspicionMaxTimeoutMult: 6,
    pushPullIntervalMs: 30_000,
    probeIntervalMs: 1_000,
    probeTimeoutMs: 500,
    awarenessMaxMultiplier: 8,
    gossipNodes: 3,
    gossipIntervalMs: 200,
    gossipToTheDeadTimeMs: 30_000,
  };
}

/** Timings for nodes that are far apart: slower in everything. */
export function wanProfile(): ProfileTimings {
  return {
    ...lanProfile(),
    tcpTimeoutMs: 30_000,
    suspicionMult: 6,
    pushPullIntervalMs: 60_000,
    probeIntervalMs: 5_000,
    probeTimeoutMs: 3_000,
    gossipNodes: 4,
    gossipIntervalMs: 500,
    gossipToTheDeadTimeMs: 60_000,
  };
}

/** Timings for nodes on one machine: faster in everything. */
export function localProfile(): ProfileTimings {
  return {
    ...lanProfile(),
    tcpTimeoutMs: 1_000,
    indirectChecks: 1,
    retransmitMult: 2,
    suspicionMult: 3,
    pushPullIntervalMs: 15_000,
    probeTimeoutMs: 200,
    gossipIntervalMs: 100,
    gossipToTheDeadTimeMs: 15_000,
  };
}

/** The timings of a profile by its name. */
export function profileTimings(profile: Profile): ProfileTimings {
  return { lan: lanProfile, wan: wanProfile, local: localProfile }[profile]();
}

/**
 * The settings of a profile with `overrides`. The memberlist's constructor checks them.
 *
 * @example
 * ```ts
 * import { hostToAddr, memberlistConfig } from "@skein/agent/cluster";
 *
 * const advertise = { addr: hostToAddr("10.0.0.5"), port: 7946 };
 * const config = memberlistConfig("alpha", advertise, "lan", { compression: false });
 * console.log(config.name);
 * ```
 */
export function memberlistConfig(
  name: string,
  advertise: MemberlistConfig["advertise"],
  profile: Profile,
  overrides: Partial<MemberlistConfig> = {},
): MemberlistConfig {
  return {
    ...profileTimings(profile),
    name,
    advertise,
    protocolVersion: 2,
    delegateVersions: { min: 0, max: 0, current: 0 },
    disableTcpPings: false,
    verifyIncoming: true,
    verifyOutgoing: true,
    compression: true,
    label: "",
    packetBufferBytes: 1400,
    allowedNetworks: [],
    deadNodeReclaimTimeMs: 0,
    requireNodeNames: false,
    maxNodes: 65_536,
    ...overrides,
  };
}

/** Longest name in bytes: longer ones do not fit a packet beside a full meta, so that nodes with such names cannot be gossiped. */
export const MAX_NAME_BYTES = 768;

/** Throws {@linkcode MemberlistConfigError} for settings that cannot work. */
export function checkConfig(config: MemberlistConfig): void {
  const { protocolVersion: version, advertise, label, packetBufferBytes } = config;
  const { min, max } = PROTOCOL_VERSIONS;
  if (!Number.isInteger(version) || version < min || version > max) {
    const direction = version < min ? "low" : "high";
    throw new MemberlistConfigError(
      `Protocol version '${version}' too ${direction}. Must be in range: [${min}, ${max}]`,
    );
  }
  if (!fitsUtf8(config.name, MAX_NAME_BYTES)) {
    throw new MemberlistConfigError(
      `Node name takes ${utf8Length(config.name)} of ${MAX_NAME_BYTES} bytes`,
    );
  }
  if (asRead(config.name) !== config.name) {
    throw new MemberlistConfigError(
      `Node name '${
        showBytes(config.name)
      }' has half a character, so others would read another name`,
    );
  }
  if (!isIpAddress(advertise.addr)) {
    throw new MemberlistConfigError(
      `Advertised address takes ${advertise.addr.length} bytes, wanted 4 or 16`,
    );
  }
  if (!Number.isInteger(advertise.port) || advertise.port < 1 || advertise.port > 0xffff) {
    throw new MemberlistConfigError(`Advertised port is ${advertise.port}, wanted 1 to 65535`);
  }
  const { allowedNetworks: networks } = config;
  if (networks.length > 0 && !networks.some((cidr) => cidrContains(cidr, advertise.addr))) {
    throw new MemberlistConfigError(
      `Advertised address ${addrToHost(advertise.addr)} is in no allowed network`,
    );
  }
  if (packetBufferBytes < LEAST_PACKET_BYTES) {
    throw new MemberlistConfigError(
      `Packets of ${packetBufferBytes} bytes are too small, wanted at least ${LEAST_PACKET_BYTES}`,
    );
  }
  try {
    labelBytes(label);
  } catch (cause) {
    throw new MemberlistConfigError((cause as Error).message, { cause });
  }
}

/** The versions that the own node advertises (docs/spec/memberlist.md 1.2). */
export function ownVersions(config: MemberlistConfig): Versions {
  const { min, max } = PROTOCOL_VERSIONS;
  const { delegateVersions: delegate } = config;
  return [min, max, config.protocolVersion, delegate.min, delegate.max, delegate.current];
}
