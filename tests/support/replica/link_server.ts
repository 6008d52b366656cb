/**
 * A server that has nothing but its links to others, and keeps what it hears.
 *
 * @module
 */

import type { Keyring } from "../../../cluster/memberlist/wire/keyring.ts";
import type { Message } from "../../../cluster/raft/mod.ts";
import { NewsError } from "../../../cluster/pubsub/mod.ts";
import {
  type Hello,
  PeerLinks,
  type PeerLinksOptions,
  UnansweredError,
} from "../../../server/replica/peers/mod.ts";
import { until } from "../rpc/peer.ts";

/** What a test wants to be different. */
export interface LinkServerChanges extends Partial<Omit<PeerLinksOptions, "handlers" | "log">> {
  readonly clusterId?: string;
  readonly id?: string;
  readonly keyring?: Keyring | undefined;
  readonly accepts?: (hello: Hello) => string | undefined;
  /** Whether somebody listens to channels there. */
  readonly isListening?: boolean;
  /** Whether all news are taken for none. */
  readonly refusesNews?: boolean;
  readonly onRequest?: (from: string, bytes: Uint8Array) => Promise<Uint8Array>;
}

/** The cluster that servers of tests belong to. */
export const CLUSTER = "c".repeat(32);

/** A server and what it has heard. */
export class LinkServer implements AsyncDisposable {
  /** Messages with their senders, in the order in which they came. */
  readonly heard: { from: string; message: Message }[] = [];
  /** Who has come, again and again. */
  readonly greeted: { id: string; name: string }[] = [];
  /** News with their senders, in the order in which they came. */
  readonly news: { from: string; bytes: Uint8Array }[] = [];
  /** Whom a new connection leads to, and whose is gone or replaced, again and again. */
  readonly reached: string[] = [];
  readonly lost: string[] = [];
  /** Lines of the log. */
  readonly lines: string[] = [];
  /** What nobody expected. */
  readonly unexpected: unknown[] = [];

  private constructor(readonly id: string) {}

  /** The links. Set by {@linkcode LinkServer.start}. */
  links!: PeerLinks;

  /** Starts one with the id `name` times 32, by default. */
  static async start(
    host: string,
    name: string,
    changes: LinkServerChanges = {},
  ): Promise<LinkServer> {
    const { clusterId = CLUSTER, id = name.repeat(32), accepts, onRequest, ...others } = changes;
    const { isListening = false, refusesNews = false, ...options } = others;
    const server = new LinkServer(id);
    server.links = await PeerLinks.open({
      host,
      port: 0,
      identity: () => ({ clusterId, id, name: `agent-${name}` }),
      handlers: {
        accepts: accepts ?? (() => undefined),
        message: (from, message) => server.heard.push({ from, message }),
        request: onRequest ?? ((_, bytes) => Promise.resolve(bytes)),
        connected: (id, name) => server.greeted.push({ id, name }),
      },
      pubsub: {
        isListening,
        receive: (from, bytes) => {
          if (refusesNews) throw new NewsError("None");
          server.news.push({ from, bytes });
        },
        connected: (id) => server.reached.push(id),
        forget: (id) => server.lost.push(id),
      },
      log: {
        write: (level, _subsystem, message) => {
          server.lines.push(`[${level}] ${typeof message === "function" ? message() : message}`);
        },
        unexpected: (error) => server.unexpected.push(error),
      },
      ...options,
    });
    return server;
  }

  /** Where it listens. */
  get address(): { host: string; port: number } {
    const { hostname, port } = this.links.address;
    return { host: hostname, port };
  }

  /** Learns where another one is. */
  knows(other: LinkServer): this {
    this.links.locate(other.id, other.address);
    return this;
  }

  /** Sends a small message with a number in it. */
  tell(other: LinkServer, number: number): void {
    this.links.send(other.id, small(number));
  }

  /** Sends a small message again and again until another one has it. */
  async reach(other: LinkServer, number = 1): Promise<void> {
    this.tell(other, number);
    await until(() => other.numbers(this).includes(number));
  }

  /** The numbers of the small messages of another one. */
  numbers(from: LinkServer): number[] {
    return this.heard.filter((heard) => heard.from === from.id).map(({ message }) => message.term);
  }

  /** Whether a line of the log matches. */
  logged(pattern: RegExp): boolean {
    return this.lines.some((line) => pattern.test(line));
  }

  /** Ends it. */
  close(): Promise<void> {
    return this.links.close();
  }

  /** Same as {@linkcode LinkServer.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A message that only has a number. */
export function small(number: number): Message {
  return { type: "timeout-now", term: number };
}

/** A piece of a snapshot. */
export function piece(bytes: number): Message {
  const snapshot = {
    index: 1,
    term: 1,
    configuration: [{ id: "a".repeat(32), role: "voter" as const }],
    configurationIndex: 1,
    size: bytes,
    hash: "0".repeat(64),
  };
  return { type: "install", term: 1, snapshot, offset: 0, chunk: new Uint8Array(bytes) };
}

export { UnansweredError };
