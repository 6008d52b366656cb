/**
 * An RPC server that does what a test tells it: reads whole requests and leaves every answer to the test.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  COMMANDS,
  isCommandName,
  type Member,
  RequestHeader,
  ResponseHeader,
} from "../../protocol/ipc/mod.ts";
import { type Codec, decode, encode, Splitter } from "../../protocol/msgpack/mod.ts";
import { WIRE_VERSIONS } from "./versions.ts";

/** One request with the means to answer it. */
export interface FakeRequest {
  /** Name of the command. */
  command: string;
  /** Its number. */
  seq: number | bigint;
  /** Its decoded body; `null` when it has none. */
  body: unknown;
  /** The bytes of header and body. */
  hex: string;
  /** Sends a header and, when `codec` is given, a body. */
  answer<T>(error?: string, codec?: Codec<T>, body?: T): void;
  /** Sends bytes as they are. */
  send(...parts: Uint8Array[]): void;
  /** Closes the connection. */
  hangUp(): void;
}

/** A listening server. */
export interface FakeAgent extends AsyncDisposable {
  /** `ip:port`. */
  address: string;
  /** All requests so far. */
  requests: FakeRequest[];
  /** Waits for the next request of this command that no earlier call has taken. */
  next(command: string): Promise<FakeRequest>;
}

/** Takes a request; returns whether it has dealt with it. What is left gets an empty success, or waits for `next()`. */
export type Handler = (request: FakeRequest) => boolean;

/** Starts a server. It shakes hands by itself unless `handler` does. */
export function startFakeAgent(host: string, handler: Handler = () => false): FakeAgent {
  const listener = Deno.listen({ hostname: host, port: 0 });
  const requests: FakeRequest[] = [];
  const untaken: FakeRequest[] = [];
  const waiting: { command: string; resolve(request: FakeRequest): void }[] = [];
  const connections: Promise<void>[] = [];
  const conns = new Set<Deno.Conn>();

  const receive = (request: FakeRequest): void => {
    requests.push(request);
    if (handler(request)) return;
    if (request.command === "handshake") return request.answer();
    const index = waiting.findIndex(({ command }) => command === request.command);
    if (index < 0) untaken.push(request);
    else waiting.splice(index, 1)[0]?.resolve(request);
  };
  const accepting = (async () => {
    for await (const conn of listener) {
      conns.add(conn);
      connections.push(serve(conn, receive).finally(() => conns.delete(conn)));
    }
  })();

  return {
    address: `${host}:${(listener.addr as Deno.NetAddr).port}`,
    requests,
    next(command) {
      const index = untaken.findIndex((request) => request.command === command);
      const found = index < 0 ? undefined : untaken.splice(index, 1)[0];
      if (found) return Promise.resolve(found);
      return new Promise((resolve) => waiting.push({ command, resolve }));
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const conn of conns) conn.close();
      await Promise.all([accepting, ...connections]);
    },
  };
}

async function serve(conn: Deno.TcpConn, receive: (request: FakeRequest) => void): Promise<void> {
  conn.setNoDelay(true);
  let header: Uint8Array | undefined;
  let writing = Promise.resolve();
  const send = (...parts: Uint8Array[]): void => {
    for (const part of parts) writing = writing.then(() => writeAll(conn, part)).catch(() => {});
  };
  const splitter = new Splitter((value) => {
    const head = header ?? value.slice();
    const { Command, Seq } = decode(RequestHeader, head);
    const codec = isCommandName(Command) ? COMMANDS[Command].request as Codec<unknown> : null;
    if (header === undefined && codec !== null) {
      header = head;
      return;
    }
    header = undefined;
    receive({
      command: Command,
      seq: Seq,
      body: codec ? decode(codec, value.slice()) : null,
      hex: codec ? head.toHex() + value.toHex() : head.toHex(),
      answer: (error = "", bodyCodec, body) => {
        send(encode(ResponseHeader, { Seq, Error: error }, "rpc"));
        if (bodyCodec) send(encode(bodyCodec as Codec<unknown>, body, "rpc"));
      },
      send,
      hangUp: () => {
        writing = writing.then(() => conn.close());
      },
    });
  });
  try {
    for (const buffer = new Uint8Array(4096);;) {
      const count = await conn.read(buffer);
      if (count === null) break;
      splitter.push(buffer.subarray(0, count));
    }
  } catch (error) {
    assert(error instanceof Error);
  }
  await writing;
  try {
    conn.close();
  } catch {
    // The test has hung up.
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** A member with what differs from the usual. */
export function member(overrides: Partial<Member> = {}): Member {
  return {
    Name: "a",
    Addr: Uint8Array.of(127, 0, 0, 1),
    Port: 7946,
    Tags: { role: "web" },
    Status: "alive",
    ...WIRE_VERSIONS,
    ...overrides,
  };
}
