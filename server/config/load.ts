/**
 * The agent's settings: defaults, configuration files, the command line, and the checks after merging them
 * (agent.md 6.2).
 *
 * @module
 */

import { DurationError, parseDuration } from "../../protocol/duration.ts";
import { settingProblems } from "./checks.ts";
import { ConfigError } from "./error.ts";
import { readConfigFiles } from "./files.ts";
import { mergeInputs } from "./input.ts";
import { CONFIG_KEYS, type ConfigInput, type ConfigKey } from "./options/mod.ts";
import { setValueAt, valueAt } from "./path.ts";
import { type AgentConfig, DEFAULT_AGENT_CONFIG } from "./settings.ts";

export { ConfigError } from "./error.ts";
export type { ConfigInput, MdnsInput } from "./options/mod.ts";
export { type AgentConfig, DEFAULT_AGENT_CONFIG, type MdnsConfig } from "./settings.ts";

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

/** Shortest `retry_interval` and `broadcast_timeout`; shorter ones are raised (agent.md 6.2). */
const LEAST_WAIT_MS = 1_000;

/** The keys with such a limit, and what Serf's warnings call them. */
const RAISED: Readonly<Record<string, string>> = {
  retry_interval: "RetryInterval",
  broadcast_timeout: "BroadcastTimeout",
};

/**
 * The settings that the files and then the flags give.
 *
 * @param paths Files and directories in command-line order.
 * @throws {ConfigError} when a file cannot be read or understood, or a value cannot be used.
 */
export async function loadConfig(
  paths: readonly string[],
  flags: ConfigInput,
): Promise<LoadedConfig> {
  const { config, warnings, problems } = await checkConfig(paths, flags);
  const [first] = problems;
  if (first !== undefined) throw first;
  return { config, warnings };
}

/** Like {@linkcode loadConfig}, but goes on after a problem and gives all of them. */
export async function checkConfig(
  paths: readonly string[],
  flags: ConfigInput,
): Promise<CheckedConfig> {
  const { input, problems } = await readConfigFiles(paths);
  const settled = settle(mergeInputs(input, flags));
  return {
    ...settled,
    problems: [...problems, ...settled.problems, ...settingProblems(settled.config)],
  };
}

/** The settings of a merged input over the defaults. */
function settle(input: ConfigInput): CheckedConfig {
  const config: AgentConfig = { ...DEFAULT_AGENT_CONFIG };
  const warnings: string[] = [];
  const problems: ConfigError[] = [];
  for (const [name, key] of Object.entries(CONFIG_KEYS)) {
    const value = valueAt(input, name);
    if (key.setting === undefined || value === undefined) continue;
    try {
      setValueAt(config, key.setting, settingOf(name, key, value, warnings));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error);
    }
  }
  if (input.role) {
    warnings.unshift("Deprecation warning: 'Role' has been replaced with 'Tags'");
    setValueAt(config, "tags", { ...config.tags, role: input.role });
  }
  if (config.rejoinAfterLeave && config.snapshotPath === "") {
    warnings.push("Warning: 'RejoinAfterLeave' enabled without snapshot file");
  }
  const nodeName = config.nodeName || Deno.hostname();
  return { config: { ...config, nodeName }, warnings, problems };
}

/** The setting that a value stands for. */
function settingOf(name: string, key: ConfigKey, value: unknown, warnings: string[]): unknown {
  switch (key.kind) {
    case "duration":
      return atLeast(name, milliseconds(name, value as string), warnings);
    case "number":
      if (value as number >= 0 || key.unlimited) return value;
      throw new ConfigError(`Invalid ${name}: expected a positive number, got ${value}`);
    case "switch":
      return key.inverted ? !value : value;
    default:
      return value;
  }
}

function milliseconds(name: string, text: string): number {
  try {
    const ms = parseDuration(text);
    if (ms >= 0) return ms;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw new ConfigError(`Error: ${error.message}`, { cause: error });
  }
  throw new ConfigError(`Invalid ${name}: expected a positive duration, got '${text}'`);
}

function atLeast(name: string, ms: number, warnings: string[]): number {
  const label = RAISED[name];
  if (label === undefined || ms >= LEAST_WAIT_MS) return ms;
  warnings.push(`Warning: '${label}' is too low. Setting to 1s`);
  return LEAST_WAIT_MS;
}
