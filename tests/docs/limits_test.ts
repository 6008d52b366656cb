/**
 * docs/LIMITS.md tells the bounds that the code keeps.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_JOB_BYTES, MAX_JOBS, MAX_SESSION_JOBS } from "../../cluster/machine/sys/limits.ts";
import { MAX_JOB_PAYLOAD_BYTES } from "../../protocol/kv/job.ts";
import { MAX_CALL_BYTES, MAX_CALLS } from "../../client/sessions/core/calls.ts";
import { MAX_UNACKNOWLEDGED, MAX_UNREAD } from "../../client/sessions/core/server_requests.ts";
import * as topicsClient from "../../client/topics/defaults.ts";
import * as topicConsumers from "../../protocol/topics/program/consumer/defaults.ts";
import { MAX_IN_FLIGHT } from "../../client/topics/wire/connection.ts";
import * as topics from "../../cluster/machine/topics/limits.ts";
import * as topicsPort from "../../server/topics/limits.ts";
import * as topicsWire from "../../protocol/topics/limits.ts";
import * as sessionPort from "../../server/sessions/limits.ts";
import * as leading from "../../server/replica/leading/limits.ts";
import * as sessions from "../../server/replica/sessions/limits.ts";
import * as sessionWire from "../../protocol/sessions/limits.ts";
import { MAX_USER_EVENT_BYTES } from "../../cluster/serf/mod.ts";
import { MAX_RUNNING_QUERIES } from "../../cluster/serf/core/running_queries.ts";
import { MAX_TOLD_BYTES, MAX_TOLD_INTERESTS } from "../../cluster/pubsub/announcement.ts";
import { MAX_AGENT_SUBSCRIPTIONS } from "../../cluster/pubsub/hub.ts";
import { MAX_DROPPED_CHANNELS } from "../../cluster/pubsub/peer_interests.ts";
import { MAX_COUNTED_CHANNELS } from "../../cluster/pubsub/sequences.ts";
import { MAX_TOGETHER_BYTES } from "../../cluster/machine/kv/many.ts";
import { MAX_SWEPT } from "../../cluster/machine/kv/sweep.ts";
import { MAX_LISTED_BYTES } from "../../cluster/machine/kv/listing/page.ts";
import { MOST_BYTES, MOST_ROWS } from "../../cluster/machine/kv/listing/walk.ts";
import { MAX_PATH_BYTES, MAX_SEGMENT_BYTES, MAX_SEGMENTS } from "../../cluster/machine/kv/path.ts";
import { MAX_PASTS } from "../../server/replica/gateway/changes.ts";
import { MAX_CHARACTERS } from "../../server/replica/gateway/places.ts";
import { MAX_PLACES } from "../../server/replica/watching/fetch_codec.ts";
import * as fetches from "../../server/replica/watching/fetches.ts";
import { MAX_SERVER_WATCHES } from "../../cluster/watch/hub.ts";
import { RING_LIMITS } from "../../cluster/watch/ring.ts";
import { MAX_VALUE_TEXT_BYTES } from "../../cluster/machine/kv/value.ts";
import { MAX_MEMBERS } from "../../cluster/raft/membership/configuration.ts";
import { DEFAULT_RAFT_OPTIONS } from "../../cluster/raft/mod.ts";
import { LEASE_MS } from "../../protocol/kv/lock/lease.ts";
import * as kvWire from "../../protocol/kv/limits.ts";
import { MAX_PATTERN_SIZE } from "../../cluster/serf/model/pattern.ts";
import { ACCEPT_LIMITS } from "../../server/gossip/transport.ts";
import { RETAINED_LINES } from "../../server/logging/log.ts";
import { MAX_NAMES } from "../../server/metrics/intervals.ts";
import { QUEUE_LIMIT as METRIC_QUEUE } from "../../server/metrics/line_sink.ts";
import { MAX_TRANSACTION_BYTES } from "../../server/kv/actions/transaction.ts";
import * as kvPort from "../../server/kv/limits.ts";
import { FIRST_READ_BYTES, LINGER_MS, MAX_READ_BYTES } from "../../server/net/limits.ts";
import { MAX_IDLE_BYTES } from "../../server/net/writer_pool.ts";
import { DEFAULT_AGENT_CONFIG } from "../../server/config/settings.ts";
import { MAX_FOUNDERS } from "../../server/config/state_checks.ts";
import * as peers from "../../server/replica/peers/limits.ts";
import { DEFAULT_STORE_LIMITS } from "../../server/replica/store/limits.ts";
import { PIECE_BYTES } from "../../server/replica/snapshots/trailer.ts";
import { MAX_PAYLOAD_BYTES } from "../../server/replica/log/format.ts";
import * as rpc from "../../server/rpc/limits.ts";
import { QUEUE_LIMIT as SCRIPT_QUEUE } from "../../server/scripts/event_handler.ts";
import { OUTPUT_LIMIT } from "../../server/scripts/output_tail.ts";

const page = await Deno.readTextFile(new URL("../../docs/LIMITS.md", import.meta.url));

/** Where a bound stands: the beginning of a row, its unit, and what follows the number. */
type Place = readonly [row: string, unit: number, name: string];

/** Where each bound of the RPC server stands. */
const RPC: Record<keyof typeof rpc, Place> = {
  MAX_CLIENTS: ["Connections in all", 1, ";"],
  MAX_CLIENTS_PER_SOURCE: ["Connections from one address", 1, " "],
  MAX_STRANGERS: ["Strangers: clients before", 1, " "],
  MAX_STRANGERS_PER_SOURCE: ["Strangers from one address", 1, " "],
  STRANGER_LIMIT_MS: ["Time in which a stranger", 1_000, " s"],
  MAX_STRANGER_BYTES: ["Unfinished request of a stranger", 1_024, " KiB"],
  AUTH_DELAY_MS: ["Time before a wrong token", 1, " ms"],
  MAX_REQUEST_BYTES: ["Header or body of a request", 2 ** 20, " MiB"],
  MAX_REQUEST_DEPTH: ["Header or body of a request", 1, " levels"],
  MAX_REQUEST_COUNT: ["Header or body of a request", 1, " elements"],
  MAX_BACKLOG_BYTES: ["Answers that wait for a client", 1_024, " KiB"],
  STALL_LIMIT_MS: ["Time in which a client takes not one byte", 1_000, " s"],
  MAX_WAITING_RECORDS: ["Records of one stream or monitor that wait", 1, ""],
  MAX_WAITING_BYTES: ["Bytes that wait for one client", 2 ** 20, " MiB"],
  MAX_STREAMS: ["Event streams of one connection", 1, ""],
  MAX_QUERIES: ["Running queries of one connection", 1, ""],
  MAX_PENDING_QUERIES: ["Queries that the streams of one connection delivered", 1, ""],
  MAX_JOIN_ADDRESSES: ["Addresses of one join", 1, ""],
  SHUTDOWN_FLUSH_MS: ["Time for answers that are on their way", 1, " ms"],
};

/** The same for the key-value port. */
const KV_PORT: Record<keyof typeof kvPort, Place> = {
  MAX_CONNECTIONS: ["Connections of key-value clients  ", 1, " "],
  MAX_STRANGERS: ["Strangers on the key-value port, in all", 1, ";"],
  MAX_STRANGERS_PER_SOURCE: ["Strangers on the key-value port, in all", 1, ""],
  STRANGER_LIMIT_MS: ["Time in which a key-value client has to show", 1_000, " s"],
  MAX_STRANGER_BYTES: ["Line of a stranger", 1_024, " KiB"],
  MAX_UNFINISHED_BYTES: ["Lines of all key-value clients", 2 ** 20, " MiB"],
  MAX_AUTH_FAILURES: ["Wrong tokens and passwords", 1, " one after"],
  MAX_CONNECTIONS_PER_SOURCE: ["Connections of key-value clients from one address", 1, " "],
  MAX_IN_FLIGHT: ["Requests of one connection that are not answered", 1, ";"],
  MAX_WAITING_BYTES: ["Answers that wait for all key-value clients", 2 ** 20, " MiB"],
  MAX_IN_FLIGHT_BYTES: ["Requests of one connection that are not answered", 2 ** 20, " MiB"],
  MAX_LISTINGS: ["Listings of all clients of a port", 1, " "],
  MAX_BACKLOG_BYTES: ["Answers that wait for a key-value client", 1_024, " KiB"],
  MAX_PUSHES: ["Messages that wait for a client that", 1, ";"],
  MAX_PUSHES_BYTES: ["Messages that wait for a client that", 2 ** 20, " MiB"],
  MAX_ALL_PUSHES_BYTES: ["Messages that wait for all such clients", 2 ** 20, " MiB"],
  PING_MS: ["Time in which a client that only listens", 1_000, " s"],
  STALL_LIMIT_MS: ["Time in which a key-value client takes not one byte", 1_000, " s"],
  LINE_LIMIT_MS: ["Time in which a line has to end", 1_000, " s"],
  IDLE_LIMIT_MS: ["Time in which a key-value client sends no line", 60_000, " min"],
  REQUEST_LIMIT_MS: ["Time until a request has an answer", 1_000, " s"],
  DRAIN_LIMIT_MS: ["Time for requests under way when the agent ends", 1_000, " s"],
};

/** The same for the peers' port, but for what is more than a number, or is made of another bound. */
const PEERS: Record<
  Exclude<keyof typeof peers, "ADMISSION" | "PEER_TIMINGS" | "MAX_BLOCK_BYTES">,
  Place
> = {
  MAX_FRAME_BYTES: ["Message of a server", 2 ** 20, " MiB"],
  MAX_STRANGER_BYTES: ["First message of a stranger", 1, " bytes"],
  MAX_QUEUE_BYTES: ["Messages that wait for a peer", 2 ** 20, " MiB"],
  BATCH_BYTES: ["Bytes of one channel", 1_024, " KiB"],
  MAX_WAITING_REQUESTS: ["Requests to a peer that wait", 1, " "],
  MAX_RUNNING_REQUESTS: ["Requests of a peer under way", 1, ";"],
  MAX_RUNNING_BYTES: ["Requests of a peer under way", 2 ** 20, " MiB"],
  MAX_BACKLOG_BYTES: ["Answers that wait for a peer", 2 ** 20, " MiB"],
  STALL_LIMIT_MS: ["Time in which a peer takes not one byte", 1_000, " s"],
  DRAIN_LIMIT_MS: ["Time for answers to peers", 1, " ms"],
  NEWS_LIMIT_MS: ["News of channels to an agent that has come by itself", 1_000, " s"],
  MEMBER_CONNECTIONS: ["Connections of peers that gateways leave", 1, " "],
  MISSED_BY_CALLER: ["Signs of life of a peer", 1, ";"],
  MISSED_BY_CALLEE: ["Signs of life of a peer", 1, " "],
};

const { ADMISSION, PEER_TIMINGS } = peers;
const { raft, kv } = DEFAULT_AGENT_CONFIG;

/** Bounds of other parts. */
const OTHERS: readonly (readonly [row: string, text: string])[] = [
  ["Streams open at a time", String(ACCEPT_LIMITS.connections)],
  ["Streams open from one address", String(ACCEPT_LIMITS.perSource)],
  ["Time in which the first 5 bytes", `${ACCEPT_LIMITS.strangerMs / 1_000} s`],
  ["Read buffer of one connection", `${FIRST_READ_BYTES} bytes to ${MAX_READ_BYTES / 1_024} KiB`],
  ["Time for the last answer of a connection", `${LINGER_MS / 1_000} s`],
  ["Buffers for answers that are kept", `${MAX_IDLE_BYTES / 2 ** 20} MiB`],
  ["User event: name and payload", String(MAX_USER_EVENT_BYTES)],
  ["Regular expressions of one filter", `${number(MAX_PATTERN_SIZE)} instructions`],
  ["Running queries of the agent", number(MAX_RUNNING_QUERIES)],
  ["Events that wait for one script", number(SCRIPT_QUEUE)],
  ["Output that is kept", `${number(OUTPUT_LIMIT)} bytes`],
  ["Lines kept for monitors", number(RETAINED_LINES)],
  ["Servers that found a cluster", String(MAX_FOUNDERS)],
  ["Time without a leader", `${raft.electionTimeoutMs / 1_000} s to `],
  ["Entries of the log between two snapshots", number(raft.snapshotEntries)],
  ["Entries before a snapshot", number(raft.trailing)],
  [
    "Bytes of entries before a snapshot that stay",
    `${DEFAULT_RAFT_OPTIONS.trailingBytes / 2 ** 20} MiB`,
  ],
  ["Members of the log", String(MAX_MEMBERS)],
  ["Bytes written to the log at a time", `${MAX_PAYLOAD_BYTES / 2 ** 20} MiB`],
  [
    "Entries that are not committed yet",
    both(
      DEFAULT_RAFT_OPTIONS.maxUncommitted,
      DEFAULT_RAFT_OPTIONS.maxUncommittedBytes,
    ),
  ],
  ["Changes that are in memory only", `${number(DEFAULT_STORE_LIMITS.mostRows)} keys;`],
  ["Changes that are in memory only", `${DEFAULT_STORE_LIMITS.mostBytes / 2 ** 20} MiB`],
  ["Time in which such changes are written", `${DEFAULT_STORE_LIMITS.flushMs / 1_000} s`],
  ["Piece of a snapshot", `${PIECE_BYTES / 1_024} KiB`],
  ["Line of a key-value client", `${kvWire.MAX_LINE_BYTES / 2 ** 20} MiB`],
  ["Line of a key-value client", `${kvWire.MAX_SKIPPED_BYTES / 2 ** 20} MiB more`],
  ["Arrays and objects in each other", String(kvWire.MAX_DEPTH)],
  ["`id` of a request", String(kvWire.MAX_ID_LENGTH)],
  [
    "Key: all of it",
    `${number(MAX_PATH_BYTES)} bytes; ${MAX_SEGMENT_BYTES} bytes; ${MAX_SEGMENTS}`,
  ],
  [
    "Items of a page of a listing",
    `${number(kvWire.DEFAULT_LISTED)}; ${number(kvWire.MAX_LISTED)}`,
  ],
  ["Bytes of the items of a page", number(MAX_LISTED_BYTES)],
  ["Rows, and bytes of them, that are read", `${number(MOST_ROWS)}; ${MOST_BYTES / 2 ** 20} MiB`],
  ["Time until a value goes", `${kvWire.MAX_TTL_MS / (365 * 86_400_000)} years`],
  ["Values that one entry of the log removes", number(MAX_SWEPT)],
  ["Items of `MGET`", number(kvWire.MAX_ITEMS)],
  ["Bytes of values of an `MGET`", number(MAX_TOGETHER_BYTES)],
  ["Conditions of a transaction", String(kvWire.MAX_STEPS)],
  ["Bytes of a transaction", number(MAX_TRANSACTION_BYTES)],
  ["Watches of one connection", number(kvWire.MAX_WATCHES)],
  ["Watches at one server", number(MAX_SERVER_WATCHES)],
  ["Places that a gateway asks", `${MAX_PLACES}; ${number(MAX_CHARACTERS)} characters`],
  ["Changes in one answer to a gateway", `${fetches.BATCH_BYTES / 1_024} KiB`],
  ["Changes of one revision that a gateway", `${fetches.MAX_REVISION_BYTES / 2 ** 20} MiB`],
  ["Watches of a gateway at a time that fetch", String(MAX_PASTS)],
  ["Changes that a server keeps for watches", `${number(RING_LIMITS.changes)};`],
  ["Changes that a server keeps for watches", `${RING_LIMITS.bytes / 2 ** 20} MiB`],
  ["Lease of a [lock](KV.md#locks)", `${LEASE_MS.least} ms to ${LEASE_MS.most / 3_600_000} h`],
  ["Value, as JSON", `${MAX_VALUE_TEXT_BYTES / 1_024} KiB`],
  ["Message of a channel", `${kvWire.MAX_MESSAGE_BYTES / 1_024} KiB`],
  ["Subscriptions of one connection", number(kvWire.MAX_SUBSCRIPTIONS)],
  ["Subscriptions of one agent", number(MAX_AGENT_SUBSCRIPTIONS)],
  ["Name that a client gives itself", String(kvWire.MAX_CLIENT_LENGTH)],
  ["Channels whose messages one agent counts", number(MAX_COUNTED_CHANNELS)],
  ["News of channels that wait", `${peers.MAX_QUEUE_BYTES / 2 ** 20} MiB`],
  ["News of channels that wait", `${MAX_DROPPED_CHANNELS} channels`],
  ["Channels and patterns that an agent tells", both(MAX_TOLD_INTERESTS, MAX_TOLD_BYTES)],
  ["Time in which such a stranger", `${ADMISSION.strangerMs / 1_000} s`],
  ["Connections of peers in all", `${ADMISSION.connections}; ${ADMISSION.perSource}`],
  ["Strangers on the peers' port", `${ADMISSION.strangers}; ${ADMISSION.strangersPerSource}`],
  ["Time to connect to a peer", `${PEER_TIMINGS.dialMs / 1_000} s`],
  ["Time to connect to a peer", `${PEER_TIMINGS.pauseMs.first} ms`],
  ["Connections of key-value clients  ", number(kv.maxConnections)],
  ["Time in which a key-value client sends", `${kv.idleLimitMs / 60_000} min`],
  ["Calls of a session without", both(MAX_CALLS, MAX_CALL_BYTES)],
  ["Commands of a session that are sent", number(sessionWire.MAX_IN_FLIGHT)],
  ["Payload of a command or query", `${sessionWire.MAX_PAYLOAD_BYTES / 2 ** 20} MiB`],
  ["Payload of a job", `${MAX_JOB_PAYLOAD_BYTES / 1_024} KiB`],
  ["Jobs that are not done", `${number(MAX_JOBS)}, and ${MAX_JOB_BYTES / 2 ** 20} MiB`],
  ["Jobs that are not done", `; ${number(MAX_SESSION_JOBS)} `],
  ["Message of a topic, as it is encoded", `${topicsWire.MAX_MESSAGE_BYTES / 2 ** 20} MiB`],
  ["Frame of a client of topics  ", `${topicsWire.MAX_FRAME_BYTES / 2 ** 20} MiB`],
  ["Wait of a client of topics", `${topicsClient.DEFAULT_TIMEOUT_MS / 1_000} s`],
  ["Time that a connection of a client", `${topicsClient.DEFAULT_DIAL_TIMEOUT_MS / 1_000} s`],
  ["Time that a connection of a client", `${topicsClient.DEFAULT_MIN_DELAY_MS} ms`],
  ["Time that a connection of a client", `${topicsClient.DEFAULT_MAX_DELAY_MS / 1_000} s`],
  ["Connections of a client of topics to", `at most ${topicsClient.MAX_CONNECTIONS}`],
  ["Requests on one of them", String(MAX_IN_FLIGHT)],
  ["Time without use after which", `${topicsClient.DEFAULT_IDLE_MS / 60_000} min`],
  ["Batch of a producer", `${topicsClient.DEFAULT_BATCH_MESSAGES} messages`],
  ["Batch of a producer", `${topicsClient.DEFAULT_BATCH_BYTES / 1_024} KiB`],
  ["Batch of a producer", `${topicsClient.MAX_BATCH_BYTES / 2 ** 20} MiB`],
  ["Batch of a producer", `${topicsClient.DEFAULT_LINGER_MS} ms`],
  ["Batches to a partition", String(topicsClient.MAX_IN_FLIGHT)],
  ["Messages of a producer that", `${topicsClient.DEFAULT_BUFFER_BYTES / 2 ** 20} MiB`],
  ["Fetch of a consumer", `${topicConsumers.DEFAULT_FETCH_BYTES / 2 ** 20} MiB`],
  ["All of them together", `${topicConsumers.MAX_HELD_BYTES / 2 ** 20} MiB`],
  ["All of them together", `${topicConsumers.MIN_FETCH_BYTES / 1_024} KiB`],
  ["Wait of a fetch at the server", `${topicConsumers.DEFAULT_MAX_WAIT_MS} ms`],
  ["Wait of a fetch at the server", `at least ${topicConsumers.MIN_MAX_WAIT_MS} ms`],
  ["Pause between commits", `${topicConsumers.DEFAULT_AUTO_COMMIT_MS / 1_000} s`],
  ["Silence of a member", `${topicConsumers.DEFAULT_SESSION_TIMEOUT_MS / 1_000} s`],
  ["Time in which a member hands", `${topicConsumers.DEFAULT_REBALANCE_TIMEOUT_MS / 1_000} s`],
  ["Time that a program has", `${topicConsumers.HAND_OVER_MS / 1_000} s`],
  ["Wait of a consumer that is closed", `${topicsClient.CLOSE_LIMIT_MS / 1_000} s`],
  ["Server requests of a session", number(MAX_UNREAD)],
  ["Server requests of a session", `${number(MAX_UNACKNOWLEDGED)} more`],
  ["Names of one interval", number(MAX_NAMES)],
  ["Lines that wait for a server", number(METRIC_QUEUE)],
];

/** Where each bound of the session port stands. */
const SESSION_PORT: Record<keyof typeof sessionPort, Place> = {
  MAX_CONNECTIONS_PER_SOURCE: ["Connections of clients with sessions, from", 1, " "],
  MAX_STRANGERS: ["Connections without a session, in all", 1, " "],
  MAX_STRANGERS_PER_SOURCE: ["Connections without a session, from", 1, " "],
  STRANGER_LIMIT_MS: ["Time in which a connection gets a session", 1_000, " s"],
  MAX_UNFINISHED_BYTES: ["Messages of all clients with sessions", 2 ** 20, " MiB"],
  MAX_STRANGER_BYTES: ["Message of a client without a session", 1_024, " KiB"],
  MAX_BACKLOG_BYTES: ["Bytes that wait for one session's", 2 ** 20, " MiB"],
  MAX_WAITING_BYTES: ["Bytes that wait for all sessions'", 2 ** 20, " MiB"],
  MAX_IN_FLIGHT: ["Requests and queries of one session's", 1, " "],
  MAX_REPEATED: ["Requests of one session's connection that are under way already", 1, " "],
  MAX_IN_FLIGHT_BYTES: ["Bytes of the requests of one session's", 2 ** 20, " MiB"],
  MAX_LISTINGS: ["Listings of all sessions", 1, " "],
  QUERY_LIMIT_MS: ["Time until the query of a session", 1_000, " s"],
  STALL_LIMIT_MS: ["Time in which a client with a session takes", 1_000, " s"],
  MAX_AUTH_FAILURES: ["Wrong tokens at the port of sessions", 1, " "],
  DRAIN_LIMIT_MS: ["Time for what is under way at the port", 1_000, " s"],
  CLUSTER_LOOK_MS: ["Time between two looks at which servers", 1, " ms"],
};

/** Where each bound of deadlines stands. */
const LEADING: Record<keyof typeof leading, Place> = {
  STALL_MS: ["Delay of such a look", 1_000, " s"],
  DEADLINE_GRAIN_MS: ["Time between two looks at who is silent", 1, " ms"],
};

/** Where each bound of what the leader keeps of sessions stands. */
const SESSIONS: Record<keyof typeof sessions, Place> = {
  TICK_MS: ["Time between two looks at who is silent", 1_000, " s"],
  PROPOSAL_LIMIT_MS: ["Time until a request of a session has", 1_000, " s"],
  MAX_PROPOSALS: ["Requests of all sessions", 1, " "],
  MAX_PROPOSAL_BYTES: ["Bytes of the requests of all sessions", 2 ** 20, " MiB"],
  CREATIONS_PER_SECOND: ["Sessions that begin within a second", 1, ";"],
  CREATIONS_AT_ONCE: ["Sessions that begin within a second", 1, " after"],
  ACK_DELAY_MS: ["Time that acknowledgements of sessions", 1, " ms"],
  MAX_MERGED_ACKS: ["Time that acknowledgements of sessions", 1, " sessions"],
  PRESENCE_DELAY_MS: ["Time that news of connections with sessions", 1, " ms"],
  LOOKS_PER_TIMEOUT: ["Signs of life of a client with a session at the key-value port", 1, " "],
  FORWARD_LIMIT_MS: ["Time until news of connections with sessions", 1_000, " s"],
  MAX_UNACKED: ["Requests to a session", 1, " "],
  MAX_UNACKED_BYTES: ["Bytes of the requests to a session", 2 ** 20, " MiB"],
  FIRST_RESEND_MS: ["Time until requests to a session", 1_000, " s"],
  LONGEST_RESEND_MS: ["Time until requests to a session", 1_000, " s"],
  SCANNED: ["Sessions that a new leader looks through", 1, ","],
  SCAN_PAUSE_MS: ["Sessions that a new leader looks through", 1, " ms"],
};

/** Where each bound of the topics port stands. */
const TOPICS_PORT: Record<keyof typeof topicsPort, Place> = {
  MAX_CONNECTIONS_PER_SOURCE: ["Connections of clients of topics, from", 1, " "],
  MAX_STRANGERS: ["Strangers on the topics port, in all", 1, " "],
  MAX_STRANGERS_PER_SOURCE: ["Strangers on the topics port, from", 1, " "],
  STRANGER_LIMIT_MS: ["Time in which a client of topics has to show", 1_000, " s"],
  MAX_STRANGER_BYTES: ["Frame of a client of topics that has not", 1_024, " KiB"],
  MAX_IN_FLIGHT: ["Requests of one client of topics that are not", 1, ";"],
  MAX_IN_FLIGHT_BYTES: ["Requests of one client of topics that are not", 2 ** 20, " MiB"],
  MAX_BACKLOG_BYTES: ["Answers that wait for one client of topics", 2 ** 20, " MiB"],
  MAX_WAITING_BYTES: ["Answers that wait for all clients of topics", 2 ** 20, " MiB"],
  MAX_PACKED_BYTES: ["Compressed messages of all clients of topics that wait", 2 ** 20, " MiB"],
  FAIR_FETCH_BYTES: ["Answers that wait for all clients of topics", 1_024, " KiB"],
  MAX_IDLE_BUFFER_BYTES: ["Memory for large answers of topics", 2 ** 20, " MiB"],
  MAX_UNFINISHED_BYTES: ["Frames of all clients of topics", 2 ** 20, " MiB"],
  MAX_FETCH_WAIT_MS: ["Time that a fetch waits", 1_000, " s"],
  STALL_LIMIT_MS: ["Time in which a client of topics takes", 1_000, " s"],
  FRAME_LIMIT_MS: ["Time in which a frame of a client of topics", 1_000, " s"],
  MAX_MISTAKES: ["Requests of one client of topics that are none", 1, " "],
  DRAIN_LIMIT_MS: ["Time for what is under way at the topics port", 1_000, " s"],
};

const DAY_MS = 86_400_000;

/** Where each bound of topics stands; the others are objects, failures, or told elsewhere. */
const TOPICS: Partial<Record<keyof typeof topics, Place>> = {
  MAX_NAME_BYTES: ["Name of a topic", 1, " bytes"],
  MAX_TOPICS: ["Topics, deleted ones", 1, " "],
  MAX_PARTITIONS: ["Partitions of a topic", 1, " "],
  MAX_ALL_PARTITIONS: ["Partitions of all topics", 1, " "],
  MAX_METADATA_BYTES: ["Text that is kept with an offset", 1, " bytes"],
  MAX_COMMITTED: ["Offsets that one request commits", 1, ";"],
  MAX_COMMITTED_BYTES: ["Offsets that one request commits", 2 ** 20, " MiB"],
  MAX_ALL_COMMITTED: ["Offsets of all groups", 1, " "],
  GROUP_LIFE_MS: ["Time that offsets are kept", DAY_MS, " days"],
  MAX_GROUP_MEMBERS: ["Members of a group", 1, " "],
  MAX_GROUP_TOPICS: ["Topics that members of a group", 1, " "],
  MAX_GROUP_PARTITIONS: ["Partitions of the topics of a group", 1, " "],
  MAX_ALL_MEMBERS: ["Members of all groups", 1, " "],
  MAX_ALL_GROUP_BYTES: ["Bytes of what the state has of the members", 2 ** 20, " MiB"],
  MAX_CLIENT_BYTES: ["Name that a member of a group", 1, " bytes"],
  KNOWN_BATCHES: ["Batches of a producer", 1, " "],
  MAX_PRODUCERS: ["Producers that are known", 1, " "],
  PRODUCER_LIFE_MS: ["Time that a silent producer", DAY_MS, " days"],
  MAX_ID_BYTES: ["Id of a message of a topic", 1, " bytes"],
  MAX_IDS: ["Messages with ids in one request", 1, " "],
  MAX_ALL_IDS: ["Ids of messages that are known, of all topics", 1, " "],
  MAX_TRANSACT_ITEMS: ["Partitions, offsets and messages with ids of one transaction", 1, " "],
  LEAST_MS: ["Time that messages of a topic are kept", 1_000, " s"],
  MAX_SWEPT_ROWS: ["Rows that one entry of the log sweeps of topics", 1, " "],
};

for (
  const [what, bounds, places] of [
    ["the RPC server", rpc, RPC],
    ["the key-value port", kvPort, KV_PORT],
    ["the links between servers", peers, PEERS],
    ["the session port", sessionPort, SESSION_PORT],
    ["deadlines at the leader", leading, LEADING],
    ["sessions at the leader", sessions, SESSIONS],
    ["the topics port", topicsPort, TOPICS_PORT],
    ["topics", topics, TOPICS],
  ] as [string, Record<string, number>, Record<string, Place>][]
) {
  Deno.test(`docs/LIMITS.md has every bound of ${what}`, () => {
    for (const [name, [row, unit, suffix]] of Object.entries(places)) {
      const value = bounds[name] as number;
      assert.ok(rowOf(row).includes(number(value / unit) + suffix), `${name}: ${rowOf(row)}`);
    }
  });
}

Deno.test("docs/LIMITS.md has the bounds that other parts name", () => {
  for (const [row, text] of OTHERS) assert.ok(rowOf(row).includes(text), rowOf(row));
});

function rowOf(beginning: string): string {
  const rows = page.split("\n").filter((line) => line.startsWith(`| ${beginning}`));
  assert.equal(rows.length, 1, `Rows that begin with '${beginning}'`);
  return rows[0] ?? "";
}

/** A count and bytes as the page writes them. */
function both(count: number, bytes: number): string {
  return `${number(count)}; ${bytes / 2 ** 20} MiB`;
}

/** A number as the page writes it: 4,096. */
function number(value: number): string {
  return value.toLocaleString("en");
}
