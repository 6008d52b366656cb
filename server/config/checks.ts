/**
 * Checks of settings by their values alone (docs/spec/agent.md 6.1, 6.2). Nothing is opened or resolved.
 *
 * @module
 */

import { formatDuration } from "../../protocol/duration.ts";
import { AddressError } from "../../protocol/ip.ts";
import { showBytes } from "../../protocol/text.ts";
import { LOG_FORMATS, LOG_LEVELS, parseLogLevel } from "../logging/levels.ts";
import { facilityNumber } from "../logging/syslog_facility.ts";
import { requireInterface, splitGoAddress } from "./addresses.ts";
import { ConfigError } from "./error.ts";
import { parseHandler } from "./handler_spec.ts";
import { AGENT_OPTIONS } from "./options/mod.ts";
import { type Options, valueAt } from "./options/option.ts";
import type { AgentConfig } from "./settings.ts";
import { STATE_CHECKS } from "./state_checks.ts";

/** A check throws what is wrong. */
type Check<S extends object> = (settings: S) => void;

/** The order is Serf's; our own settings follow those that they belong to. */
const CHECKS: readonly Check<AgentConfig>[] = [
  ({ eventHandlers }) => eventHandlers.forEach(parseHandler),
  ...leastChecks(AGENT_OPTIONS),
  ...pathChecks(AGENT_OPTIONS),
  (config) => requireInterface("Invalid network interface", config.interface),
  ({ mdns, discover }) => {
    if (mdns.interface !== "" && discover === "") {
      fail("mDNS interface specified without enabling mDNS discovery");
    }
  },
  ({ mdns }) => requireInterface("Invalid mDNS network interface", mdns.interface),
  ({ mdns, discover }) => {
    if (discover !== "" && mdns.disableIpv4 && mdns.disableIpv6) {
      fail("Invalid mDNS configuration: both IPv4 and IPv6 are disabled");
    }
  },
  ({ logLevel }) => requireLevel("Invalid log level", logLevel),
  ({ logLevels }) => {
    for (const [subsystem, level] of Object.entries(logLevels)) {
      requireLevel(`Invalid log level for '${subsystem}'`, level);
    }
  },
  ({ logFormat }) => {
    if ((LOG_FORMATS as readonly string[]).includes(logFormat)) return;
    fail(`Invalid log format: ${logFormat}. Valid log formats are: [${LOG_FORMATS.join(" ")}]`);
  },
  ({ syslog, syslogFacility }) => {
    if (!syslog || facilityNumber(syslogFacility) !== undefined) return;
    fail(`Syslog setup failed: invalid syslog facility: ${syslogFacility}`);
  },
  ({ statsiteAddr }) => requireServer("Failed to start statsite sink. Got", statsiteAddr),
  ({ statsdAddr }) => requireServer("Failed to start statsd sink. Got", statsdAddr),
  ...STATE_CHECKS,
];

/**
 * The settings, when they can be used.
 *
 * @throws {ConfigError} for the first one that cannot.
 */
export function requireUsable(config: AgentConfig): AgentConfig {
  const [problem] = settingProblems(config);
  if (problem !== undefined) throw problem;
  return config;
}

/** All that is wrong with settings, in the order in which a start would find it. */
export function settingProblems(config: AgentConfig): ConfigError[] {
  return CHECKS.flatMap((check) => {
    try {
      check(config);
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return [error];
      return [new ConfigError((error as Error).message, { cause: error })];
    }
  });
}

/** For each option that has a least value, the check that its setting is not below it. */
export function leastChecks({ all }: Options): Check<object>[] {
  return all.flatMap(({ name, place, option }) => {
    if (place === undefined || !("least" in option)) return [];
    const { kind, least } = option;
    return (settings) => {
      const value = valueAt(settings, place) as number;
      if (value >= least && (kind === "duration" || Number.isInteger(value))) return;
      const [wanted, got] = kind === "duration"
        ? [`${formatDuration(least)} or more`, `${value} ms`]
        : [`a whole number from ${least}`, value];
      fail(`Invalid ${name}: expected ${wanted}, got ${got}`);
    };
  });
}

/** For each option that names a file, the check that a file of that name can be opened. */
export function pathChecks({ all }: Options): Check<object>[] {
  return all.flatMap(({ name, place, option }) => {
    if (place === undefined || option.placeholder !== "PATH") return [];
    return [(settings) => requireText(name, valueAt(settings, place) as string)];
  });
}

/**
 * The runtime opens files by text only, and another one for a name with other bytes.
 *
 * @throws {ConfigError} when a name is not UTF-8.
 */
export function requireText(what: string, name: string): void {
  if (!name.isWellFormed()) fail(`Invalid ${what}: '${showBytes(name)}' is not UTF-8`);
}

function requireLevel(label: string, level: string): void {
  if (parseLogLevel(level) !== undefined) return;
  const valid = LOG_LEVELS.join(" ");
  fail(`${label}: ${level.toUpperCase()}. Valid log levels are: [${valid}]`);
}

/** A server is `host:port`, both there. */
function requireServer(label: string, address: string): void {
  if (address === "") return;
  try {
    const { host, port } = splitGoAddress(address);
    if (host === "" || port === 0) fail(`${label}: expected host:port, got '${address}'`);
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause;
    throw new ConfigError(`${label}: ${cause.message}`, { cause });
  }
}

function fail(message: string): never {
  throw new ConfigError(message);
}
