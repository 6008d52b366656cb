/**
 * Which topics are in use: three at a time, and always new ones, so that each partition's history stays short enough to be searched.
 *
 * @module
 */

import type { TopicClient } from "../../../../client/topics/client.ts";
import type { SeededRandom } from "../../simulation/random.ts";
import { dice } from "../real/nemesis.ts";

const TOPICS = 3;

/** Partitions of each topic. */
export const PARTITIONS = 3;

/** A topic is replaced after so many messages or batches were sent to it. */
const MAX_APPENDS = 1_500;

/** Segments are this small, so that there are many. */
const SEGMENT_BYTES = 16 * 1024;

/** A partition of a topic. */
export interface Log {
  readonly topic: string;
  readonly partition: number;
}

/** What it is called in a history. */
export function nameOf({ topic, partition }: Log): string {
  return `${topic}/${partition}`;
}

/** A topic in use. */
interface Slot {
  topic: string;
  appends: number;
}

/** The topics. */
export class Topics {
  /** Names of all that were ever used. */
  readonly all: string[] = [];
  #names = 0;
  readonly #client: TopicClient;
  readonly #random: SeededRandom;
  #slots: readonly Slot[] = [];

  private constructor(client: TopicClient, random: SeededRandom) {
    this.#client = client;
    this.#random = random;
  }

  /** Creates the first ones; `random` decides on everything. */
  static async create(client: TopicClient, random: SeededRandom): Promise<Topics> {
    const topics = new Topics(client, random);
    topics.#slots = await Promise.all(
      Array.from({ length: TOPICS }, async () => ({ topic: await topics.#new(), appends: 0 })),
    );
    return topics;
  }

  /** The topics that are in use now. */
  get current(): readonly string[] {
    return this.#slots.map(({ topic }) => topic);
  }

  /** Where something is appended. */
  next(): Log {
    const slot = this.#slots[dice(this.#random, TOPICS)] as Slot;
    if (slot.appends++ === MAX_APPENDS) {
      // Others go on with the old one until the new one is there.
      this.#new().then((topic) => Object.assign(slot, { topic, appends: 0 }), () => {
        slot.appends = 0;
      });
    }
    return { topic: slot.topic, partition: dice(this.#random, PARTITIONS) };
  }

  /** Where something is read. */
  anyOf(random: SeededRandom): Log {
    const topic = this.all[Math.max(0, this.all.length - 1 - dice(random, 2 * TOPICS))] as string;
    return { topic, partition: dice(random, PARTITIONS) };
  }

  async #new(): Promise<string> {
    const topic = `t${this.#names++}`;
    await this.#client.createTopic(topic, { partitions: PARTITIONS, segmentBytes: SEGMENT_BYTES });
    this.all.push(topic);
    return topic;
  }
}
