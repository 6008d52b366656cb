/**
 * `program.ts ADDRESS`: reads `in`, writes each message to `out` and to `log`, and commits, in one step. It
 * goes on from what is committed when somebody else was faster, and runs until it is killed.
 *
 * @module
 */

import { TopicClient, TopicError } from "../../../../client/mod.ts";
import { CODE } from "../../../../protocol/topics/codes.ts";

const [address = ""] = Deno.args;

await using client = await TopicClient.connect({ address });
await using producer = client.producer();
for (;;) {
  await using consumer = client.consumer("in", {
    group: "pipeline",
    partitions: [0, 1],
    autoCommitMs: 0,
    maxBytes: 400,
  });
  try {
    for (;;) {
      const inputs = await consumer.fetch({ timeoutMs: 1_000 });
      if (inputs.length === 0) continue;
      const messages = inputs.flatMap(({ partition, offset, value }) => {
        const what = `${partition} ${offset} ${value?.text()}`;
        return [{ topic: "out", key: what, value: what }, { topic: "log", value: what }];
      });
      await producer.transact({ messages, offsets: consumer.progress() }, { timeoutMs: 60_000 });
    }
  } catch (error) {
    if (!(error instanceof TopicError && error.code === CODE.TRANSACTION_ABORTED)) throw error;
  }
}
