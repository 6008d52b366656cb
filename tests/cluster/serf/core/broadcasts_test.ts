import assert from "node:assert/strict";
import { memberlistConfig } from "../../../../cluster/memberlist/mod.ts";
import { Broadcasts } from "../../../../cluster/serf/core/broadcasts.ts";
import { serfConfig } from "../../../../cluster/serf/model/config.ts";

function broadcasts(overrides: Parameters<typeof serfConfig>[1] = {}, members = 1) {
  const memberlist = memberlistConfig("a", { addr: new Uint8Array(4), port: 1 }, "lan");
  const config = serfConfig({ nodeName: "a", memberlist, onEvent: () => {} }, overrides);
  const logs: string[] = [];
  const write = (message: string) => void logs.push(message);
  const log = { debug: write, info: write, warn: write, error: write };
  return { queues: new Broadcasts(config, () => members, log), logs };
}

const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill);
const firsts = (messages: Uint8Array[]) => messages.map((message) => message[0]);

Deno.test("packets are filled with intents, then queries, then events", () => {
  const { queues } = broadcasts();
  queues.enqueue("events", bytes(10, 3));
  queues.enqueue("queries", bytes(10, 2));
  queues.enqueue("intents", bytes(10, 1));
  assert.deepEqual(firsts(queues.take(3, 39)), [1, 2, 3]);
  assert.deepEqual(firsts(queues.take(3, 38)), [1, 2]);
  assert.deepEqual(firsts(queues.take(3, 13)), [1]);
});

Deno.test("what one queue leaves of a packet goes to the next", () => {
  const { queues } = broadcasts();
  queues.enqueue("intents", bytes(30, 1));
  queues.enqueue("events", bytes(10, 3));
  assert.deepEqual(firsts(queues.take(3, 32)), [3]);
});

Deno.test("a message is sent 4 x ceil(log10(n + 1)) times, n counting members of any status", () => {
  for (const [members, times] of [[1, 4], [9, 4], [10, 8], [100, 12]] as const) {
    const { queues } = broadcasts({}, members);
    let finished = 0;
    queues.enqueue("events", bytes(10, 3), () => finished++);
    let sent = 0;
    while (queues.take(3, 1_395).length > 0) sent++;
    assert.deepEqual([sent, finished], [times, 1]);
  }
});

Deno.test("a message of 1395 bytes is queued, a larger one is finished at once", () => {
  const { queues } = broadcasts();
  let finished = 0;
  queues.enqueue("events", bytes(1_396, 1), () => finished++);
  assert.deepEqual([queues.depth("events"), finished], [0, 1]);
  queues.enqueue("events", bytes(1_395, 1), () => finished++);
  assert.deepEqual([queues.depth("events"), finished], [1, 1]);
});

Deno.test("a check prunes a queue to its maximum and says so", () => {
  const { queues, logs } = broadcasts({ maxQueueDepth: 10, queueDepthWarning: 12 });
  for (let i = 0; i < 11; i++) queues.enqueue("queries", bytes(10, i));
  queues.check();
  assert.equal(queues.depth("queries"), 10);
  assert.deepEqual(logs, ["Query queue depth (11) exceeds limit (10), dropping messages!"]);
});

Deno.test("with a least depth the maximum grows with the cluster", () => {
  const { queues } = broadcasts({ minQueueDepth: 20, maxQueueDepth: 5 }, 15);
  for (let i = 0; i < 40; i++) queues.enqueue("events", bytes(10, i));
  queues.check();
  assert.equal(queues.depth("events"), 30);
});

Deno.test("a flood is pruned without waiting for a check", () => {
  const { queues } = broadcasts({ maxQueueDepth: 10 });
  for (let i = 0; i < 1_000; i++) queues.enqueue("events", bytes(10, i));
  assert.ok(queues.depth("events") <= 20);
});
