/**
 * The agent's settings: defaults, configuration files, the command line, and the checks after merging them
 * (agent.md 6.2).
 *
 * @module
 */

import { ConfigError, readConfigFiles } from "./config/files.ts";
import { type ConfigInput, mergeInputs } from "./config/input.ts";
import { DurationError, parseDuration } from "./config/duration.ts";

export { ConfigError } from "./config/files.ts";
export type { ConfigInput, MdnsInput } from "./config/input.ts";

/** The settings of an agent. Times are milliseconds, sizes bytes. */
export interface AgentConfig {
  /** Unique name of this node. Default: the host name. */
  readonly nodeName: string;
  /** Tags at the start; must be empty when `tagsFile` is set. */
  readonly tags: Readonly<Record<string, string>>;
  /** File that keeps the tags over a restart; "" for none. */
  readonly tagsFile: string;
  /** `host[:port]` to gossip on; IPv6 in brackets; port 0 takes a free one. Default `0.0.0.0:7946`. */
  readonly bind: string;
  /** `host[:port]` that other nodes are told; "" for the bound address. */
  readonly advertise: string;
  /** Network interface whose address is bound; "" for none. */
  readonly interface: string;
  /** Base64 of a 16, 24 or 32 byte key; "" for no encryption. */
  readonly encryptKey: string;
  /** JSON file of keys, the first one encrypts; "" for none. */
  readonly keyringFile: string;
  /** TRACE, DEBUG, INFO, WARN or ERR: what the console shows. Default INFO. */
  readonly logLevel: string;
  /** `host:port` of the RPC listener. Default `127.0.0.1:7373`. */
  readonly rpcAddr: string;
  /** Token that RPC clients must show; "" for none. */
  readonly rpcAuth: string;
  /** Serf protocol version, 2 to 5. Default 5. */
  readonly protocol: number;
  /** Deliver user events of before a join. Default false. */
  readonly replayOnJoin: boolean;
  /** Largest encoded query response. Default 1024. */
  readonly queryResponseSizeLimit: number;
  /** Largest encoded query. Default 1024. */
  readonly querySizeLimit: number;
  /** Largest user event, at most 9216. Default 512. */
  readonly userEventSizeLimit: number;
  /** Addresses that `skein agent` joins once at its start. */
  readonly startJoin: readonly string[];
  /** Addresses that `skein agent` joins in the background until one answers. */
  readonly retryJoin: readonly string[];
  /** Tries of `retryJoin` after the first; 0 for no limit. */
  readonly retryMaxAttempts: number;
  /** Pause between tries of `retryJoin`. Default 30,000. */
  readonly retryIntervalMs: number;
  /** Timing for the network: lan, wan or local. Default lan. */
  readonly profile: string;
  /** Leave the cluster on SIGTERM. Default false. */
  readonly leaveOnTerminate: boolean;
  /** Do not leave the cluster on SIGINT. Default false. */
  readonly skipLeaveOnInterrupt: boolean;
  /** Pause between tries to reach failed nodes. Default 30,000. */
  readonly reconnectIntervalMs: number;
  /** After this time a failed node is forgotten. Default 24 hours. */
  readonly reconnectTimeoutMs: number;
  /** After this time a node that left is forgotten. Default 24 hours. */
  readonly tombstoneTimeoutMs: number;
  /** Do not vote when two nodes have one name. Default false. */
  readonly disableNameResolution: boolean;
  /** How long a leave, forced leave or tag change may wait until it was sent. Default 5,000. */
  readonly broadcastTimeoutMs: number;
  /** Refuse members whose names have unusual characters. Default false. */
  readonly validateNodeNames: boolean;
  /** Compress gossip. Default true. */
  readonly compression: boolean;
  /** Take part in network coordinates. Default true. */
  readonly coordinates: boolean;
  /** Scripts to run on events, each `[FILTERS=]SCRIPT` (agent.md 6.9). */
  readonly eventHandlers: readonly string[];
  /** How long one run of a script may take; 0 for no limit. Default 1 hour. */
  readonly eventHandlerTimeoutMs: number;
  /** Runs of one script at the same time. Default 1, which keeps the order of events. */
  readonly eventHandlerConcurrency: number;
  /** File that keeps known members and clocks over a restart; "" for none. */
  readonly snapshotPath: string;
  /** Join again after a restart even when the node had left. Default false. */
  readonly rejoinAfterLeave: boolean;
  /** Name of a cluster whose members find each other by multicast DNS; "" for none. */
  readonly discover: string;
  /** How `discover` asks. */
  readonly mdns: MdnsConfig;
  /** Form of the log lines on the console: text or json. Default text. */
  readonly logFormat: string;
  /** Levels of single subsystems, such as `memberlist`, where they differ from `logLevel`. */
  readonly logLevels: Readonly<Record<string, string>>;
  /** Also log to syslog. Default false. */
  readonly syslog: boolean;
  /** Facility of the syslog lines. Default LOCAL0. */
  readonly syslogFacility: string;
  /** `host:port` of a statsite server, TCP; "" for none. */
  readonly statsiteAddr: string;
  /** `host:port` of a statsd server, UDP; "" for none. */
  readonly statsdAddr: string;
}

/** How an agent asks by multicast DNS. */
export interface MdnsConfig {
  /** Network interface to ask on; "" for `interface`, or the system's choice. */
  readonly interface: string;
  /** Do not ask over IPv4. Default false. */
  readonly disableIpv4: boolean;
  /** Do not ask over IPv6. Default false. */
  readonly disableIpv6: boolean;
}

/** What Serf uses when nothing else is said (agent.md 6.2). The empty `nodeName` stands for the host name. */
export const DEFAULT_AGENT_CONFIG: AgentConfig = {
  nodeName: "",
  tags: {},
  tagsFile: "",
  bind: "0.0.0.0",
  advertise: "",
  interface: "",
  encryptKey: "",
  keyringFile: "",
  logLevel: "INFO",
  rpcAddr: "127.0.0.1:7373",
  rpcAuth: "",
  protocol: 5,
  replayOnJoin: false,
  queryResponseSizeLimit: 1024,
  querySizeLimit: 1024,
  userEventSizeLimit: 512,
  startJoin: [],
  retryJoin: [],
  retryMaxAttempts: 0,
  retryIntervalMs: 30_000,
  profile: "lan",
  leaveOnTerminate: false,
  skipLeaveOnInterrupt: false,
  reconnectIntervalMs: 30_000,
  reconnectTimeoutMs: 86_400_000,
  tombstoneTimeoutMs: 86_400_000,
  disableNameResolution: false,
  broadcastTimeoutMs: 5_000,
  validateNodeNames: false,
  compression: true,
  coordinates: true,
  eventHandlers: [],
  eventHandlerTimeoutMs: 3_600_000,
  eventHandlerConcurrency: 1,
  snapshotPath: "",
  rejoinAfterLeave: false,
  discover: "",
  mdns: { interface: "", disableIpv4: false, disableIpv6: false },
  logFormat: "text",
  logLevels: {},
  syslog: false,
  syslogFacility: "LOCAL0",
  statsiteAddr: "",
  statsdAddr: "",
};

/** Settings and what the operator should know about them. */
export interface LoadedConfig {
  /** The settings. */
  readonly config: AgentConfig;
  /** Lines to print, e.g. about values that were raised. */
  readonly warnings: readonly string[];
}

/** Shortest `retry_interval` and `broadcast_timeout`; shorter ones are raised (agent.md 6.2). */
const LEAST_WAIT_MS = 1_000;

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
  return settle(mergeInputs(await readConfigFiles(paths), flags));
}

/** The settings of a merged input over the defaults. */
function settle(input: ConfigInput): LoadedConfig {
  const warnings: string[] = [];
  const defaults = DEFAULT_AGENT_CONFIG;
  const tags = { ...input.tags };
  if (input.role) {
    tags.role = input.role;
    warnings.push("Deprecation warning: 'Role' has been replaced with 'Tags'");
  }
  const atLeast = (key: DurationKey, label: string, whenUnset: number): number => {
    const ms = durationOf(input, key, whenUnset);
    if (ms >= LEAST_WAIT_MS) return ms;
    warnings.push(`Warning: '${label}' is too low. Setting to 1s`);
    return LEAST_WAIT_MS;
  };
  const config: AgentConfig = {
    nodeName: input.node_name || Deno.hostname(),
    tags,
    tagsFile: input.tags_file ?? defaults.tagsFile,
    bind: input.bind || defaults.bind,
    advertise: input.advertise ?? defaults.advertise,
    interface: input.interface ?? defaults.interface,
    encryptKey: input.encrypt_key ?? defaults.encryptKey,
    keyringFile: input.keyring_file ?? defaults.keyringFile,
    logLevel: input.log_level || defaults.logLevel,
    rpcAddr: input.rpc_addr || defaults.rpcAddr,
    rpcAuth: input.rpc_auth ?? defaults.rpcAuth,
    protocol: input.protocol ?? defaults.protocol,
    replayOnJoin: input.replay_on_join ?? defaults.replayOnJoin,
    queryResponseSizeLimit: sizeOf(input, "query_response_size_limit", 1024),
    querySizeLimit: sizeOf(input, "query_size_limit", 1024),
    userEventSizeLimit: sizeOf(input, "user_event_size_limit", 512),
    startJoin: input.start_join ?? defaults.startJoin,
    retryJoin: input.retry_join ?? defaults.retryJoin,
    retryMaxAttempts: input.retry_max_attempts ?? defaults.retryMaxAttempts,
    retryIntervalMs: atLeast("retry_interval", "RetryInterval", defaults.retryIntervalMs),
    profile: input.profile || defaults.profile,
    leaveOnTerminate: input.leave_on_terminate ?? defaults.leaveOnTerminate,
    skipLeaveOnInterrupt: input.skip_leave_on_interrupt ?? defaults.skipLeaveOnInterrupt,
    reconnectIntervalMs: durationOf(input, "reconnect_interval", defaults.reconnectIntervalMs),
    reconnectTimeoutMs: durationOf(input, "reconnect_timeout", defaults.reconnectTimeoutMs),
    tombstoneTimeoutMs: durationOf(input, "tombstone_timeout", defaults.tombstoneTimeoutMs),
    disableNameResolution: input.disable_name_resolution ?? defaults.disableNameResolution,
    broadcastTimeoutMs: atLeast(
      "broadcast_timeout",
      "BroadcastTimeout",
      defaults.broadcastTimeoutMs,
    ),
    validateNodeNames: input.validate_node_names ?? defaults.validateNodeNames,
    compression: input.enable_compression ?? defaults.compression,
    coordinates: !input.disable_coordinates,
    eventHandlers: input.event_handlers ?? defaults.eventHandlers,
    eventHandlerTimeoutMs: durationOf(
      input,
      "event_handler_timeout",
      defaults.eventHandlerTimeoutMs,
    ),
    eventHandlerConcurrency: input.event_handler_concurrency ?? defaults.eventHandlerConcurrency,
    snapshotPath: input.snapshot_path ?? defaults.snapshotPath,
    rejoinAfterLeave: input.rejoin_after_leave ?? defaults.rejoinAfterLeave,
    discover: input.discover ?? defaults.discover,
    mdns: {
      interface: input.mdns?.interface ?? defaults.mdns.interface,
      disableIpv4: input.mdns?.disable_ipv4 ?? defaults.mdns.disableIpv4,
      disableIpv6: input.mdns?.disable_ipv6 ?? defaults.mdns.disableIpv6,
    },
    logFormat: input.log_format || defaults.logFormat,
    logLevels: input.log_levels ?? defaults.logLevels,
    syslog: input.enable_syslog ?? defaults.syslog,
    syslogFacility: input.syslog_facility || defaults.syslogFacility,
    statsiteAddr: input.statsite_addr ?? defaults.statsiteAddr,
    statsdAddr: input.statsd_addr ?? defaults.statsdAddr,
  };
  if (input.rejoin_after_leave && !input.snapshot_path) {
    warnings.push("Warning: 'RejoinAfterLeave' enabled without snapshot file");
  }
  return { config, warnings };
}

type DurationKey =
  | "retry_interval"
  | "broadcast_timeout"
  | "event_handler_timeout"
  | "reconnect_interval"
  | "reconnect_timeout"
  | "tombstone_timeout";

/** A duration in milliseconds; unset and 0 give the default. */
function durationOf(input: ConfigInput, key: DurationKey, whenUnset: number): number {
  const text = input[key];
  if (!text) return whenUnset;
  try {
    const ms = parseDuration(text) || whenUnset;
    if (ms < 0) {
      throw new ConfigError(`Invalid ${key}: expected a positive duration, got '${text}'`);
    }
    return ms;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw new ConfigError(`Error: ${error.message}`, { cause: error });
  }
}

function sizeOf(
  input: ConfigInput,
  key: "query_response_size_limit" | "query_size_limit" | "user_event_size_limit",
  whenUnset: number,
): number {
  const size = input[key] || whenUnset;
  if (size < 0) throw new ConfigError(`Invalid ${key}: expected a positive number, got ${size}`);
  return size;
}
