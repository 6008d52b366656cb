/**
 * When a server sweeps, with a machine in memory and a clock that is moved by hand.
 *
 * @module
 */

import assert from "node:assert/strict";
import { decodeSwept, setCommand, sweepCommand } from "../../../../cluster/machine/kv/mod.ts";
import { Machine, MemoryStore, type Result } from "../../../../cluster/machine/mod.ts";
import { VALUES } from "../../../../server/replica/expiry/sweepable.ts";
import { Sweeper } from "../../../../server/replica/expiry/sweeper.ts";
import { NO_LEADER } from "../../../../server/replica/service.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { json, path } from "../../../support/machine/fixture.ts";

const EPOCH = 1_700_000_000_000;

/** A machine whose commands are applied as they are proposed, and its sweeper. */
class Bench {
  readonly clock = new ManualClock();
  readonly machine = new Machine(new MemoryStore());
  readonly raft = { role: { name: "leader" } as { name: "leader" | "follower" } };
  readonly sweeper: Sweeper;
  /** When there was a sweep, and how many values it removed. */
  readonly sweeps: { at: number; removed: string }[] = [];
  /** How often it was looked. */
  looks = 0;
  /** How far the wall clock is off, in milliseconds. */
  clockError = 0;
  /** What happens after the next proposal, and before its entry is applied. */
  meanwhile: (() => void) | undefined;
  /** What proposals come to, instead of being applied. */
  failure: Result | undefined;

  constructor() {
    const query = this.machine.query.bind(this.machine);
    this.machine.query = (...args) => {
      this.looks++;
      return query(...args);
    };
    this.sweeper = new Sweeper({
      clock: this.clock,
      wallClock: () => this.#now,
      raft: this.raft as ConstructorParameters<typeof Sweeper>[0]["raft"],
      state: {
        machine: this.machine,
        propose: (command, _timeoutMs, done) => {
          assert.equal(command.subarray(0, 3).toHex(), sweepCommand().subarray(0, 3).toHex());
          this.meanwhile?.();
          this.meanwhile = undefined;
          const result = this.failure ?? this.#apply(command);
          const removed = result.ok ? `${decodeSwept(result.body).count}` : result.reason;
          this.sweeps.push({ at: this.clock.now(), removed });
          this.clock.setTimer(1, () => {
            this.sweeper.changed();
            done(result);
          });
        },
      },
    }, VALUES);
  }

  /** Sets values that live so long. */
  set(ttlMs: number | undefined, ...keys: string[]): void {
    for (const key of keys) {
      this.#apply(setCommand(path(key), json(1), ttlMs === undefined ? {} : { ttlMs }));
    }
    this.sweeper.changed();
  }

  get #now(): number {
    return EPOCH + this.clock.now() + this.clockError;
  }

  #apply(data: Uint8Array): Result {
    const index = this.machine.context.index + 1;
    const [result] = this.machine.apply([{ index, type: "command", time: this.#now, data }]);
    return result as Result;
  }
}

Deno.test("without a value that expires, and without leading, there is no timer", () => {
  const bench = new Bench();
  bench.set(undefined, "a", "b");
  assert.equal(bench.clock.pending, 0);
  bench.set(50, "c");
  assert.equal(bench.clock.pending, 1);
  bench.raft.role.name = "follower";
  bench.sweeper.changed();
  assert.equal(bench.clock.pending, 0);
  bench.clock.advanceSync(1_000);
  bench.set(50, "d");
  assert.deepEqual([bench.clock.pending, bench.sweeps], [0, []]);
  bench.raft.role.name = "leader";
  bench.sweeper.changed();
  bench.clock.advanceSync(1_000);
  assert.deepEqual(bench.sweeps.map(({ removed }) => removed), ["1", "1"]);
  assert.equal(bench.clock.pending, 0, "all that expired is gone");
  bench.set(50, "e");
  bench.sweeper.close();
  assert.equal(bench.clock.pending, 0);
});

Deno.test("while no value ever expires it is looked seldom, and one that does is seen soon", () => {
  const bench = new Bench();
  for (let i = 0; i < 100; i++) {
    bench.set(undefined, "a");
    bench.clock.advanceSync(10);
  }
  assert.ok(bench.looks <= 11, `${bench.looks} looks`);
  bench.set(1, "b");
  bench.clock.advanceSync(101);
  assert.deepEqual(bench.sweeps.map(({ removed }) => removed), ["1"]);
  bench.clock.advanceSync(1_000);
  assert.equal(bench.clock.pending, 0);
});

Deno.test("a value is swept when it is due, and what is due together in one go", () => {
  const bench = new Bench();
  bench.set(700, "a", "b");
  bench.set(710, "c");
  bench.clock.advanceSync(699);
  assert.deepEqual(bench.sweeps, []);
  bench.clock.advanceSync(11);
  assert.deepEqual(bench.sweeps, [{ at: 700, removed: "2" }]);
  bench.clock.advanceSync(200);
  assert.deepEqual(bench.sweeps.slice(1), [{ at: 801, removed: "1" }]);
});

Deno.test("one that is due before all others is seen in time", () => {
  const bench = new Bench();
  bench.set(3_600_000, "late");
  bench.clock.advanceSync(5_000);
  bench.set(10, "soon");
  bench.clock.advanceSync(300);
  assert.equal(bench.sweeps.length, 1);
  assert.ok((bench.sweeps[0]?.at ?? Infinity) <= 5_110);
});

Deno.test("more than one sweep takes follow each other at once", () => {
  const bench = new Bench();
  bench.set(500, ...Array.from({ length: 2_500 }, (_, i) => `k${i}`));
  bench.clock.advanceSync(600);
  assert.deepEqual(bench.sweeps, [
    { at: 500, removed: "1000" },
    { at: 501, removed: "1000" },
    { at: 502, removed: "500" },
  ]);
});

Deno.test("a sweep that comes to nothing is tried again, at its pace", () => {
  const bench = new Bench();
  bench.set(500, "a");
  bench.failure = NO_LEADER;
  bench.clock.advanceSync(1_000);
  assert.deepEqual(bench.sweeps.map(({ at }) => at), [500, 601, 702, 803, 904]);
  bench.failure = undefined;
  bench.clock.advanceSync(100);
  assert.equal(bench.sweeps.at(-1)?.removed, "1");
  bench.clock.advanceSync(1_000);
  assert.equal(bench.sweeps.length, 6);
});

Deno.test("what was under way and is due before all that was seen is not passed over", () => {
  const bench = new Bench();
  bench.set(500, "a");
  bench.meanwhile = () => {
    bench.clockError = -2;
    bench.set(1, "was stamped earlier");
    bench.clockError = 0;
  };
  bench.clock.advanceSync(1_000);
  assert.deepEqual(bench.sweeps, [{ at: 500, removed: "2" }]);
  assert.equal(bench.clock.pending, 0);
});

Deno.test("who leads anew finds what was due before", () => {
  const bench = new Bench();
  bench.set(100, "a");
  bench.clock.advanceSync(150);
  bench.raft.role.name = "follower";
  bench.sweeper.changed();
  bench.set(100, "b");
  bench.clock.advanceSync(5_000);
  assert.deepEqual(bench.sweeps.map(({ removed }) => removed), ["1"]);
  bench.raft.role.name = "leader";
  bench.sweeper.changed();
  assert.deepEqual(bench.sweeps.map(({ removed }) => removed), ["1", "1"]);
});

Deno.test("values that are renewed all the time cost no look at what they were before", () => {
  const bench = new Bench();
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
  for (let round = 0; round < 100; round++) {
    bench.set(5_000, ...keys);
    bench.clock.advanceSync(100);
  }
  assert.deepEqual(bench.sweeps, []);
  assert.equal(bench.clock.pending, 1);
  bench.clock.advanceSync(5_000);
  assert.deepEqual(bench.sweeps.map(({ removed }) => removed), ["50"]);
});

Deno.test("a clock that is behind the last entry is waited for, and seldom looked at", () => {
  const bench = new Bench();
  bench.set(500, "a");
  bench.clockError = -10_000;
  bench.sweeper.changed();
  bench.clock.advanceSync(10_400);
  assert.deepEqual(bench.sweeps, []);
  bench.clock.advanceSync(200);
  assert.deepEqual(bench.sweeps, [{ at: 10_500, removed: "1" }]);
});

Deno.test("while nothing is applied it is looked seldom, and what is set then is seen soon", () => {
  const bench = new Bench();
  bench.set(3_600_000, "a");
  bench.clock.advanceSync(9_200);
  assert.ok(bench.looks >= 9 && bench.looks <= 12, `${bench.looks} looks`);
  bench.set(150, "b");
  bench.clock.advanceSync(150);
  assert.deepEqual(bench.sweeps.map(({ at }) => at), [9_350]);
});

Deno.test("what is due by the last stamp is not kept by a clock that is behind", () => {
  const bench = new Bench();
  bench.raft.role.name = "follower";
  bench.set(500, "a");
  bench.clock.advanceSync(600);
  bench.set(undefined, "b");
  bench.clockError = -10_000;
  bench.raft.role.name = "leader";
  bench.sweeper.changed();
  assert.deepEqual(bench.sweeps, [{ at: 600, removed: "1" }]);
});

Deno.test("a clock that is put forward is seen with the next look", () => {
  const bench = new Bench();
  bench.set(3_600_000, "a");
  bench.clockError = 3_600_000;
  bench.clock.advanceSync(1_000);
  assert.deepEqual(bench.sweeps, [{ at: 100, removed: "1" }]);
});
