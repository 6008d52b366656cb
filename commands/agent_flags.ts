/**
 * The flags of `skein agent` (agent.md 6.2), in the order of their help.
 *
 * @module
 */

import { boolFlag, intFlag, listFlag, stringFlag } from "./flags.ts";

/** Name, kind and help of each flag. */
export const AGENT_FLAGS = {
  "node": stringFlag("NAME", "Name of this node, unique in the cluster. Default: the host name."),
  "bind": stringFlag(
    "ADDRESS",
    "Address for gossip, UDP and TCP. An IPv6 address needs brackets: [::1] or [::1]:7946. " +
      "Default: 0.0.0.0:7946.",
  ),
  "advertise": stringFlag(
    "ADDRESS",
    "Address that other members use to reach this one; without a port, 7946. Default: the " +
      "bind address.",
  ),
  "iface": stringFlag(
    "NAME",
    "Network interface to bind to, instead of -bind or to check that it has the -bind address. " +
      "Default: none.",
  ),
  "rpc-addr": stringFlag("ADDRESS", "Address of the RPC listener. Default: 127.0.0.1:7373."),
  "join": listFlag(
    "ADDRESS",
    "A member to join at the start; the agent exits when none can be joined. May be given many " +
      "times. Default: none.",
  ),
  "retry-join": listFlag(
    "ADDRESS",
    "Like -join, but tried again until it succeeds. May be given many times. Default: none.",
  ),
  "retry-interval": stringFlag(
    "DURATION",
    "Time between two attempts of -retry-join, at least 1s. Default: 30s.",
  ),
  "retry-max": intFlag(
    "N",
    "Attempts of -retry-join after the first before the agent exits. Default: 0, no limit.",
  ),
  "replay": boolFlag("Also receives user events from before a join. Default: false."),
  "discover": stringFlag(
    "CLUSTER",
    "Name of a cluster whose members find each other by multicast DNS. Not supported yet.",
  ),
  "mdns-iface": stringFlag(
    "NAME",
    "Network interface for multicast DNS. Not supported yet.",
  ),
  "mdns-disable-ipv4": boolFlag("No multicast DNS over IPv4. Not supported yet."),
  "mdns-disable-ipv6": boolFlag("No multicast DNS over IPv6. Not supported yet."),
  "profile": stringFlag(
    "lan|wan|local",
    "Timing for the network between the members. Default: lan.",
  ),
  "protocol": intFlag("N", "Serf protocol version to speak, 2 to 5. Default: 5."),
  "broadcast-timeout": stringFlag(
    "DURATION",
    "How long a leave, a force-leave or a change of tags waits for its broadcast, at least 1s. " +
      "Default: 5s.",
  ),
  "disable-compression": boolFlag("Sends messages uncompressed. Default: false."),
  "encrypt": stringFlag(
    "KEY",
    "Key for the traffic between members, base64 of 16, 24 or 32 bytes (see skein keygen). " +
      "Default: none, no encryption.",
  ),
  "keyring-file": stringFlag(
    "PATH",
    "File with encryption keys, the first of them the primary. Default: none.",
  ),
  "tag": listFlag(
    "KEY=VALUE",
    "A tag of this node. May be given many times. Default: none.",
  ),
  "tags-file": stringFlag(
    "PATH",
    "File that keeps the tags over restarts; excludes tags given by -tag or a configuration " +
      "file. Default: none.",
  ),
  "role": stringFlag(
    "NAME",
    "Sets the tag 'role'. Deprecated: use -tag role=NAME. Default: none.",
  ),
  "event-handler": listFlag(
    "SCRIPT",
    "Script to run when events occur. May be given many times. Not supported yet.",
  ),
  "snapshot": stringFlag(
    "PATH",
    "File that keeps known members and event times, to rejoin after a restart without events " +
      "being replayed. Not supported yet.",
  ),
  "rejoin": boolFlag(
    "Rejoins from the snapshot even after a graceful leave. Default: false.",
  ),
  "config-file": listFlag(
    "PATH",
    "JSON file to read the configuration from. May be given many times.",
  ),
  "config-dir": listFlag(
    "PATH",
    'Directory in which every file ending in ".json" is read as a configuration file, in ' +
      "alphabetical order. May be given many times.",
  ),
  "log-level": stringFlag("LEVEL", "TRACE, DEBUG, INFO, WARN or ERR. Default: INFO."),
  "syslog": boolFlag("Also logs to syslog. Not supported yet."),
} as const;
