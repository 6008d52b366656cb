/**
 * Replicas in one process, on a clock that is moved by hand and a network that can be cut.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  getQuestion,
  resolvePath,
  setCommand,
  type SetOptions,
  textOfValue,
} from "../../../cluster/machine/kv/mod.ts";
import type { Result } from "../../../cluster/machine/mod.ts";
import {
  DEFAULT_RAFT_OPTIONS,
  foundingEntry,
  type Message,
  type RaftOptions,
} from "../../../cluster/raft/mod.ts";
import { type PeerNet, UnsentError } from "../../../server/replica/driver/parts.ts";
import { Replica } from "../../../server/replica/driver/replica.ts";
import { restore } from "../../../server/replica/driver/restore.ts";
import type { SnapshotTrigger } from "../../../server/replica/driver/snapshotter.ts";
import type { Answer, Consistency } from "../../../server/replica/service.ts";
import { ManualClock } from "../manual_clock.ts";
import { SeededRandom } from "../simulation/random.ts";
import { machineOn, MemoryDisk, MemorySnapshots, RoomyStore } from "./memory_parts.ts";

const NETWORK_MS = 1;

/** Options of a test's replicas. */
export interface ReplicasOptions {
  readonly raft?: Partial<RaftOptions>;
  readonly snapshotTrigger?: SnapshotTrigger;
}

/** One server of a test: what lasts, and what runs. */
export interface Server {
  readonly id: string;
  readonly disk: MemoryDisk;
  readonly logs: string[];
  store: RoomyStore;
  snapshots: MemorySnapshots;
  replica: Replica;
  /** Why it has stopped by itself. */
  failure: Error | undefined;
}

/** A cluster of replicas. */
export class Replicas {
  readonly clock = new ManualClock();
  readonly servers = new Map<string, Server>();
  /** How far the wall clocks of servers are off, in milliseconds. */
  readonly clockErrors = new Map<string, number>();
  readonly #options: ReplicasOptions;
  readonly #random = new SeededRandom(7);
  readonly #cut = new Set<string>();
  readonly #held = new Map<string, Promise<void>>();
  /** Called when what a server has sent is to leave at once. */
  onFlush = (_from: string): void => {};

  private constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  /** Founds a cluster of these ids. */
  static async found(ids: readonly string[], options: ReplicasOptions = {}): Promise<Replicas> {
    const cluster = new Replicas(options);
    const entry = foundingEntry(ids.map((id) => ({ id, role: "voter" })), 1);
    for (const id of ids) {
      const disk = new MemoryDisk(cluster.clock);
      // One has it, the others get it.
      if (id === ids[0]) disk.state.entries.push(entry);
      await cluster.start(id, disk);
    }
    return cluster;
  }

  /** Starts a server on a disk, by default the one that it had, else an empty one. */
  async start(id: string, disk = this.servers.get(id)?.disk ?? new MemoryDisk(this.clock)) {
    const { clock } = this;
    const store = new RoomyStore();
    const snapshots = new MemorySnapshots(disk, store);
    const newMachine = () => machineOn(store);
    const options = { ...DEFAULT_RAFT_OPTIONS, ...this.#options.raft };
    const directory = id;
    const parts = {
      directory,
      id,
      options,
      clock,
      random: this.#random,
      log: disk,
      snapshots,
      newMachine,
    };
    const begun = await restore(parts, { ...disk.state });
    const logs: string[] = [];
    const write = (line: string) => void logs.push(line);
    const replica = new Replica({
      clock,
      wallClock: () => clock.now() + 1_000_000 + (this.clockErrors.get(id) ?? 0),
      logger: { debug: write, info: write, warn: write, error: write },
      ...begun,
      store,
      log: disk,
      votes: disk,
      snapshots,
      peers: this.#net(id),
      snapshotTrigger: this.#options.snapshotTrigger ??
        { entries: 8_192, bytes: 2 ** 26, growth: 1 },
      nameOf: (other) => `name of ${other}`,
      newMachine,
      failed: (error) => {
        server.failure = error;
      },
    });
    const server: Server = { id, disk, logs, store, snapshots, replica, failure: undefined };
    this.servers.set(id, server);
    replica.start();
    return server;
  }

  /** A server of the cluster. */
  at(id: string): Server {
    return this.servers.get(id) as Server;
  }

  /** Cuts a server off from all others, or connects it again. */
  cut(id: string, isCut = true): void {
    if (isCut) this.#cut.add(id);
    else this.#cut.delete(id);
  }

  /** Requests to a server stay on their way, as when it hangs, until what is returned is called. */
  hold(id: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.set(id, promise);
    return () => {
      this.#held.delete(id);
      resolve();
    };
  }

  /** The leader, once all that are connected agree on one. */
  async leader(): Promise<Server> {
    const agreed = () => {
      const up = [...this.servers.values()].filter(({ id }) => !this.#cut.has(id));
      const ids = new Set(up.map(({ replica }) => replica.leaderId));
      const [id] = ids;
      const isUp = up.some((server) => server.id === id);
      return ids.size === 1 && isUp ? id : undefined;
    };
    await this.clock.until(() => agreed() !== undefined, 20_000, "a leader");
    return this.at(agreed() as string);
  }

  /** One that does not lead. */
  async follower(): Promise<Server> {
    const { id } = await this.leader();
    return [...this.servers.values()].find((server) => server.id !== id) as Server;
  }

  /** Sets a key; resolves with what came of it. */
  set(id: string, key: string, value: unknown, options: SetOptions = {}, timeoutMs = 5_000) {
    const command = setCommand(pathOf(key), textOfValue(value) as Uint8Array, options);
    return this.propose(id, command, timeoutMs);
  }

  /** Proposes a command; resolves with what came of it. */
  propose(id: string, command: Uint8Array, timeoutMs = 5_000): Promise<Result> {
    const { promise, resolve } = Promise.withResolvers<Result>();
    let calls = 0;
    this.at(id).replica.propose(command, timeoutMs, (result) => {
      assert.equal(++calls, 1, "a second answer");
      resolve(result);
    });
    assert.equal(calls, 0, "an answer too early");
    return this.#within(promise, timeoutMs);
  }

  /** Reads a key; resolves with its text, or the reason why there is none. */
  async get(id: string, key: string, consistency: Consistency = "linearizable", timeoutMs = 5_000) {
    const { result } = await this.answer(id, key, consistency, timeoutMs);
    return result.ok ? new TextDecoder().decode(result.body) : result.reason;
  }

  /** What a server says of a value. */
  async answer(id: string, key: string, consistency: Consistency, timeoutMs = 5_000) {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.at(id).replica.query(getQuestion(pathOf(key)), consistency, timeoutMs, resolve);
    return await this.#within(promise, timeoutMs);
  }

  /** Ends all. */
  close(): void {
    for (const { replica } of this.servers.values()) replica.close();
  }

  /** Lets time pass until there is an answer. */
  async #within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
    let isDone = false;
    promise.then(() => isDone = true, () => isDone = true);
    await this.clock.until(() => isDone, timeoutMs + 2_000, "an answer");
    return await promise;
  }

  #net(from: string): PeerNet {
    const isCut = (to: string) => this.#cut.has(from) || this.#cut.has(to);
    return {
      send: (to: string, message: Message) => {
        if (isCut(to)) return;
        this.clock.setTimer(NETWORK_MS, () => {
          if (!isCut(to)) this.servers.get(to)?.replica.receive(from, message);
        });
      },
      flush: () => this.onFlush(from),
      request: async (to, bytes, timeoutMs) => {
        if (isCut(to)) throw new UnsentError(`No way to '${to}'`);
        await this.#pause(NETWORK_MS);
        await this.#held.get(to);
        const answer = this.servers.get(to)?.replica.receiveRequests(bytes);
        if (answer === undefined) throw new UnsentError(`No '${to}'`);
        const { promise, reject } = Promise.withResolvers<never>();
        const timer = this.clock.setTimer(timeoutMs, () => reject(new Error("Too late")));
        const result = await Promise.race([answer, promise]);
        timer.cancel();
        await this.#pause(NETWORK_MS);
        // The connection is gone, and the answer with it.
        if (isCut(to)) throw new Error("Connection lost");
        return result;
      },
    };
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(ms, resolve));
  }
}

function pathOf(key: string): Uint8Array {
  return resolvePath(key) as Uint8Array;
}
