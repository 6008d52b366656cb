/**
 * Many topics at once, past the port.
 *
 * @module
 */

import { createTopicCommand } from "../../../cluster/machine/topics/mod.ts";
import type { MemoryTopics } from "./memory_topics.ts";
import { utf8 } from "./answers.ts";

/** Makes a topic. */
export function fill(topics: MemoryTopics, name: string): void {
  topics.apply(createTopicCommand({ topic: utf8(name), partitions: 1 }));
}
