import assert from "node:assert/strict";
import { Messages } from "../../../../server/replica/segments/messages.ts";
import { NO_NET } from "../../../../server/replica/segments/fetching/net.ts";
import { Waiting } from "../../../../server/replica/segments/waiting.ts";
import { MemoryDisk } from "../../../support/replica/memory_disk.ts";
import { batchOf, openSegments, Rows, segmentAt } from "../../../support/replica/segments.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const FOREVER = new AbortController().signal;

/** Whether something has come in this turn. */
async function hasCome(promise: Promise<void>): Promise<boolean> {
  let isOver = false;
  promise.then(() => isOver = true);
  for (let i = 0; i < 10; i++) await Promise.resolve();
  return isOver;
}

Deno.test("who waits for a partition hears of what is appended there, and of what is dropped", async () => {
  const waiting = new Waiting();
  const rows = new Rows();
  const random = new SeededRandom(1);
  const [own, other] = [segmentAt(0, 1), segmentAt(0, 2)];
  const append = rows.append(own, batchOf(random, 10));
  const first = Array.from({ length: 1_000 }, () => waiting.wait(1, 1, FOREVER));
  const elsewhere = waiting.wait(1, 2, FOREVER);
  const otherTopic = waiting.wait(2, 1, FOREVER);
  assert.equal(waiting.partitions, 3);
  waiting.wake([rows.append(other, batchOf(random, 10))]);
  assert.ok(await hasCome(elsewhere));
  assert.equal(await hasCome(Promise.race(first)), false);
  waiting.wake([append, rows.append(own, batchOf(random, 10))]);
  await Promise.all(first);
  assert.equal(await hasCome(otherTopic), false);
  const again = waiting.wait(1, 1, FOREVER);
  waiting.wake([rows.drop(own)]);
  await again;
  assert.equal(waiting.partitions, 1);
  waiting.close();
  await otherTopic;
  assert.equal(waiting.partitions, 0);
});

Deno.test("many who wait for one partition are woken a few at a time, all of them", async () => {
  const waiting = new Waiting();
  const rows = new Rows();
  const random = new SeededRandom(2);
  let woken = 0;
  const all = Array.from({ length: 1_000 }, async () => {
    await waiting.wait(1, 1, FOREVER);
    woken++;
  });
  waiting.wake([rows.append(segmentAt(0, 1), batchOf(random, 10))]);
  assert.equal(await hasCome(Promise.all(all).then(() => {})), false);
  assert.ok(woken > 0 && woken < 200, `${woken} in one turn`);
  // Those who are late hear of it once.
  waiting.wake([rows.append(segmentAt(0, 1), batchOf(random, 10))]);
  await Promise.all(all);
  assert.equal(waiting.partitions, 0);
  const again = waiting.wait(1, 1, FOREVER);
  assert.equal(await hasCome(again), false);
  waiting.wake([rows.append(segmentAt(0, 1), batchOf(random, 10))]);
  await again;
});

Deno.test("who waits no more is forgotten", async () => {
  const waiting = new Waiting();
  const [one, other] = [new AbortController(), new AbortController()];
  const first = waiting.wait(1, 0, one.signal);
  const second = waiting.wait(1, 0, other.signal);
  one.abort();
  await first;
  assert.equal(await hasCome(second), false);
  assert.equal(waiting.partitions, 1);
  other.abort();
  await second;
  assert.equal(waiting.partitions, 0);
  await waiting.wait(1, 0, other.signal);
  assert.equal(waiting.partitions, 0);
});

Deno.test("nobody waits for what is there already, nor at a server that has ended", async () => {
  const { files, rows } = await openSegments(new MemoryDisk());
  let next = 5;
  const messages = new Messages({
    files,
    state: Object.assign(rows, { nextOffset: () => next, applied: () => 1 }),
    net: NO_NET,
    logger: { info() {}, error() {} },
    failed: assert.fail,
  });
  assert.ok(await hasCome(messages.waitFor(1, 0, 4, FOREVER)));
  const waiting = messages.waitFor(1, 0, 5, FOREVER);
  assert.equal(await hasCome(waiting), false);
  next = 6;
  messages.take([rows.append(segmentAt(0), batchOf(new SeededRandom(1), 10))]);
  await waiting;
  const last = messages.waitFor(1, 0, 6, FOREVER);
  await messages.close();
  await last;
  await messages.waitFor(1, 0, 6, FOREVER);
});
