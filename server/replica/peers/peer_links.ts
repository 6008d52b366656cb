/**
 * The links of one server to the others.
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../../cluster/log_limiter.ts";
import { loadCiphers } from "../../../cluster/memberlist/wire/seal.ts";
import type { Keyring } from "../../../cluster/memberlist/wire/keyring.ts";
import type { PubSubNet } from "../../../cluster/pubsub/mod.ts";
import type { Message } from "../../../cluster/raft/mod.ts";
import { encodeMessage } from "../../../cluster/raft/wire/message_codec.ts";
import type { Address, Random } from "../../../cluster/runtime.ts";
import { joinHostPort } from "../../../protocol/host_port.ts";
import { Writer } from "../../../protocol/msgpack/mod.ts";
import { guarded } from "../../logging/background.ts";
import type { AgentLog } from "../../logging/log.ts";
import { Admission, type AdmissionLimits } from "../../net/admission.ts";
import { closeTogether } from "../../net/closing.ts";
import { listen } from "../../net/listen.ts";
import { listenProblem } from "../../net/problems.ts";
import { WriterPool } from "../../net/writer_pool.ts";
import { realRandom } from "../../runtime.ts";
import { type PeerNet, UnsentError } from "../driver/parts.ts";
import { Accepted } from "./accepted.ts";
import { CHANNEL, frameOf } from "./frames.ts";
import type { Hello, Identity, Lane } from "./hello.ts";
import { ADMISSION, PEER_TIMINGS, type PeerTimings } from "./limits.ts";
import { Link, type LinkParts } from "./link.ts";
import type { ChannelHandlers, PeerHandlers, PeerParts } from "./parts.ts";

/** First size of a buffer for what is sent, in bytes. */
const FIRST_WRITER_BYTES = 1_024;

/** The address for peers cannot be listened on. */
export class PeerListenError extends Error {
  /** "PeerListenError". */
  override readonly name = "PeerListenError";
}

/** What the links are made of. */
export interface PeerLinksOptions {
  /** Address or name to listen on. */
  readonly host: string;
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  /** Who this server is, at present: asked for each connection, as a server may learn its cluster late. */
  readonly identity: () => Identity;
  /** The keys of gossip; they may change. Default: none, everything is in the open. */
  readonly keyring?: Keyring | undefined;
  /** Who hears of what comes. */
  readonly handlers: PeerHandlers;
  /** Who hears of channels. */
  readonly pubsub: ChannelHandlers;
  /** Whether this agent keeps no state, and only asks those that do. Default false. */
  readonly isVisitor?: boolean;
  /** Where lines and unexpected errors go. */
  readonly log: Pick<AgentLog, "write" | "unexpected">;
  /** Where nonces come from. Default: the system. */
  readonly random?: Random;
  /** Default: those of {@linkcode PEER_TIMINGS}. */
  readonly timings?: Partial<PeerTimings>;
  /** Caps on connections of others. Default: those of `limits.ts`. */
  readonly admission?: Partial<AdmissionLimits>;
}

/** What is known of one peer. */
export interface PeerStatus {
  /** Id of the server. */
  readonly id: string;
  /** Name of its agent, once it has said it. */
  readonly name: string | undefined;
  /** Where it is to be found, if that is known. */
  readonly address: Address | undefined;
  /** Whether there is a connection to it for messages. */
  readonly isConnected: boolean;
  /** Bytes that wait to be sent to it. */
  readonly queuedBytes: number;
  /** Milliseconds since something came from it; `undefined` when there is no connection. */
  readonly heardMs: number | undefined;
}

/** What happened so far. */
export interface PeerCounts {
  /** Connections of others that were refused, or closed for what they sent. */
  readonly refused: number;
  /** Messages that were not sent: no address, or too much waits. */
  readonly dropped: number;
  /** Connections to others that failed or broke. */
  readonly failed: number;
}

/** One located peer. */
interface Located {
  address: Address;
  readonly links: { readonly talk: Link; readonly bulk: Link };
  /** What was told of it last, so that it is not told again and again. */
  told: string | undefined;
}

/** Listens for other servers, and talks to those whose address it is told. */
export class PeerLinks implements PeerNet, PubSubNet, AsyncDisposable {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  readonly #options: PeerLinksOptions;
  readonly #timings: PeerTimings;
  readonly #linkParts: LinkParts;
  readonly #accepted: Accepted;
  readonly #peers = new Map<string, Located>();
  readonly #names = new Map<string, string>();
  readonly #complaints = new LogLimiter(performance);
  /** Links that are being closed. */
  readonly #ending = new Set<Promise<void>>();
  readonly #beating: ReturnType<typeof setInterval>;
  readonly #counts = { dropped: 0, failed: 0 };
  #closed: Promise<void> | undefined;

  private constructor(socket: Deno.TcpListener, options: PeerLinksOptions) {
    const { identity, keyring, handlers, pubsub, log, random = realRandom } = options;
    const parts: PeerParts = { identity, keyring, handlers, pubsub, log, random };
    const writers = new WriterPool(() => new Writer("rpc", FIRST_WRITER_BYTES));
    this.#options = options;
    this.#timings = { ...PEER_TIMINGS, ...options.timings };
    this.#linkParts = {
      ...parts,
      writers,
      timings: this.#timings,
      admission: new Admission(callerAdmission(this.#timings), () => {}),
      opened: (hello) => this.#opened(hello),
      failed: (id, lane, problem) => this.#failed(id, lane, problem),
    };
    this.#accepted = new Accepted(socket, {
      ...parts,
      writers,
      admission: { ...ADMISSION, ...options.admission },
      entered: (hello) => this.#entered(hello),
      left: (id) => this.#forgetName(id),
      complain: (subject, text) => this.#complain(subject, text),
    });
    this.address = this.#accepted.address;
    const { beatMs } = this.#timings;
    this.#beating = setInterval(guarded(() => this.#beat(), log), beatMs);
  }

  /**
   * Starts listening.
   *
   * @throws {PeerListenError} when the address cannot be used.
   */
  static async open(options: PeerLinksOptions): Promise<PeerLinks> {
    const { host, port, keyring } = options;
    if (keyring !== undefined) await loadCiphers();
    let socket: Deno.TcpListener;
    try {
      socket = listen(host, port).socket;
    } catch (cause) {
      throw new PeerListenError(listenProblem(joinHostPort(host, port), cause), { cause });
    }
    return new PeerLinks(socket, options);
  }

  /** What happened so far. */
  get counts(): PeerCounts {
    return { ...this.#counts, refused: this.#accepted.refused };
  }

  /** Tells where the server of an id is, or that nobody knows any more. What it is told again changes nothing. */
  locate(id: string, address: Address | undefined): void {
    const peer = this.#peers.get(id);
    if (this.#closed !== undefined) return;
    if (address === undefined) {
      if (peer !== undefined) this.#forget(id, peer);
    } else if (peer === undefined) {
      const link = (lane: Lane): Link => new Link(id, lane, address, this.#linkParts);
      const talk = this.#options.isVisitor ? "visit" : "talk";
      const links = { talk: link(talk), bulk: link("bulk") };
      this.#peers.set(id, { address, links, told: undefined });
      if (this.#linkParts.pubsub.isListening) links.talk.wake();
    } else if (peer.address.host !== address.host || peer.address.port !== address.port) {
      peer.address = address;
      peer.links.talk.move(address);
      peer.links.bulk.move(address);
    }
  }

  /** Tells where all are whose address is known; nobody knows any more where others are. */
  locateAll(addresses: ReadonlyMap<string, Address>): void {
    for (const [id, address] of addresses) this.locate(id, address);
    for (const id of this.#peers.keys()) if (!addresses.has(id)) this.locate(id, undefined);
  }

  /** Sends a message to a server. It is lost when nobody knows where that is, it cannot be reached, or too much waits. */
  send(to: string, message: Message): void {
    const link = this.#peers.get(to)?.links[laneOf(message)];
    if (link?.send(frameOf(CHANNEL.raft, encodeMessage(message)))) return;
    this.#counts.dropped++;
  }

  /** See {@linkcode PeerNet.flush}. */
  flush(): void {
    for (const { links } of this.#peers.values()) links.talk.flush();
  }

  /**
   * Sends a request to a server and resolves with its answer; one with a large answer goes on the lane `bulk`, so that no other waits.
   *
   * Rejects with `UnsentError` when nothing was done, and with `UnansweredError` when something may have been.
   */
  request(
    to: string,
    bytes: Uint8Array,
    timeoutMs: number,
    lane: "talk" | "bulk" = "talk",
  ): Promise<Uint8Array> {
    const peer = this.#peers.get(to);
    if (peer !== undefined) return peer.links[lane].request(bytes, timeoutMs);
    return Promise.reject(new UnsentError(`Nobody knows where server '${to}' is`));
  }

  /** Sends news to servers, once to each. Returns those that do not get it: nobody knows where they are, or too much waits. */
  sendNews(to: readonly string[], news: Uint8Array): string[] {
    const frame = frameOf(CHANNEL.news, news);
    return to.filter((id) => this.#peers.get(id)?.links.talk.sendNews(frame) !== true);
  }

  /** Sends news to a server it is connected with. When too much waits, the connection is given up for a new one. */
  sendSurely(to: string, news: Uint8Array): void {
    if (this.sendNews([to], news).length > 0) this.#peers.get(to)?.links.talk.renew();
  }

  /** Sends news to all servers that there is a connection with, and connects with the others. */
  tell(news: Uint8Array): void {
    for (const [id, { links: { talk } }] of this.#peers) {
      if (talk.isConnected) this.sendSurely(id, news);
      else talk.wake();
    }
  }

  /** What is known of each peer that has an address or a connection, in order of their ids. */
  status(): PeerStatus[] {
    const now = performance.now();
    const ids = new Set([...this.#peers.keys(), ...this.#names.keys()]);
    return [...ids].sort().map((id) => {
      const peer = this.#peers.get(id);
      const heard = [
        peer?.links.talk.heardAt,
        peer?.links.bulk.heardAt,
        this.#accepted.heardAt(id),
      ].filter((at) => at !== undefined);
      return {
        id,
        name: this.#names.get(id),
        address: peer?.address,
        isConnected: peer?.links.talk.isConnected ?? false,
        queuedBytes: (peer?.links.talk.queuedBytes ?? 0) + (peer?.links.bulk.queuedBytes ?? 0),
        heardMs: heard.length === 0 ? undefined : now - Math.max(...heard),
      };
    });
  }

  /** Stops listening and closes all connections; requests that wait are rejected. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Same as {@linkcode PeerLinks.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#beating);
    const links = [...this.#peers.values()].flatMap(({ links }) => [links.talk, links.bulk]);
    await closeTogether([
      () => this.#accepted.close(),
      ...links.map((link) => () => link.close()),
      ...[...this.#ending].map((ending) => () => ending),
    ]);
  }

  #opened(hello: Hello): void {
    const peer = this.#peers.get(hello.id);
    if (peer !== undefined) peer.told = undefined;
    if (hello.lane !== "bulk") this.#options.pubsub.connected(hello.id);
    this.#greeted(hello);
  }

  #entered(hello: Hello): void {
    if (hello.lane !== "bulk") this.#peers.get(hello.id)?.links.talk.came();
    this.#greeted(hello);
  }

  #greeted({ id, name, lane }: Hello): void {
    this.#names.set(id, name);
    if (lane !== "bulk") this.#options.handlers.connected(id, name);
  }

  #forget(id: string, { links }: Located): void {
    this.#peers.delete(id);
    this.#forgetName(id);
    const ending = Promise.all([links.talk.close(), links.bulk.close()])
      .then(() => void this.#ending.delete(ending))
      .catch((error: unknown) => this.#options.log.unexpected(error));
    this.#ending.add(ending);
  }

  /** Names are kept of those only who have an address or a connection. */
  #forgetName(id: string): void {
    const isKnown = this.#peers.has(id) || this.#accepted.heardAt(id) !== undefined;
    if (!isKnown) this.#names.delete(id);
  }

  #failed(id: string, lane: Lane, problem: string): void {
    this.#counts.failed++;
    const peer = this.#peers.get(id);
    if (peer === undefined || peer.told === problem) return;
    peer.told = problem;
    const name = this.#names.get(id) ?? id;
    const to = joinHostPort(peer.address.host, peer.address.port);
    this.#complain(`${lane} ${id}`, `No connection to '${name}' (${to}): ${problem}`);
  }

  /** Writes a line, for each subject at most one a second. */
  #complain(subject: string, text: string): void {
    const hidden = this.#complaints.admit(subject);
    if (hidden !== undefined) this.#options.log.write("WARN", "peers", text + hiddenNote(hidden));
  }

  #beat(): void {
    const { beatMs } = this.#timings;
    for (const { links } of this.#peers.values()) {
      links.talk.beat(beatMs);
      links.bulk.beat(beatMs);
    }
    this.#accepted.beat();
  }
}

/** Which lane carries a message. */
function laneOf({ type }: Message): "talk" | "bulk" {
  return type === "install" || type === "install-reply" ? "bulk" : "talk";
}

/** Of the own connections only the time until their hello is bounded: how many there are is known. */
function callerAdmission({ helloMs }: PeerTimings): AdmissionLimits {
  return {
    connections: Infinity,
    perSource: Infinity,
    strangers: Infinity,
    strangersPerSource: Infinity,
    strangerMs: helloMs,
  };
}
