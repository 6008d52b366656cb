/**
 * What comes before an agent is started: settings that can be used, and where its log goes.
 *
 * @module
 */

import { exposureWarnings } from "../config/exposure.ts";
import {
  type AgentConfig,
  checkConfig,
  type ConfigInput,
  type Environment,
} from "../config/load.ts";
import { type AgentPlan, planAgent } from "../config/plan.ts";
import { LevelFilter } from "../logging/levels.ts";
import type { AgentLog } from "../logging/log.ts";
import type { Syslog } from "../logging/syslog.ts";
import type { Console } from "./console.ts";

/** What the command line gives. */
export interface RunInput {
  /** Configuration files and directories, in command-line order. */
  readonly configPaths: readonly string[];
  /** Flags under the names of a configuration file. */
  readonly flags: ConfigInput;
  /** What the environment gives. Default: nothing. */
  readonly environment?: Environment;
}

/**
 * Settings that can be used, and what follows from them. Prints warnings, and sets up the console.
 *
 * @throws {ConfigError} for the first thing that is wrong.
 */
export async function prepare(
  input: RunInput,
  console: Console,
): Promise<AgentPlan> {
  if (input.flags.log_format === "json") console.format = "json";
  const { config, warnings, problems } = await checkConfig(
    input.configPaths,
    input.flags,
    input.environment,
  );
  console.node = config.nodeName;
  const [problem] = problems;
  if (config.logFormat === "json") console.format = "json";
  if (problem !== undefined) throw problem;
  console.filter = filterOf(config);
  for (const warning of [...warnings, ...exposureWarnings(config)]) console.warn(warning);
  const plan = await planAgent(config);
  for (const notice of plan.notices) console.say(notice);
  return plan;
}

/** Which lines of the log are shown. */
export function filterOf({ logLevel, logLevels }: AgentConfig): LevelFilter {
  return new LevelFilter(logLevel, logLevels);
}

/**
 * A way to syslog, if the settings ask for it.
 *
 * @throws {SyslogError} when there is no syslog.
 */
export async function openSyslog(config: AgentConfig, log: AgentLog): Promise<Syslog | undefined> {
  if (!config.syslog) return undefined;
  const { Syslog } = await import("../logging/syslog.ts");
  return await Syslog.open({ facility: config.syslogFacility, log, filter: filterOf(config) });
}
