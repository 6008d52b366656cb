/**
 * Many subscribers of an event stream, and events as fast as they come.
 *
 * @module
 */

import { encode } from "@msgpack/msgpack";
import { concatBytes } from "../../protocol/bytes.ts";
import type { AgentProcess } from "../../tests/support/agents.ts";
import type { Metric, Sample, Who } from "../measure.ts";

const SUBSCRIBERS = 100;
const EVENTS = 1_000;

/** When nothing has come for this long, what is missing is lost. */
const SILENCE_MS = 1_500;

const NAME = `${SUBSCRIBERS} subscribers, ${EVENTS} events`;
const TIME: Metric = {
  name: `${NAME}: until all have all`,
  unit: "ms",
  more: false,
  goal: { of: "skein / serf", bound: 0.4 },
};
const LOST: Metric = {
  name: `${NAME}: lost`,
  unit: "events",
  more: false,
  goal: { of: "skein", bound: 0 },
};

/** One burst. */
export async function measureSubscribers(who: Who, target: AgentProcess): Promise<Sample[]> {
  const subscribers: Subscriber[] = [];
  try {
    for (let i = 0; i < SUBSCRIBERS; i++) subscribers.push(await Subscriber.open(target.rpc));
    const requests = concatBytes(
      Array.from({ length: EVENTS }, (_, i) => [
        encode({ Command: "event", Seq: i + 10 }),
        encode({ Name: "load", Payload: MARK, Coalesce: false }),
      ]).flat(),
    );
    const publisher = await open(target.rpc);
    try {
      const drained = drain(publisher);
      const started = performance.now();
      await writeAll(publisher, requests);
      const last = await lastArrival(subscribers);
      const got = subscribers.reduce((sum, { count }) => sum + count, 0);
      publisher.close();
      await drained;
      return [
        { metric: TIME, who, value: last - started },
        { metric: LOST, who, value: SUBSCRIBERS * EVENTS - got },
      ];
    } finally {
      close(publisher);
    }
  } finally {
    for (const subscriber of subscribers) await subscriber.close();
  }
}

/** When the last event came, once all are there or nothing more comes. */
async function lastArrival(subscribers: readonly Subscriber[]): Promise<number> {
  for (;;) {
    const last = Math.max(...subscribers.map(({ last }) => last));
    const all = subscribers.every(({ count }) => count === EVENTS);
    if (all || performance.now() - last > SILENCE_MS) return last;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What each record holds once: found faster than a record is decoded. */
const MARK = new TextEncoder().encode("<one-event-of-the-load>");

class Subscriber {
  count = 0;
  last: number = performance.now();
  readonly #connection: Deno.TcpConn;
  readonly #reading: Promise<void>;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#reading = this.#read();
  }

  static async open(rpc: string): Promise<Subscriber> {
    const connection = await open(rpc);
    await connection.write(concatBytes([
      encode({ Command: "stream", Seq: 1 }),
      encode({ Type: "user:load" }),
    ]));
    await connection.read(new Uint8Array(64));
    return new Subscriber(connection);
  }

  async close(): Promise<void> {
    close(this.#connection);
    await this.#reading;
  }

  async #read(): Promise<void> {
    const buffer = Buffer.alloc(64 * 1024);
    let kept = 0;
    try {
      for (;;) {
        const length = await this.#connection.read(buffer.subarray(kept));
        if (length === null) return;
        const bytes = buffer.subarray(0, kept + length);
        let from = 0;
        for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, from)) {
          this.count++;
          from = at + MARK.length;
        }
        this.last = performance.now();
        const rest = bytes.subarray(Math.max(from, bytes.length - MARK.length + 1));
        buffer.set(rest);
        kept = rest.length;
      }
    } catch { /* The connection was closed. */ }
  }
}

async function open(rpc: string): Promise<Deno.TcpConn> {
  const [hostname = "", port] = rpc.split(":");
  const connection = await Deno.connect({ hostname, port: Number(port) });
  connection.setNoDelay(true);
  await connection.write(concatBytes([
    encode({ Command: "handshake", Seq: 0 }),
    encode({ Version: 1 }),
  ]));
  await connection.read(new Uint8Array(64));
  return connection;
}

/** Reads and forgets until the connection ends. */
async function drain(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  try {
    while (await connection.read(buffer) !== null);
  } catch { /* The connection was closed. */ }
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch { /* It was closed before. */ }
}
