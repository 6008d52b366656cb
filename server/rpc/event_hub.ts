/**
 * Hands events to the streams of all connections. A record is encoded once per event, not once per stream.
 *
 * @module
 */

import type { SerfEvent } from "../../cluster/serf/mod.ts";
import { QueryEventRecord, ResponseHeader, UserEventRecord } from "../../protocol/ipc.ts";
import { encode } from "../../protocol/msgpack/mod.ts";
import { hiddenNote, LogLimiter } from "../logging/limiter.ts";
import type { AgentLog } from "../logging.ts";
import type { RpcBackend } from "./backend.ts";
import type { EventFilter } from "../event_filter.ts";
import { encodeMembers } from "./member_list.ts";
import { type Output, RecordCounter } from "./output.ts";

/** Where a stream's records go. */
export interface EventSubscriber {
  /** The client's name in logs. */
  readonly client: string;
  /** Takes the records. */
  readonly output: Output;
  /** The next number for a query on this connection, from 1 (agent.md 1.8). */
  nextQueryId(): number;
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
  readonly #log: AgentLog;
  readonly #streams = new Set<EventStream>();
  readonly #limiter = new LogLimiter();
  readonly #unsubscribe: () => void;
  /** Records that were dropped because a client was slow. */
  dropped = 0;

  /** @param backend Whose events. */
  constructor(backend: RpcBackend) {
    this.#log = backend.log;
    this.#unsubscribe = backend.subscribe((event) => this.#publish(event));
  }

  /** How many streams there are. */
  get size(): number {
    return this.#streams.size;
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
      const { subscriber, counter, header } = stream;
      const body = event.type === "query"
        ? encodeQuery(event, subscriber.nextQueryId())
        : shared ??= encodeEvent(event);
      if (subscriber.output.record(counter, header, body)) continue;
      this.dropped++;
      const hidden = this.#limiter.admit(subscriber.client);
      if (hidden === undefined) continue;
      const text = `Dropping event to ipc.client: ${subscriber.client}`;
      this.#log.write("WARN", "agent.ipc", text + hiddenNote(hidden));
    }
  }
}

function encodeEvent(event: Exclude<SerfEvent, { type: "query" }>): Uint8Array {
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

function encodeQuery(event: Extract<SerfEvent, { type: "query" }>, id: number): Uint8Array {
  const { ltime, name, payload } = event;
  const record = { Event: "query", ID: id, LTime: ltime, Name: name, Payload: payload };
  return encode(QueryEventRecord, record, "rpc");
}
