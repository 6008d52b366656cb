/**
 * Transactions of the program around an agent, when their answers are late.
 *
 * @module
 */

import assert from "node:assert/strict";
import { OutcomeUnknownError } from "../../../../protocol/kv/errors.ts";
import { AgentTopics } from "../../../../server/topics/local/local.ts";
import { MemoryTopics } from "../../../support/topics/memory_topics.ts";

Deno.test("a transaction whose answer is late may be done, and the next one is no repeat of it", async () => {
  const memory = new MemoryTopics();
  const topics = new AgentTopics({
    state: memory,
    messages: memory,
    cluster: memory,
    autoCreate: true,
  });
  await using producer = topics.producer();
  await producer.transact({ messages: [{ topic: "t", value: "first" }] });
  memory.hold();
  await assert.rejects(
    producer.transact({ messages: [{ topic: "t", value: "late" }] }, { timeoutMs: 50 }),
    OutcomeUnknownError,
  );
  memory.release();
  await producer.transact({ messages: [{ topic: "t", value: "next" }] });
  await using consumer = topics.consumer("t");
  const texts = (await consumer.fetch()).map(({ value }) => value?.text());
  assert.deepEqual(texts, ["first", "late", "next"]);
});
