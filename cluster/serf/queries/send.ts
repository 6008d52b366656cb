/**
 * Sending a query (docs/spec/serf.md 11.1).
 *
 * @module
 */

import { asRead } from "../../../protocol/text.ts";
import { randomInt } from "../../runtime.ts";
import type { RunningQuery } from "../core/collector.ts";
import { isCongested } from "../core/congestion.ts";
import type { Core } from "../core/core.ts";
import { QueryError } from "../model/errors.ts";
import { encodeMessage, MessageType, Query, QueryFlag } from "../model/messages.ts";
import { PING_QUERY } from "../model/query_names.ts";
import { compileFilters, encodeFilters, type QueryTargets } from "./filter.ts";
import { handleQuery } from "./receive.ts";

/** The first Serf protocol version that sends queries (docs/spec/serf.md 18.3). */
const FIRST_VERSION_WITH_QUERIES = 4;

/** IDs are below this: Go uses 31 bits. */
const ID_LIMIT = 2 ** 31;

/** Longest timeout in nanoseconds: what a signed 64-bit field holds. */
const MAX_TIMEOUT_NS = 2n ** 63n - 1n;

/**
 * How to ask.
 *
 * @example
 * ```ts
 * import { Agent, type QueryParams } from "@skein/agent";
 *
 * const params: QueryParams = { tags: { role: "^web$" }, requestAck: true, timeoutMs: 500 };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * console.log(agent.query("load", null, params).expected); // 0
 * ```
 */
export interface QueryParams extends QueryTargets {
  /** Whether each node shall tell that it received the query. Default false. */
  readonly requestAck?: boolean;
  /** Copies of each answer that take the way through another member, 0 to 255. Default 0. */
  readonly relayFactor?: number;
  /**
   * How long answers are taken, in milliseconds; 0 or absent: {@linkcode defaultQueryTimeout}. Negative: the query is
   * over at once.
   */
  readonly timeoutMs?: number;
}

/**
 * How long a query takes to reach every node and its answers to come back, in milliseconds: the gossip interval,
 * times `queryTimeoutMult`, times the order of magnitude of the cluster.
 */
export function defaultQueryTimeout(core: Core): number {
  const { memberlist, queryTimeoutMult } = core.config;
  const magnitude = Math.ceil(Math.log10(core.cluster.numAlive + 1));
  return memberlist.gossipIntervalMs * queryTimeoutMult * magnitude;
}

/**
 * Asks the cluster. The own node is asked first, before this returns.
 *
 * @throws {QueryError} when the message exceeds the limit, too many queries are running or wait, or the protocol version
 * knows no queries
 */
export function sendQuery(
  core: Core,
  given: string,
  payload: Uint8Array | null,
  params: QueryParams = {},
): RunningQuery {
  const name = asRead(given);
  const { config, cluster } = core;
  if (config.protocolVersion < FIRST_VERSION_WITH_QUERIES) {
    throw new QueryError("Feature not supported");
  }
  const { requestAck = false, relayFactor = 0 } = params;
  const timeoutMs = params.timeoutMs || defaultQueryTimeout(core);
  const query: Query = {
    LTime: core.queryClock.time(),
    ID: randomInt(core.random, ID_LIMIT),
    Addr: cluster.localNode.addr,
    Port: cluster.localNode.port,
    SourceNode: core.name,
    Filters: encodeFilters(params),
    Flags: requestAck ? QueryFlag.ack : 0,
    RelayFactor: relayFactor,
    Timeout: nanoseconds(timeoutMs),
    Name: name,
    Payload: payload,
  };
  const message = encodeMessage(MessageType.query, Query, query);
  if (message.length > config.querySizeLimit) {
    throw new QueryError(`query exceeds limit of ${config.querySizeLimit} bytes`);
  }
  if (isCongested(core, "queries", config.queryBuffer)) {
    const waiting = core.broadcasts.depth("queries");
    throw new QueryError(`Query queue is full: ${waiting} queries wait to be gossiped`);
  }
  const running = core.running.add({
    ltime: query.LTime,
    id: query.ID,
    timeoutMs,
    wantsAcks: requestAck,
    wantsAnswers: name !== PING_QUERY,
    expected: expectedMembers(core, query),
    capacity: cluster.numAlive,
  });
  handleQuery(core, query);
  core.broadcasts.enqueue("queries", message);
  return running;
}

/** Names of the members that are alive and pass the filters, as far as is known here. */
function expectedMembers(core: Core, { Filters }: Query): string[] {
  const test = compileFilters(Filters);
  const names: string[] = [];
  for (const { name, status, tags } of core.members.all()) {
    if (status === "alive" && test(name, tags)) names.push(name);
  }
  return names;
}

function nanoseconds(ms: number): bigint {
  const exact = BigInt(Math.round(ms * 1e6));
  return exact > MAX_TIMEOUT_NS
    ? MAX_TIMEOUT_NS
    : exact < -MAX_TIMEOUT_NS
    ? -MAX_TIMEOUT_NS
    : exact;
}
