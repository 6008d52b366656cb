/**
 * Clients of topics as programs have them: producers with and without an identity, and a consumer.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TopicClient } from "../../../../client/topics/client.ts";
import { TimeoutError } from "../../../../client/net/errors.ts";
import { TopicError } from "../../../../protocol/topics/mod.ts";
import type { World } from "./clients.ts";
import { nameOf } from "./workload.ts";

/** Messages that are sent before the first of them is waited for. */
const TOGETHER = 4;

/** Sends messages, with an identity or without: each is there once, or not at all when that was said. */
export async function produce(world: World, process: number, idempotent: boolean): Promise<void> {
  const { places, topics, ledger, history, signal } = world;
  await using client = await TopicClient.connect({ address: places.join(",") });
  await using producer = client.producer({ idempotent, timeoutMs: 10_000, lingerMs: 2 });
  for (let number = 0; !signal.aborted; number++) {
    const log = topics.next();
    const key = nameOf(log);
    await Promise.all(Array.from({ length: TOGETHER }, async (_, i) => {
      const values = [`${process}/${number}/${i}`];
      ledger.begin(values);
      const operation = { process, action: "APPEND", key, values, start: history.now() } as const;
      try {
        const { offset } = await producer.send(log.topic, {
          value: values[0] as string,
          partition: log.partition,
        });
        ledger.done(key, offset, values);
        history.add({ ...operation, offset, end: history.now(), outcome: "done" });
      } catch (error) {
        const isSure = error instanceof TopicError || error instanceof TimeoutError;
        if (isSure) ledger.refuse(values);
        else ledger.lost();
        history.add({ ...operation, outcome: isSure ? "never" : "unknown" });
      }
    }));
  }
}

/** Reads one topic after the other by a consumer, each as long as it is in use: nothing is passed over, and nothing comes twice. */
export async function consume({ places, topics, ledger, signal }: World): Promise<void> {
  await using client = await TopicClient.connect({ address: places.join(",") });
  while (!signal.aborted) {
    const topic = topics.current[0] as string;
    await using consumer = client.consumer(topic);
    const next = new Map<number, number>();
    for (let isOver = false; !isOver && !signal.aborted;) {
      const message = await consumer.fetchOne({ timeoutMs: 500 }).catch(refused);
      if (message === undefined) {
        isOver = topics.current[0] !== topic;
        continue;
      }
      const { partition, offset, value } = message;
      assert.equal(offset, next.get(partition) ?? 0, `Offset of ${topic}/${partition}`);
      next.set(partition, offset + 1);
      ledger.saw(`${topic}/${partition}`, offset, value?.text() ?? "");
    }
  }
}

/** Nobody may lead for a while. */
function refused(error: unknown): undefined {
  if (error instanceof assert.AssertionError) throw error;
}
