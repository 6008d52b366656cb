/**
 * Hands events to the streams of all connections. A record is encoded once per event, not once per stream.
 *
 * @module
 */

import type { QueryEvent, SerfEvent } from "../../cluster/serf/mod.ts";
import type { EventFilter } from "../../cluster/serf/model/event_filter.ts";
import { QueryEventRecord, ResponseHeader, UserEventRecord } from "../../protocol/ipc/mod.ts";
import { encode, type Writer } from "../../protocol/msgpack/mod.ts";
import type { Monitor } from "../logging/log.ts";
import type { Peer } from "../net/conversation.ts";
import type { LossCount, Losses } from "../net/losses.ts";
import { RecordCounter } from "../net/outbox.ts";
import type { RpcBackend } from "./backend.ts";
import { loggedLosses } from "./losses.ts";
import { encodeMembers } from "./member_list.ts";
import type { PendingQueries } from "./pending_queries.ts";

/** Where a stream's records go. */
export interface EventSubscriber {
  /** The client. */
  readonly peer: Peer<Writer>;
  /** The queries that it was told of. */
  readonly pending: PendingQueries;
  /** The events that it lost. */
  readonly lostEvents: LossCount;
}

/** One `stream` of one connection. */
export class EventStream {
  /** What waits and what was lost. */
  readonly counter: RecordCounter = new RecordCounter();
  /** The header of every record. */
  readonly header: Uint8Array;
  /** Which events it wants. */
  readonly wants: EventFilter;
  /** Whose stream it is. */
  readonly subscriber: EventSubscriber;

  /** @param seq The Seq of the `stream` request. */
  constructor(subscriber: EventSubscriber, seq: number | bigint, wants: EventFilter) {
    this.subscriber = subscriber;
    this.header = encode(ResponseHeader, { Error: "", Seq: seq }, "rpc");
    this.wants = wants;
  }
}

/** All event streams of an agent. */
export class EventHub {
  readonly #streams = new Set<EventStream>();
  readonly #losses: Losses<Monitor | undefined>;
  readonly #unsubscribe: () => void;

  /** @param backend Whose events. */
  constructor(backend: RpcBackend) {
    this.#losses = loggedLosses(backend.log, "event", "events");
    this.#unsubscribe = backend.subscribe((event) => this.#publish(event));
  }

  /** How many streams there are. */
  get size(): number {
    return this.#streams.size;
  }

  /** Records that were dropped because a client was slow. */
  get dropped(): number {
    return this.#losses.total;
  }

  /** Starts a stream. */
  add(stream: EventStream): void {
    this.#streams.add(stream);
  }

  /** Ends a stream. Records that wait already are still sent. */
  remove(stream: EventStream): void {
    this.#streams.delete(stream);
  }

  /** Hears no more events. */
  close(): void {
    this.#unsubscribe();
    this.#streams.clear();
  }

  #publish(event: SerfEvent): void {
    let shared: Uint8Array | undefined;
    for (const stream of this.#streams) {
      if (!stream.wants(event)) continue;
      if (event.type === "query") this.#offerQuery(stream, event);
      else this.#offer(stream, shared ??= encodeEvent(event));
    }
  }

  /** Each stream that delivers a query has an ID of its own for it (docs/spec/agent.md 1.8). */
  #offerQuery(stream: EventStream, event: QueryEvent): void {
    const { pending } = stream.subscriber;
    const id = pending.add(event);
    if (!this.#offer(stream, encodeQuery(event, id))) pending.remove(id);
  }

  /** Returns whether the client gets the record. */
  #offer({ subscriber, counter, header }: EventStream, body: Uint8Array): boolean {
    const { peer, lostEvents } = subscriber;
    const taken = peer.outbox.record(counter, header, body);
    if (!taken) this.#losses.count(peer, lostEvents, undefined);
    return taken;
  }
}

function encodeEvent(event: Exclude<SerfEvent, QueryEvent>): Uint8Array {
  if (event.type !== "user") return encodeMembers(event.members, event.type);
  const { ltime, name, payload, coalesce } = event;
  const record = {
    Event: "user",
    LTime: ltime,
    Name: name,
    Payload: payload,
    Coalesce: coalesce,
  };
  return encode(UserEventRecord, record, "rpc");
}

function encodeQuery(event: QueryEvent, id: number): Uint8Array {
  const { ltime, name, payload } = event;
  const record = { Event: "query", ID: id, LTime: ltime, Name: name, Payload: payload };
  return encode(QueryEventRecord, record, "rpc");
}
