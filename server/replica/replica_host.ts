/**
 * The replica with what it stands on: the data directory below it and the links to the other servers beside it.
 *
 * @module
 */

import { lastIndexOf } from "../../cluster/raft/log/restored.ts";
import type { Keyring } from "../../cluster/memberlist/wire/keyring.ts";
import type { Result } from "../../cluster/machine/mod.ts";
import type { WatchHub } from "../../cluster/watch/mod.ts";
import {
  DEFAULT_RAFT_OPTIONS,
  foundingEntry,
  type Message,
  NOTHING,
} from "../../cluster/raft/mod.ts";
import type { PubSub } from "../../cluster/pubsub/mod.ts";
import type { Clock } from "../../cluster/runtime.ts";
import { NO_BYTES } from "../../protocol/bytes.ts";
import type { AgentLog } from "../logging/log.ts";
import { background } from "../logging/background.ts";
import { closeInOrder } from "../net/closing.ts";
import { within } from "../net/deadline.ts";
import { guardedClock, realRandom } from "../runtime.ts";
import { ForwardError } from "./driver/forwarding.ts";
import { Replica } from "./driver/replica.ts";
import { restore } from "./driver/restore.ts";
import { MAX_MEMBERS } from "../../cluster/raft/membership/configuration.ts";
import { withAdvice } from "./damage.ts";
import { newId } from "./directory/node_file.ts";
import { Promises } from "./founding.ts";
import { answerVisitor } from "./gateway/questions.ts";
import { operateHere } from "./operating/operate.ts";
import { type Hello, type Lane, PeerLinks } from "./peers/mod.ts";
import type { Answer, Consistency, StateService } from "./service.ts";
import { Sessions } from "./sessions/mod.ts";
import type { StateSettings } from "./state_settings.ts";
import { openStorage, type Storage, type Vote } from "./storage.ts";
import { Checks } from "./verification/checks.ts";
import { decodeQuestion, encodeAnswer } from "./verification/questions.ts";
import {
  decodeOperation,
  decodeOutcome,
  encodeOperation,
  encodeOutcome,
  type Operation,
  type OperationOutcome,
  REQUEST,
} from "./wire_requests.ts";
import { newWatches, watchedMachine } from "./watching/watched.ts";

/** How long a founder waits for a promise, in milliseconds. */
const PROMISE_LIMIT_MS = 2_000;

/** Bytes of the log since the last snapshot that make a new one. */
const SNAPSHOT_BYTES = 64 * 1024 * 1024;

/** What a server is started with. */
export interface ReplicaHostOptions {
  readonly settings: StateSettings;
  /** Name of the agent. */
  readonly name: string;
  /** The keys of gossip, which seal what servers say to each other; without any it is in the open. */
  readonly keyring: Keyring | undefined;
  /** The channels of the agent. */
  readonly pubsub: PubSub;
  readonly log: AgentLog;
  /** Name of the agent with that node id, as gossip has it. */
  readonly nameOf: (id: string) => string | undefined;
  /** Role, leader or members have changed. */
  readonly changed: () => void;
  /** It cannot go on; its owner is to close it. */
  readonly failed: (error: Error) => void;
}

/** A replica that runs. */
export class ReplicaHost implements StateService, AsyncDisposable {
  /** See {@linkcode StateService.watches}. */
  readonly watches: WatchHub;
  /** The sessions of clients, while this server leads. */
  readonly sessions: Sessions;
  readonly #options: ReplicaHostOptions;
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #promises: Promises;
  readonly #checks: Checks;
  #links: PeerLinks | undefined;
  #replica: Replica | undefined;
  /** The cluster that each peer has said it belongs to. */
  readonly #clusters = new Map<string, string>();
  /** Whether messages are not taken, because the cluster's id is being written down or the replica is made anew. */
  #isBusy = false;

  private constructor(options: ReplicaHostOptions, storage: Storage) {
    this.#options = options;
    this.#storage = storage;
    this.#clock = guardedClock((error) => options.log.unexpected(error));
    this.#promises = new Promises(this.#clock);
    this.watches = newWatches(this.#clock, options.log);
    const { timeoutMs } = options.settings.sessions;
    const parts = { clock: this.#clock, random: realRandom, timeoutMs };
    this.sessions = new Sessions(parts, () => this.#replica);
    this.#checks = new Checks({
      clock: this.#clock,
      view: () => storage.store.view(),
      files: storage.files,
      applied: () => this.replica.status.appliedIndex,
      found: (problem) => options.log.write("ERR", "raft", `Found damage: ${problem}`),
      background: (work) => background(work, options.log),
    });
  }

  /**
   * Opens the data directory, listens for other servers and begins to take part.
   *
   * Rejects with one line for the operator: what is wrong with the directory, or with the address.
   */
  static open(options: ReplicaHostOptions): Promise<ReplicaHost> {
    return ReplicaHost.#open(options).catch((error) => {
      throw withAdvice(options.settings.dataDir, error);
    });
  }

  static async #open(options: ReplicaHostOptions): Promise<ReplicaHost> {
    const { settings: { dataDir, durability, bootstrapExpect }, log } = options;
    const failed = (error: Error): void => options.failed(withAdvice(dataDir, error) as Error);
    await using opened = new AsyncDisposableStack();
    const full = ({ message }: Error): void => {
      log.write("WARN", "raft", `${message}: the state stays in memory, and the log has it`);
    };
    const { storage, found } = await openStorage(dataDir, { durability, full, failed });
    const { directory } = opened.use(storage);
    if (found.cutBytes > 0) {
      const text = `Cut ${found.cutBytes} bytes off the log: a write that was not finished`;
      log.write("WARN", "raft", text);
    }
    const host = new ReplicaHost({ ...options, failed }, storage);
    host.#links = opened.use(await host.#listen());
    const isNew = lastIndexOf(found) === 0 && !directory.isRebuilt && bootstrapExpect === 1;
    await (isNew ? host.#found([directory.nodeId], found) : host.#begin(found));
    opened.move();
    return host;
  }

  /** Id of this server. */
  get id(): string {
    return this.#storage.directory.nodeId;
  }

  /** Id of its cluster; `undefined` until it belongs to one. */
  get clusterId(): string | undefined {
    return this.#storage.directory.clusterId;
  }

  /** Whether its directory was rebuilt: it founds no cluster. */
  get isRebuilt(): boolean {
    return this.#storage.directory.isRebuilt;
  }

  /** The ids that this server had before its directory was rebuilt, and that may still be those of members. */
  get replaces(): readonly string[] {
    return this.#storage.directory.replaces;
  }

  /** Forgets earlier ids that are no members any more. Rejects as the disk does. */
  forget(ids: readonly string[]): Promise<void> {
    return this.#storage.directory.forget(ids);
  }

  /** The links to the others. */
  get links(): PeerLinks {
    return this.#links as PeerLinks;
  }

  /** The replica, which is another one once this server has founded a cluster. */
  get replica(): Replica {
    return this.#replica as Replica;
  }

  /** Whether nothing was ever written to its log. */
  get isEmpty(): boolean {
    return this.replica.status.lastIndex === 0;
  }

  /** See {@linkcode StateService.leader}. */
  get leader(): string | undefined {
    return this.replica.leader;
  }

  /** See {@linkcode StateService.propose}. */
  propose(command: Uint8Array, timeoutMs: number, done: (result: Result) => void): void {
    this.replica.propose(command, timeoutMs, done);
  }

  /** See {@linkcode StateService.query}. */
  query(
    question: Uint8Array,
    consistency: Consistency,
    timeoutMs: number,
    done: (answer: Answer) => void,
    hasRoom?: () => boolean,
  ): void {
    this.replica.query(question, consistency, timeoutMs, done, hasRoom);
  }

  /** Asks the leader for an operation, wherever it is. What takes longer than the time for it is `lost`. */
  async operate(operation: Operation, timeoutMs: number): Promise<OperationOutcome> {
    const { leaderId } = this.replica;
    if (leaderId === undefined) return { reason: "no-leader" };
    if (leaderId === this.id) {
      const done = operateHere(this.replica, operation).then((outcome) => ({ outcome }));
      const { outcome } = await within(timeoutMs, done) ?? { outcome: { reason: "lost" } };
      return outcome;
    }
    try {
      const request = encodeOperation(operation);
      return decodeOutcome(await this.links.request(leaderId, request, timeoutMs));
    } catch {
      // Whatever it was that went wrong on the way there, or back.
      return { reason: "lost" };
    }
  }

  /** Asks a server, which may be this one. Rejects as {@linkcode PeerLinks.request} does. */
  async ask(id: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (id === this.id) return await this.#answer(id, bytes, "talk");
    return await this.links.request(id, bytes, timeoutMs);
  }

  /** Founds a cluster with these servers, if all of them promise to follow. Returns whether it has. */
  async found(ids: readonly string[]): Promise<boolean> {
    if (this.#isBusy || !this.#isNew) return false;
    const others = ids.filter((id) => id !== this.id);
    if (!this.#promises.give(this.id)) return false;
    const request = Uint8Array.of(REQUEST.promise);
    const answers = await Promise.allSettled(
      others.map((id) => this.links.request(id, request, PROMISE_LIMIT_MS)),
    );
    const isPromised = answers.every((answer) =>
      answer.status === "fulfilled" && answer.value[0] === 1
    );
    if (!isPromised || this.#isBusy || !this.#isNew) return false;
    this.#isBusy = true;
    try {
      await this.#found(ids, NOTHING);
    } finally {
      this.#isBusy = false;
    }
    return true;
  }

  /** Ends it, after what is under way on the disk. */
  async close(): Promise<void> {
    await closeInOrder([
      () => this.replica.close(),
      () => this.sessions.close(),
      () => this.watches.close(),
      () => this.#checks.close(),
      () => this.links.close(),
      () => this.#storage[Symbol.asyncDispose](),
    ]);
  }

  /** Same as {@linkcode ReplicaHost.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whether it may found a cluster: it has neither a log nor voted, and never had. */
  get #isNew(): boolean {
    return this.isEmpty && this.replica.status.term === 0 && !this.isRebuilt;
  }

  #listen(): Promise<PeerLinks> {
    const { settings, name, keyring, pubsub, log } = this.#options;
    return PeerLinks.open({
      ...settings.peer,
      identity: () => ({ clusterId: this.clusterId ?? "", id: this.id, name }),
      keyring,
      log,
      handlers: {
        accepts: (hello) => this.#accepts(hello),
        message: (from, message) => this.#receive(from, message),
        request: (from, bytes, lane) => this.#answer(from, bytes, lane),
        connected: (_id, name) => log.write("DEBUG", "peers", () => `Connected with '${name}'`),
      },
      pubsub,
    });
  }

  async #found(ids: readonly string[], { term, vote }: Vote): Promise<void> {
    const { directory, log } = this.#storage;
    await directory.setClusterId(directory.clusterId ?? newId());
    const members = ids.map((id) => ({ id, role: "voter" as const }));
    const entry = foundingEntry(members, Date.now());
    await log.write({ seq: 0, entries: [entry] });
    this.#options.log.write("INFO", "raft", `Founds a cluster of ${ids.length}`);
    await this.#begin({ term, vote, beforeIndex: 0, beforeTerm: 0, entries: [entry] });
  }

  async #begin(found: Omit<Parameters<typeof restore>[1], "snapshot">): Promise<void> {
    const { settings, log, nameOf, changed, failed } = this.#options;
    const { store, snapshots, votes, log: logFiles } = this.#storage;
    const newMachine = () => watchedMachine(store, this.watches, this.sessions);
    const { electionTimeoutMs, heartbeatMs, trailing } = settings.raft;
    const begun = await restore({
      directory: this.#storage.directory.path,
      id: this.id,
      options: { ...DEFAULT_RAFT_OPTIONS, electionTimeoutMs, heartbeatMs, trailing },
      clock: this.#clock,
      random: realRandom,
      log: logFiles,
      snapshots,
      newMachine,
    }, { ...found, snapshot: snapshots.newest });
    const replica = new Replica({
      clock: this.#clock,
      wallClock: () => Date.now(),
      logger: log.logger("raft"),
      ...begun,
      store,
      log: logFiles,
      votes,
      snapshots,
      peers: this.links,
      snapshotTrigger: {
        entries: settings.raft.snapshotEntries,
        bytes: SNAPSHOT_BYTES,
        growth: 1,
      },
      nameOf,
      newMachine,
      barrier: (entry) => this.#checks.barrier(entry),
      changed,
      progressed: () => this.sessions.look(),
      failed,
    });
    const waiting = this.#replica?.release() ?? [];
    this.#replica = replica;
    replica.start();
    replica.takeOver(waiting);
  }

  /** Whoever knows an id may say hello, so that no more are noted than a cluster has, and none once it matters no more. */
  #accepts({ id, clusterId, lane }: Hello): undefined {
    if (lane === "visit" || this.clusterId !== undefined) return;
    if (this.#clusters.has(id) || this.#clusters.size < MAX_MEMBERS) {
      this.#clusters.set(id, clusterId);
    }
  }

  #receive(from: string, message: Message): void {
    if (this.#isBusy || this.#replica === undefined) return;
    if (this.clusterId !== undefined) return this.#replica.receive(from, message);
    const theirs = this.#clusters.get(from);
    if (!theirs || !this.#promises.give(from)) return;
    const adopted = this.#adopt(theirs).then(() => this.#receive(from, message));
    background(adopted, this.#options.log);
  }

  /** Belongs to the cluster that has turned to it. */
  async #adopt(clusterId: string): Promise<void> {
    this.#isBusy = true;
    try {
      await this.#storage.directory.setClusterId(clusterId);
      this.#clusters.clear();
      this.#options.log.write("INFO", "raft", `Belongs to cluster ${clusterId} from now on`);
      this.#isBusy = false;
    } catch (error) {
      this.#options.failed(error as Error);
    }
  }

  async #answer(from: string, bytes: Uint8Array, lane: Lane): Promise<Uint8Array> {
    if (this.#replica === undefined) return NO_BYTES;
    if (lane === "visit") return await answerVisitor(bytes, this.#replica);
    switch (bytes[0]) {
      case REQUEST.promise: {
        const isFree = !this.#isBusy && this.clusterId === undefined && this.#isNew;
        return Uint8Array.of(isFree && this.#promises.give(from) ? 1 : 0);
      }
      case REQUEST.operation: {
        const operation = decodeOperation(bytes);
        return operation === undefined
          ? NO_BYTES
          : encodeOutcome(await operateHere(this.#replica, operation));
      }
      case REQUEST.check: {
        const question = decodeQuestion(bytes);
        return question === undefined ? NO_BYTES : encodeAnswer(this.#checks.ask(question));
      }
    }
    try {
      return await this.#replica.receiveRequests(bytes);
    } catch (error) {
      if (error instanceof ForwardError) return NO_BYTES;
      throw error;
    }
  }
}
