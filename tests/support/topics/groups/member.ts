/**
 * A process that is a member of a group: it tells each message that it has dealt with on standard output, `partition offset`, and
 * commits every few of them; it leaves when standard input ends.
 *
 * Arguments: addresses of the servers, topic, group, milliseconds of a session.
 *
 * @module
 */

import { TopicClient, TopicError } from "../../../../client/mod.ts";

const [address = "", topic = "", group = "", session = ""] = Deno.args;

/** Messages between two commits. */
const COMMIT_EVERY = 7;

/** How long a message takes, in milliseconds: there is always one that is not done with. */
const WORK_MS = 4;

/** What passes by itself, or says that others go on. */
const PASSES = new Set([
  "TimeoutError",
  "ConnectError",
  "ConnectionClosedError",
  "OutcomeUnknownError",
]);

function passes(error: unknown): boolean {
  return error instanceof TopicError || error instanceof Error && PASSES.has(error.name);
}

await using client = await TopicClient.connect({ address, timeoutMs: 5_000 });
const consumer = client.consumer(topic, {
  group,
  sessionTimeoutMs: Number(session),
  autoCommitMs: 300,
  maxWaitMs: 100,
  onAssigned: (partitions) => console.log(`+ ${partitions}`),
  onRevoked: (partitions, areLost) => console.log(`${areLost ? "!" : "-"} ${partitions}`),
});
let isOver = false;
const reading = (async () => {
  for (let count = 1;; count++) {
    try {
      const message = await consumer.fetchOne({ timeoutMs: 1_000 });
      if (message !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, WORK_MS));
        console.log(`${message.partition} ${message.offset}`);
      }
      if (count % COMMIT_EVERY === 0) await consumer.commit();
    } catch (error) {
      if (isOver) return;
      if (!passes(error)) throw error;
    }
  }
})();
const ended = (async () => {
  for await (const _ of Deno.stdin.readable);
  isOver = true;
  await consumer.close().catch((error) => {
    if (!passes(error)) throw error;
  });
})();
await Promise.all([ended, reading]);
