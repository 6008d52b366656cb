/**
 * What an agent will bind, announce and encrypt with: what is looked up before anything is started (docs/spec/agent.md
 * 6.1).
 *
 * @module
 */

import type { Profile } from "../../cluster/memberlist/mod.ts";
import type { Address } from "../../cluster/runtime.ts";
import { decodeBase64 } from "../../protocol/base64.ts";
import { KEYGEN_HINT } from "../files/keyring_file.ts";
import { type BindPlan, planBind, resolveAddress } from "./addresses.ts";
import { ConfigError } from "./error.ts";
import { secretOf } from "./secrets.ts";
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
 *   rpcAuth: "",
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
  /** The key of `encryptKey` or `encryptFile`; its length is not checked. */
  readonly encryptKey: Uint8Array | undefined;
  /** Token that RPC clients must show; "" for none. */
  readonly rpcAuth: string;
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
    encryptKey: await encryptionKey(config),
    rpcAuth: await rpcToken(config),
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
 * The key of `encryptKey` or `encryptFile`; its length is not checked.
 *
 * @throws {ConfigError} when its file cannot be read, and when it is no base64.
 */
export async function encryptionKey(config: AgentConfig): Promise<Uint8Array | undefined> {
  const { encryptKey: value, encryptFile: path } = config;
  const text = await secretOf({ name: "encrypt_key", value, fileName: "encrypt_file", path });
  if (text === "") return undefined;
  try {
    return decodeBase64(text);
  } catch (cause) {
    const { message } = cause as Error;
    throw new ConfigError(`Invalid encryption key: ${message}; ${KEYGEN_HINT}`, { cause });
  }
}

/**
 * The token of `rpcAuth` or `rpcAuthFile`, "" for none.
 *
 * @throws {ConfigError} when its file cannot be read.
 */
export async function rpcToken(
  { rpcAuth: value, rpcAuthFile: path }: AgentConfig,
): Promise<string> {
  return await secretOf({ name: "rpc_auth", value, fileName: "rpc_auth_file", path });
}

/**
 * Timing for the network.
 *
 * @throws {ConfigError} when there is no such profile.
 */
export function profileOf({ profile }: AgentConfig): Profile {
  if (PROFILES.includes(profile)) return profile as Profile;
  const names = `${PROFILES.slice(0, -1).join(", ")} or ${PROFILES.at(-1)}`;
  throw new ConfigError(`Unknown profile: ${profile}, expected ${names}`);
}
