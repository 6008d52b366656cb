/**
 * A client of the session port that does nothing by itself: it sends what a test says, and waits for what comes.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Agent } from "../../../server/agent/agent.ts";
import {
  type Capability,
  clientFrame,
  type ClientMessage,
  frameSplitter,
  readServerMessage,
  type ServerMessage,
} from "../../../protocol/sessions/mod.ts";
import { within } from "../../../server/net/deadline.ts";

/** How long a message is waited for, in milliseconds. */
const LIMIT_MS = 20_000;

/** A message of a kind. */
export type Of<K extends ServerMessage["kind"]> = Extract<ServerMessage, { kind: K }>;

/** A plain client, and one that understands everything. */
export const PLAIN: readonly Capability[] = [["worker", "v2"]];
/** See {@linkcode PLAIN}. */
export const EXTENDED: readonly Capability[] = [["session-ext", "1"]];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A connection. */
export class RawClient implements AsyncDisposable {
  readonly #conn: Deno.Conn;
  readonly #came: { readonly message: ServerMessage; readonly bytes: Uint8Array }[] = [];
  readonly #reading: Promise<void>;
  #hasEnded = false;
  #wake = (): void => {};
  #lastNonce = 0n;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.#reading = this.#read();
  }

  /** Connects with `host:port`; by TLS with a server that has this certificate. */
  static async open(address: string | undefined, certificate?: string): Promise<RawClient> {
    const [hostname, port] = address?.split(":") ?? [];
    assert.ok(hostname, "there is no port for sessions");
    const conn = await Deno.connect({ hostname, port: Number(port) });
    // Messages are small, and a test waits for each.
    conn.setNoDelay(true);
    if (certificate === undefined) return new RawClient(conn);
    const how = { hostname: "localhost", caCerts: [certificate] };
    return new RawClient(await Deno.startTls(conn, how));
  }

  /** Sends messages in one write. */
  async send(...messages: readonly ClientMessage[]): Promise<void> {
    await this.sendBytes(...messages.map(clientFrame));
  }

  /** Sends bytes as they are. */
  async sendBytes(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      for (let rest = part; rest.length > 0;) rest = rest.subarray(await this.#conn.write(rest));
    }
  }

  /** Sends a request. */
  async request(id: number, payload: unknown, low = id): Promise<void> {
    await this.send(requestOf(id, payload, low));
  }

  /** Sends a request and waits for its result. */
  async command(id: number, payload: unknown, low = id): Promise<string> {
    await this.request(id, payload, low);
    return await this.result(id);
  }

  /** Waits for the result of a request, or why it has none. */
  async result(id: number): Promise<string> {
    const message = await this.next("clientResponse", "requestError");
    assert.equal(message.requestId, id);
    return message.kind === "requestError"
      ? `error ${message.reason}`
      : decoder.decode(message.result);
  }

  /** Sends a query and waits for its answer. */
  async query(payload: unknown, correlationId = "q"): Promise<string> {
    await this.send(queryOf(payload, correlationId));
    const message = await this.next("queryResponse", "queryError");
    assert.equal(message.correlationId, correlationId);
    return message.kind === "queryError"
      ? `error ${message.reason}`
      : decoder.decode(message.result);
  }

  /** Shows a token. */
  async hello(token: string): Promise<void> {
    await this.send({ kind: "hello", token, flags: 0 });
  }

  /** Begins a session and returns its id. */
  async create(capabilities: readonly Capability[] = PLAIN): Promise<string> {
    const nonce = ++this.#lastNonce;
    await this.send({ kind: "createSession", capabilities, nonce });
    const created = await this.next("sessionCreated");
    assert.equal(created.nonce, nonce);
    return created.sessionId;
  }

  /** Goes on with a session; returns what the server says to that. */
  async goOn(sessionId: string): Promise<string> {
    const nonce = ++this.#lastNonce;
    await this.send({ kind: "continueSession", sessionId, nonce });
    const message = await this.next("sessionContinued", "sessionRejected");
    assert.equal(message.nonce, nonce);
    return message.kind === "sessionContinued" ? "continued" : `rejected ${message.reason}`;
  }

  /** The next message, which has to be of one of these kinds. */
  async next<K extends ServerMessage["kind"]>(...kinds: readonly K[]): Promise<Of<K>> {
    const { message } = await this.#next();
    const isRight = (kinds as readonly string[]).includes(message.kind);
    assert.ok(isRight, `expected ${kinds.join(" or ")}, got ${JSON.stringify(shown(message))}`);
    return message as Of<K>;
  }

  /** The next message as hex digits. */
  async hex(): Promise<string> {
    return (await this.#next()).bytes.toHex();
  }

  /** The next server requests, so many: their ids. */
  async requestIds(count: number): Promise<number[]> {
    const ids: number[] = [];
    while (ids.length < count) ids.push((await this.next("serverRequest")).requestId);
    return ids;
  }

  /** Waits for the end of the connection; nothing may come before that. */
  async ended(): Promise<void> {
    await this.#until(() => this.#hasEnded || this.#came.length > 0, "its end");
    assert.deepEqual(this.#came.map(({ message }) => shown(message)), []);
  }

  /** Why the connection is closed, which ends then; what comes before is passed over. */
  async closed(): Promise<number> {
    for (;;) {
      const { message } = await this.#next();
      if (message.kind !== "sessionClosed") continue;
      await this.ended();
      return message.reason;
    }
  }

  /** Messages that have come and were not asked for. */
  get waiting(): number {
    return this.#came.length;
  }

  /** Whether the server has ended the connection. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    try {
      this.#conn.close();
    } catch {
      // It is closed.
    }
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #next(): Promise<{ message: ServerMessage; bytes: Uint8Array }> {
    await this.#until(() => this.#came.length > 0 || this.#hasEnded, "a message");
    const next = this.#came.shift();
    assert.ok(next, "the connection has ended");
    return next;
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const end = performance.now() + LIMIT_MS;
    while (!holds()) {
      const { promise, resolve } = Promise.withResolvers<true>();
      this.#wake = () => resolve(true);
      const came = await within(end - performance.now(), promise);
      assert.ok(came, `waited ${LIMIT_MS} ms in vain for ${what}`);
    }
  }

  async #read(): Promise<void> {
    const splitter = frameSplitter((frame) => {
      const bytes = frame.slice();
      this.#came.push({ message: readServerMessage(bytes), bytes });
    });
    const buffer = new Uint8Array(65_536);
    for (;;) {
      let count: number | null;
      try {
        count = await this.#conn.read(buffer);
      } catch {
        // The server has reset it, or the test has closed it.
        count = null;
      }
      if (count === null) break;
      splitter.push(buffer.subarray(0, count));
      this.#wake();
    }
    this.#hasEnded = true;
    this.#wake();
  }
}

/** A request whose payload is JSON, or bytes. */
export function requestOf(
  requestId: number,
  payload: unknown,
  lowestPending: number,
): ClientMessage {
  return {
    kind: "clientRequest",
    requestId,
    lowestPending,
    payload: bytesOf(payload),
    createdAt: 1,
  };
}

/** A query whose payload is JSON, or bytes. */
export function queryOf(payload: unknown, correlationId: string): ClientMessage {
  return { kind: "query", correlationId, payload: bytesOf(payload), createdAt: 1 };
}

/** Connects with the port for sessions of an agent. */
export function openRaw(agent: Agent): Promise<RawClient> {
  return RawClient.open(agent.state?.addresses.sessionAddr);
}

/** The text of a payload. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

function bytesOf(payload: unknown): Uint8Array {
  return payload instanceof Uint8Array ? payload : encoder.encode(JSON.stringify(payload));
}

function shown(message: ServerMessage): Record<string, unknown> {
  const text = (value: unknown): unknown =>
    value instanceof Uint8Array
      ? decoder.decode(value)
      : typeof value === "bigint"
      ? `${value}`
      : value;
  return Object.fromEntries(Object.entries(message).map(([name, value]) => [name, text(value)]));
}
