/**
 * Questions are answered in order, and so many in one turn as leave room for others.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../../../cluster/machine/mod.ts";
import { Reads } from "../../../../server/replica/driver/reads.ts";
import type { Request } from "../../../../server/replica/driver/requests.ts";
import { ManualClock } from "../../../support/manual_clock.ts";

/** How long each question takes. */
const EACH_MS = 4;
const DEADLINE = 1_000;

/** Reads whose questions take time, and what was answered. */
class Bench {
  readonly clock = new ManualClock();
  readonly reads: Reads;
  readonly answers: string[] = [];

  constructor() {
    this.reads = new Reads(this.clock, ([rev = 0]): Result => {
      this.clock.advanceSync(EACH_MS);
      return { ok: true, rev, body: new Uint8Array() };
    });
  }

  /** A batch with these questions. */
  add(questions: readonly number[], deadline = DEADLINE): number {
    return this.reads.add(questions.map((one): Request => ({
      kind: "question",
      bytes: new Uint8Array(512).fill(one),
      lease: false,
      deadline,
      staysHere: false,
      done: (result) =>
        this.answers.push(result?.ok ? `${result.rev}` : `${one} ${result?.reason}`),
    })));
  }
}

Deno.test("questions that take long are answered in several turns, in order, and all of them", () => {
  const bench = new Bench();
  const { clock, reads, answers } = bench;
  const first = bench.add([1, 2, 3, 4, 5]);
  const second = bench.add([6, 7]);
  reads.ready(first, 10, 9);
  assert.deepEqual(answers, []);
  reads.applied(10);
  assert.deepEqual(answers, ["1", "2", "3"]);
  // What may be answered by now is not answered in this turn, nor before what came earlier.
  reads.ready(second, 10, 10);
  reads.applied(11);
  assert.equal(answers.length, 3);
  clock.advanceSync(0);
  assert.equal(answers.length, 6);
  assert.ok(reads.wait);
  clock.advanceSync(100);
  assert.deepEqual(answers, ["1", "2", "3", "4", "5", "6", "7"]);
  assert.ok(!reads.wait);
  assert.equal(clock.pending, 0);
});

Deno.test("questions that wait for their turn are answered once when their time is over, or the server ends", () => {
  const bench = new Bench();
  const { clock, reads, answers } = bench;
  reads.ready(bench.add([1, 2, 3, 4], 12), 1, 1);
  reads.ready(bench.add([5, 6]), 1, 1);
  assert.deepEqual(answers, ["1", "2", "3"]);
  reads.expire(12);
  assert.deepEqual(answers.slice(3), ["4 NO_LEADER"]);
  reads.end();
  assert.deepEqual(answers.slice(4), ["5 SHUTTING_DOWN", "6 SHUTTING_DOWN"]);
  assert.equal(clock.pending, 0);
  clock.advanceSync(100);
  assert.equal(answers.length, 6);
});

Deno.test("questions whose leader is lost are given back, but for those that were answered", () => {
  const bench = new Bench();
  const id = bench.add([1, 2, 3, 4]);
  bench.reads.ready(id, 1, 1);
  assert.deepEqual(bench.reads.lost([id]).map(({ bytes }) => bytes[0]), [4]);
  bench.clock.advanceSync(100);
  assert.equal(bench.answers.length, 3);
});
