/**
 * A stand-in for the agent, so that the RPC server can be tested without a cluster.
 *
 * @module
 */

import type { Member, SerfEvent } from "../../../cluster/serf/mod.ts";
import { AgentLog } from "../../../server/logging.ts";
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

  userEvent(name: string, payload: Uint8Array | null, coalesce: boolean): void {
    this.#called("userEvent", name, payload, coalesce);
  }

  async updateTags(set: Record<string, string>, remove: readonly string[]): Promise<void> {
    await this.#called("updateTags", set, remove);
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
    this.emit({ type: "user", ltime: 1n, name, payload, coalesce: false });
  }

  #called(name: keyof RpcBackend, ...args: unknown[]): unknown {
    this.calls.push([name, ...args]);
    return this.on[name]?.(...args);
  }
}
