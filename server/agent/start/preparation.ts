/**
 * What has to be there before an agent can begin: tags, keys, the socket, and the settings of the layers below.
 *
 * @module
 */

import {
  hostToAddr,
  Keyring,
  type MemberlistConfig,
  memberlistConfig,
} from "../../../cluster/memberlist/mod.ts";
import type { Address, Metrics } from "../../../cluster/runtime.ts";
import { type SerfConfig, serfConfig } from "../../../cluster/serf/mod.ts";
import { privateAddress } from "../../config/addresses.ts";
import type { AgentConfig } from "../../config/load.ts";
import type { AgentPlan } from "../../config/plan.ts";
import { readKeyringFile, writeKeyringFile } from "../../files/keyring_file.ts";
import { readTagsFile } from "../../files/tags_file.ts";
import { NetTransport } from "../../gossip/transport.ts";
import type { AgentLog } from "../../logging/log.ts";
import type { RejoinFile } from "../../rejoin_file/rejoin_file.ts";

/** Longest and shortest wait of events for more of their kind, in milliseconds (agent.md 6.8). */
const COALESCE_MS = { period: 3_000, quiet: 1_000 } as const;

/**
 * The tags to start with.
 *
 * @throws {Error} when the configuration names tags and a tags file, and when the file cannot be used.
 */
export async function initialTags(
  config: AgentConfig,
  log: AgentLog,
): Promise<Record<string, string>> {
  const { tags, tagsFile } = config;
  if (tagsFile === "") return { ...tags };
  if (Object.keys(tags).length > 0) {
    throw new Error("Tags config not allowed while using tag files");
  }
  const restored = await readTagsFile(tagsFile);
  if (restored === undefined) return {};
  const count = Object.keys(restored).length;
  log.write("INFO", "agent", `Restored ${count} tag(s) from ${tagsFile}`);
  return restored;
}

/**
 * The keys of the keyring file, if there is one.
 *
 * @throws {Error} when the configuration also names a key, and when the file cannot be used.
 */
export async function initialKeys(
  config: AgentConfig,
  log: AgentLog,
): Promise<Keyring | undefined> {
  const { keyringFile, encryptKey } = config;
  if (keyringFile === "") return undefined;
  if (encryptKey !== "") throw new Error("Encryption key not allowed while using a keyring");
  const keyring = await readKeyringFile(keyringFile);
  log.write("INFO", "agent", `Restored keyring with ${keyring.size} keys from ${keyringFile}`);
  return keyring;
}

/**
 * The rejoin file of an earlier life, opened to go on, if the configuration names a file.
 *
 * @throws {RejoinFileError} when the file cannot be used.
 */
export async function initialRejoinFile(
  { snapshotPath, rejoinAfterLeave }: AgentConfig,
  log: AgentLog,
  metrics: Metrics,
): Promise<RejoinFile | undefined> {
  if (snapshotPath === "") return undefined;
  const { RejoinFile } = await import("../../rejoin_file/rejoin_file.ts");
  const logger = log.logger("serf");
  return await RejoinFile.open(snapshotPath, { rejoinAfterLeave, log: logger, metrics });
}

/**
 * The key of the configuration, if there is one.
 *
 * @throws {Error} when its length is wrong.
 */
export function keyringOf({ encryptKey }: AgentPlan): Keyring | undefined {
  return encryptKey === undefined
    ? undefined
    : under("Failed to create memberlist", () => new Keyring([encryptKey]));
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

/**
 * The settings of memberlist.
 *
 * @param bound Where the transport is bound.
 * @throws {Error} when there is no address to tell others.
 */
export function memberlistSettings(
  config: AgentConfig,
  plan: AgentPlan,
  bound: Address,
  keyring: Keyring | undefined,
): MemberlistConfig {
  const { host, port } = plan.advertise ?? bound;
  const addr = hostToAddr(under("Failed to create memberlist", () => reachable(host)));
  return memberlistConfig(config.nodeName, { addr, port }, plan.profile, {
    compression: config.compression,
    ...(keyring === undefined ? {} : { keyring }),
  });
}

/** Bound to every address, the agent tells others a private one of this machine (agent.md 6.3). */
function reachable(host: string): string {
  const problem = "failed to get final advertise address";
  if (host.includes("%")) {
    throw new Error(`${problem}: '${host}' means nothing elsewhere, and explicit IP not provided`);
  }
  if (host !== "0.0.0.0" && host !== "::") return host;
  const found = privateAddress();
  if (found !== undefined) return found;
  throw new Error(`${problem}: no private IP address found, and explicit IP not provided`);
}

/** The settings of Serf. */
export function serfSettings(
  config: AgentConfig,
  tags: Record<string, string>,
  memberlist: MemberlistConfig,
): Omit<SerfConfig, "onEvent"> {
  const { period, quiet } = COALESCE_MS;
  const { keyringFile } = config;
  return serfConfig({ nodeName: config.nodeName, memberlist, onEvent: () => {} }, {
    tags,
    protocolVersion: config.protocol,
    broadcastTimeoutMs: config.broadcastTimeoutMs,
    coalescePeriodMs: period,
    quiescentPeriodMs: quiet,
    userCoalescePeriodMs: period,
    userQuiescentPeriodMs: quiet,
    reconnectIntervalMs: config.reconnectIntervalMs,
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
