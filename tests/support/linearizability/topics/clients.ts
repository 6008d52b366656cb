/**
 * Clients of topics that ask one server after the other until one leads, and send each request once.
 *
 * @module
 */

import { CODE, FLAG, type Replies } from "../../../../protocol/topics/mod.ts";
import type { SeededRandom } from "../../simulation/random.ts";
import { decodeMessages } from "../../topics/messages.ts";
import { type Answer, fetching, isRefused, producing, RawTopics } from "../../topics/raw_client.ts";
import { dice } from "../real/nemesis.ts";
import type { History } from "../history.ts";
import type { TopicLedger } from "./ledger.ts";
import { type Log, nameOf, type Topics } from "./workload.ts";

/** Messages of a batch. */
const BATCH = 3;

/** Pauses in milliseconds: after a request, at most; before another server is asked. */
const PAUSE_MS = 8;
const BACK_OFF_MS = 50;

/** Bytes of a fetch, so that it takes several to read a topic. */
const FETCH_BYTES = 4_096;

const decoder = new TextDecoder();

/** What clients share. */
export interface World {
  /** `HOST:PORT` of each server. */
  readonly places: readonly string[];
  readonly topics: Topics;
  readonly ledger: TopicLedger;
  readonly history: History;
  /** Ends clients, after the request that is under way. */
  readonly signal: AbortSignal;
}

/** A connection to whoever leads, as far as that is found. */
class Seeker implements Disposable {
  readonly #places: readonly string[];
  #next: number;
  #client: RawTopics | undefined;

  constructor(places: readonly string[], first: number) {
    this.#places = places;
    this.#next = first;
  }

  /** The connection; `undefined` when the server is not there. */
  async client(): Promise<RawTopics | undefined> {
    const place = this.#places[this.#next % this.#places.length] as string;
    // Whoever was killed is not there.
    return this.#client ??= await RawTopics.open(place).catch(() => undefined);
  }

  /** Another one is to be asked. */
  async another(): Promise<void> {
    this[Symbol.dispose]();
    this.#client = undefined;
    this.#next++;
    await rest(BACK_OFF_MS);
  }

  [Symbol.dispose](): void {
    this.#client?.[Symbol.dispose]();
  }
}

/** Sends batches one after the other, each once. */
export async function write(world: World, process: number, random: SeededRandom): Promise<void> {
  const { places, topics, ledger, history, signal } = world;
  using seeker = new Seeker(places, process);
  for (let number = 0; !signal.aborted; number++) {
    const client = await seeker.client();
    if (client === undefined) {
      await seeker.another();
      continue;
    }
    const log = topics.next();
    const key = nameOf(log);
    const values = Array.from({ length: BATCH }, (_, i) => `${process}/${number}/${i}`);
    ledger.begin(values);
    const start = history.now();
    const answer = await answered(
      client.ask(
        "produce",
        producing(log.topic, values, { partition: log.partition, timeoutMs: 5_000 }),
      ),
    );
    const operation = { process, action: "APPEND", key, values, start } as const;
    const isLost = answer === undefined ||
      isRefused(answer) && answer.code === CODE.REQUEST_TIMEOUT;
    if (isLost) {
      ledger.lost();
      history.add({ ...operation, outcome: "unknown" });
    } else if (isRefused(answer)) {
      ledger.refuse(values);
      history.add({ ...operation, outcome: "never" });
    } else {
      ledger.done(key, answer.baseOffset, values);
      const found = { offset: answer.baseOffset, end: history.now() };
      history.add({ ...operation, ...found, outcome: "done" });
    }
    if (isLost || isRefused(answer)) await seeker.another();
    else await rest(dice(random, PAUSE_MS));
  }
}

/** Reads topics from their beginnings on, as they grow, from the server that leads. */
export async function follow(world: World, process: number, random: SeededRandom): Promise<void> {
  const { places, topics, signal } = world;
  using seeker = new Seeker(places, process);
  const offsets = new Map<string, number>();
  while (!signal.aborted) {
    const log = topics.anyOf(random);
    const offset = offsets.get(nameOf(log)) ?? 0;
    const client = await seeker.client();
    const next = client && await fetch(world, { client, process, log, offset, maxWaitMs: 100 });
    if (next === undefined) await seeker.another();
    else offsets.set(nameOf(log), next);
    // Some read again what others have read.
    if (dice(random, 500) === 0) offsets.clear();
    await rest(dice(random, PAUSE_MS));
  }
}

/** Reads topics again and again from one server, whether it leads or not, and whatever it has. */
export async function look(world: World, server: number, random: SeededRandom): Promise<void> {
  const { places, topics, ledger, signal } = world;
  using seeker = new Seeker(places.slice(server, server + 1), 0);
  while (!signal.aborted) {
    const { topic, partition } = topics.anyOf(random);
    const client = await seeker.client();
    const request = fetching(topic, -2, { partition });
    const answer = client &&
      await answered(client.ask("fetch", request, { flags: FLAG.anyServer }));
    if (answer === undefined) await seeker.another();
    else if (!isRefused(answer)) {
      for (const { offset, value } of decodeMessages(answer.messages.bytes)) {
        ledger.saw(`${topic}/${partition}`, Number(offset), text(value));
      }
    }
    await rest(BACK_OFF_MS);
  }
}

/** What is fetched, and by whom. */
export interface Fetching {
  readonly client: RawTopics;
  readonly process: number;
  readonly log: Log;
  readonly offset: number;
  readonly maxWaitMs?: number;
}

/** Fetches once from a server that has to lead, and keeps what came. Returns the next offset; `undefined` when it has failed. */
export async function fetch(
  { ledger, history }: Pick<World, "ledger" | "history">,
  { client, process, log, offset, maxWaitMs = 0 }: Fetching,
): Promise<number | undefined> {
  const key = nameOf(log);
  const start = history.now();
  const rest = { partition: log.partition, maxBytes: FETCH_BYTES, minBytes: 1, maxWaitMs };
  const answer = await answered(client.ask("fetch", fetching(log.topic, offset, rest)));
  if (answer === undefined || isRefused(answer)) return undefined;
  const values: string[] = [];
  for (const { offset: at, value } of decodeMessages(answer.messages.bytes)) {
    ledger.saw(key, Number(at), text(value));
    if (Number(at) !== offset + values.length) {
      throw new Error(`Offset ${at} of ${key} comes instead of ${offset + values.length}`);
    }
    values.push(text(value));
  }
  const found = { values, offset, high: answer.highWaterMark };
  history.add({
    process,
    action: "FETCH",
    key,
    ...found,
    start,
    end: history.now(),
    outcome: "done",
  });
  return offset + values.length;
}

/** The answer; `undefined` when the connection has ended before. */
async function answered<K extends keyof Replies>(
  answer: Promise<Answer<K>>,
): Promise<Answer<K> | undefined> {
  try {
    return await answer;
  } catch (error) {
    const { name, message } = error as Error;
    if (name === "AssertionError" && !/ended/.test(message)) throw error;
    return undefined;
  }
}

function text(value: Uint8Array | null): string {
  return decoder.decode(value as Uint8Array);
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
