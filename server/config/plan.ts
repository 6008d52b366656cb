/**
 * What an agent will bind, announce and encrypt with: the checks that come before anything is started (agent.md 6.1).
 *
 * @module
 */

import type { Profile } from "../../cluster/memberlist/mod.ts";
import type { Address } from "../../cluster/runtime.ts";
import { planBind, resolveAddress } from "./addresses.ts";
import { decodeBase64 } from "../../protocol/base64.ts";
import { settingProblems } from "./checks.ts";
import { ConfigError } from "./files.ts";
import type { AgentConfig } from "./settings.ts";

/** Settings that were looked up and can be used. */
export interface AgentPlan {
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
 * Checks the settings, resolves addresses and decodes the key.
 *
 * @throws {ConfigError} for the first setting that cannot be used.
 */
export async function planAgent(config: AgentConfig): Promise<AgentPlan> {
  const [problem] = settingProblems(config);
  if (problem !== undefined) throw problem;
  const { bind, notice } = planBind(await resolveAddress("bind", config.bind), config.interface);
  const advertise = config.advertise === ""
    ? undefined
    : await resolveAddress("advertise", config.advertise);
  const encryptKey = config.encryptKey === "" ? undefined : decodeKey(config.encryptKey);
  if (!PROFILES.includes(config.profile)) {
    throw new ConfigError(`Unknown profile: ${config.profile}`);
  }
  const notices = notice === undefined ? [] : [notice];
  return { bind, advertise, encryptKey, profile: config.profile as Profile, notices };
}

function decodeKey(text: string): Uint8Array {
  try {
    return decodeBase64(text);
  } catch (cause) {
    throw new ConfigError(`Invalid encryption key: ${(cause as Error).message}`, { cause });
  }
}
