/**
 * The options that all members of a cluster usually share (docs/spec/agent.md 6.2, 6.12).
 *
 * @module
 */

import type { OptionTable } from "./option.ts";

/** Timing, limits and encryption. */
export const CLUSTER_OPTIONS = {
  profile: {
    kind: "text",
    setting: "profile",
    default: "lan",
    flag: "profile",
    placeholder: "lan|wan|local",
    doc: "Timing for the network between the members.",
    examples: ["lan", "wan", "local"],
  },
  protocol: {
    kind: "number",
    setting: "protocol",
    default: 5,
    ignoresNegatives: true,
    flag: "protocol",
    placeholder: "N",
    doc: "Serf protocol version to speak, 2 to 5.",
  },
  broadcast_timeout: {
    kind: "duration",
    setting: "broadcastTimeoutMs",
    default: 5_000,
    raised: { toMs: 1_000, name: "BroadcastTimeout" },
    flag: "broadcast-timeout",
    placeholder: "DURATION",
    doc: "How long a leave, a force-leave or a change of tags waits for its broadcast, at least " +
      "1s.",
  },
  reconnect_interval: {
    kind: "duration",
    setting: "reconnectIntervalMs",
    default: 30_000,
    doc: "Time between two attempts to reach failed members.",
  },
  reconnect_timeout: {
    kind: "duration",
    setting: "reconnectTimeoutMs",
    default: 86_400_000,
    doc: "After this time a failed member is forgotten.",
  },
  heal_interval: {
    kind: "duration",
    setting: "healIntervalMs",
    default: 300_000,
    doc:
      "Time between two looks for members that are lost: forgotten after reconnect_timeout, for " +
      "7 days, or named in retry_join and no members. 0s turns it off.",
  },
  tombstone_timeout: {
    kind: "duration",
    setting: "tombstoneTimeoutMs",
    default: 86_400_000,
    doc: "After this time a member that left is forgotten.",
  },
  enable_compression: {
    kind: "switch",
    setting: "compression",
    default: true,
    flag: "disable-compression",
    negativeFlag: "Sends messages uncompressed. Default: false.",
    doc: "Compresses messages between members. Serf reads this key and ignores it.",
  },
  encrypt_key: {
    kind: "text",
    setting: "encryptKey",
    default: "",
    flag: "encrypt",
    placeholder: "KEY",
    doc: "Key for the traffic between members, base64 of 16, 24 or 32 bytes (see skein keygen).",
    unset: "none, no encryption",
    secret: true,
  },
  encrypt_file: {
    kind: "text",
    isOurs: true,
    setting: "encryptFile",
    default: "",
    flag: "encrypt-file",
    placeholder: "PATH",
    doc: "File that holds the key of encrypt_key and nothing else. Without a key from files and " +
      "flags, the variable SERF_ENCRYPT_KEY gives it.",
  },
  keyring_file: {
    kind: "text",
    setting: "keyringFile",
    default: "",
    flag: "keyring-file",
    placeholder: "PATH",
    doc: "File with encryption keys, the first of them the primary. It excludes a key from the " +
      "configuration and from flags.",
  },
  user_event_size_limit: {
    kind: "number",
    setting: "userEventSizeLimit",
    default: 512,
    doc: "Largest user event in bytes, name and payload, at most 9216.",
  },
  query_size_limit: {
    kind: "number",
    setting: "querySizeLimit",
    default: 1024,
    doc: "Largest query in bytes, encoded.",
  },
  query_response_size_limit: {
    kind: "number",
    setting: "queryResponseSizeLimit",
    default: 1024,
    doc: "Largest response to a query in bytes, encoded.",
  },
  disable_coordinates: {
    kind: "switch",
    setting: "coordinates",
    default: true,
    inverted: true,
    doc: "Takes no part in network coordinates, which rtt needs. Serf reads this key and " +
      "ignores it.",
  },
  disable_name_resolution: {
    kind: "switch",
    setting: "disableNameResolution",
    default: false,
    doc: "Does not ask the other members who may keep a name that two nodes have.",
  },
  validate_node_names: {
    kind: "switch",
    setting: "validateNodeNames",
    default: false,
    doc: "Refuses members whose names have other characters than letters, digits, '-' and '.'. " +
      "Serf reads this key and ignores it.",
  },
  msgpackusenewtimeformat: {
    kind: "switch",
    doc: "Has no effect, here and in Serf.",
  },
} as const satisfies OptionTable;
