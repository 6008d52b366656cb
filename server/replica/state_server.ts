/**
 * A server of the replicated state among the others: where they are, whom it waits for, who is to be a member.
 *
 * Gossip says where servers are and who is there; the log says who counts. Neither is used for the other.
 *
 * @module
 */

import type { Result } from "../../cluster/machine/mod.ts";
import type { Member } from "../../cluster/serf/mod.ts";
import type { WatchHub } from "../../cluster/watch/mod.ts";
import type { ClusterInfo } from "../../protocol/sessions/mod.ts";
import { background, guarded } from "../logging/background.ts";
import { closeInOrder } from "../net/closing.ts";
import { within } from "../net/deadline.ts";
import { guardedClock } from "../runtime.ts";
import { newId } from "./directory/node_file.ts";
import { advise } from "./members/autopilot.ts";
import { LeaveRefusedError } from "./errors.ts";
import type { Replica } from "./driver/replica.ts";
import { gather } from "./founding/gathering.ts";
import { encodeTag, shortId } from "./gossip_tag.ts";
import { takeOut } from "./members/leaving.ts";
import type { PeerLinks } from "./peers/mod.ts";
import type { Groups } from "./groups/groups.ts";
import { ReplicaHost, type ReplicaHostOptions } from "./replica_host.ts";
import { FormerIds } from "./rebuilding/former.ts";
import type { Messages } from "./segments/messages.ts";
import { addressesOf, type GossipServer, namesOfOthers, serversOf } from "./servers.ts";
import type { Answer, Asker, Consistency, StateService } from "./service.ts";
import { type StateStatus, stateStatus } from "./state_status.ts";
import { clusterInfo, type Sessions } from "./sessions/mod.ts";
import { type ClientService, type Place, Whereabouts } from "./whereabouts.ts";
import { verify, VerifyError, type VerifyReport } from "./verification/verify.ts";
import { type Operation, type OperationOutcome, textOfOutcome } from "./wire_requests.ts";

/** Pause between two looks at what gossip shows, in milliseconds; the first one comes at once. */
const LOOK_MS = 500;

/** Pause between two lines of the log about the same thing, in milliseconds. */
const SAY_MS = { waiting: 10_000, otherCluster: 60_000 } as const;

/** How long an operation may take, in milliseconds. */
const OPERATION_LIMIT_MS = 5_000;

/** How long handing over may take when this server ends, in milliseconds. */
const HAND_OVER_LIMIT_MS = 1_500;

/** How long being taken out may take, and how long the news of leaving before that, in milliseconds. */
const LEAVE_LIMIT_MS = 5_000;
const TELL_LIMIT_MS = 1_000;

/** What a server is started with. */
export interface StateServerOptions extends Omit<ReplicaHostOptions, "nameOf" | "changed"> {
  /** What gossip shows. */
  readonly members: () => readonly Member[];
  /** Tells all members where this server is; resolves when the news is sent. */
  readonly tell: (tag: string) => Promise<void>;
  /** What was told last, unless somebody has changed it. */
  readonly told: () => string | undefined;
}

/** A running server. */
export class StateServer implements StateService, AsyncDisposable {
  readonly #options: StateServerOptions;
  readonly #host: ReplicaHost;
  readonly #former: FormerIds;
  readonly #whereabouts: Whereabouts;
  readonly #timer: ReturnType<typeof setInterval>;
  #servers: readonly GossipServer[];
  #isFounding = false;
  #isChanging = false;
  #isLeaving = false;
  #verifying: Promise<VerifyReport> | undefined;
  readonly #saidAt = { waiting: -Infinity, otherCluster: -Infinity };
  #closed: Promise<void> | undefined;

  private constructor(
    options: StateServerOptions,
    host: ReplicaHost,
    servers: readonly GossipServer[],
  ) {
    this.#options = options;
    this.#host = host;
    this.#servers = servers;
    this.#whereabouts = new Whereabouts(options);
    this.#former = new FormerIds(host, options.log);
    this.#timer = setInterval(guarded(() => this.#look(), options.log), LOOK_MS);
    this.#look();
  }

  /** Opens the data directory, listens for other servers and begins to take part. Rejects with one line for the operator. */
  static async open(options: StateServerOptions): Promise<StateServer> {
    const servers = serversOf(options.members());
    const opened: { server?: StateServer } = {};
    const nameOf = (id: string): string | undefined =>
      opened.server === undefined
        ? servers.find((one) => one.id === id)?.name
        : opened.server.#nameOf(id);
    const changed = (): unknown => opened.server !== undefined && opened.server.#look();
    const host = await ReplicaHost.open({ ...options, nameOf, changed });
    opened.server = new StateServer(options, host, servers);
    return opened.server;
  }

  /** Where it listens for other servers. */
  get peerAddress(): Deno.NetAddr {
    return this.#host.links.address;
  }

  /** The links to the other servers. */
  get links(): PeerLinks {
    return this.#host.links;
  }

  /** See {@linkcode StateService.leader}. */
  get leader(): string | undefined {
    return this.#host.leader;
  }

  /** See {@linkcode StateService.watches}. */
  get watches(): WatchHub {
    return this.#host.watches;
  }

  /** The sessions of clients, while this server leads. */
  get sessions(): Sessions {
    return this.#host.sessions;
  }

  /** The groups of consumers, while this server leads. */
  get groups(): Groups {
    return this.#host.groups;
  }

  /** The messages of topics. */
  get messages(): Messages {
    return this.#host.messages;
  }

  /** The servers, as clients with sessions are told of them. */
  get cluster(): ClusterInfo {
    const { term } = this.#host.replica.status;
    return clusterInfo(this.places("sessions"), this.leaderName, term);
  }

  /** The members of the log, and where they serve clients. */
  places(service: ClientService): Place[] {
    return this.#whereabouts.places(service, this.#host, this.#servers);
  }

  /** The leader as far as it is known here, as clients are told of it: by name, or by its id. */
  get leaderName(): string | undefined {
    const { leaderId } = this.#host.replica;
    return leaderId && (this.#nameOf(leaderId) ?? leaderId);
  }

  /** Id of its cluster; `undefined` until it belongs to one. */
  get clusterId(): string | undefined {
    return this.#host.clusterId;
  }

  /** From now on clients find this server there. */
  announce(service: ClientService, address: Deno.NetAddr): void {
    this.#whereabouts.addresses[service] = address;
    this.#look();
  }

  /** The replica, which is another one once this server has founded a cluster. */
  get replica(): Replica {
    return this.#host.replica;
  }

  /** See {@linkcode StateService.propose}. */
  propose(command: Uint8Array, timeoutMs: number, done: (result: Result) => void): void {
    this.#host.propose(command, timeoutMs, done);
  }

  /** See {@linkcode StateService.query}. */
  query(
    question: Uint8Array,
    consistency: Consistency,
    timeoutMs: number,
    done: (answer: Answer) => void,
    asker?: Asker,
  ): void {
    this.#host.query(question, consistency, timeoutMs, done, asker);
  }

  /** What operators want to know. */
  status(): StateStatus {
    const { addresses } = this.#whereabouts;
    return stateStatus(this.#host, this.#servers, this.#options.name, addresses);
  }

  /** The id of the server that somebody names by its agent's name or by the beginning of its id. */
  idOf(name: string): string | undefined {
    const byName = this.#servers.find((server) => server.name === name)?.id;
    if (byName !== undefined || name.length < 4) return byName;
    const ids = this.#host.replica.configuration.map(({ id }) => id);
    const found = ids.filter((id) => id.startsWith(name));
    return found.length === 1 ? found[0] : undefined;
  }

  /** Asks the leader for an operation, wherever it is. */
  operate(operation: Operation): Promise<OperationOutcome> {
    return this.#host.operate(operation, OPERATION_LIMIT_MS);
  }

  /**
   * Compares the members, which may take `timeoutMs`.
   *
   * Rejects with a {@linkcode VerifyError} when that cannot be, or another comparison is under way here.
   */
  verify(timeoutMs: number): Promise<VerifyReport> {
    if (this.#verifying !== undefined) {
      return Promise.reject(new VerifyError("Another comparison is under way here"));
    }
    this.#verifying = this.#verify(timeoutMs).finally(() => {
      this.#verifying = undefined;
    });
    return this.#verifying;
  }

  /** Makes a snapshot now; resolves with the index that it ends with, `undefined` when there is nothing new. */
  async snapshot(): Promise<number | undefined> {
    return (await this.#host.replica.snapshot())?.index;
  }

  /**
   * Takes itself out of the members, after the leadership was handed over. A lone server only stops.
   *
   * Rejects with {@linkcode LeaveRefusedError}, unless it is forced, when too few would remain, or nobody could be asked.
   */
  async leave(force = false): Promise<void> {
    const { replica } = this.#host;
    const voters = replica.configuration.filter(({ role }) => role === "voter");
    const isMember = replica.configuration.some(({ id }) => id === this.#host.id);
    if (!isMember || (voters.length === 1 && voters[0]?.id === this.#host.id)) return;
    // Said first, or the leader would take in again whom it has just taken out.
    this.#isLeaving = true;
    await within(TELL_LIMIT_MS, this.#tell());
    const why = await takeOut(this.#host, LEAVE_LIMIT_MS, () => this.#closed !== undefined);
    if (why === undefined) return;
    if (!force) {
      this.#isLeaving = false;
      throw new LeaveRefusedError(`${why}: it can be stopped, and stays a member of the log`);
    }
    this.#options.log.write("WARN", "raft", `Leaves without being taken out: ${why}`);
  }

  /** Hands the leadership over, if this server has it and another one could have it. */
  async handOver(): Promise<void> {
    const { replica } = this.#host;
    const voters = replica.configuration.filter(({ role }) => role === "voter");
    if (replica.leaderId !== this.#host.id || voters.length < 2) return;
    await within(HAND_OVER_LIMIT_MS, replica.transfer());
  }

  /** Ends it: hands the leadership over if it can. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Same as {@linkcode StateServer.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await closeInOrder([
      () => this.handOver(),
      () => this.#host.close(),
      () => this.#verifying?.then(() => {}, () => {}),
    ]);
  }

  async #verify(timeoutMs: number): Promise<VerifyReport> {
    const host = this.#host;
    const members = host.replica.configuration;
    if (members.length === 0) throw new VerifyError("The log has no members yet");
    const token = newId();
    return await verify(
      {
        clock: guardedClock((error) => this.#options.log.unexpected(error)),
        members,
        nameOf: (id) => this.#nameOf(id),
        ask: (id, question, limitMs) => host.ask(id, question, limitMs),
        mark: async (limitMs) => {
          const outcome = await host.operate({ kind: "mark", token }, limitMs);
          return outcome && textOfOutcome(outcome);
        },
        isOver: () => this.#closed !== undefined,
      },
      token,
      timeoutMs,
    );
  }

  /** How many servers it founds a cluster with; 0 for none. */
  get #expect(): number {
    return this.#host.isRebuilt ? 0 : this.#options.settings.bootstrapExpect;
  }

  #nameOf(id: string): string | undefined {
    if (id === this.#host.id) return this.#options.name;
    return this.#servers.find((server) => server.id === id)?.name;
  }

  #look(): void {
    if (this.#closed !== undefined) return;
    const members = this.#options.members();
    this.#servers = serversOf(members);
    const { links, id } = this.#host;
    links.locateAll(addressesOf(members, this.#servers, id));
    background(this.#tell(), this.#options.log);
    this.#gather();
    this.#advise();
    const { autopilot } = this.#options.settings.raft;
    this.#former.look(
      autopilot,
      (id) => this.#servers.some((one) => one.id === id && one.status === "alive"),
    );
    this.#noticeOthers();
    this.#options.pubsub.tick();
  }

  async #tell(): Promise<void> {
    const { id, clusterId, isEmpty, isRebuilt } = this.#host;
    const isMember = clusterId !== undefined && (!isEmpty || isRebuilt);
    const tag = encodeTag({
      port: this.peerAddress.port,
      id,
      cluster: isMember ? shortId(clusterId) : undefined,
      expect: this.#expect,
      sessionPort: this.#whereabouts.port("sessions"),
      topicsPort: this.#whereabouts.port("topics"),
      isLeaving: this.#isLeaving,
    });
    if (tag !== this.#options.told()) await this.#options.tell(tag);
  }

  #gather(): void {
    const { log } = this.#options;
    const { id, clusterId, isEmpty } = this.#host;
    if (!isEmpty || this.#isFounding) return;
    const gathering = gather({ id, clusterId, expect: this.#expect }, this.#servers);
    if (gathering.state === "waiting") {
      return this.#say("waiting", `Log is empty: ${gathering.text}`);
    }
    if (gathering.state === "following") return;
    this.#isFounding = true;
    const founding = this.#host.found(gathering.ids).then((hasFounded) => {
      if (!hasFounded) return;
      // Links say once which cluster this server belongs to.
      this.#host.links.locateAll(new Map());
      this.#look();
    }).finally(() => {
      this.#isFounding = false;
    });
    background(founding, log);
  }

  #advise(): void {
    const { settings, log } = this.#options;
    const { replica, clusterId } = this.#host;
    if (!settings.raft.autopilot || this.#isChanging || clusterId === undefined) return;
    const { cleanupDeadMs } = settings.raft;
    const advice = advise(replica.status, this.#servers, shortId(clusterId), cleanupDeadMs);
    if (advice === undefined) return;
    this.#isChanging = true;
    const change = replica.change(advice.change).then((outcome) => {
      if (outcome === undefined) log.write("INFO", "raft", `Changed the members: ${advice.reason}`);
    }).finally(() => {
      this.#isChanging = false;
    });
    background(change, log);
  }

  #noticeOthers(): void {
    const { clusterId } = this.#host;
    if (clusterId === undefined) return;
    const others = namesOfOthers(this.#servers, clusterId);
    if (others.length === 0) return;
    const names = others.map((name) => `'${name}'`).join(", ");
    this.#say(
      "otherCluster",
      `Servers of another cluster are members here, and left alone: ${names}`,
    );
  }

  #say(what: keyof typeof SAY_MS, text: string): void {
    const now = performance.now();
    if (now < this.#saidAt[what] + SAY_MS[what]) return;
    this.#saidAt[what] = now;
    this.#options.log.write("WARN", "raft", text);
  }
}
