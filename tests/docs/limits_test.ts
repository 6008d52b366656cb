/**
 * docs/LIMITS.md tells the bounds that the code keeps.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_USER_EVENT_BYTES } from "../../cluster/serf/mod.ts";
import { MAX_RUNNING_QUERIES } from "../../cluster/serf/core/running_queries.ts";
import { MAX_PATTERN_SIZE } from "../../cluster/serf/model/pattern.ts";
import { ACCEPT_LIMITS } from "../../server/gossip/transport.ts";
import { RETAINED_LINES } from "../../server/logging/log.ts";
import { MAX_NAMES } from "../../server/metrics/intervals.ts";
import { QUEUE_LIMIT as METRIC_QUEUE } from "../../server/metrics/line_sink.ts";
import { FIRST_READ_BYTES, LINGER_MS, MAX_READ_BYTES } from "../../server/net/limits.ts";
import { MAX_IDLE_BYTES } from "../../server/net/writer_pool.ts";
import { DEFAULT_AGENT_CONFIG } from "../../server/config/settings.ts";
import { MAX_FOUNDERS } from "../../server/config/state_checks.ts";
import * as rpc from "../../server/rpc/limits.ts";
import { QUEUE_LIMIT as SCRIPT_QUEUE } from "../../server/scripts/event_handler.ts";
import { OUTPUT_LIMIT } from "../../server/scripts/output_tail.ts";

const page = await Deno.readTextFile(new URL("../../docs/LIMITS.md", import.meta.url));

/** Where each bound of the RPC server stands: the beginning of a row, and its unit. */
const RPC: Record<keyof typeof rpc, readonly [row: string, unit: number, name: string]> = {
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
  ["Connections of key-value clients", number(kv.maxConnections)],
  ["Time in which a key-value client", `${kv.idleLimitMs / 60_000} min`],
  ["Names of one interval", number(MAX_NAMES)],
  ["Lines that wait for a server", number(METRIC_QUEUE)],
];

Deno.test("docs/LIMITS.md has every bound of the RPC server", () => {
  for (const [name, value] of Object.entries(rpc)) {
    const [row, unit, suffix] = RPC[name as keyof typeof rpc];
    assert.ok(rowOf(row).includes(number(value / unit) + suffix), `${name}: ${rowOf(row)}`);
  }
});

Deno.test("docs/LIMITS.md has the bounds that other parts name", () => {
  for (const [row, text] of OTHERS) assert.ok(rowOf(row).includes(text), rowOf(row));
});

function rowOf(beginning: string): string {
  const rows = page.split("\n").filter((line) => line.startsWith(`| ${beginning}`));
  assert.equal(rows.length, 1, `Rows that begin with '${beginning}'`);
  return rows[0] ?? "";
}

/** A number as the page writes it: 4,096. */
function number(value: number): string {
  return value.toLocaleString("en");
}
