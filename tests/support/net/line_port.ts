/**
 * A port that answers lines: the smallest there can be, so that tests show what every port gets from `server/net/`.
 *
 * Who has sent a line is no stranger any more.
 *
 * - `big N` is answered with N letters
 * - `wait NAME` is answered when the test says so
 * - `watch` is answered, and records follow
 * - `bye` is the last line, and answered as such
 * - `bug` and `late bug` meet faults of the program
 * - any other line is its own answer; one with `!` in it cannot be understood
 *
 * @module
 */

import { Writer } from "../../../protocol/msgpack/mod.ts";
import { Admission, type AdmissionLimits } from "../../../server/net/admission.ts";
import type { ConnectionLimits } from "../../../server/net/connection.ts";
import {
  type Conversation,
  type Parser,
  type Peer,
  UnfinishedLimitError,
} from "../../../server/net/conversation.ts";
import { type LossCount, Losses } from "../../../server/net/losses.ts";
import { RecordCounter } from "../../../server/net/outbox.ts";
import { Port, type PortParts } from "../../../server/net/port.ts";
import { WriterPool } from "../../../server/net/writer_pool.ts";

const RECORD_HEADER = new TextEncoder().encode("record ");

/** What no line may hold. */
class LineError extends Error {}

/** Cuts bytes into lines. */
class LineParser implements Parser {
  readonly #deliver: (line: Uint8Array) => void;
  #rest = "";

  constructor(deliver: (line: Uint8Array) => void) {
    this.#deliver = deliver;
  }

  get pending(): number {
    return this.#rest.length;
  }

  push(bytes: Uint8Array): void {
    const lines = (this.#rest + new TextDecoder().decode(bytes)).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.includes("!")) throw new LineError(`Line has '!': '${line}'`);
      this.#deliver(new TextEncoder().encode(line));
    }
  }
}

/** A subscriber of records. */
interface Watcher {
  readonly peer: Peer<Writer>;
  readonly counter: RecordCounter;
  readonly lost: LossCount;
}

class LineConversation implements Conversation {
  readonly parser: Parser;
  ended = false;
  readonly #peer: Peer<Writer>;
  readonly #port: LinePort;
  #watcher: Watcher | undefined;

  constructor(peer: Peer<Writer>, deliver: (line: Uint8Array) => void, port: LinePort) {
    this.parser = new LineParser(deliver);
    this.#peer = peer;
    this.#port = port;
  }

  take(message: Uint8Array): Promise<void> | undefined {
    const line = new TextDecoder().decode(message);
    this.#port.taken.push(line);
    this.#peer.know();
    const [command, argument = ""] = line.split(" ");
    switch (command) {
      case "big":
        return this.#answer("x".repeat(Number(argument)));
      case "wait":
        return this.#port.gate(argument).then(() => this.#answer(line));
      case "watch":
        this.#watcher = {
          peer: this.#peer,
          counter: new RecordCounter(),
          lost: { total: 0, told: 0 },
        };
        this.#port.watchers.add(this.#watcher);
        break;
      case "bye":
        this.ended = true;
        return this.#answer(line);
      case "bug":
        throw new TypeError("A fault of the program");
      case "late":
        return Promise.reject(new TypeError("A late fault of the program"));
    }
    return this.#answer(line);
  }

  fail(error: unknown): void {
    if (!(error instanceof LineError || error instanceof UnfinishedLimitError)) throw error;
    this.#answer(error.message);
    this.ended = true;
  }

  finish(): void {
    if (this.#watcher !== undefined) this.#port.watchers.delete(this.#watcher);
  }

  close(): void {
    this.finish();
    this.#port.freed++;
  }

  #answer(text: string): undefined {
    this.#peer.outbox.append(new TextEncoder().encode(`${text}\n`));
  }
}

/** What one connection may hold. */
export const LIMITS: ConnectionLimits = {
  backlogBytes: 64 * 1024,
  waitingRecords: 1_000,
  waitingBytes: 1024 * 1024,
  strangerBytes: 1_000,
};

const ADMISSION: AdmissionLimits = {
  connections: 1_000,
  perSource: 1_000,
  strangers: 1_000,
  strangersPerSource: 1_000,
  strangerMs: 60_000,
};

/** What a test wants to be different. */
export interface LinePortChanges
  extends Partial<Omit<PortParts<Writer, never>, "admission" | "open">> {
  readonly admission?: Partial<AdmissionLimits>;
  readonly open?: () => Conversation;
}

/** A port that answers lines, and what happened there. */
export class LinePort implements AsyncDisposable {
  /** The lines that were taken. */
  readonly taken: string[] = [];
  /** What was told: of losses, stalls, failed accepts. */
  readonly told: string[] = [];
  /** What nobody expected. */
  readonly unexpected: unknown[] = [];
  /** Who gets records. */
  readonly watchers = new Set<Watcher>();
  /** How many conversations are over. */
  freed = 0;
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();
  readonly #losses = new Losses<undefined>({
    dropping: () => {},
    dropped: (name, lost) => this.told.push(`${name} has lost ${lost}`),
    onUnexpected: (error) => this.unexpected.push(error),
  });
  readonly #port: Port<Writer, Conversation>;

  /** Begins to serve. */
  constructor(
    socket: Deno.Listener<Deno.TcpConn>,
    { admission, ...changes }: LinePortChanges = {},
  ) {
    this.#port = new Port(socket, {
      writers: new WriterPool(() => new Writer("rpc", 64)),
      limits: LIMITS,
      admission: new Admission(
        { ...ADMISSION, ...admission },
        (_source, text) => this.told.push(text),
      ),
      stallLimitMs: 30_000,
      drainLimitMs: 5_000,
      open: (peer, deliver) => new LineConversation(peer, deliver, this),
      onUnexpected: (error) => this.unexpected.push(error),
      onAcceptFailure: (cause) => this.told.push(String(cause)),
      onStall: ({ name }) => this.told.push(`${name} stalls`),
      ...changes,
    });
  }

  /** Where it listens. */
  get address(): Deno.NetAddr {
    return this.#port.address;
  }

  /** How many connections are open. */
  get size(): number {
    return this.#port.size;
  }

  /** Lets the lines `wait NAME` be answered. */
  release(name: string): void {
    this.#gateOf(name).resolve();
  }

  /** Sends a record to everyone who watches. */
  publish(text: string): void {
    const body = new TextEncoder().encode(`${text}\n`);
    for (const { peer, counter, lost } of this.watchers) {
      if (!peer.outbox.record(counter, RECORD_HEADER, body)) {
        this.#losses.count(peer, lost, undefined);
      }
    }
  }

  /** Ends it. */
  close(): Promise<void> {
    return this.#port.close();
  }

  /** Same as {@linkcode LinePort.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Resolves when `wait NAME` may be answered. */
  gate(name: string): Promise<void> {
    return this.#gateOf(name).promise;
  }

  #gateOf(name: string): PromiseWithResolvers<void> {
    const gate = this.#gates.get(name) ?? Promise.withResolvers<void>();
    this.#gates.set(name, gate);
    return gate;
  }
}
