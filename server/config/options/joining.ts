/**
 * The options that say how a node finds its cluster, and finds it again (docs/spec/agent.md 6.2, 6.4, 6.5, 6.10).
 *
 * @module
 */

import type { OptionTable } from "./option.ts";

/** Joining, discovery and the rejoin file. */
export const JOINING_OPTIONS = {
  start_join: {
    kind: "list",
    setting: "startJoin",
    default: [],
    flag: "join",
    placeholder: "ADDRESS",
    doc: "Members to join once at the start; the agent exits when none can be joined.",
  },
  retry_join: {
    kind: "list",
    setting: "retryJoin",
    default: [],
    flag: "retry-join",
    placeholder: "ADDRESS",
    doc: "Members to join in the background, tried again until one answers. When a reload " +
      "changes the list, the agent joins the new one, without a limit of attempts.",
    reloads: true,
  },
  retry_interval: {
    kind: "duration",
    setting: "retryIntervalMs",
    default: 30_000,
    raised: { toMs: 1_000, name: "RetryInterval" },
    flag: "retry-interval",
    placeholder: "DURATION",
    doc: "Time between two attempts of retry_join, at least 1s.",
  },
  retry_max_attempts: {
    kind: "number",
    setting: "retryMaxAttempts",
    default: 0,
    flag: "retry-max",
    placeholder: "N",
    doc: "Attempts of retry_join after the first before the agent exits.",
    unset: "0, no limit",
    unlimited: true,
  },
  replay_on_join: {
    kind: "switch",
    setting: "replayOnJoin",
    default: false,
    flag: "replay",
    doc: "Also receives user events from before a join.",
  },
  discover: {
    kind: "text",
    setting: "discover",
    default: "",
    flag: "discover",
    placeholder: "CLUSTER",
    doc: "Name of a cluster whose members find each other by multicast DNS.",
  },
  mdns: {
    setting: "mdns",
    options: {
      interface: {
        kind: "text",
        setting: "interface",
        default: "",
        flag: "mdns-iface",
        placeholder: "NAME",
        doc: "Network interface for multicast DNS.",
        unset: "the interface to bind to, or the system's choice",
      },
      disable_ipv4: {
        kind: "switch",
        setting: "disableIpv4",
        default: false,
        flag: "mdns-disable-ipv4",
        doc: "Does not ask for members by multicast DNS over IPv4.",
      },
      disable_ipv6: {
        kind: "switch",
        setting: "disableIpv6",
        default: false,
        flag: "mdns-disable-ipv6",
        doc: "Does not ask for members by multicast DNS over IPv6.",
      },
    },
  },
  snapshot_path: {
    kind: "text",
    setting: "snapshotPath",
    default: "",
    flag: "snapshot",
    placeholder: "PATH",
    doc: "File that keeps known members and event times, to rejoin after a restart without " +
      "events being replayed.",
  },
  rejoin_after_leave: {
    kind: "switch",
    setting: "rejoinAfterLeave",
    default: false,
    flag: "rejoin",
    doc: "Rejoins from the snapshot even after a graceful leave.",
  },
} as const satisfies OptionTable;
