/**
 * A port that serves the topics of a {@linkcode PlainTopics}, and does what a test says instead where it says so.
 *
 * @module
 */

import {
  FLAG,
  FrameWriter,
  readRequest,
  type Replies,
  type Request,
  requestSplitter,
  TopicError,
  writeError,
  writeReply,
} from "../../../protocol/topics/mod.ts";
import { PlainTopics } from "./plain_topics.ts";

/** One connection to the port. */
export interface TopicConnectionEnd {
  /** Number of the connection, from 1 on. */
  readonly number: number;
  /** Replies as the model does, now. */
  answer(request: Request): void;
  /** Replies with an error. */
  refuse(request: Request, code: number, text?: string): void;
  /** Sends bytes as they are. */
  sendBytes(bytes: Uint8Array): void;
  /** Closes the connection once all is sent. */
  close(): void;
}

/** Gets each request but the hello; nothing more is done about it when it returns true. */
export type TopicScript = (request: Request, connection: TopicConnectionEnd) => boolean | void;

/** A port that is served. */
export interface ScriptedTopics extends AsyncDisposable {
  /** `host:port`. */
  readonly address: string;
  readonly model: PlainTopics;
  /** Every request that came, in order, but the hellos. */
  readonly received: Request[];
  /** How many connections there have been, and how many there are. */
  readonly accepted: number;
  readonly open: number;
  /** What is done in place of the model. */
  script: TopicScript;
  /** Closes all connections. */
  hangUp(): void;
}

/** Begins to serve. */
export function serveTopics(
  host: string,
  { model = new PlainTopics(), script = () => false, port = 0, greets = true }: {
    readonly model?: PlainTopics;
    readonly script?: TopicScript;
    readonly port?: number;
    /** Whether hellos are answered without the script. */
    readonly greets?: boolean;
  } = {},
): ScriptedTopics {
  const listener = Deno.listen({ hostname: host, port });
  const open = new Set<Conversation>();
  const serving: Promise<void>[] = [];
  const received: Request[] = [];
  let accepted = 0;
  const take = (request: Request, connection: TopicConnectionEnd): void => {
    if (request.kind === "hello" && greets) return connection.answer(request);
    received.push(request);
    if (server.script(request, connection) !== true) connection.answer(request);
  };
  const accepting = (async () => {
    for await (const conn of listener) {
      const conversation = new Conversation(conn, ++accepted, model, take);
      open.add(conversation);
      serving.push(conversation.run().finally(() => open.delete(conversation)));
    }
  })();
  const hangUp = (): void => {
    for (const conversation of open) conversation.end();
  };
  const server: ScriptedTopics = {
    address: `${host}:${(listener.addr as Deno.NetAddr).port}`,
    model,
    received,
    script,
    get accepted() {
      return accepted;
    },
    get open() {
      return open.size;
    },
    hangUp,
    async [Symbol.asyncDispose]() {
      listener.close();
      hangUp();
      model.close();
      await Promise.all([accepting, ...serving]);
    },
  };
  return server;
}

class Conversation implements TopicConnectionEnd {
  readonly number: number;
  readonly #conn: Deno.Conn;
  readonly #model: PlainTopics;
  readonly #take: (request: Request, connection: TopicConnectionEnd) => void;
  #writing: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(
    conn: Deno.Conn,
    number: number,
    model: PlainTopics,
    take: (request: Request, connection: TopicConnectionEnd) => void,
  ) {
    this.#conn = conn;
    this.number = number;
    this.#model = model;
    this.#take = take;
  }

  /** Rejects with what the client sends if that is no request, and with what the script throws. */
  async run(): Promise<void> {
    const splitter = requestSplitter((bytes) => {
      if (!this.#isOver) this.#take(readRequest(bytes.slice()), this);
    });
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const count = await this.#conn.read(buffer).catch(() => null); // Somebody has closed it.
        if (count === null) break;
        splitter.push(buffer.subarray(0, count));
      }
      await this.#writing;
    } finally {
      this.end();
    }
  }

  answer(request: Request): void {
    this.#answer(request).catch((error) => {
      if (!(error instanceof TopicError)) throw error;
      this.refuse(request, error.code, error.message);
    });
  }

  refuse(request: Request, code: number, text = ""): void {
    if (request.flags & FLAG.async) return;
    const writer = new FrameWriter();
    writeError(writer, request.id, code, text);
    this.sendBytes(writer.finish());
  }

  sendBytes(bytes: Uint8Array): void {
    this.#writing = this.#writing.then(() => this.#write(bytes));
  }

  close(): void {
    this.#writing = this.#writing.then(() => this.end());
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#conn.close();
  }

  async #answer(request: Request): Promise<void> {
    const reply = this.#model.answer(request);
    this.#reply(request, reply instanceof Promise ? await reply : reply);
  }

  #reply(request: Request, reply: Replies[keyof Replies]): void {
    if (request.flags & FLAG.async) return;
    const writer = new FrameWriter();
    const { id, kind, version, flags } = request;
    writeReply(writer, id, kind, version, reply as Replies["healthCheck"], flags);
    this.sendBytes(writer.finish());
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length && !this.#isOver;) {
        at += await this.#conn.write(bytes.subarray(at));
      }
    } catch {
      // The client is gone.
    }
  }
}
