/**
 * The options of a server: an agent that keeps the replicated state. Serf knows none of them.
 *
 * @module
 */

import type { OptionTable } from "./option.ts";

/** Who keeps the state and where, its log, and the ports of its clients. */
export const STATE_OPTIONS = {
  dev: {
    kind: "switch",
    isOurs: true,
    setting: "dev",
    default: false,
    flag: "dev",
    doc: "A server that is a cluster of one, on loopback, and keeps nothing when it ends. For a " +
      "first try; it excludes data_dir and bootstrap_expect.",
  },
  server: {
    kind: "switch",
    isOurs: true,
    setting: "server",
    default: false,
    flag: "server",
    doc: "Keeps the replicated state, and may vote on it. Needs data_dir.",
  },
  data_dir: {
    kind: "text",
    isOurs: true,
    setting: "dataDir",
    default: "",
    flag: "data-dir",
    placeholder: "PATH",
    doc: "Directory of a server's log and state. It is made when it is not there; two agents " +
      "cannot share one.",
  },
  bootstrap_expect: {
    kind: "number",
    isOurs: true,
    setting: "bootstrapExpect",
    default: 0,
    least: 0,
    flag: "bootstrap-expect",
    placeholder: "N",
    doc: "How many servers found the cluster together, at most 9; an odd number is best. Ignored " +
      "when data_dir has a log.",
    unset: "0, the server is added to a cluster that there is",
  },
  peer_addr: {
    kind: "text",
    isOurs: true,
    setting: "peerAddr",
    default: "",
    flag: "peer-addr",
    placeholder: "ADDRESS",
    doc: "Address on which a server listens for the others; without a port, 7376. Port 0 takes a " +
      "free one.",
    unset: "the host of bind, port 7376",
  },
  kv_addr: {
    kind: "text",
    isOurs: true,
    setting: "kvAddr",
    default: "",
    flag: "kv-addr",
    placeholder: "ADDRESS|none",
    doc:
      "Address on which a server answers key-value clients; without a port, 8379. Port 0 takes " +
      "a free one, none closes the port. An agent that is no server asks the servers for them. It " +
      "has to be on loopback unless clients must show who they are (kv.tokens_file), or " +
      "kv.insecure is set.",
    unset: "127.0.0.1:8379 for a server",
    examples: ["127.0.0.1:8379", "none"],
  },
  session_addr: {
    kind: "text",
    isOurs: true,
    setting: "sessionAddr",
    default: "",
    flag: "session-addr",
    placeholder: "ADDRESS|none",
    doc: "Address on which a server serves clients with sessions; without a port, 7375. Port 0 " +
      "takes a free one, none closes the port. Tokens, certificate and kv.insecure are those of " +
      "kv_addr, and so is what it may be.",
    unset: "127.0.0.1:7375 for a server",
    examples: ["127.0.0.1:7375", "none"],
  },
  topics_addr: {
    kind: "text",
    isOurs: true,
    setting: "topicsAddr",
    default: "",
    flag: "topics-addr",
    placeholder: "ADDRESS|none",
    doc:
      "Address on which a server serves clients of topics; without a port, 9092. Port 0 takes a " +
      "free one, none closes the port. Tokens, certificate and kv.insecure are those of kv_addr, " +
      "and so is what it may be.",
    unset: "127.0.0.1:9092 for a server",
    examples: ["127.0.0.1:9092", "none"],
  },
  durability: {
    kind: "text",
    isOurs: true,
    setting: "durability",
    default: "",
    flag: "durability",
    placeholder: "sync|async|memory",
    doc: "When a write is acknowledged: once it is on the disks of a majority (sync), up to " +
      "100ms before that (async), or never written at all (memory). The last two are for one " +
      "server alone.",
    unset: "sync, with -dev memory",
    examples: ["sync", "async", "memory"],
  },
  raft: {
    setting: "raft",
    options: {
      election_timeout: {
        kind: "duration",
        isOurs: true,
        setting: "electionTimeoutMs",
        default: 1_000,
        least: 1,
        doc:
          "A server that hears no leader for this long, or up to twice as long by chance, asks " +
          "for votes. The same on every server.",
      },
      heartbeat: {
        kind: "duration",
        isOurs: true,
        setting: "heartbeatMs",
        default: 100,
        least: 1,
        doc: "Time between two signs of life of the leader, at most a third of " +
          "raft.election_timeout. While nothing is written it is a fifth of that, if that is more.",
      },
      snapshot_entries: {
        kind: "number",
        isOurs: true,
        setting: "snapshotEntries",
        default: 8_192,
        least: 1,
        doc:
          "A snapshot is made after so many entries of the log, once they are as many bytes as " +
          "the last one.",
      },
      trailing: {
        kind: "number",
        isOurs: true,
        setting: "trailing",
        default: 10_240,
        least: 1,
        doc:
          "Entries before a snapshot that stay in the log, for servers that are a little late: " +
          "of the newest ones, as many as take about 128 MiB at most.",
      },
      autopilot: {
        kind: "switch",
        isOurs: true,
        setting: "autopilot",
        default: true,
        doc:
          "The leader takes in the servers that gossip shows, and lets them vote once they have " +
          "kept up for 10s.",
      },
      auto_rebuild: {
        kind: "switch",
        isOurs: true,
        setting: "autoRebuild",
        default: false,
        doc:
          "A server whose data directory is damaged rebuilds it at its start without an operator, " +
          "once it sees a majority of the voters run with theirs. Until then its agent has no " +
          "state. It does so once: not while anything is kept aside of an earlier time.",
      },
      cleanup_dead: {
        kind: "duration",
        isOurs: true,
        setting: "cleanupDeadMs",
        default: 0,
        doc: "The leader takes out a server that was silent for this long.",
        unset: "0s, never",
      },
    },
  },
  kv: {
    setting: "kv",
    options: {
      mode: {
        kind: "text",
        isOurs: true,
        setting: "mode",
        default: "json",
        flag: "kv-mode",
        placeholder: "json|echo",
        doc: "What the port of kv_addr does: answer requests, or send back what comes, byte for " +
          "byte, to try out clients and networks.",
        examples: ["json", "echo"],
      },
      insecure: {
        kind: "switch",
        isOurs: true,
        setting: "insecure",
        default: false,
        flag: "kv-insecure",
        doc: "Lets kv_addr be an address that other machines reach although there is no " +
          "kv.tokens_file: whoever reaches it reads and writes everything.",
      },
      tokens_file: {
        kind: "text",
        isOurs: true,
        setting: "tokensFile",
        default: "",
        flag: "kv-tokens-file",
        placeholder: "PATH",
        doc: "JSON file of those who may use the key-value port, with hashes of their tokens or " +
          "passwords and their rights; everybody else is refused. Nobody but its owner may be " +
          "able to write to it. A reload reads it again.",
      },
      tls_cert: {
        kind: "text",
        isOurs: true,
        setting: "tlsCert",
        default: "",
        flag: "kv-tls-cert",
        placeholder: "PATH",
        doc:
          "PEM file of a certificate, and those that lead to it: the key-value port speaks TLS " +
          "and nothing else. Needs kv.tls_key. A reload reads both again.",
      },
      tls_key: {
        kind: "text",
        isOurs: true,
        setting: "tlsKey",
        default: "",
        flag: "kv-tls-key",
        placeholder: "PATH",
        doc: "PEM file of the private key of kv.tls_cert.",
      },
      tls_client_ca: {
        kind: "text",
        isOurs: true,
        setting: "tlsClientCa",
        default: "",
        placeholder: "PATH",
        doc: "Refused: the runtime cannot check certificates of clients. Use kv.tokens_file.",
      },
      idle_timeout: {
        kind: "duration",
        isOurs: true,
        setting: "idleLimitMs",
        default: 300_000,
        unlimited: true,
        least: 0,
        doc: "A key-value client that sends no line for this long is disconnected; 0s for never.",
      },
      max_connections: {
        kind: "number",
        isOurs: true,
        setting: "maxConnections",
        default: 10_000,
        least: 1,
        doc: "Connections of key-value clients in all.",
      },
    },
  },
  sessions: {
    setting: "sessions",
    options: {
      timeout: {
        kind: "duration",
        isOurs: true,
        setting: "timeoutMs",
        default: 90_000,
        least: 1,
        doc: "A session ends when nothing was heard of its client for this long, from 5s to 24h " +
          "and at least eight times raft.election_timeout. Clients have to send something three " +
          "times as often.",
      },
      max_connections: {
        kind: "number",
        isOurs: true,
        setting: "maxConnections",
        default: 12_000,
        least: 1,
        doc: "Connections of clients with sessions in all.",
      },
    },
  },
  topics: {
    setting: "topics",
    options: {
      auto_create: {
        kind: "switch",
        isOurs: true,
        setting: "autoCreate",
        default: true,
        doc: "Whoever produces to a topic that is not there makes it, with one partition.",
      },
      idle_timeout: {
        kind: "duration",
        isOurs: true,
        setting: "idleLimitMs",
        default: 300_000,
        unlimited: true,
        least: 0,
        doc: "A client of topics that sends nothing for this long, and waits for nothing, is " +
          "disconnected; 0s for never.",
      },
      request_timeout: {
        kind: "duration",
        isOurs: true,
        setting: "requestLimitMs",
        default: 30_000,
        least: 1,
        doc:
          "A client of topics is told after this long, at the latest, what has come of its request.",
      },
      max_connections: {
        kind: "number",
        isOurs: true,
        setting: "maxConnections",
        default: 10_000,
        least: 1,
        doc: "Connections of clients of topics in all.",
      },
    },
  },
} as const satisfies OptionTable;
