/**
 * What a configuration file or the command line may say (agent.md 6.2), and how two of them merge.
 *
 * @module
 */

/** One JSON object of a configuration file, or the flags of one start. A missing key says nothing. */
export interface ConfigInput {
  /** Unique name of this node; default: the host name. */
  node_name?: string;
  /** Old way to set the tag `role`; wins over `tags`. */
  role?: string;
  /** Switches network coordinates off. */
  disable_coordinates?: boolean;
  /** Tags of this node. */
  tags?: Record<string, string>;
  /** File that keeps the tags over a restart. */
  tags_file?: string;
  /** `host[:port]` to gossip on; default `0.0.0.0:7946`. IPv6 in brackets. */
  bind?: string;
  /** `host[:port]` that the others are told; default: the bound address. The port defaults to 7946. */
  advertise?: string;
  /** Network interface whose address is bound. */
  interface?: string;
  /** Base64 of 16, 24 or 32 bytes. */
  encrypt_key?: string;
  /** JSON file of keys; the first one encrypts. */
  keyring_file?: string;
  /** TRACE, DEBUG, INFO, WARN or ERR in any case; default INFO. */
  log_level?: string;
  /** `host:port` of the RPC listener; default `127.0.0.1:7373`. */
  rpc_addr?: string;
  /** Token that RPC clients must show; default: none. */
  rpc_auth?: string;
  /** Serf protocol version, 2 to 5; default 5. */
  protocol?: number;
  /** Deliver user events of before the join; default false. */
  replay_on_join?: boolean;
  /** Bytes of one encoded query response; default 1024. */
  query_response_size_limit?: number;
  /** Bytes of one encoded query; default 1024. */
  query_size_limit?: number;
  /** Bytes of one user event, at most 9216; default 512. */
  user_event_size_limit?: number;
  /** Addresses to join once at the start; the start fails when none answers. */
  start_join?: string[];
  /** Addresses to join in the background until one answers. */
  retry_join?: string[];
  /** Tries of `retry_join` after the first one; default 0: no limit. */
  retry_max_attempts?: number;
  /** Pause between tries, at least 1s; default 30s. */
  retry_interval?: string;
  /** Timing for the network: lan, wan or local; default lan. */
  profile?: string;
  /** Leave the cluster on SIGTERM; default false. */
  leave_on_terminate?: boolean;
  /** Do not leave the cluster on SIGINT; default false. */
  skip_leave_on_interrupt?: boolean;
  /** Pause between tries to reach failed nodes; default 30s. */
  reconnect_interval?: string;
  /** After this time a failed node is forgotten; default 24h. */
  reconnect_timeout?: string;
  /** After this time a node that left is forgotten; default 24h. */
  tombstone_timeout?: string;
  /** Do not vote when two nodes have one name; default false. */
  disable_name_resolution?: boolean;
  /** Compress gossip; default true. */
  enable_compression?: boolean;
  /** How long a leave, forced leave or tag change may wait until it was sent, at least 1s; default 5s. */
  broadcast_timeout?: string;
  /** Refuse members whose names have other characters than letters, digits, `-` and `.`; default false. */
  validate_node_names?: boolean;
  /** Scripts to run on events, each `[FILTERS=]SCRIPT`. */
  event_handlers?: string[];
  /** How long one run of a script may take; default 1h. */
  event_handler_timeout?: string;
  /** Runs of one script at the same time; default 1. */
  event_handler_concurrency?: number;
  /** File that keeps known members and clocks over a restart. */
  snapshot_path?: string;
  /** Join again after a restart even when the node had left; default false. */
  rejoin_after_leave?: boolean;
  /** Name of a cluster whose members find each other by multicast DNS. */
  discover?: string;
  /** How to find others by multicast DNS. */
  mdns?: MdnsInput;
  /** Form of the log lines on the console: text or json; default text. */
  log_format?: string;
  /** Levels of single subsystems, such as `memberlist`, where they differ from `log_level`. */
  log_levels?: Record<string, string>;
  /** Also log to syslog; default false. */
  enable_syslog?: boolean;
  /** Facility of syslog lines; default LOCAL0. */
  syslog_facility?: string;
  /** `host:port` of a statsite server. */
  statsite_addr?: string;
  /** `host:port` of a statsd server. */
  statsd_addr?: string;
  /** Has no effect on any message of Serf, here as there. */
  msgpackusenewtimeformat?: boolean;
}

/** The `mdns` object of a configuration file. */
export interface MdnsInput {
  /** Network interface to ask on. */
  interface?: string;
  /** Do not ask over IPv4. */
  disable_ipv4?: boolean;
  /** Do not ask over IPv6. */
  disable_ipv6?: boolean;
}

/** Lists that grow when configurations merge; others are replaced. */
const APPENDED = ["event_handlers", "start_join", "retry_join"] as const;

/**
 * `later` over `earlier` by Serf's rules (agent.md 6.2): texts win unless empty, numbers unless 0 (`protocol`: if above
 * 0), of booleans only `true` wins, tags merge by key, the lists of addresses and handlers are appended.
 *
 * One rule is ours: `enable_compression: false` wins, since it says something (Serf ignores the key).
 */
export function mergeInputs(earlier: ConfigInput, later: ConfigInput): ConfigInput {
  const merged: Record<string, unknown> = { ...earlier };
  for (const [key, value] of Object.entries(later)) {
    if (key !== "protocol" ? saysSomething(value) : value > 0) merged[key] = value;
  }
  for (const key of APPENDED) {
    if (earlier[key] && later[key]) merged[key] = [...earlier[key], ...later[key]];
  }
  if (earlier.tags && later.tags) merged.tags = { ...earlier.tags, ...later.tags };
  if (earlier.mdns && later.mdns) merged.mdns = { ...earlier.mdns, ...withoutSilent(later.mdns) };
  if (later.enable_compression !== undefined) merged.enable_compression = later.enable_compression;
  return merged;
}

function saysSomething(value: unknown): boolean {
  return value !== undefined && value !== "" && value !== 0 && value !== false;
}

function withoutSilent(input: MdnsInput): MdnsInput {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => saysSomething(value)));
}
