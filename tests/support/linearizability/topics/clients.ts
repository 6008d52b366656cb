/**
 * Clients of topics that ask one server after the other until one leads.
 *
 * @module
 */

import { decodeMessages } from "../../topics/messages.ts";
import { fetching, isRefused, producing, RawTopics } from "../../topics/raw_client.ts";
import type { TopicLedger } from "./ledger.ts";

/** Partitions of the topic. */
export const PARTITIONS = 3;

/** Messages of a batch. */
const BATCH = 3;

/** Codes of the port: there is no such leader, it has too much to do, nobody knows in time. */
const CODE = { timeout: 6, notLeader: 100, overloaded: 101 } as const;

/** Pause before another server is asked, in milliseconds. */
const PAUSE_MS = 50;

const decoder = new TextDecoder();

/** A connection to whoever leads, as far as that is found. */
class Seeker {
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
    this.#client?.[Symbol.dispose]();
    this.#client = undefined;
    this.#next++;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }

  close(): void {
    this.#client?.[Symbol.dispose]();
  }
}

/** Sends batches one after the other, each once. */
export class TopicWriter {
  readonly #name: number;
  readonly #seeker: Seeker;
  readonly #ledger: TopicLedger;
  #count = 0;

  constructor(name: number, places: readonly string[], ledger: TopicLedger) {
    this.#name = name;
    this.#seeker = new Seeker(places, name);
    this.#ledger = ledger;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const client = await this.#seeker.client();
      if (client === undefined || !await this.#send(client)) await this.#seeker.another();
    }
    this.#seeker.close();
  }

  /** Whether the same server can be asked again. */
  async #send(client: RawTopics): Promise<boolean> {
    const number = this.#count++;
    const values = Array.from({ length: BATCH }, (_, i) => `${this.#name}/${number}/${i}`);
    const partition = number % PARTITIONS;
    this.#ledger.begin(values);
    try {
      const request = producing("t", values, { partition, timeoutMs: 5_000 });
      const answer = await client.ask("produce", request);
      if (!isRefused(answer)) this.#ledger.done(partition, answer.baseOffset, values);
      else if (answer.code === CODE.timeout) this.#ledger.lost();
      else this.#ledger.refuse(values);
      return !isRefused(answer) || answer.code === CODE.overloaded;
    } catch (error) {
      // The connection has ended.
      if ((error as Error).name === "AssertionError" && !/ended/.test((error as Error).message)) {
        throw error;
      }
      this.#ledger.lost();
      return false;
    }
  }
}

/** Reads each partition from its beginning on, as it grows. */
export class TailReader {
  readonly #seeker: Seeker;
  readonly #ledger: TopicLedger;
  readonly #offsets = Array.from({ length: PARTITIONS }, () => 0);

  constructor(places: readonly string[], ledger: TopicLedger) {
    this.#seeker = new Seeker(places, 0);
    this.#ledger = ledger;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let partition = 0; !signal.aborted; partition = (partition + 1) % PARTITIONS) {
      const client = await this.#seeker.client();
      if (client === undefined || !await this.#read(client, partition)) {
        await this.#seeker.another();
      }
    }
    this.#seeker.close();
  }

  async #read(client: RawTopics, partition: number): Promise<boolean> {
    const rest = { partition, minBytes: 1, maxWaitMs: 100 };
    let messages: Uint8Array;
    try {
      const answer = await client.ask("fetch", fetching("t", this.#offsets[partition] ?? 0, rest));
      if (isRefused(answer)) return false;
      messages = answer.messages.bytes;
    } catch {
      // The connection has ended.
      return false;
    }
    for (const { offset, value } of decodeMessages(messages)) {
      this.#ledger.saw(partition, Number(offset), decoder.decode(value as Uint8Array));
      this.#offsets[partition] = Number(offset) + 1;
    }
    return true;
  }
}
