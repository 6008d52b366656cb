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
import { Replica } from "./driver/replica.ts";
import { restore } from "./driver/restore.ts";
import { withAdvice } from "./damage.ts";
import { newId } from "./directory/node_file.ts";
import { Belonging, PROMISE_LIMIT_MS } from "./founding/belonging.ts";
import { answerRequests, answerVisitor } from "./gateway/questions.ts";
import { Groups } from "./groups/groups.ts";
import type { Vote } from "./log/vote_file.ts";
import { type Lane, PeerLinks } from "./peers/mod.ts";
import { carryOut } from "./operating.ts";
import type { Answer, Asker, Consistency, StateService } from "./service.ts";
import { Sessions } from "./sessions/mod.ts";
import type { StateSettings } from "./state_settings.ts";
import { openStorage, type Storage } from "./storage.ts";
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
import { Fetches } from "./watching/fetches.ts";
import { newWatches, watchedMachine } from "./watching/watched.ts";
import { pieceNet } from "./segments/fetching/net.ts";
import type { Messages } from "./segments/messages.ts";

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
  /** The groups of consumers, while it does. */
  readonly groups: Groups;
  readonly #options: ReplicaHostOptions;
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #belonging: Belonging;
  readonly #checks: Checks;
  readonly #fetches: Fetches;
  #links: PeerLinks | undefined;
  #replica: Replica | undefined;

  private constructor(options: ReplicaHostOptions, storage: Storage) {
    this.#options = options;
    this.#storage = storage;
    this.#clock = guardedClock((error) => options.log.unexpected(error));
    const isNew = (): boolean => this.#isNew;
    const clusterId = (): string | undefined => this.clusterId;
    this.#belonging = new Belonging(this.#clock, {
      id: this.id,
      get clusterId() {
        return clusterId();
      },
      get isNew() {
        return isNew();
      },
      askPromise: (id) => this.#askPromise(id),
      begin: (ids) => this.#found(ids, NOTHING),
      adopt: (id) => this.#adopt(id),
    });
    this.watches = newWatches(options.log);
    this.#fetches = new Fetches(this.watches, this.#clock);
    const { timeoutMs } = options.settings.sessions;
    const parts = { clock: this.#clock, random: realRandom, timeoutMs };
    this.sessions = new Sessions(parts, () => this.#replica);
    this.groups = new Groups(this.#clock, () => this.#replica);
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
    const opening: { host?: ReplicaHost } = {};
    const net = pieceNet(guardedClock((error) => log.unexpected(error)), () => opening.host);
    const parts = { durability, full, failed, net, logger: log.logger("topics") };
    const { storage, found } = await openStorage(dataDir, parts);
    const { directory } = opened.use(storage);
    if (found.cutBytes > 0) {
      const text = `Cut ${found.cutBytes} bytes off the log: a write that was not finished`;
      log.write("WARN", "raft", text);
    }
    const host = opening.host = new ReplicaHost({ ...options, failed }, storage);
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

  /** The messages of topics. */
  get messages(): Messages {
    return this.#storage.messages;
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
    asker?: Asker,
  ): void {
    this.replica.query(question, consistency, timeoutMs, done, asker);
  }

  /** Asks the leader for an operation, wherever it is. What takes longer than the time for it is `lost`. */
  async operate(operation: Operation, timeoutMs: number): Promise<OperationOutcome> {
    const { leaderId } = this.replica;
    if (leaderId === undefined) return { reason: "no-leader" };
    if (leaderId === this.id) {
      const done = carryOut(this.replica, operation).then((outcome) => ({ outcome }));
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

  /** See {@linkcode Belonging.found}. */
  found(ids: readonly string[]): Promise<boolean> {
    return this.#belonging.found(ids);
  }

  /** Ends it, after what is under way on the disk. */
  async close(): Promise<void> {
    await closeInOrder([
      () => this.replica.close(),
      () => this.sessions.close(),
      () => this.groups.close(),
      () => this.watches.close(),
      () => this.#checks.close(),
      () => this.messages.close(),
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
        accepts: (hello) => this.#belonging.meet(hello),
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
    const { sessions, groups, messages } = this;
    const newMachine = () => watchedMachine(store, this.watches, { sessions, groups, messages });
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
    await messages.settle(() => true);
    const replica = new Replica({
      clock: this.#clock,
      wallClock: () => Date.now(),
      logger: log.logger("raft"),
      ...begun,
      store,
      messages,
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
      progressed: () => {
        this.sessions.look();
        this.groups.look();
      },
      failed,
    });
    const waiting = this.#replica?.release() ?? [];
    this.#replica = replica;
    replica.start();
    replica.takeOver(waiting);
  }

  #receive(from: string, message: Message): void {
    if (this.#belonging.isBusy || this.#replica === undefined) return;
    if (this.clusterId !== undefined) return this.#replica.receive(from, message);
    const followed = this.#belonging.follow(from);
    if (followed === undefined) return;
    const { failed, log } = this.#options;
    background(followed.then(() => this.#receive(from, message), failed), log);
  }

  async #adopt(clusterId: string): Promise<void> {
    await this.#storage.directory.setClusterId(clusterId);
    this.#options.log.write("INFO", "raft", `Belongs to cluster ${clusterId} from now on`);
  }

  async #askPromise(id: string): Promise<boolean> {
    const request = Uint8Array.of(REQUEST.promise);
    return (await this.links.request(id, request, PROMISE_LIMIT_MS))[0] === 1;
  }

  async #answer(from: string, bytes: Uint8Array, lane: Lane): Promise<Uint8Array> {
    if (this.#replica === undefined) return NO_BYTES;
    if (lane === "visit") return await answerVisitor(from, bytes, this.#replica, this.#fetches);
    switch (bytes[0]) {
      case REQUEST.promise:
        return Uint8Array.of(this.#belonging.promise(from) ? 1 : 0);
      case REQUEST.operation: {
        const operation = decodeOperation(bytes);
        return operation === undefined
          ? NO_BYTES
          : encodeOutcome(await carryOut(this.replica, operation));
      }
      case REQUEST.check: {
        const question = decodeQuestion(bytes);
        return question === undefined ? NO_BYTES : encodeAnswer(this.#checks.ask(question));
      }
      case REQUEST.piece:
        return await this.messages.answer(bytes);
    }
    return await answerRequests(bytes, this.#replica);
  }
}
