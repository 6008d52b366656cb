/**
 * A port that speaks sessions for a {@linkcode Model}, and does what a test says instead where it says so.
 *
 * @module
 */

import {
  type ClientMessage,
  frameSplitter,
  readClientMessage,
  serverFrame,
  type ServerMessage,
} from "../../../protocol/sessions/mod.ts";
import { Model, type ModelConnection } from "./model.ts";

/** One connection to the port. */
export interface ScriptedConnection extends ModelConnection {
  /** Sends bytes as they are. */
  sendBytes(bytes: Uint8Array): void;
}

/** Gets each message; nothing more is done about it when it returns true. */
export type Script = (message: ClientMessage, connection: ScriptedConnection) => boolean;

/** A port that is served. */
export interface ScriptedServer extends AsyncDisposable {
  /** `host:port`. */
  readonly address: string;
  readonly model: Model;
  /** Every message that came, in order. */
  readonly received: ClientMessage[];
  /** How many connections there have been. */
  readonly accepted: number;
  /** Closes all connections. */
  hangUp(): void;
}

/** What is served, and where. */
export interface ScriptedOptions {
  readonly model?: Model;
  readonly script?: Script;
  readonly port?: number;
  /** Certificate and key in PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Begins to serve. */
export function startScriptedServer(
  host: string,
  { model = new Model(), script = () => false, port = 0, tls }: ScriptedOptions = {},
): ScriptedServer {
  const listener = tls === undefined
    ? Deno.listen({ hostname: host, port })
    : Deno.listenTls({ hostname: host, port, ...tls });
  const open = new Set<Conversation>();
  const serving: Promise<void>[] = [];
  const received: ClientMessage[] = [];
  let accepted = 0;
  const take: Script = (message, connection) => {
    received.push(message);
    return script(message, connection);
  };
  const accepting = (async () => {
    for await (const conn of listener) {
      accepted++;
      const conversation = new Conversation(conn, model, take);
      open.add(conversation);
      serving.push(conversation.run().finally(() => open.delete(conversation)));
    }
  })();
  const hangUp = (): void => {
    for (const conversation of open) conversation.end();
  };
  return {
    address: `${host}:${(listener.addr as Deno.NetAddr).port}`,
    model,
    received,
    get accepted() {
      return accepted;
    },
    hangUp,
    async [Symbol.asyncDispose]() {
      listener.close();
      hangUp();
      await Promise.all([accepting, ...serving]);
    },
  };
}

class Conversation implements ScriptedConnection {
  session: string | undefined;
  readonly #conn: Deno.Conn;
  readonly #model: Model;
  readonly #script: Script;
  #writing: Promise<unknown> = Promise.resolve();
  #isDeaf = false;
  #isOver = false;

  constructor(conn: Deno.Conn, model: Model, script: Script) {
    this.#conn = conn;
    this.#model = model;
    this.#script = script;
  }

  /** Rejects with what the client sends if that is no message, and with what the script throws. */
  async run(): Promise<void> {
    const splitter = frameSplitter((bytes) => {
      const message = readClientMessage(bytes);
      if (!this.#isDeaf && !this.#script(message, this)) this.#model.receive(this, message);
    });
    try {
      for (let bytes = await this.#read(); bytes !== null; bytes = await this.#read()) {
        splitter.push(bytes);
      }
      await this.#writing;
    } finally {
      this.end();
    }
  }

  send(message: ServerMessage): void {
    this.sendBytes(serverFrame(message));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#writing = this.#writing.then(() => this.#write(bytes));
  }

  close(): void {
    this.#isDeaf = true;
    this.#writing = this.#writing.then(() => this.end());
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isDeaf = true;
    this.#model.forget(this);
    this.#conn.close();
  }

  async #read(): Promise<Uint8Array | null> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      const count = await this.#conn.read(buffer);
      return count === null ? null : buffer.subarray(0, count);
    } catch {
      // The client is gone, or the test has closed the connection.
      return null;
    }
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
