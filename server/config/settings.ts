/**
 * The settings of an agent and their defaults (docs/spec/agent.md 6.2). {@linkcode AgentConfig} writes out, for
 * programs, what follows from the table of options; the compiler holds the two together.
 *
 * @module
 */

import type { RaftConfig, SessionsConfig } from "../replica/state_settings.ts";
import { AGENT_OPTIONS } from "./options/mod.ts";
import type { SomeOf } from "./options/option.ts";
import { completed, defaultsOf } from "./options/values.ts";

export type { RaftConfig, SessionsConfig };

/**
 * The settings of an agent. Times are milliseconds, sizes bytes.
 *
 * @example
 * ```ts
 * import { Agent, type AgentConfig } from "@skein/agent";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { profile, protocol }: AgentConfig = agent.config;
 * console.log(profile, protocol); // lan 5
 * ```
 */
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
  /** File that holds `encryptKey`; "" for none. */
  readonly encryptFile: string;
  /** JSON file of keys, the first one encrypts; "" for none. */
  readonly keyringFile: string;
  /** TRACE, DEBUG, INFO, WARN or ERR: what `skein agent` shows. Default INFO. */
  readonly logLevel: string;
  /** `host:port` of the RPC listener. Default `127.0.0.1:7373`. */
  readonly rpcAddr: string;
  /** Token that RPC clients must show; "" for none. */
  readonly rpcAuth: string;
  /** File that holds `rpcAuth`; "" for none. */
  readonly rpcAuthFile: string;
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
  /** Pause between looks for lost nodes; 0 for none. Default 5 minutes. */
  readonly healIntervalMs: number;
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
  /** Scripts to run on events, each `[FILTERS=]SCRIPT` (docs/spec/agent.md 6.9). */
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
  /** Form of all that `skein agent` prints: text or json. Default text. */
  readonly logFormat: string;
  /** Levels of single subsystems, such as `memberlist`, where they differ from `logLevel`. */
  readonly logLevels: Readonly<Record<string, string>>;
  /** Whether `skein agent` also logs to syslog. Default false. */
  readonly syslog: boolean;
  /** Facility of the syslog lines. Default LOCAL0. */
  readonly syslogFacility: string;
  /** `host:port` of a statsite server, TCP; "" for none. */
  readonly statsiteAddr: string;
  /** `host:port` of a statsd server, UDP; "" for none. */
  readonly statsdAddr: string;
  /** Keep the replicated state alone, on loopback, and nothing of it afterwards. Default false. */
  readonly dev: boolean;
  /** Keep the replicated state. Default false. */
  readonly server: boolean;
  /** Directory of a server's log and state; "" for none. */
  readonly dataDir: string;
  /** How many servers found the cluster, at most 9; 0 when it is there. */
  readonly bootstrapExpect: number;
  /** `host[:port]` for the other servers; "" for the host of `bind` and port 7376. */
  readonly peerAddr: string;
  /** `host[:port]` for key-value clients, or `none`; "" for `127.0.0.1:8379`. */
  readonly kvAddr: string;
  /** `host[:port]` for clients with sessions, or `none`; "" for `127.0.0.1:7375`. */
  readonly sessionAddr: string;
  /** `host[:port]` for clients of topics, or `none`; "" for `127.0.0.1:9092`. */
  readonly topicsAddr: string;
  /** When a write is acknowledged: sync, async or memory; "" for sync, with `dev` memory. */
  readonly durability: string;
  /** Timing and habits of the log. */
  readonly raft: RaftConfig;
  /** How key-value clients are served. */
  readonly kv: KvConfig;
  /** How sessions of clients are kept. */
  readonly sessions: SessionsConfig;
  /** How clients of topics are served. */
  readonly topics: TopicsConfig;
}

/**
 * How an agent asks by multicast DNS.
 *
 * @example
 * ```ts
 * import type { AgentSettings, MdnsConfig } from "@skein/agent";
 *
 * const mdns: MdnsConfig = { interface: "eth0", disableIpv4: false, disableIpv6: true };
 * const settings: AgentSettings = { discover: "my-cluster", mdns };
 * console.log(settings.discover);
 * ```
 */
export interface MdnsConfig {
  /** Network interface to ask on; "" for `interface`, or the system's choice. */
  readonly interface: string;
  /** Do not ask over IPv4. Default false. */
  readonly disableIpv4: boolean;
  /** Do not ask over IPv6. Default false. */
  readonly disableIpv6: boolean;
}

/**
 * How key-value clients are served.
 *
 * @example
 * ```ts
 * import { DEFAULT_AGENT_CONFIG, type KvConfig } from "@skein/agent";
 *
 * const kv: KvConfig = { ...DEFAULT_AGENT_CONFIG.kv, idleLimitMs: 0 };
 * console.log(kv.maxConnections); // 10000
 * ```
 */
export interface KvConfig {
  /** What they get: json for answers, echo for their own bytes. Default json. */
  readonly mode: string;
  /** Let `kvAddr` be one that other machines reach, although there is no `tokensFile`. Default false. */
  readonly insecure: boolean;
  /** JSON file of those who may use the port; "" for none, and everybody may. */
  readonly tokensFile: string;
  /** PEM file of a certificate, for TLS; "" for none. */
  readonly tlsCert: string;
  /** PEM file of the key of `tlsCert`; "" for none. */
  readonly tlsKey: string;
  /** Must be "": the runtime cannot check certificates of clients. */
  readonly tlsClientCa: string;
  /** A client that sends no line for this long is disconnected; 0 for never. Default 300,000. */
  readonly idleLimitMs: number;
  /** Connections in all. Default 10,000. */
  readonly maxConnections: number;
}

/**
 * How clients of topics are served.
 *
 * @example
 * ```ts
 * import { DEFAULT_AGENT_CONFIG, type TopicsConfig } from "@skein/agent";
 *
 * const topics: TopicsConfig = { ...DEFAULT_AGENT_CONFIG.topics, autoCreate: false };
 * console.log(topics.requestLimitMs); // 30000
 * ```
 */
export interface TopicsConfig {
  /** Whoever produces to a topic that is not there makes it, with one partition. Default true. */
  readonly autoCreate: boolean;
  /** A client that sends nothing for this long, and waits for nothing, is disconnected; 0 for never. Default 300,000. */
  readonly idleLimitMs: number;
  /** A client is told after this long what has come of its request. Default 30,000. */
  readonly requestLimitMs: number;
  /** Connections in all. Default 10,000. */
  readonly maxConnections: number;
}

/**
 * What Serf uses when nothing else is said (docs/spec/agent.md 6.2). The empty `nodeName` stands for the host name.
 *
 * @example
 * ```ts
 * import { DEFAULT_AGENT_CONFIG } from "@skein/agent";
 *
 * console.log(DEFAULT_AGENT_CONFIG.userEventSizeLimit); // 512
 * ```
 */
export const DEFAULT_AGENT_CONFIG: AgentConfig = defaultsOf(AGENT_OPTIONS);

/** Where an agent with `dev` gossips when nothing else is said. */
const DEV_BIND = "127.0.0.1";

/**
 * Settings with those of `given` in their places, the name of the host when no node is named, and loopback to gossip on
 * with `dev`; what is `undefined` counts as missing.
 *
 * @param settings What counts where nothing is given. Default: the defaults.
 * @throws {ConfigError} when one is given that is no setting.
 */
export function completeConfig(
  given: SomeOf<AgentConfig>,
  settings: AgentConfig = DEFAULT_AGENT_CONFIG,
): AgentConfig {
  const config = completed(AGENT_OPTIONS, given, settings);
  const isPlaced = given.bind !== undefined || settings.bind !== DEFAULT_AGENT_CONFIG.bind ||
    config.interface !== "";
  return {
    ...config,
    nodeName: config.nodeName || Deno.hostname(),
    bind: config.dev && !isPlaced ? DEV_BIND : config.bind,
  };
}
