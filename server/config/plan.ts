/**
 * What an agent will bind, announce and encrypt with: what is looked up before anything is started (docs/spec/agent.md
 * 6.1).
 *
 * @module
 */

import type { Profile } from "../../cluster/memberlist/mod.ts";
import type { Address } from "../../cluster/runtime.ts";
import { decodeBase64 } from "../../protocol/base64.ts";
import { type BindPlan, planBind, resolveAddress } from "./addresses.ts";
import { ConfigError } from "./error.ts";
import type { AgentConfig } from "./settings.ts";

/**
 * Settings that are complete and can be used, and what was looked up for them.
 *
 * @example
 * ```ts
 * import { type AgentPlan, DEFAULT_AGENT_CONFIG } from "@skein/agent";
 *
 * const plan: AgentPlan = {
 *   config: { ...DEFAULT_AGENT_CONFIG, nodeName: "alpha" },
 *   bind: { host: "127.0.0.1", port: 0 },
 *   advertise: undefined,
 *   encryptKey: undefined,
 *   profile: "local",
 *   notices: [],
 * };
 * console.log(plan.bind.host);
 * ```
 */
export interface AgentPlan {
  /** The settings. */
  readonly config: AgentConfig;
  /** Where to bind. */
  readonly bind: Address;
  /** What other nodes are told, when it is not the bound address. */
  readonly advertise: Address | undefined;
  /** The key of `encryptKey`; its length is not checked. */
  readonly encryptKey: Uint8Array | undefined;
  /** Timing. */
  readonly profile: Profile;
  /** Lines to print. */
  readonly notices: readonly string[];
}

const PROFILES: readonly string[] = ["lan", "wan", "local"] satisfies Profile[];

/**
 * Resolves the addresses of settings that were checked, and decodes the key.
 *
 * @throws {ConfigError} for the first one that cannot be used.
 */
export async function planAgent(config: AgentConfig): Promise<AgentPlan> {
  const { bind, notice } = await bindPlanOf(config);
  return {
    config,
    bind,
    advertise: await advertisedAddress(config),
    encryptKey: encryptionKey(config),
    profile: profileOf(config),
    notices: notice === undefined ? [] : [notice],
  };
}

/**
 * Where to bind.
 *
 * @throws {ConfigError} when there is no such address.
 */
export async function bindPlanOf(config: AgentConfig): Promise<BindPlan> {
  return planBind(await resolveAddress("bind", config.bind), config.interface);
}

/**
 * What other nodes are told, `undefined` when it is not configured.
 *
 * @throws {ConfigError} when there is no such address.
 */
export async function advertisedAddress({ advertise }: AgentConfig): Promise<Address | undefined> {
  return advertise === "" ? undefined : await resolveAddress("advertise", advertise);
}

/**
 * The key of `encryptKey`; its length is not checked.
 *
 * @throws {ConfigError} when it is no base64.
 */
export function encryptionKey({ encryptKey }: AgentConfig): Uint8Array | undefined {
  if (encryptKey === "") return undefined;
  try {
    return decodeBase64(encryptKey);
  } catch (cause) {
    throw new ConfigError(`Invalid encryption key: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Timing for the network.
 *
 * @throws {ConfigError} when there is no such profile.
 */
export function profileOf({ profile }: AgentConfig): Profile {
  if (PROFILES.includes(profile)) return profile as Profile;
  throw new ConfigError(`Unknown profile: ${profile}`);
}
