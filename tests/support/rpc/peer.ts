/**
 * A raw RPC client for tests: it sends any bytes and shows every value that comes back.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  decodeValue,
  type Encodable,
  encodeValue,
  Splitter,
  type Value,
} from "../../../protocol/msgpack/mod.ts";

/** How long a test waits for something to happen, in milliseconds. */
const PATIENCE_MS = 5_000;

/** A decoded value with maps as plain objects. */
export type Plain =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Plain[]
  | { [key: string]: Plain };

/** A connection to an RPC server. */
export class Peer implements Disposable {
  readonly #conn: Deno.Conn;
  readonly #values: Plain[] = [];
  readonly #splitter = new Splitter((value) => this.#values.push(plain(decodeValue(value))));
  readonly #buffer = new Uint8Array(64 * 1024);
  /** The client's address as the server logs it. */
  readonly name: string;
  /** The server's address. */
  readonly remote: Deno.NetAddr;
  /** Bytes received so far. */
  received = 0;
  #kept: Uint8Array[] | undefined;
  #seq = 0;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
    const { hostname, port } = conn.localAddr as Deno.NetAddr;
    this.name = `${hostname}:${port}`;
    this.remote = conn.remoteAddr as Deno.NetAddr;
  }

  /** Connects. */
  static async connect(address: Deno.NetAddr): Promise<Peer> {
    return new Peer(await Deno.connect({ hostname: address.hostname, port: address.port }));
  }

  /** Connects and shakes hands, and gives the token if there is one. */
  static async ready(address: Deno.NetAddr, token?: string): Promise<Peer> {
    const peer = await Peer.connect(address);
    assert.deepEqual(await peer.ask("handshake", { Version: 1 }), { Error: "", Seq: 1 });
    if (token !== undefined) {
      assert.deepEqual(await peer.ask("auth", { AuthKey: token }), { Error: "", Seq: 2 });
    }
    return peer;
  }

  /** Sends bytes. */
  async send(...chunks: Uint8Array[]): Promise<void> {
    let bytes: Uint8Array = concat(chunks);
    while (bytes.length > 0) bytes = bytes.subarray(await this.#conn.write(bytes));
  }

  /** Sends a request with the next Seq, and returns it. */
  async request(command: string, body?: Encodable): Promise<number> {
    const seq = ++this.#seq;
    await this.send(request(command, seq, body));
    return seq;
  }

  /** Sends a request and returns the next value. */
  async ask(command: string, body?: Encodable): Promise<Plain> {
    await this.request(command, body);
    return await this.next();
  }

  /** The next value. */
  async next(): Promise<Plain> {
    while (this.#values.length === 0) {
      assert.ok(await this.#read(), "closed while a value was awaited");
    }
    return this.#values.shift() ?? null;
  }

  /** The next `count` values. */
  async take(count: number): Promise<Plain[]> {
    const values: Plain[] = [];
    while (values.length < count) values.push(await this.next());
    return values;
  }

  /** Keeps the bytes that arrive from now on for {@linkcode Peer.kept}. */
  keep(): void {
    this.#kept = [];
  }

  /** Waits until `count` bytes are kept, and gives them; the values that they hold are not given by others then. */
  async keptAll(count: number): Promise<Uint8Array> {
    while (this.kept().length < count) {
      assert.ok(await this.#read(), "closed while bytes were awaited");
    }
    this.#values.length = 0;
    return this.kept();
  }

  /** The kept bytes. */
  kept(): Uint8Array {
    return concat(this.#kept ?? []);
  }

  /** Resolves when bytes have come; they are lost. The bytes after them stay unread. */
  async arrived(): Promise<void> {
    assert.ok(await withPatience(this.#conn.read(new Uint8Array(1))) !== null);
  }

  /** Sends no more. */
  async finish(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** All values up to the end of the connection. */
  async rest(): Promise<Plain[]> {
    while (await this.#read());
    return this.#values.splice(0);
  }

  /** Closes the connection. */
  close(): void {
    try {
      this.#conn.close();
    } catch {
      // Closed before.
    }
  }

  /** Same as {@linkcode Peer.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Reads once; `false` at the end of the connection, also when it was reset. */
  async #read(): Promise<boolean> {
    const count = await withPatience(this.#conn.read(this.#buffer).catch(() => null));
    if (count === null) return false;
    this.received += count;
    this.#kept?.push(this.#buffer.slice(0, count));
    this.#splitter.push(this.#buffer.subarray(0, count));
    return true;
  }
}

/** A request as bytes. */
export function request(command: string, seq: number | bigint, body?: Encodable): Uint8Array {
  const header = encodeValue({ Command: command, Seq: seq }, "rpc");
  return body === undefined ? header : concat([header, encodeValue(body, "rpc")]);
}

/** All chunks as one. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Rejects when `promise` takes too long. */
export async function withPatience<T>(promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("Waited too long")), PATIENCE_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when `condition` holds; looks every few milliseconds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `Waited too long for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A decoded value with maps as plain objects. */
export function plain(value: Value): Plain {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, held]) => [String(key), plain(held)]));
  }
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Uint8Array) return value.slice(); // The next read takes the buffer.
  return value as Plain;
}
