/**
 * The agent's settings from configuration files and the command line (docs/spec/agent.md 6.2): read, merged, completed
 * with the defaults, and checked.
 *
 * @module
 */

import { settingProblems } from "./checks.ts";
import type { ConfigError } from "./error.ts";
import type { FilesRead } from "./files.ts";
import { AGENT_OPTIONS, type ConfigInput } from "./options/mod.ts";
import { givenSettings, mergeInputs } from "./options/values.ts";
import { type AgentConfig, completeConfig } from "./settings.ts";
import { foundersNotes } from "./state_checks.ts";

export { ConfigError } from "./error.ts";
export type { ConfigInput } from "./options/mod.ts";
export {
  type AgentConfig,
  DEFAULT_AGENT_CONFIG,
  type KvConfig,
  type MdnsConfig,
  type RaftConfig,
  type SessionsConfig,
  type TopicsConfig,
} from "./settings.ts";

/** Settings and what the operator should know about them. */
export interface LoadedConfig {
  /** The settings. */
  readonly config: AgentConfig;
  /** Lines to print, e.g. about values that were raised. */
  readonly warnings: readonly string[];
}

/** Settings, also when something is wrong with them. */
export interface CheckedConfig extends LoadedConfig {
  /** Everything that is wrong. What cannot be used has its default in `config`. */
  readonly problems: readonly ConfigError[];
}

/** What the environment gives. */
export interface Environment {
  /** The key for settings that name none. */
  readonly encryptKey?: string | undefined;
}

/**
 * The settings that the files and then the flags give.
 *
 * @param paths Files and directories in command-line order.
 * @throws {ConfigError} when a file cannot be read or understood, or a value cannot be used.
 */
export async function loadConfig(
  paths: readonly string[],
  flags: ConfigInput,
  environment: Environment = {},
): Promise<LoadedConfig> {
  const { config, warnings, problems } = await checkConfig(paths, flags, environment);
  const [first] = problems;
  if (first !== undefined) throw first;
  return { config, warnings };
}

/** Like {@linkcode loadConfig}, but goes on after a problem and gives all of them. */
export async function checkConfig(
  paths: readonly string[],
  flags: ConfigInput,
  { encryptKey = "" }: Environment = {},
): Promise<CheckedConfig> {
  const files = await readFiles(paths);
  const input = mergeInputs(AGENT_OPTIONS, files.input, flags);
  const { encrypt_key, encrypt_file, keyring_file } = input;
  if (encryptKey !== "" && !encrypt_key && !encrypt_file && !keyring_file) {
    input.encrypt_key = encryptKey;
  }
  const { given, warnings, problems } = givenSettings(AGENT_OPTIONS, input);
  const { role } = input;
  const config = completeConfig(role ? { ...given, tags: { ...given.tags, role } } : given);
  return {
    config,
    warnings: [
      ...role ? ["Deprecation warning: 'Role' has been replaced with 'Tags'"] : [],
      ...warnings,
      ...config.rejoinAfterLeave && config.snapshotPath === ""
        ? ["Warning: 'RejoinAfterLeave' enabled without snapshot file"]
        : [],
      ...foundersNotes(config),
    ],
    problems: [...files.problems, ...problems, ...settingProblems(config)],
  };
}

/** An agent without files starts without the code that reads and checks them. */
async function readFiles(paths: readonly string[]): Promise<FilesRead<typeof AGENT_OPTIONS.table>> {
  if (paths.length === 0) return { input: {}, problems: [] };
  const { readConfigFiles } = await import("./files.ts");
  return await readConfigFiles(AGENT_OPTIONS, paths);
}
