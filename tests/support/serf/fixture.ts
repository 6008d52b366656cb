/**
 * A Serf core without a network: time moves by hand, and what it sends, tells and logs is kept for the tests.
 *
 * @module
 */

import { hostToAddr, memberlistConfig } from "../../../cluster/memberlist/mod.ts";
import type { Delegate } from "../../../cluster/memberlist/core/delegate.ts";
import {
  type Destination,
  type MemberNode,
  NodeState,
} from "../../../cluster/memberlist/core/node.ts";
import type { Logger, Random, Runtime } from "../../../cluster/runtime.ts";
import type { ClusterLayer, Core } from "../../../cluster/serf/core/core.ts";
import { createCore } from "../../../cluster/serf/create.ts";
import { serfDelegate } from "../../../cluster/serf/delegate.ts";
import type { EventPipeline } from "../../../cluster/serf/events/pipeline.ts";
import { type SerfConfig, serfConfig } from "../../../cluster/serf/model/config.ts";
import type { QueryEvent, SerfEvent } from "../../../cluster/serf/model/event.ts";
import {
  encodeMessage,
  JoinIntent,
  LeaveIntent,
  MessageType,
  Query,
  QueryResponse,
  UserEvent,
} from "../../../cluster/serf/model/messages.ts";
import { encodeTags, type Tags } from "../../../cluster/serf/model/tags.ts";
import { ManualClock } from "../manual_clock.ts";

/** A user message that was sent in a packet of its own. */
export interface Sent {
  to: Destination;
  message: Uint8Array;
}

/** A core and everything around it. */
export interface Fixture {
  core: Core;
  delegate: Delegate;
  pipeline: EventPipeline;
  clock: ManualClock;
  /** What `onEvent` got. */
  events: SerfEvent[];
  /** Direct messages. */
  sent: Sent[];
  /** Addresses that memberlist was asked to join. */
  joins: string[];
  /** Log lines, `[LEVEL] text`. */
  logs: string[];
  /** How often the core ended itself. */
  shutdowns: () => number;
  /** Takes and clears everything queued for gossip. */
  gossip: () => Uint8Array[];
  /** Numbers that the random source gives out, in turn; 0.5 after them. */
  draws: number[];
}

/** How a fixture differs from a lone alive agent `a` at 127.0.0.1:7946 without coalescing. */
export interface FixtureOptions {
  name?: string;
  config?: Partial<SerfConfig>;
  /** Nodes that memberlist counts as alive; default 1. */
  numAlive?: number;
  /** What memberlist's `leave` does. */
  leave?: (timeoutMs: number) => Promise<void>;
  /** What memberlist's `join` does. */
  join?: ClusterLayer["join"];
}

/** A core whose own node has started. */
export function fixture(options: FixtureOptions = {}): Fixture {
  const { name = "a", numAlive = 1 } = options;
  const clock = new ManualClock();
  const events: SerfEvent[] = [];
  const sent: Sent[] = [];
  const joins: string[] = [];
  const logs: string[] = [];
  const draws: number[] = [];
  let shutdowns = 0;
  const own = node(name, { tags: options.config?.tags ?? {} });
  const memberlist = memberlistConfig(name, own, "lan");
  const config = serfConfig(
    { nodeName: name, memberlist, onEvent: (event) => void events.push(event) },
    options.config,
  );
  const runtime = {
    clock,
    random: { float: () => draws.shift() ?? 0.5, bytes: (n: number) => new Uint8Array(n) },
    logger: () => collectingLogger(logs),
  } satisfies Omit<Runtime, "transport"> & { random: Random };
  const { core, pipeline } = createCore(config, runtime as unknown as Runtime, {
    cluster: () => ({
      localNode: own,
      gossipSoon: () => {},
      numAlive,
      sendTo: (to, message) => void sent.push({ to, message }),
      join: (addresses, how) => {
        joins.push(...addresses);
        return options.join?.(addresses, how) ?? Promise.resolve(addresses.length);
      },
      resolve: (address) => Promise.resolve([{ host: address, port: 7946 }]),
      ping: () => Promise.resolve(1),
      leave: (timeoutMs) => options.leave?.(timeoutMs) ?? Promise.resolve(),
    }),
    shutdown: () => {
      shutdowns++;
      core.state = "shutdown";
      return Promise.resolve();
    },
  });
  const delegate = serfDelegate(core, () => own.meta);
  delegate.notifyJoin(own);
  events.length = 0;
  logs.length = 0;
  return {
    core,
    delegate,
    pipeline,
    clock,
    events,
    sent,
    joins,
    logs,
    draws,
    shutdowns: () => shutdowns,
    gossip: () => drain(core),
  };
}

/** A node as memberlist hands it out. */
export function node(
  name: string,
  { host = "127.0.0.1", port = 7946, tags = {}, meta }: {
    host?: string;
    port?: number;
    tags?: Tags;
    meta?: Uint8Array;
  } = {},
): MemberNode {
  return {
    name,
    addr: hostToAddr(host),
    host,
    port,
    meta: meta ?? encodeTags(tags, 5),
    incarnation: 1,
    state: NodeState.alive,
    versions: [1, 5, 2, 2, 5, 5],
  };
}

/** Leave intent. */
export function leaveMessage(Node: string, LTime: bigint, Prune = false): Uint8Array {
  return encodeMessage(MessageType.leave, LeaveIntent, { LTime, Node, Prune });
}

/** Join intent. */
export function joinMessage(Node: string, LTime: bigint): Uint8Array {
  return encodeMessage(MessageType.join, JoinIntent, { LTime, Node });
}

/** User event. */
export function eventMessage(
  LTime: bigint,
  Name: string,
  payload?: string,
  CC = false,
): Uint8Array {
  const Payload = payload === undefined ? null : utf8(payload);
  return encodeMessage(MessageType.userEvent, UserEvent, { LTime, Name, Payload, CC });
}

/** A query of node `z` at 127.0.0.1:18990 with a timeout of 1 s; no ack. */
export function query(fields: Partial<Query> = {}): Query {
  return {
    LTime: 10n,
    ID: 77,
    Addr: hostToAddr("127.0.0.1"),
    Port: 18990,
    SourceNode: "z",
    Filters: null,
    Flags: 0,
    RelayFactor: 0,
    Timeout: 1_000_000_000n,
    Name: "load",
    Payload: null,
    ...fields,
  };
}

/** The message of {@linkcode query}. */
export function queryMessage(fields: Partial<Query> = {}): Uint8Array {
  return encodeMessage(MessageType.query, Query, query(fields));
}

/** An answer to, or ack of, a query. */
export function responseMessage(fields: Partial<QueryResponse>): Uint8Array {
  const response = { LTime: 0n, ID: 0, From: "b", Flags: 0, Payload: null, ...fields };
  return encodeMessage(MessageType.queryResponse, QueryResponse, response);
}

/** Member events as `type names`, user events as `user name payload`, queries as `query name`. */
export function told(events: readonly SerfEvent[]): string[] {
  return events.map((event) => {
    if (event.type === "user") {
      const payload = event.payload === null ? "" : ` ${new TextDecoder().decode(event.payload)}`;
      return `user ${event.name}${payload}`;
    }
    if (event.type === "query") return `query ${event.name}`;
    return `${event.type} ${event.members.map((m) => m.name).join(",")}`;
  });
}

/** The only query among the events. */
export function onlyQuery(events: readonly SerfEvent[]): QueryEvent {
  const [found, more] = events.filter((event) => event.type === "query");
  if (found === undefined || more !== undefined) throw new Error(`Not one query: ${told(events)}`);
  return found;
}

/** Name and status of every member. */
export function statuses(core: Core): Record<string, string> {
  return Object.fromEntries(core.members.all().map((m) => [m.name, m.status]));
}

/** Where a direct message went, as text. */
export function place({ to }: Sent): string {
  return `${to.host}:${to.port}`;
}

/** Lower-case hex. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Bytes of lower-case hex. */
export function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Bytes of a text. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function drain(core: Core): Uint8Array[] {
  const seen = new Set<string>();
  const messages: Uint8Array[] = [];
  for (;;) {
    const batch = core.broadcasts.take(3, 1_395);
    if (batch.length === 0) return messages;
    for (const message of batch) {
      if (!seen.has(hex(message))) messages.push(message);
      seen.add(hex(message));
    }
  }
}

function collectingLogger(logs: string[]): Logger {
  const at = (level: string) => (message: string) => void logs.push(`[${level}] ${message}`);
  return { debug: at("DEBUG"), info: at("INFO"), warn: at("WARN"), error: at("ERR") };
}
