/**
 * A stand-in for the agent, so that the RPC server can be tested without a cluster.
 *
 * @module
 */

import type { Coordinate } from "../../../cluster/coordinate/mod.ts";
import type {
  KeyReport,
  Member,
  QueryAnswer,
  QueryEvent,
  QueryOutcome,
  QueryParams,
  RunningQuery,
  SerfEvent,
} from "../../../cluster/serf/mod.ts";
import { ownPayload } from "../../../protocol/payload.ts";
import { AgentLog } from "../../../server/logging/log.ts";
import type { RpcBackend } from "../../../server/rpc/backend.ts";

/** A member with the version numbers of a Serf agent. */
export function member(name: string, changes: Partial<Member> = {}): Member {
  return {
    name,
    addr: new Uint8Array([127, 0, 0, 1]),
    port: 7946,
    tags: {},
    status: "alive",
    protocolMin: 1,
    protocolMax: 5,
    protocolCur: 2,
    delegateMin: 2,
    delegateMax: 5,
    delegateCur: 5,
    ...changes,
  };
}

/** A query event whose answers go to `respond`. */
export function queryEvent(name: string, changes: Partial<QueryEvent> = {}): QueryEvent {
  return {
    type: "query",
    ltime: 7n,
    id: 1,
    name,
    payload: null,
    sourceNode: "b",
    deadline: performance.now() + 60_000,
    respond: () => {},
    ...changes,
  };
}

/** What two nodes that succeed at a key operation say. */
export function keyReport(changes: Partial<KeyReport> = {}): KeyReport {
  return {
    messages: {},
    numNodes: 2,
    numResp: 2,
    numErr: 0,
    keys: {},
    primaryKeys: {},
    ...changes,
  };
}

/** Does what it is told and remembers what it was asked. */
export class FakeBackend implements RpcBackend {
  readonly log = new AgentLog("fake");
  membersVersion = 1;
  list: Member[] = [member("a")];
  /** What was called, with the arguments. */
  readonly calls: unknown[][] = [];
  /** Stands in for a command: may take time or throw. */
  readonly on: Partial<Record<keyof RpcBackend, (...args: unknown[]) => unknown>> = {};
  readonly listeners = new Set<(event: SerfEvent) => void>();
  readonly #closed = Promise.withResolvers<void>();
  readonly closed = this.#closed.promise;

  members(): Member[] {
    this.#called("members");
    return this.list;
  }

  async join(addresses: readonly string[], options: { replay: boolean }): Promise<number> {
    return (await this.#called("join", addresses, options) as number | undefined) ??
      addresses.length;
  }

  async forceLeave(node: string, options: { prune: boolean }): Promise<void> {
    await this.#called("forceLeave", node, options);
  }

  event(name: string, payload: Uint8Array | null, options: { coalesce: boolean }): void {
    this.#called("event", name, payload, options);
  }

  query(name: string, payload: Uint8Array | null, params: QueryParams): RunningQuery {
    return this.#called("query", name, payload, params) as RunningQuery | undefined ??
      new FakeQuery();
  }

  installKey(key: string): Promise<KeyReport> {
    return this.#keys("installKey", key);
  }

  useKey(key: string): Promise<KeyReport> {
    return this.#keys("useKey", key);
  }

  removeKey(key: string): Promise<KeyReport> {
    return this.#keys("removeKey", key);
  }

  listKeys(): Promise<KeyReport> {
    return this.#keys("listKeys");
  }

  coordinate(node: string): Coordinate | undefined {
    return this.#called("coordinate", node) as Coordinate | undefined;
  }

  async updateTags(changes: {
    set: Record<string, string>;
    delete: readonly string[];
  }): Promise<void> {
    await this.#called("updateTags", changes);
  }

  async leave(): Promise<void> {
    await this.#called("leave");
  }

  async shutdown(): Promise<void> {
    await this.#called("shutdown");
    this.#closed.resolve();
  }

  stats(): Record<string, Record<string, string>> {
    return { agent: { name: "a" }, event_handlers: {} };
  }

  subscribe(listener: (event: SerfEvent) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Tells every stream. */
  emit(event: SerfEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  /** A user event with this name. */
  emitUser(name: string, payload: Uint8Array | null = null): void {
    this.emit({ type: "user", ltime: 1n, name, payload: ownPayload(payload), coalesce: false });
  }

  async #keys(name: keyof RpcBackend, ...args: unknown[]): Promise<KeyReport> {
    return (await this.#called(name, ...args) as KeyReport | undefined) ?? keyReport();
  }

  #called(name: keyof RpcBackend, ...args: unknown[]): unknown {
    this.calls.push([name, ...args]);
    return this.on[name]?.(...args);
  }
}

/** A running query that a test answers. */
export class FakeQuery implements RunningQuery {
  readonly ltime = 1n;
  readonly id = 1;
  readonly deadline = Infinity;
  readonly expected = 1;
  readonly acks = new Feed<string>();
  readonly answers = new Feed<QueryAnswer>();
  readonly #finished = Promise.withResolvers<QueryOutcome>();
  readonly finished = this.#finished.promise;
  closed = false;

  close(): void {
    this.closed = true;
    this.acks.end();
    this.answers.end();
    this.#finished.resolve({
      reason: "closed",
      responded: 0,
      acked: 0,
      silent: [],
      unacked: [],
    });
  }
}

/** Items that a test hands out one by one. */
class Feed<T> implements AsyncIterable<T> {
  #items: T[] = [];
  #ended = false;
  #wake = Promise.withResolvers<void>();

  push(item: T): void {
    this.#items.push(item);
    this.#wake.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  /** How many were not fetched. */
  get waiting(): number {
    return this.#items.length;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) yield item;
      else if (this.#ended) return;
      else {
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    }
  }
}
