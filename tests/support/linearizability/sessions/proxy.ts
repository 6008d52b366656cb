/**
 * What stands between clients with sessions and a server: it notes what goes by, repeats requests, loses answers, and cuts
 * connections.
 *
 * @module
 */

import {
  clientFrame,
  type ClientMessage,
  frameSplitter,
  readClientMessage,
  readServerMessage,
  serverFrame,
  type ServerMessage,
} from "../../../../protocol/sessions/mod.ts";
import type { Place } from "../connection.ts";
import type { Ledger } from "./ledger.ts";

/** How often something goes twice, and an answer not at all. */
const REPEATED = 0.05;
const LOST = 0.02;

/** What proxies share. */
export interface Between {
  readonly ledger: Ledger;
  /** Where clients are to look for the server of an address. */
  readonly instead: (address: string) => string;
}

/** A proxy of one server. */
export class SessionProxy implements AsyncDisposable {
  readonly #to: Place;
  readonly #between: Between;
  readonly #listener: Deno.Listener;
  readonly #links = new Set<Link>();
  readonly #serving: Promise<void>;

  /** Listens at `at` for clients of the server at `to`. */
  constructor(at: Place, to: Place, between: Between) {
    this.#to = to;
    this.#between = between;
    this.#listener = Deno.listen(at);
    this.#serving = this.#serve();
  }

  /** Cuts connections, each with this chance. */
  cut(chance: number): void {
    for (const link of this.#links) if (Math.random() < chance) link.close();
  }

  /** Cuts all connections, and takes no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut(1);
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const running = new Set<Promise<void>>();
    for await (const client of this.#listener) {
      const done = this.#join(client).finally(() => running.delete(done));
      running.add(done);
    }
    await Promise.all(running);
  }

  async #join(client: Deno.Conn): Promise<void> {
    let server: Deno.Conn;
    try {
      server = await Deno.connect(this.#to);
    } catch {
      return client.close();
    }
    const link = new Link(client, server, this.#between);
    this.#links.add(link);
    await link.ended;
    this.#links.delete(link);
  }
}

/** One connection, and the session that is on it. */
class Link {
  readonly ended: Promise<void>;
  readonly #conns: readonly Deno.Conn[];
  readonly #between: Between;
  #session = "";
  #asked = "";

  constructor(client: Deno.Conn, server: Deno.Conn, between: Between) {
    this.#between = between;
    this.#conns = [client, server];
    const there = pump(client, server, (bytes) => this.#there(readClientMessage(bytes)));
    const back = pump(server, client, (bytes) => this.#back(readServerMessage(bytes)));
    this.ended = Promise.all([there, back].map((one) => one.finally(() => this.close())))
      .then(() => {});
  }

  close(): void {
    for (const conn of this.#conns) {
      try {
        conn.close();
      } catch {
        // It is closed.
      }
    }
  }

  #there(message: ClientMessage): Uint8Array[] {
    if (message.kind === "continueSession") this.#asked = message.sessionId;
    const frame = clientFrame(message);
    return message.kind === "clientRequest" ? perhapsTwice(frame) : [frame];
  }

  #back(message: ServerMessage): Uint8Array[] {
    const { ledger, instead } = this.#between;
    switch (message.kind) {
      case "sessionCreated":
        this.#session = message.sessionId;
        break;
      case "sessionContinued":
        this.#session = this.#asked;
        break;
      case "clientResponse":
        ledger.answered(this.#session, message.requestId, message.result);
        return Math.random() < LOST ? [] : perhapsTwice(serverFrame(message));
      case "queryResponse":
        return Math.random() < LOST ? [] : perhapsTwice(serverFrame(message));
      case "serverRequest":
        ledger.tell(this.#session, message.requestId, message.payload);
        return perhapsTwice(serverFrame(message));
      case "clusterInfo": {
        const members = message.members.map((one) => ({ ...one, address: instead(one.address) }));
        return [serverFrame({ ...message, members })];
      }
    }
    return [serverFrame(message)];
  }
}

function perhapsTwice(frame: Uint8Array): Uint8Array[] {
  return Math.random() < REPEATED ? [frame, frame] : [frame];
}

/** Copies until either side ends; `turn` says what becomes of a frame. */
async function pump(
  from: Deno.Conn,
  to: Deno.Conn,
  turn: (bytes: Uint8Array) => Uint8Array[],
): Promise<void> {
  const frames: Uint8Array[] = [];
  const splitter = frameSplitter((bytes) => void frames.push(...turn(bytes)));
  const buffer = new Uint8Array(64 * 1024);
  try {
    for (let count: number | null; (count = await from.read(buffer)) !== null;) {
      splitter.push(buffer.subarray(0, count));
      for (const frame of frames.splice(0)) {
        for (let rest = frame; rest.length > 0;) rest = rest.subarray(await to.write(rest));
      }
    }
  } catch (error) {
    if (!LOSSES.some((loss) => error instanceof loss)) throw error;
  }
}

/** Errors of connections that either end, or this proxy, has closed. */
const LOSSES = [
  Deno.errors.BadResource,
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.NotConnected,
  Deno.errors.TimedOut,
];
