/**
 * From the settings of an agent to those of the layers below, memberlist and Serf, and to the socket under them.
 *
 * @module
 */

import {
  hostToAddr,
  type Keyring,
  type MemberlistConfig,
  memberlistConfig,
} from "../../../cluster/memberlist/mod.ts";
import type { Address } from "../../../cluster/runtime.ts";
import { type SerfConfig, serfConfig } from "../../../cluster/serf/mod.ts";
import type { AgentPlan } from "../../config/plan.ts";
import { privateAddress } from "../../config/private_address.ts";
import { keepsState } from "../../config/state_settings.ts";
import type { AgentConfig } from "../../config/settings.ts";
import { keyringOfKeys, writeKeyringFile } from "../../files/keyring_file.ts";
import { NetTransport } from "../../gossip/transport.ts";
import type { AgentLog } from "../../logging/log.ts";
import { type Family, isWildcard } from "../../net/listen.ts";
import type { Listeners } from "../events/listeners.ts";

/** Longest and shortest wait of events for more of their kind, in milliseconds (docs/spec/agent.md 6.8). */
const COALESCE_MS = { period: 3_000, quiet: 1_000 } as const;

/**
 * How long a node must have been dead before its name may come back with another address. Where state is kept, a server that
 * was moved has to be found at once; Serf waits until the dead one is forgotten, a day later.
 */
const RECLAIM_MS = 1;

/**
 * The key of the configuration, if there is one.
 *
 * @throws {Error} when its length is wrong.
 */
export function keyringOf({ encryptKey }: AgentPlan): Keyring | undefined {
  return encryptKey === undefined
    ? undefined
    : under("Failed to create memberlist", () => keyringOfKeys([encryptKey]));
}

/**
 * Binds the gossip port.
 *
 * @throws {Error} when it cannot be had.
 */
export async function openTransport({ host, port }: Address, log: AgentLog): Promise<NetTransport> {
  try {
    return await NetTransport.open({ host, port, logger: log.logger("memberlist") });
  } catch (cause) {
    const where = "could not set up network transport: failed to obtain an address";
    throw new Error(`Failed to create memberlist: ${where}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** What the network tells of itself. */
type Bound = Pick<NetTransport, "localAddress" | "families">;

/**
 * The settings of memberlist.
 *
 * @param bound Where the transport is bound.
 * @throws {Error} when there is no address to tell others.
 */
export function memberlistSettings(
  config: AgentConfig,
  plan: AgentPlan,
  bound: Bound,
  keyring: Keyring | undefined,
): MemberlistConfig {
  const { host, port } = plan.advertise ?? bound.localAddress;
  const addr = hostToAddr(
    under("Failed to create memberlist", () => reachable(host, bound.families)),
  );
  return memberlistConfig(config.nodeName, { addr, port }, plan.profile, {
    compression: config.compression,
    ...keepsState(config) && { deadNodeReclaimTimeMs: RECLAIM_MS },
    ...(keyring === undefined ? {} : { keyring }),
  });
}

/** Bound to every address, the agent tells others a private one of this machine (docs/spec/agent.md 6.3). */
function reachable(host: string, families: readonly Family[]): string {
  const problem = "failed to get final advertise address";
  if (host.includes("%")) {
    throw new Error(`${problem}: '${host}' means nothing elsewhere, and explicit IP not provided`);
  }
  if (!isWildcard(host)) return host;
  const found = privateAddress(families);
  if (found !== undefined) return found;
  throw new Error(`${problem}: no private IP address found, and explicit IP not provided`);
}

/** The settings of Serf, whose events go to `listeners`. */
export function serfSettings(
  config: AgentConfig,
  tags: Record<string, string>,
  memberlist: MemberlistConfig,
  listeners: Listeners,
): SerfConfig {
  const { period, quiet } = COALESCE_MS;
  const { nodeName, keyringFile } = config;
  return serfConfig({ nodeName, memberlist, onEvent: (event) => listeners.tell(event) }, {
    tags,
    protocolVersion: config.protocol,
    broadcastTimeoutMs: config.broadcastTimeoutMs,
    coalescePeriodMs: period,
    quiescentPeriodMs: quiet,
    userCoalescePeriodMs: period,
    userQuiescentPeriodMs: quiet,
    reconnectIntervalMs: config.reconnectIntervalMs,
    healIntervalMs: config.healIntervalMs,
    reconnectTimeoutMs: config.reconnectTimeoutMs,
    tombstoneTimeoutMs: config.tombstoneTimeoutMs,
    userEventSizeLimit: config.userEventSizeLimit,
    querySizeLimit: config.querySizeLimit,
    queryResponseSizeLimit: config.queryResponseSizeLimit,
    resolveNameConflicts: !config.disableNameResolution,
    validateNodeNames: config.validateNodeNames,
    coordinates: config.coordinates,
    ...(keyringFile === "" ? {} : { saveKeys: (keys) => writeKeyringFile(keyringFile, keys) }),
  });
}

function under<T>(label: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new Error(`${label}: ${(cause as Error).message}`, { cause });
  }
}
