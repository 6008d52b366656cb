/**
 * A small Serf RPC client for tests, on `npm:@msgpack/msgpack`: it shares no code with skein, so what it says
 * about an agent of either kind does not rest on what is under test.
 *
 * @module
 */

import { decodeMultiStream, encode } from "@msgpack/msgpack";

/** What an agent answered. */
export interface Answer {
  /** Error of the response header; empty for success. */
  error: string;
  /** The body, for commands that have one. */
  // deno-lint-ignore no-explicit-any
  body?: any;
}

/** A member as the agent sends it (docs/spec/agent.md 2). */
export interface RpcMember {
  Name: string;
  Addr: Uint8Array;
  Port: number;
  Tags: Record<string, string>;
  Status: string;
  ProtocolMin: number;
  ProtocolMax: number;
  ProtocolCur: number;
  DelegateMin: number;
  DelegateMax: number;
  DelegateCur: number;
}

/** A record of an event stream, a log stream or a query; which fields it has depends on `Event`. */
export interface RpcRecord {
  Event?: string;
  LTime?: number;
  Name?: string;
  Payload?: Uint8Array | null;
  Coalesce?: boolean;
  Members?: RpcMember[];
  Log?: string;
  Type?: string;
  From?: string;
}

/** Commands whose successful response has a body, and whether a failed one has it too (docs/spec/agent.md 1.4). */
const BODIES: Record<string, "on success" | "always"> = {
  members: "on success",
  "members-filtered": "on success",
  join: "always",
  stats: "on success",
  "get-coordinate": "on success",
  "list-keys": "always",
  "install-key": "always",
  "use-key": "always",
  "remove-key": "always",
  raft: "on success",
};

/** One RPC connection. */
export class Rpc implements AsyncDisposable {
  #connection: Deno.TcpConn;
  #seq = 0;
  #waiting = new Map<number, { command: string; resolve: (answer: Answer) => void }>();
  #records = new Map<number, RpcRecord[]>();
  #reading: Promise<void>;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#reading = this.#read();
  }

  /** Connects to `ip:port` and shakes hands. */
  static async connect(address: string): Promise<Rpc> {
    const [hostname = "", port] = address.split(":");
    const rpc = new Rpc(await Deno.connect({ hostname, port: Number(port) }));
    await rpc.must("handshake", { Version: 1 });
    return rpc;
  }

  /** Sends one request and waits for its response; an answer of "connection closed" when none can come. */
  async call(command: string, body?: unknown): Promise<Answer> {
    return await this.#send(this.#seq++, command, body);
  }

  /** {@linkcode call} that gives the body and throws on an error. */
  // deno-lint-ignore no-explicit-any
  async must(command: string, body?: unknown): Promise<any> {
    const answer = await this.call(command, body);
    if (answer.error !== "") throw new Error(`${command}: ${answer.error}`);
    return answer.body;
  }

  /** Starts `stream`, `monitor` or `query`; the array grows as records arrive. */
  async subscribe(command: string, body: unknown): Promise<RpcRecord[]> {
    const seq = this.#seq++;
    const records: RpcRecord[] = [];
    this.#records.set(seq, records);
    const { error } = await this.#send(seq, command, body);
    if (error !== "") throw new Error(`${command}: ${error}`);
    return records;
  }

  /** All members the agent knows. */
  async members(): Promise<RpcMember[]> {
    return (await this.must("members")).Members;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#connection.close();
    } catch { /* The agent closed it. */ }
    await this.#reading;
  }

  async #send(seq: number, command: string, body?: unknown): Promise<Answer> {
    const parts = [encode({ Command: command, Seq: seq })];
    if (body !== undefined) parts.push(encode(body));
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(seq, { command, resolve });
    let request = Uint8Array.from(parts.flatMap((part) => [...part]));
    while (request.length > 0) request = request.subarray(await this.#connection.write(request));
    return await promise;
  }

  async #read(): Promise<void> {
    try {
      const values = decodeMultiStream(this.#connection.readable);
      for (;;) {
        const header = await this.#next(values) as { Seq: number; Error: string };
        const call = this.#waiting.get(header.Seq);
        this.#waiting.delete(header.Seq);
        if (call === undefined) {
          this.#records.get(header.Seq)?.push(await this.#next(values) as RpcRecord);
        } else {
          const body = BODIES[call.command];
          const comes = body === "always" || body === "on success" && header.Error === "";
          call.resolve({
            error: header.Error,
            ...comes ? { body: await this.#next(values) } : {},
          });
        }
      }
    } catch { /* The connection has ended. */ }
    for (const { resolve } of this.#waiting.values()) resolve({ error: "connection closed" });
    this.#waiting.clear();
  }

  async #next(values: AsyncGenerator<unknown>): Promise<unknown> {
    const { value, done } = await values.next();
    if (done) throw new Error("Connection closed");
    return value;
  }
}
