/**
 * Puts one RPC command on an agent as fast as it answers.
 *
 * All requests carry the same Seq, so all answers have the same length and the generator need only count bytes:
 * it costs the same whatever agent it drives.
 *
 * @module
 */

import { decodeMulti, encode } from "@msgpack/msgpack";
import { quantile } from "./measure.ts";

/** Commands that are answered by a header alone. */
const HEADER_ONLY = new Set(["event"]);

/** What a load brought about. */
export interface LoadResult {
  /** Answers. */
  answers: number;
  /** Answers per second. */
  perSecond: number;
  /** Milliseconds that half of the requests took at most. With a window over 1 that includes waiting in line. */
  p50Ms: number;
  /** Milliseconds that 99 of 100 requests took at most. */
  p99Ms: number;
}

/** How a load is put on. */
export interface LoadOptions {
  /** `ip:port` of the agent's RPC. */
  rpc: string;
  /** The command. */
  command: string;
  /** Its body, for a command that has one. */
  body?: unknown;
  /** Connections that work side by side. */
  connections: number;
  /** Requests that each connection keeps under way. */
  window: number;
  /** How long, in milliseconds. */
  durationMs: number;
  /** After how many requests of one connection it ends before its time. Default: never. */
  limit?: number;
}

/** Runs the load; throws when an answer is not as long as the first one was. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const { connections, durationMs } = options;
  const clients = [];
  try {
    for (let i = 0; i < connections; i++) clients.push(await Client.connect(options));
    const started = performance.now();
    await Promise.all(clients.map((client) => client.run(started + durationMs)));
    const elapsedMs = performance.now() - started;
    const latencies = Float64Array.from(clients.flatMap((client) => client.latencies)).sort();
    return {
      answers: latencies.length,
      perSecond: latencies.length / elapsedMs * 1000,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
    };
  } finally {
    for (const client of clients) client.close();
  }
}

/** The bytes that `command` is answered with. */
export async function oneAnswer(rpc: string, command: string, body: unknown): Promise<Uint8Array> {
  const options = { rpc, command, body, connections: 1, window: 1, durationMs: 0 };
  const client = await Client.connect(options);
  client.close();
  return client.answer;
}

class Client {
  /** The first answer. */
  answer: Uint8Array = new Uint8Array(0);
  readonly latencies: number[] = [];
  readonly #connection: Deno.TcpConn;
  readonly #window: number;
  readonly #limit: number;
  readonly #requests: Uint8Array;
  readonly #requestLength: number;
  readonly #buffer = new Uint8Array(64 * 1024);

  private constructor(
    connection: Deno.TcpConn,
    request: Uint8Array,
    window: number,
    limit: number,
  ) {
    this.#connection = connection;
    this.#window = window;
    this.#limit = limit;
    this.#requestLength = request.length;
    this.#requests = new Uint8Array(request.length * window);
    for (let i = 0; i < window; i++) this.#requests.set(request, i * request.length);
  }

  static async connect(options: LoadOptions): Promise<Client> {
    const { rpc, command, body, window } = options;
    const [hostname = "", port] = rpc.split(":");
    const connection = await Deno.connect({ hostname, port: Number(port) });
    connection.setNoDelay(true);
    const header = encode({ Command: command, Seq: 1 });
    const request = body === undefined ? header : Uint8Array.from([...header, ...encode(body)]);
    const client = new Client(connection, request, window, options.limit ?? Infinity);
    const handshake = [...encode({ Command: "handshake", Seq: 0 }), ...encode({ Version: 1 })];
    await client.#exchange(Uint8Array.from(handshake), 1);
    const values = HEADER_ONLY.has(command) ? 1 : 2;
    client.answer = await client.#exchange(request, values);
    return client;
  }

  /** Keeps the window full until `end`, then waits for what is under way. */
  async run(end: number): Promise<void> {
    const sentAt: number[] = [];
    let received = 0;
    let answered = 0;
    let sent = 0;
    let open = this.#window;
    while (open > 0 || answered < sent) {
      if (open > 0) {
        const now = performance.now();
        open = Math.min(open, this.#limit - sent);
        if (now < end && open > 0) {
          for (let i = 0; i < open; i++) sentAt.push(now);
          sent += open;
          await this.#write(this.#requests.subarray(0, open * this.#requestLength));
        }
        open = 0;
        if (answered === sent) break;
      }
      received += await this.#read();
      const now = performance.now();
      for (; (answered + 1) * this.answer.length <= received; answered++) {
        this.latencies.push(now - (sentAt[answered] ?? now));
        open++;
      }
      if (performance.now() >= end) open = 0;
    }
    if (received !== sent * this.answer.length) throw new Error("Answers differ in length");
  }

  close(): void {
    this.#connection.close();
  }

  /** Sends and reads until `values` whole values have come; gives them. */
  async #exchange(request: Uint8Array, values: number): Promise<Uint8Array> {
    await this.#write(request);
    let answer = new Uint8Array(0);
    for (;;) {
      const length = await this.#read();
      answer = Uint8Array.from([...answer, ...this.#buffer.subarray(0, length)]);
      try {
        if ([...decodeMulti(answer)].length === values) return answer;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
  }

  async #read(): Promise<number> {
    const length = await this.#connection.read(this.#buffer);
    if (length === null) throw new Error("The agent closed the connection");
    return length;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) rest = rest.subarray(await this.#connection.write(rest));
  }
}
