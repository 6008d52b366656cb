/**
 * A key-value port on a state in memory, and clients of it that send what a test wants.
 *
 * @module
 */

import { PubSub, type PubSubNet } from "../../../cluster/pubsub/mod.ts";
import { AgentLog } from "../../../server/logging/log.ts";
import { KvPort, type KvPortOptions } from "../../../server/kv/port.ts";
import { LineClient } from "../net/line_client.ts";
import { MemoryState } from "./memory_state.ts";

/** There are no other agents. */
const NOBODY: PubSubNet = { sendNews: (to) => to, sendSurely() {}, tell() {} };

/** Channels of an agent that is alone. */
export function lonelyChannels(): PubSub {
  return new PubSub("alpha", () => NOBODY);
}

/** An answer, or a push. */
export type Reply = Readonly<Record<string, unknown>>;

/** A port, the state behind it and what was logged. */
export interface Stage extends AsyncDisposable {
  readonly port: KvPort;
  readonly state: MemoryState;
  readonly pubsub: PubSub;
  readonly log: AgentLog;
  /** Errors that nobody expected. */
  readonly unexpected: Error[];
  /** Connects. */
  client(): Promise<KvPeer>;
}

/** Begins to serve on a free port of `host`, with sessions unless told otherwise. */
export function serve(
  host: string,
  options: Partial<KvPortOptions> = {},
  hasSessions = true,
): Stage {
  const state = options.state instanceof MemoryState ? options.state : new MemoryState();
  const log = new AgentLog("alpha");
  const pubsub = lonelyChannels();
  const unexpected: Error[] = [];
  log.onUnexpected((error) => unexpected.push(error));
  const port = KvPort.listen({
    address: `${host}:0`,
    state,
    ...hasSessions && { sessions: state.sessions },
    pubsub,
    node: "alpha",
    version: "1.2.3",
    log,
    ...options,
  });
  return {
    port,
    state,
    pubsub,
    log,
    unexpected,
    client: async () => new KvPeer(await LineClient.connect(port.address)),
    async [Symbol.asyncDispose]() {
      await port.close();
      state.sessions.close();
      await state.watches.close();
    },
  };
}

/** A client that knows nothing but lines. */
export class KvPeer implements Disposable {
  /** The lines. */
  readonly lines: LineClient;
  readonly #answers: Reply[] = [];
  readonly #pushes: Reply[] = [];

  /** Takes over a connection. */
  constructor(lines: LineClient) {
    this.lines = lines;
  }

  /** Sends text or bytes as they are. */
  send(text: string | Uint8Array): Promise<void> {
    return this.lines.send(text);
  }

  /** Sends requests in one write, and gives their answers. */
  async all(requests: readonly object[]): Promise<Reply[]> {
    await this.send(requests.map((request) => `${JSON.stringify(request)}\n`).join(""));
    return await this.replies(requests.length);
  }

  /** Sends a request, an object or a line, and gives the answer. */
  async ask(request: object | string): Promise<Reply> {
    await this.send(`${typeof request === "string" ? request : JSON.stringify(request)}\n`);
    const [reply] = await this.replies(1);
    return reply as Reply;
  }

  /** The next answers. */
  replies(count: number): Promise<Reply[]> {
    return this.#next(this.#answers, count);
  }

  /** The next pushes. */
  pushes(count: number): Promise<Reply[]> {
    return this.#next(this.#pushes, count);
  }

  /** All that was not given yet, and that comes up to the end of the connection. */
  async rest(): Promise<Reply[]> {
    const lines = (await this.lines.rest()).split("\n").filter((line) => line !== "");
    return [
      ...this.#answers.splice(0),
      ...this.#pushes.splice(0),
      ...lines.map((line) => JSON.parse(line)),
    ];
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.lines[Symbol.dispose]();
  }

  async #next(kind: Reply[], count: number): Promise<Reply[]> {
    while (kind.length < count) {
      const [line = ""] = await this.lines.lines(1);
      const reply: Reply = JSON.parse(line);
      ("push" in reply ? this.#pushes : this.#answers).push(reply);
    }
    return kind.splice(0, count);
  }
}

/** An answer on one line: `"OK" rev 3` or `404 KEY_NOT_FOUND`. */
export function brief({ status, result, rev, code, reason, field }: Reply): string {
  const told = rev === undefined ? "" : ` rev ${rev}`;
  if (status === "ok") return JSON.stringify(result) + told;
  return `${code} ${reason}${field === undefined ? "" : ` (${field})`}${told}`;
}
