/** What crashes at any moment leave of segments: at least what the rows tell of, and both rules of the order are needed for that. */

import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import type { MessageChange, SegmentId } from "../../../../cluster/machine/topics/segment.ts";
import type { Disk } from "../../../../cluster/runtime.ts";
import { below } from "../../../support/random_value.ts";
import { HOST } from "../../../support/replica/disks.ts";
import {
  batchOf,
  openSegments,
  readAll,
  Rows,
  segmentAt,
} from "../../../support/replica/segments.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";
import { Simulation } from "../../../support/simulation/simulation.ts";

/** Rules that a run does without. */
interface Without {
  /** Rows go to the disk before the bytes that they tell of are there. */
  readonly bytesFirst?: boolean;
  /** What is dropped is removed before the rows without it are there. */
  readonly rowsFirst?: boolean;
}

/** A state that is written behind, as the store of a server does it, and the segments beside it. */
class Life {
  /** The rows that a crash leaves. */
  kept: Rows;
  /** Times that rows went to the disk. */
  written = 0;
  readonly #random: SeededRandom;
  readonly #without: Without;

  constructor(random: SeededRandom, kept: Rows, without: Without) {
    this.#random = random;
    this.#without = without;
    this.kept = kept;
  }

  /** Opens what is there, looks at all of it, and goes on until the process ends. */
  async run(disk: Disk): Promise<void> {
    const random = this.#random;
    const rows = this.kept.copy();
    // What was dropped never comes again.
    let base = 1 + Math.max(0, ...[...rows.rows()].map(({ segment }) => segment.base));
    const { files, found } = await openSegments(disk, rows, {
      writeBytes: 2_000,
      syncBytes: 4_000,
    });
    assert.deepEqual(found, [], "nothing is missing");
    for (const { segment, bytes, crc } of rows.rows()) {
      const all = await readAll(files, segment);
      assert.equal(all.length, bytes);
      assert.equal(crc32(all), crc, "as it was written");
    }
    for (;;) {
      const changes: MessageChange[] = [];
      for (let count = below(random, 5); count > 0; count--) {
        if (random.float() < 0.1) base++;
        const segment = segmentAt(base, below(random, 3), 1 + below(random, 2));
        changes.push(rows.append(segment, batchOf(random, below(random, 600))));
      }
      if (random.float() < 0.2) {
        changes.push(...this.#dropOne(rows));
        base++;
      }
      files.take(changes);
      if (random.float() < 0.5) await files.flush();
      if (random.float() >= 0.4) continue;
      const next = rows.copy();
      const forget = files.forgettable();
      if (!this.#without.bytesFirst) await files.sync();
      if (this.#without.rowsFirst) await forget?.();
      this.kept = next;
      this.written++;
      if (!this.#without.rowsFirst) await forget?.();
      if (this.#without.bytesFirst) await files.flush();
    }
  }

  #dropOne(rows: Rows): MessageChange[] {
    const ids: SegmentId[] = [...rows.rows()].map(({ segment }) => segment);
    const one = ids[below(this.#random, ids.length)];
    return one === undefined ? [] : [rows.drop(one)];
  }
}

/** Lives of one server, each of which ends with its process or its machine at some operation of the disk. */
async function lives(seed: number, without: Without): Promise<number> {
  const simulation = new Simulation(seed);
  const random = new SeededRandom(seed);
  let kept = new Rows();
  let written = 0;
  for (let life = 0; life < 8; life++) {
    const { disk } = simulation.addHost(HOST);
    const platter = simulation.disk(HOST);
    const last = platter.operations + below(random, 150);
    const one = new Life(random, kept, without);
    let failure: unknown;
    one.run(disk).catch((error) => failure = error);
    await simulation.runUntil(() => platter.operations >= last || failure !== undefined, 60_000, 0);
    if (failure !== undefined) throw failure;
    kept = one.kept;
    written += one.written;
    if (random.float() < 0.3) simulation.kill(HOST);
    else simulation.crash(HOST);
  }
  return written;
}

Deno.test("whatever ends when, segments have at least what the rows tell of", async () => {
  let written = 0;
  for (let seed = 1; seed <= 60; seed++) written += await lives(seed, {});
  assert.ok(written > 600, `${written} states`);
});

for (
  const [rule, text] of [
    ["bytesFirst", "bytes are there before the rows that tell of them"],
    ["rowsFirst", "files go after the rows that told of them"],
  ] as const
) {
  Deno.test(`without the rule that ${text}, crashes lose messages`, async () => {
    await assert.rejects(async () => {
      for (let seed = 1; seed <= 60; seed++) await lives(seed, { [rule]: true });
    }, /missing/);
  });
}
