/** What topics are rid of in time is proposed by the server that leads, with a clock that is moved by hand. */

import assert from "node:assert/strict";
import { Machine, MemoryStore, type Result } from "../../../../cluster/machine/mod.ts";
import {
  alterTopicCommand,
  createTopicCommand,
  decodeTopicTotals,
  deleteTopicCommand,
  type MessageChange,
  produceCommand,
  topicTotalsQuestion,
} from "../../../../cluster/machine/topics/mod.ts";
import { TOPICS } from "../../../../server/replica/expiry/sweepable.ts";
import { Sweeper } from "../../../../server/replica/expiry/sweeper.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { encodeMessages, messageOf } from "../../../support/topics/messages.ts";

const EPOCH = 1_700_000_000_000;
const topic = new TextEncoder().encode("t");

/** A machine whose commands are applied as they are proposed, and its sweeper. */
class Bench {
  readonly clock = new ManualClock();
  /** Segments that were dropped. */
  readonly dropped: string[] = [];
  readonly machine = new Machine(new MemoryStore(), undefined, {
    messages: (changes) => this.#take(changes),
  });
  readonly raft = { role: { name: "leader" } as { name: "leader" | "follower" } };
  sweeps = 0;
  readonly sweeper: Sweeper = new Sweeper({
    clock: this.clock,
    wallClock: () => this.#now,
    raft: this.raft as ConstructorParameters<typeof Sweeper>[0]["raft"],
    state: {
      machine: this.machine,
      propose: (command, _timeoutMs, done) => {
        this.sweeps++;
        const result = this.apply(command);
        this.clock.setTimer(1, () => {
          this.sweeper.changed();
          done(result);
        });
      },
    },
  }, TOPICS);

  /** Does a command of a client. */
  do(command: Uint8Array): void {
    assert.ok(this.apply(command).ok);
    this.sweeper.changed();
  }

  produce(bytes: number): void {
    const messages = encodeMessages([messageOf("x".repeat(bytes))]);
    this.do(produceCommand({ topic, partition: 0, count: 1, messages }));
  }

  apply(data: Uint8Array): Result {
    const index = this.machine.context.index + 1;
    const [result] = this.machine.apply([{ index, type: "command", time: this.#now, data }]);
    return result as Result;
  }

  get #now(): number {
    return EPOCH + this.clock.now();
  }

  #take(changes: readonly MessageChange[]): void {
    for (const { kind, segment } of changes) {
      if (kind === "drop") this.dropped.push(`${segment.topic}/${segment.base}`);
    }
  }
}

Deno.test("without topics there is no timer, and where nothing is kept for a time none either", async () => {
  const bench = new Bench();
  bench.sweeper.changed();
  bench.do(createTopicCommand({ topic, partitions: 1, options: { retentionMs: 0 } }));
  bench.produce(100);
  await bench.clock.advance(100_000);
  assert.equal(bench.clock.pending, 0);
  assert.equal(bench.sweeps, 0);
  // While entries are applied it is looked once a second.
  let looks = 0;
  const query = bench.machine.query.bind(bench.machine);
  bench.machine.query = (...args) => {
    looks++;
    return query(...args);
  };
  for (let i = 0; i < 300; i++) {
    bench.produce(10);
    await bench.clock.advance(10);
  }
  assert.ok(looks <= 4, `${looks} looks`);
  await bench.clock.advance(2_000);
  assert.equal(bench.clock.pending, 0);
});

Deno.test("messages go when their time is over, and not before", async () => {
  const bench = new Bench();
  const options = { retentionMs: 5_000, segmentMs: 1_000 };
  bench.do(createTopicCommand({ topic, partitions: 1, options }));
  bench.produce(100);
  await bench.clock.advance(2_000);
  bench.produce(100);
  await bench.clock.advance(2_900);
  assert.deepEqual(bench.dropped, []);
  await bench.clock.advance(300);
  assert.deepEqual(bench.dropped, ["1/0"]);
  await bench.clock.advance(2_000);
  assert.deepEqual(bench.dropped, ["1/0", "1/1"]);
  assert.ok(bench.sweeps <= 4, `${bench.sweeps} sweeps`);
  bench.sweeper.close();
});

Deno.test("what is too much goes soon, and so does what a shorter time takes", async () => {
  const bench = new Bench();
  const options = { retentionMs: 0, retentionBytes: 10_000, segmentBytes: 4_096 };
  bench.do(createTopicCommand({ topic, partitions: 1, options }));
  for (let i = 0; i < 10; i++) bench.produce(2_000);
  await bench.clock.advance(1_100);
  assert.deepEqual(
    bench.dropped,
    ["1/0", "1/1", "1/2", "1/3", "1/4"].slice(0, bench.dropped.length),
  );
  assert.ok(bench.dropped.length > 0);
  const before = bench.dropped.length;
  await bench.clock.advance(60_000);
  bench.do(alterTopicCommand({ topic, options: { retentionMs: 1_000 } }));
  await bench.clock.advance(500);
  assert.ok(bench.dropped.length > before);
  bench.sweeper.close();
});

Deno.test("a deleted topic is swept, by as many entries as that takes", async () => {
  const bench = new Bench();
  bench.do(createTopicCommand({ topic, partitions: 1, options: { segmentBytes: 4_096 } }));
  for (let i = 0; i < 2_500; i++) bench.produce(4_000);
  bench.do(deleteTopicCommand(topic));
  await bench.clock.advance(2_000);
  assert.equal(bench.dropped.length, 2_500);
  assert.ok(bench.sweeps > 1);
  const totals = bench.machine.query(topicTotalsQuestion());
  assert.ok(totals.ok);
  assert.equal(decodeTopicTotals(totals.body).topics, 0);
  bench.sweeper.close();
});

Deno.test("who does not lead sweeps nothing", async () => {
  const bench = new Bench();
  bench.raft.role = { name: "follower" };
  bench.do(createTopicCommand({ topic, partitions: 1, options: { retentionMs: 1_000 } }));
  bench.produce(10);
  await bench.clock.advance(10_000);
  assert.equal(bench.sweeps, 0);
  bench.raft.role = { name: "leader" };
  bench.produce(10);
  await bench.clock.advance(10_000);
  assert.ok(bench.sweeps > 0);
  bench.sweeper.close();
});
