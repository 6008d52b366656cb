/**
 * How fast a user event, and a query and its answers, travel through a cluster.
 *
 * @module
 */

import { decodeMultiStream, encode } from "@msgpack/msgpack";
import { eventually } from "../../tests/support/agents.ts";
import type { Rpc } from "../../tests/support/interop/rpc.ts";
import { type BenchCluster, rest } from "../cluster.ts";
import type { Metric, Sample, Who } from "../measure.ts";

const LIMIT_MS = 70_000;

/** Events of one round. */
const EVENTS = 10;

/** Queries of one round. */
const QUERIES = 4;

/**
 * Rest before each event and query, in milliseconds, as between those of people. News that comes faster shares the rounds
 * of gossip that the protocol allows, which is measured apart.
 */
const REST_MS = 1_000;

/** Fires events at the first agent and waits until each agent has told its subscriber; then asks queries. */
export async function measureSpread(who: Who, cluster: BenchCluster): Promise<Sample[]> {
  const size = cluster.agents.length;
  const lag = (name: string, bound?: number): Metric => ({
    name: `${name}, ${size} agents`,
    unit: "ms",
    more: false,
    ...(bound !== undefined && { goal: { of: "skein / serf", bound } }),
  });
  await using stack = new AsyncDisposableStack();
  const listeners: Listener[] = [];
  for (const { rpc } of cluster.agents) listeners.push(stack.use(await Listener.open(rpc)));
  const caller = cluster.rpcs[0]!;
  const samples: Sample[] = [];
  for (let i = 0; i < EVENTS; i++) {
    await rest(REST_MS);
    const value = await fire(caller, listeners);
    samples.push({ metric: lag("user event, first to last agent", 0.2), who, value });
  }
  for (let i = 0; i < EVENTS; i++) {
    const value = await fire(caller, listeners);
    samples.push({ metric: lag("user events without a rest, first to last agent"), who, value });
  }
  for (let i = 0; i < QUERIES; i++) {
    await rest(REST_MS);
    const asked = performance.now();
    const { answered, done } = await ask(cluster.agents[0]!.rpc, size);
    samples.push(
      { metric: lag("query, last answer", 0.3), who, value: answered - asked },
      { metric: lag("query, the caller's done", 0.05), who, value: done - asked },
    );
  }
  return samples;
}

/** Fires one event. Milliseconds from the first agent that told its subscriber to the last one. */
async function fire(caller: Rpc, listeners: readonly Listener[]): Promise<number> {
  const name = `spread-${crypto.randomUUID()}`;
  await caller.must("event", { Name: name, Payload: new Uint8Array(32), Coalesce: false });
  const times = await eventually("every agent told of the event", () => {
    const at = listeners.flatMap(({ seen }) => seen.get(name) ?? []);
    return at.length === listeners.length && at;
  }, LIMIT_MS);
  return Math.max(...times) - Math.min(...times);
}

/** Subscribes to one agent, notes when events came, and answers each query. */
class Listener implements AsyncDisposable {
  readonly seen = new Map<string, number>();
  readonly #connection: Deno.TcpConn;
  readonly #reading: Promise<void>;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#reading = this.#read();
  }

  static async open(rpc: string): Promise<Listener> {
    const connection = await connect(rpc);
    await connection.write(bytesOf({ Command: "stream", Seq: 1 }, { Type: "user,query" }));
    return new Listener(connection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#connection.close();
    } catch { /* The agent closed it. */ }
    await this.#reading;
  }

  async #read(): Promise<void> {
    try {
      for await (const value of decodeMultiStream(this.#connection.readable)) {
        const { Event, Name, ID } = value as { Event?: string; Name?: string; ID?: number };
        if (Event === "user" && Name !== undefined) this.seen.set(Name, performance.now());
        if (Event !== "query") continue;
        const answer = { ID, Payload: new Uint8Array(8) };
        await this.#connection.write(bytesOf({ Command: "respond", Seq: 2 }, answer));
      }
    } catch { /* The connection was closed. */ }
  }
}

/** Asks all agents. When the last answer came, and when the agent said that the query is over. */
async function ask(rpc: string, size: number): Promise<{ answered: number; done: number }> {
  const connection = await connect(rpc);
  const query = {
    FilterNodes: [],
    FilterTags: {},
    RequestAck: false,
    Timeout: 0,
    Name: "uptime",
    Payload: new Uint8Array(0),
  };
  await connection.write(bytesOf({ Command: "query", Seq: 1 }, query));
  let answers = 0;
  let answered = NaN;
  for await (const value of decodeMultiStream(connection.readable)) {
    const { Type, Error: error } = value as { Type?: string; Error?: string };
    if (error) throw new Error(`query: ${error}`);
    if (Type === "response" && ++answers === size) answered = performance.now();
    if (Type === "done") {
      if (answers < size) throw new Error(`Only ${answers} of ${size} agents have answered`);
      return { answered, done: performance.now() };
    }
  }
  throw new Error("The agent closed the connection during a query");
}

async function connect(rpc: string): Promise<Deno.TcpConn> {
  const [hostname = "", port] = rpc.split(":");
  const connection = await Deno.connect({ hostname, port: Number(port) });
  connection.setNoDelay(true);
  await connection.write(bytesOf({ Command: "handshake", Seq: 0 }, { Version: 1 }));
  return connection;
}

function bytesOf(...values: unknown[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(values.flatMap((value) => [...encode(value)]));
}
