/**
 * The replicated state for an agent that keeps none: it asks the servers that gossip shows, the leader for what has to be decided,
 * any of them for stale reads. When one dies, the next one is asked.
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../../cluster/log_limiter.ts";
import type { Result } from "../../../cluster/machine/mod.ts";
import type { Keyring } from "../../../cluster/memberlist/wire/keyring.ts";
import type { PubSub } from "../../../cluster/pubsub/mod.ts";
import type { Address } from "../../../cluster/runtime.ts";
import type { WatchHub } from "../../../cluster/watch/mod.ts";
import type { Member } from "../../../cluster/serf/mod.ts";
import { background, guarded } from "../../logging/background.ts";
import type { AgentLog } from "../../logging/log.ts";
import { closeTogether } from "../../net/closing.ts";
import { newId } from "../directory/node_file.ts";
import { RemoteChanges } from "./changes.ts";
import { Visits } from "./visits.ts";
import { encodeGatewayTag, shortId } from "../gossip_tag.ts";
import { type Hello, PeerLinks } from "../peers/mod.ts";
import { addressesOf, type GossipServer, serversOf } from "../servers.ts";
import type { Answer, Asker, Consistency, StateService } from "../service.ts";

/** Pause between two looks at what gossip shows, in milliseconds; the first one comes at once. */
const LOOK_MS = 500;

/** What there is to say to whoever asks here. */
const NO_ANSWER = new Uint8Array();

/** What a gateway is started with. */
export interface GatewayOptions {
  /** Where it listens for servers, which tell it of channels. */
  readonly peer: Address;
  /** Name of the agent. */
  readonly name: string;
  /** The keys of gossip, which seal what agents say to each other; without any it is in the open. */
  readonly keyring: Keyring | undefined;
  /** The channels of the agent. */
  readonly pubsub: PubSub;
  readonly log: AgentLog;
  /** What gossip shows. */
  readonly members: () => readonly Member[];
  /** Tells all members where this agent is; resolves when the news is sent. */
  readonly tell: (tag: string) => Promise<void>;
  /** What was told last, unless somebody has changed it. */
  readonly told: () => string | undefined;
}

/** A running gateway. It has no vote, no log, and an id for its life. */
export class Gateway implements StateService, AsyncDisposable {
  readonly #options: GatewayOptions;
  readonly #id = newId();
  readonly #visits: Visits;
  readonly #changes: RemoteChanges;
  readonly #complaints = new LogLimiter(performance);
  #links: PeerLinks | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The cluster that the first server which was met belongs to. */
  #clusterId = "";
  #servers: readonly GossipServer[] = [];
  #closed: Promise<void> | undefined;

  private constructor(options: GatewayOptions) {
    this.#options = options;
    const parts = {
      peers: () => this.links,
      servers: () => this.#servers.map(({ id }) => id),
      log: options.log,
      missing: () => this.#complain("No server is known: gossip shows none that keeps the state"),
    };
    this.#visits = new Visits(parts);
    this.#changes = new RemoteChanges(parts);
  }

  /** Listens for servers and begins to look for them. Rejects with one line for the operator. */
  static async open(options: GatewayOptions): Promise<Gateway> {
    const gateway = new Gateway(options);
    gateway.#links = await gateway.#listen();
    gateway.#timer = setInterval(guarded(() => gateway.#look(), options.log), LOOK_MS);
    gateway.#look();
    return gateway;
  }

  /** The links to the servers. */
  get links(): PeerLinks {
    return this.#links as PeerLinks;
  }

  /** See {@linkcode StateService.leader}. */
  get leader(): string | undefined {
    const { leaderId } = this.#visits;
    return this.#servers.find(({ id }) => id === leaderId)?.name;
  }

  /** See {@linkcode StateService.watches}. */
  get watches(): WatchHub {
    return this.#changes.watches;
  }

  /** See {@linkcode StateService.propose}. */
  propose(command: Uint8Array, timeoutMs: number, done: (result: Result) => void): void {
    this.#visits.ask("command", command, false, timeoutMs, done);
  }

  /** See {@linkcode StateService.query}. */
  query(
    question: Uint8Array,
    consistency: Consistency,
    timeoutMs: number,
    done: (answer: Answer) => void,
    asker?: Asker,
  ): void {
    if (consistency === "stale") return this.#visits.read(question, timeoutMs, done, asker);
    this.#visits.ask(
      "question",
      question,
      consistency === "lease",
      timeoutMs,
      (result) => done({ result, lagMs: 0 }),
      asker,
    );
  }

  /** Ends it; requests that wait are told. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Same as {@linkcode Gateway.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    this.#visits.close();
    await closeTogether([() => this.#changes.close(), () => this.links.close()]);
  }

  #listen(): Promise<PeerLinks> {
    const { peer, name, keyring, pubsub, log } = this.#options;
    return PeerLinks.open({
      ...peer,
      isVisitor: true,
      identity: () => ({ clusterId: this.#clusterId, id: this.#id, name }),
      keyring,
      log,
      handlers: {
        accepts: (hello) => this.#accepts(hello),
        message() {},
        request: () => Promise.resolve(NO_ANSWER),
        connected: (_id, name) => log.write("DEBUG", "peers", () => `Connected with '${name}'`),
      },
      pubsub,
    });
  }

  #accepts({ clusterId }: Hello): undefined {
    if (this.#clusterId === "") this.#clusterId = clusterId;
  }

  #look(): void {
    if (this.#closed !== undefined) return;
    const { members, told, tell, pubsub, log } = this.#options;
    const all = members();
    this.#servers = serversOf(all).filter(({ cluster, status }) =>
      status === "alive" && (this.#clusterId === "" || cluster === shortId(this.#clusterId))
    );
    this.links.locateAll(addressesOf(all, this.#servers, this.#id));
    const tag = encodeGatewayTag({ port: this.links.address.port, id: this.#id });
    if (tag !== told()) background(tell(tag), log);
    this.#visits.look();
    pubsub.tick();
  }

  /** At most once a second. */
  #complain(text: string): void {
    const hidden = this.#complaints.admit("");
    if (hidden !== undefined) this.#options.log.write("WARN", "gateway", text + hiddenNote(hidden));
  }
}
