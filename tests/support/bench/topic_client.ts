/**
 * The client of topics, for benchmarks that measure it or work with it.
 *
 * @module
 */

import { TopicClient } from "../../../client/mod.ts";

export type { TopicClient, TopicProducer } from "../../../client/mod.ts";

/** Connects to servers at these addresses, `HOST:PORT`. */
export function connectTopics(addresses: readonly string[]): Promise<TopicClient> {
  return TopicClient.connect({ address: addresses.join(",") });
}
