/**
 * The keys that all members of a cluster usually share (agent.md 6.2, 6.12).
 *
 * @module
 */

import type { ConfigKey } from "./option.ts";

/** Timing, limits and encryption. */
export const CLUSTER_KEYS = {
  profile: {
    kind: "text",
    setting: "profile",
    flag: "profile",
    placeholder: "lan|wan|local",
    doc: "Timing for the network between the members.",
    examples: ["lan", "wan", "local"],
  },
  protocol: {
    kind: "number",
    setting: "protocol",
    flag: "protocol",
    placeholder: "N",
    doc: "Serf protocol version to speak, 2 to 5.",
  },
  broadcast_timeout: {
    kind: "duration",
    setting: "broadcastTimeoutMs",
    flag: "broadcast-timeout",
    placeholder: "DURATION",
    doc: "How long a leave, a force-leave or a change of tags waits for its broadcast, at least " +
      "1s.",
  },
  reconnect_interval: {
    kind: "duration",
    setting: "reconnectIntervalMs",
    doc: "Time between two attempts to reach failed members.",
  },
  reconnect_timeout: {
    kind: "duration",
    setting: "reconnectTimeoutMs",
    doc: "After this time a failed member is forgotten.",
  },
  tombstone_timeout: {
    kind: "duration",
    setting: "tombstoneTimeoutMs",
    doc: "After this time a member that left is forgotten.",
  },
  enable_compression: {
    kind: "switch",
    setting: "compression",
    flag: "disable-compression",
    negativeFlag: "Sends messages uncompressed. Default: false.",
    doc: "Compresses messages between members. Serf reads this key and ignores it.",
  },
  encrypt_key: {
    kind: "text",
    setting: "encryptKey",
    flag: "encrypt",
    placeholder: "KEY",
    doc: "Key for the traffic between members, base64 of 16, 24 or 32 bytes (see skein keygen).",
    unset: "none, no encryption",
    secret: true,
  },
  keyring_file: {
    kind: "text",
    setting: "keyringFile",
    flag: "keyring-file",
    placeholder: "PATH",
    doc: "File with encryption keys, the first of them the primary. It excludes a key from the " +
      "configuration and from flags.",
  },
  user_event_size_limit: {
    kind: "number",
    setting: "userEventSizeLimit",
    doc: "Largest user event in bytes, name and payload, at most 9216.",
  },
  query_size_limit: {
    kind: "number",
    setting: "querySizeLimit",
    doc: "Largest query in bytes, encoded.",
  },
  query_response_size_limit: {
    kind: "number",
    setting: "queryResponseSizeLimit",
    doc: "Largest response to a query in bytes, encoded.",
  },
  disable_coordinates: {
    kind: "switch",
    setting: "coordinates",
    inverted: true,
    doc: "Takes no part in network coordinates, which rtt needs. Serf reads this key and " +
      "ignores it.",
  },
  disable_name_resolution: {
    kind: "switch",
    setting: "disableNameResolution",
    doc: "Does not ask the other members who may keep a name that two nodes have.",
  },
  validate_node_names: {
    kind: "switch",
    setting: "validateNodeNames",
    doc: "Refuses members whose names have other characters than letters, digits, '-' and '.'. " +
      "Serf reads this key and ignores it.",
  },
  msgpackusenewtimeformat: {
    kind: "switch",
    doc: "Has no effect, here and in Serf.",
  },
} as const satisfies Record<string, ConfigKey>;
