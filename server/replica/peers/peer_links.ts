/**
 * The links of one server to the others.
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../../cluster/log_limiter.ts";
import { loadCiphers } from "../../../cluster/memberlist/wire/seal.ts";
import type { Keyring } from "../../../cluster/memberlist/wire/keyring.ts";
import type { Message } from "../../../cluster/raft/mod.ts";
import { encodeMessage } from "../../../cluster/raft/wire/message_codec.ts";
import type { Address, Random } from "../../../cluster/runtime.ts";
import { joinHostPort } from "../../../protocol/host_port.ts";
import { Writer } from "../../../protocol/msgpack/mod.ts";
import { guarded } from "../../logging/background.ts";
import type { AgentLog, LogLevel } from "../../logging/log.ts";
import { Admission, type AdmissionLimits } from "../../net/admission.ts";
import { closeTogether } from "../../net/closing.ts";
import { listen } from "../../net/listen.ts";
import { Port } from "../../net/port.ts";
import { listenProblem } from "../../net/problems.ts";
import { WriterPool } from "../../net/writer_pool.ts";
import { realRandom } from "../../runtime.ts";
import { type PeerNet, UnsentError } from "../driver/parts.ts";
import { Callee } from "./callee.ts";
import { CHANNEL, frameOf } from "./frames.ts";
import type { Hello, Identity, Lane } from "./hello.ts";
import {
  ADMISSION,
  DRAIN_LIMIT_MS,
  MAX_BACKLOG_BYTES,
  MAX_STRANGER_BYTES,
  PEER_TIMINGS,
  type PeerTimings,
  STALL_LIMIT_MS,
} from "./limits.ts";
import { Link, type LinkParts } from "./link.ts";
import type { PeerHandlers, PeerParts } from "./parts.ts";

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
  readonly links: Readonly<Record<Lane, Link>>;
  /** What was told of it last, so that it is not told again and again. */
  told: string | undefined;
}

/** Listens for other servers, and talks to those whose address it is told. */
export class PeerLinks implements PeerNet, AsyncDisposable {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  readonly #options: PeerLinksOptions;
  readonly #timings: PeerTimings;
  readonly #linkParts: LinkParts;
  readonly #port: Port<Writer, Callee>;
  readonly #peers = new Map<string, Located>();
  /** Accepted connections by lane and id: the newest of each. */
  readonly #callees = new Map<string, Callee>();
  readonly #names = new Map<string, string>();
  readonly #complaints = new LogLimiter(performance);
  /** Links that are being closed. */
  readonly #ending = new Set<Promise<void>>();
  readonly #beating: ReturnType<typeof setInterval>;
  readonly #counts = { refused: 0, dropped: 0, failed: 0 };
  #closed: Promise<void> | undefined;

  private constructor(socket: Deno.TcpListener, options: PeerLinksOptions) {
    const { identity, keyring, handlers, log, random = realRandom } = options;
    const parts: PeerParts = { identity, keyring, handlers, log, random };
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
    this.#port = this.#serve(socket, parts, writers);
    this.address = this.#port.address;
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
    return { ...this.#counts };
  }

  /** Tells where the server of an id is, or that nobody knows any more. What it is told again changes nothing. */
  locate(id: string, address: Address | undefined): void {
    const peer = this.#peers.get(id);
    if (this.#closed !== undefined) return;
    if (address === undefined) {
      if (peer !== undefined) this.#forget(id, peer);
    } else if (peer === undefined) {
      const link = (lane: Lane): Link => new Link(id, lane, address, this.#linkParts);
      this.#peers.set(id, {
        address,
        links: { talk: link("talk"), bulk: link("bulk") },
        told: undefined,
      });
    } else if (peer.address.host !== address.host || peer.address.port !== address.port) {
      peer.address = address;
      peer.links.talk.move(address);
      peer.links.bulk.move(address);
    }
  }

  /** Sends a message to a server. It is lost when nobody knows where that is, it cannot be reached, or too much waits. */
  send(to: string, message: Message): void {
    const link = this.#peers.get(to)?.links[laneOf(message)];
    if (link?.send(frameOf(CHANNEL.raft, encodeMessage(message)))) return;
    this.#counts.dropped++;
  }

  /**
   * Sends a request to a server and resolves with its answer.
   *
   * Rejects with `UnsentError` when nothing was done, and with `UnansweredError` when something may have been.
   */
  request(to: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const peer = this.#peers.get(to);
    if (peer !== undefined) return peer.links.talk.request(bytes, timeoutMs);
    return Promise.reject(new UnsentError(`Nobody knows where server '${to}' is`));
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
        this.#callees.get(keyOf("talk", id))?.heardAt,
        this.#callees.get(keyOf("bulk", id))?.heardAt,
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
      () => this.#port.close(),
      ...links.map((link) => () => link.close()),
      ...[...this.#ending].map((ending) => () => ending),
    ]);
  }

  #serve(
    socket: Deno.TcpListener,
    parts: PeerParts,
    writers: WriterPool<Writer>,
  ): Port<Writer, Callee> {
    const calleeParts = {
      ...parts,
      entered: (callee: Callee) => this.#entered(callee),
      left: (callee: Callee) => this.#left(callee),
      refused: (source: string, problem: string) => this.#refused(source, problem),
    };
    return new Port<Writer, Callee>(socket, {
      writers,
      limits: {
        backlogBytes: MAX_BACKLOG_BYTES,
        waitingRecords: 0,
        waitingBytes: 0,
        strangerBytes: MAX_STRANGER_BYTES,
      },
      admission: new Admission(
        { ...ADMISSION, ...this.#options.admission },
        (source, text) => this.#complain(source, text),
      ),
      stallLimitMs: STALL_LIMIT_MS,
      drainLimitMs: DRAIN_LIMIT_MS,
      open: (peer, deliver) => new Callee(peer, deliver, calleeParts),
      onUnexpected: (error) => parts.log.unexpected(error),
      onAcceptFailure: (cause) => {
        this.#complain("accept", `Failed to accept a peer: ${(cause as Error).message}`);
      },
      onStall: ({ source }) => this.#complain(source, "Closed a connection: it read nothing"),
    });
  }

  #opened({ id, name, lane }: Hello): void {
    const peer = this.#peers.get(id);
    if (peer !== undefined) peer.told = undefined;
    this.#greeted(id, name, lane);
  }

  /** Of two connections of a peer on one lane the older one is a leftover. */
  #entered(callee: Callee): void {
    const { id, name, lane } = callee.hello as Hello;
    const key = keyOf(lane, id);
    const older = this.#callees.get(key);
    this.#callees.set(key, callee);
    older?.hangUp();
    this.#greeted(id, name, lane);
  }

  #greeted(id: string, name: string, lane: Lane): void {
    this.#names.set(id, name);
    if (lane === "talk") this.#options.handlers.connected(id, name);
  }

  #left(callee: Callee): void {
    if (callee.hello === undefined) return;
    const { id, lane } = callee.hello;
    const key = keyOf(lane, id);
    if (this.#callees.get(key) === callee) this.#callees.delete(key);
    this.#forgetName(id);
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
    const isKnown = this.#peers.has(id) || this.#callees.has(keyOf("talk", id)) ||
      this.#callees.has(keyOf("bulk", id));
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

  #refused(source: string, problem: string): void {
    this.#counts.refused++;
    this.#complain(source, `Refused a connection from ${source}: ${problem}`);
  }

  /** Writes a line, for each subject at most one a second. */
  #complain(subject: string, text: string): void {
    const hidden = this.#complaints.admit(subject);
    if (hidden !== undefined) this.#write("WARN", text + hiddenNote(hidden));
  }

  #write(level: LogLevel, text: string): void {
    this.#options.log.write(level, "peers", text);
  }

  #beat(): void {
    const { beatMs } = this.#timings;
    for (const { links } of this.#peers.values()) {
      links.talk.beat(beatMs);
      links.bulk.beat(beatMs);
    }
    for (const callee of this.#callees.values()) callee.beat();
  }
}

/** Which lane carries a message. */
function laneOf({ type }: Message): Lane {
  return type === "install" || type === "install-reply" ? "bulk" : "talk";
}

function keyOf(lane: Lane, id: string): string {
  return `${lane} ${id}`;
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
