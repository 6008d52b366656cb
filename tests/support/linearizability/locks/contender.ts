/**
 * A process of contenders for one lock, each with a client of its own. It tells what they do on standard output, one JSON object a
 * line, and ends when standard input does.
 *
 * Arguments: addresses of the servers, address of the resource, the lease in milliseconds, how many there are, a number.
 *
 * @module
 */

import { KvClient, KvError, type KvLock, LockTimeoutError } from "../../../../client/mod.ts";

const [servers = "", resource = "", ttl = "", count = "", number = ""] = Deno.args;
const TTL_MS = Number(ttl);

/** A timer that is so late says that the process has stood still, in milliseconds: less than what a lease leaves for it. */
const STALL_MS = TTL_MS / 15;
const BEAT_MS = 20;

/** How long a hold is, at most, in milliseconds. */
const HOLD_MS = 40;

/** How often a holder is careless; each time takes the lock away from others for a whole lease. */
const CARELESS = 1 / 15;

const ending = new AbortController();
let stalls = 0;

/** Milliseconds of the clock that all processes have. */
const now = (): number => performance.timeOrigin + performance.now();

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function tell(what: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(what));
}

/** The resource outside: it is asked with the number of the lock. */
class Resource {
  readonly #conn: Deno.Conn;
  readonly #buffer = new Uint8Array(64);

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  static async connect(): Promise<Resource> {
    const [hostname = "", port] = resource.split(":");
    return new Resource(await Deno.connect({ hostname, port: Number(port) }));
  }

  async write(fence: number, who: string): Promise<void> {
    await this.#conn.write(new TextEncoder().encode(JSON.stringify({ fence, who }) + "\n"));
    await this.#conn.read(this.#buffer);
  }

  close(): void {
    this.#conn.close();
  }
}

async function contend(index: number): Promise<void> {
  const who = `${number}.${index}`;
  const list = servers.split(",");
  const client = await KvClient.connect({
    address: list.map((_, i) => list[(i + index) % list.length]).join(","),
    reconnect: { minDelayMs: 20, maxDelayMs: 200 },
    timeoutMs: 2_000,
  });
  const outside = await Resource.connect();
  while (!ending.signal.aborted) {
    // Now and then one does not ask whether it still holds the lock, and writes on.
    const isCareless = Math.random() < CARELESS;
    try {
      const held = await client.lock("l", {
        ttlMs: TTL_MS,
        waitMs: 2_000,
        signal: ending.signal,
        name: who,
        renew: !isCareless,
      });
      await hold(client, outside, held, who, isCareless);
      await held.release();
    } catch (error) {
      if (ending.signal.aborted) break;
      if (!(error instanceof LockTimeoutError || error instanceof KvError)) throw error;
      await pause(20);
    }
  }
  outside.close();
  await client.close();
}

/** Holds the lock for a while, and writes with its number. */
async function hold(
  client: KvClient,
  outside: Resource,
  held: KvLock,
  who: string,
  isCareless: boolean,
): Promise<void> {
  const { fence, condition, signal } = held;
  const from = now();
  const before = stalls;
  let fired: number | undefined;
  signal.addEventListener("abort", () => fired = now());
  tell({ held: fence, who });
  let to: number | undefined;
  let refused = 0;
  const end = from + (isCareless ? 2 * TTL_MS : Math.random() * HOLD_MS);
  do {
    // It believes at this time if it still does a moment later.
    const at = now();
    if (held.leftMs > 0) to = at;
    else if (!isCareless) break;
    const step = { action: "set", key: "register", value: { fence, who } } as const;
    const [, succeeded] = await Promise.all([
      outside.write(fence, who),
      client.transaction({ if: [condition], then: [step] }).then(
        (done) => done.succeeded,
        () => true,
      ),
    ]);
    if (!succeeded) refused++;
    await pause(1);
  } while (now() < end && !ending.signal.aborted);
  tell({
    over: fence,
    who,
    from,
    to,
    fired,
    end: signal.reason?.reason,
    // It may have stood still just now, before the beat could tell.
    stalled: stalls > before || isLate(performance.now()),
    refused,
  });
}

let last = performance.now();
const isLate = (at: number): boolean => at - last > BEAT_MS + STALL_MS;
const beat = setInterval(() => {
  const at = performance.now();
  if (isLate(at)) stalls++;
  last = at;
}, BEAT_MS);

const contending = Array.from({ length: Number(count) }, (_, i) => contend(i));
for await (const _ of Deno.stdin.readable);
ending.abort();
await Promise.all(contending);
clearInterval(beat);
