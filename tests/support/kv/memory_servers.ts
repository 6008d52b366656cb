/**
 * A gateway of servers in memory that all do the same, one of which may be away, behind, or begin anew.
 *
 * @module
 */

import type { Result } from "../../../cluster/machine/mod.ts";
import type { RingLimits } from "../../../cluster/watch/ring.ts";
import { RemoteChanges } from "../../../server/replica/gateway/changes.ts";
import type { StateService } from "../../../server/replica/service.ts";
import { REQUEST } from "../../../server/replica/wire_requests.ts";
import { MemoryState } from "./memory_state.ts";

/** The servers, and what a gateway is told by them. */
export class MemoryServers implements AsyncDisposable {
  /** By their ids. */
  readonly states: ReadonlyMap<string, MemoryState>;
  /** What the gateway is told. */
  readonly remote: RemoteChanges;
  /** What was sent to each server, and how many bytes it has answered. */
  readonly asked = new Map<string, { count: number; bytes: number }>();
  /** How often there was no server to ask. */
  missing = 0;
  /** Errors that nobody expected. */
  readonly unexpected: unknown[] = [];
  readonly #away = new Map<string, PromiseWithResolvers<never>>();
  readonly #isClosed = Promise.withResolvers<never>();

  /**
   * @param limits What each server keeps.
   * @param goneLimitMs How long those that are away are waited for when others have forgotten what is wanted.
   */
  constructor(ids: readonly string[], limits?: RingLimits, goneLimitMs?: number) {
    this.states = new Map(ids.map((id) => [id, new MemoryState(limits)]));
    this.#isClosed.promise.catch(() => {});
    for (const id of ids) this.back(id);
    this.remote = new RemoteChanges({
      peers: () => ({ request: (id, bytes) => this.#request(id, bytes) }),
      servers: () => ids,
      log: { unexpected: (error) => this.unexpected.push(error) },
      missing: () => this.missing++,
      beginLimitMs: 2_000,
      ...goneLimitMs !== undefined && { goneLimitMs },
    });
  }

  /** What a port of the gateway asks. */
  get gateway(): StateService {
    return {
      propose: (command, limitMs, done) => this.#propose(command, limitMs, done),
      query: (...asked) => this.#first.query(...asked),
      leader: "alpha",
      watches: this.remote.watches,
    };
  }

  /** The server of that id. */
  at(id: string): MemoryState {
    return this.states.get(id) as MemoryState;
  }

  /** The server where a fetch of the gateway waits. */
  get used(): string | undefined {
    return [...this.states].find(([, { watches }]) => watches.figures.watches > 0)?.[0];
  }

  /** A server answers no more. */
  away(id: string): void {
    const away = Promise.withResolvers<never>();
    away.promise.catch(() => {});
    this.#away.get(id)?.reject(new Error("It is away"));
    away.reject(new Error("It is away"));
    this.#away.set(id, away);
  }

  /** A server answers again. */
  back(id: string): void {
    const away = Promise.withResolvers<never>();
    away.promise.catch(() => {});
    this.#away.set(id, away);
  }

  /** Ends the gateway, and then the servers. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed.reject(new Error("The links are closed"));
    await this.remote.close();
    for (const { watches } of this.states.values()) await watches.close();
  }

  get #first(): MemoryState {
    return [...this.states.values()][0] as MemoryState;
  }

  #propose(command: Uint8Array, limitMs: number, done: (result: Result) => void): void {
    for (const state of this.states.values()) {
      state.propose(command, limitMs, state === this.#first ? done : () => {});
    }
  }

  async #request(id: string, bytes: Uint8Array): Promise<Uint8Array> {
    const asked = this.asked.get(id) ?? { count: 0, bytes: 0 };
    this.asked.set(id, asked);
    asked.count++;
    const { fetches } = this.at(id);
    if (bytes[0] === REQUEST.nudge) {
      fetches.nudge("g");
      return new Uint8Array();
    }
    const away = this.#away.get(id) as PromiseWithResolvers<never>;
    const answer = await Promise.race([
      away.promise,
      this.#isClosed.promise,
      // One that is away hears nothing.
      Promise.resolve().then(() => fetches.fetch("g", bytes.slice())),
    ]);
    asked.bytes += answer.length;
    return answer.slice();
  }
}
