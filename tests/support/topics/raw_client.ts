/**
 * A client of the topics port that sends what a test wants.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  FrameWriter,
  readError,
  readReply,
  readReplyHead,
  type Replies,
  type Reply,
  replySplitter,
  type RequestId,
  type RequestKind,
  type Requests,
  type Sending,
  STATUS,
  writeRequest,
} from "../../../protocol/topics/mod.ts";
import type { Agent } from "../../../server/agent/agent.ts";
import { encodeMessages, messageOf, type TestMessage } from "./messages.ts";

/** Nothing takes longer. */
const LIMIT_MS = 10_000;

/** An answer: a result, or a code and a text. */
export type Answer<K extends RequestKind> = Replies[K] | Refused;

/** Why there is no result. */
export interface Refused {
  readonly code: number;
  readonly message: string;
}

/** A connection. */
export class RawTopics implements Disposable {
  readonly #conn: Deno.TcpConn | Deno.TlsConn;
  readonly #replies: Reply[] = [];
  #isOver = false;
  #nextId = 1_000;
  /** All that has come, with the lengths of frames. */
  readonly #received: Uint8Array[] = [];

  private constructor(conn: Deno.TcpConn | Deno.TlsConn) {
    this.#conn = conn;
  }

  /** Connects to an agent, or to an address `host:port`; with TLS to who has the certificate. */
  static async open(
    place: Agent | Deno.NetAddr | string,
    certificate?: string,
  ): Promise<RawTopics> {
    const address = typeof place === "string" || "hostname" in place
      ? place
      : place.state?.addresses.topicsAddr ?? "";
    const [hostname = "", port] = typeof address === "string"
      ? address.split(":")
      : [address.hostname, address.port];
    const conn = await Deno.connect({ hostname, port: Number(port) });
    if (certificate === undefined) return new RawTopics(conn);
    const how = { hostname: "localhost", caCerts: [certificate] };
    return new RawTopics(await Deno.startTls(conn, how));
  }

  /** Replies that have come and were passed over. */
  get unread(): number {
    return this.#replies.length;
  }

  /** Bytes that have come of a frame that is not whole. */
  get pending(): number {
    return this.#splitter.pending;
  }

  /** Sends bytes, or those of a text of hex. */
  async send(bytes: Uint8Array | string): Promise<void> {
    const all = typeof bytes === "string" ? Uint8Array.fromHex(bytes) : bytes;
    for (let rest = all; rest.length > 0;) rest = rest.subarray(await this.#conn.write(rest));
  }

  /** Sends a request, and returns its id. */
  async post<K extends RequestKind>(
    kind: K,
    body: Requests[K],
    sending: Sending = {},
  ): Promise<RequestId> {
    const id = this.#nextId++;
    await this.send(frameOf(id, kind, body, sending));
    return id;
  }

  /** Sends a request and waits for its answer, passing over others. */
  async ask<K extends RequestKind>(
    kind: K,
    body: Requests[K],
    sending: Sending = {},
  ): Promise<Answer<K>> {
    const id = await this.post(kind, body, sending);
    return answerOf(await this.reply(id), kind, sending);
  }

  /** The same for what must have a result. */
  async done<K extends RequestKind>(
    kind: K,
    body: Requests[K],
    sending: Sending = {},
  ): Promise<Replies[K]> {
    const answer = await this.ask(kind, body, sending);
    assert.ok(!isRefused(answer), JSON.stringify(answer));
    return answer;
  }

  /** The same for what must have none: the code. */
  async refused<K extends RequestKind>(
    kind: K,
    body: Requests[K],
    sending: Sending = {},
  ): Promise<number> {
    const answer = await this.ask(kind, body, sending);
    assert.ok(isRefused(answer), JSON.stringify(answer));
    return answer.code;
  }

  /** The next reply, or that to a request. */
  async reply(id?: RequestId): Promise<Reply> {
    while (true) {
      const at = this.#replies.findIndex((reply) => id === undefined || reply.id === id);
      if (at >= 0) return this.#replies.splice(at, 1)[0] as Reply;
      if (!await this.#read()) assert.fail(`The connection ended before reply ${id ?? ""}`);
    }
  }

  /** So many bytes as they came, in hex. */
  async raw(bytes: number): Promise<string> {
    while (this.#received.reduce((sum, { length }) => sum + length, 0) < bytes) {
      if (!await this.#read()) break;
    }
    const all = Uint8Array.from(this.#received.flatMap((part) => [...part]));
    this.#received.length = 0;
    this.#replies.length = 0;
    return all.toHex();
  }

  /** Resolves with the replies that are left when the other end has ended the connection. */
  async end(): Promise<Reply[]> {
    while (await this.#read());
    return this.#replies.splice(0);
  }

  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch {
      // It is closed.
    }
  }

  readonly #splitter = replySplitter((frame) => {
    this.#replies.push(readReplyHead(frame.slice()));
  });

  async #read(): Promise<boolean> {
    if (this.#isOver) return false;
    const buffer = new Uint8Array(64 * 1024);
    const late = setTimeout(() => this[Symbol.dispose](), LIMIT_MS);
    try {
      const count = await this.#conn.read(buffer);
      if (count === null) {
        this.#isOver = true;
        return false;
      }
      this.#received.push(buffer.slice(0, count));
      this.#splitter.push(buffer.subarray(0, count));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) {
        this.#isOver = true;
        return false;
      }
      throw error;
    } finally {
      clearTimeout(late);
    }
  }
}

/** The bytes of a request. */
export function frameOf<K extends RequestKind>(
  id: RequestId,
  kind: K,
  body: Requests[K],
  sending: Sending = {},
): Uint8Array {
  const writer = new FrameWriter();
  writeRequest(writer, id, kind, body, sending);
  return writer.finish();
}

/** What a reply says. */
export function answerOf<K extends RequestKind>(
  { status, code, payload }: Reply,
  kind: K,
  { version, flags }: Sending = {},
): Answer<K> {
  return status === STATUS.ok
    ? readReply(payload, kind, version, flags)
    : { code, message: readError(payload) };
}

/** Whether there is no result. */
export function isRefused<K extends RequestKind>(answer: Answer<K>): answer is Refused {
  return "code" in answer && "message" in answer;
}

/** A produce of values, or of messages. */
export function producing(
  topic: string,
  messages: readonly (string | TestMessage)[],
  rest: Partial<Requests["produce"]> = {},
): Requests["produce"] {
  const all = messages.map((one) => typeof one === "string" ? messageOf(one) : one);
  return {
    topic,
    partition: 0,
    acks: -1,
    timeoutMs: 0,
    producer: undefined,
    codec: 0,
    messages: { count: all.length, bytes: encodeMessages(all) },
    ...rest,
  };
}

/** A fetch from an offset on. */
export function fetching(
  topic: string,
  offset: number,
  rest: Partial<Requests["fetch"]> = {},
): Requests["fetch"] {
  const bounds = { maxBytes: 1 << 20, minBytes: 0, maxWaitMs: 0, codec: 0 };
  return { topic, partition: 0, offset, ...bounds, ...rest };
}
