/**
 * Messages in a {@linkcode PlainTopics}, and what is asked of messages that were read.
 *
 * @module
 */

import type { TopicMessage } from "../../../client/mod.ts";
import type { PlainTopics } from "./plain_topics.ts";

/** Puts messages into a partition, each with its offset as its value. */
export function fill(model: PlainTopics, topic: string, partition: number, count: number): void {
  const { messages } = model.partition(topic, partition);
  for (let i = 0; i < count; i++) {
    const offset = messages.length;
    const value = new TextEncoder().encode(`${offset}`);
    messages.push({ offset, timestamp: BigInt(offset), key: null, value, headers: [] });
  }
}

/** Their offsets. */
export function offsetsOf(messages: readonly TopicMessage[]): number[] {
  return messages.map(({ offset }) => offset);
}

/** The whole numbers from one to before another one. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
