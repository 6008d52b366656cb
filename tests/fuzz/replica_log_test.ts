/**
 * Damaged files into the start of a log: it finds the entries that were written, or the first ones of them, or says that a file
 * is damaged. The same for files that are put together of groups that are right in themselves: what it takes can be written on,
 * loaded, and read again.
 *
 * SKEIN_SEED repeats a run, SKEIN_FUZZ_MS makes it longer (2,000 by default).
 */

import assert from "node:assert/strict";
import type { Entry } from "../../cluster/raft/mod.ts";
import { concatBytes } from "../../protocol/bytes.ts";
import { DamagedLogError } from "../../server/replica/log/errors.ts";
import { encodeGroup } from "../../server/replica/log/encoding.ts";
import { type Change, encodeSegmentHead } from "../../server/replica/log/format.ts";
import { segmentName } from "../../server/replica/log/segment.ts";
import { mutated } from "../support/mutate.ts";
import { below } from "../support/random_value.ts";
import { MemoryDisk } from "../support/replica/memory_disk.ts";
import { writtenLength } from "../support/replica/written.ts";
import {
  appended,
  entriesBetween,
  entry,
  openWhole,
  tell,
  type WholeLog,
} from "../support/replica/writes.ts";
import { SeededRandom } from "../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const DURATION_MS = Number(Deno.env.get("SKEIN_FUZZ_MS") ?? 2_000);
const SMALL = { segmentBytes: 400 };

/** What a start finds, `undefined` when a file is damaged; nothing was changed then. */
async function open(disk: MemoryDisk): Promise<WholeLog | undefined> {
  const before = new Map(disk.files);
  try {
    return await openWhole(disk, "raft", SMALL);
  } catch (error) {
    if (!(error instanceof DamagedLogError)) throw error;
    assert.deepEqual(disk.files, before);
    return undefined;
  }
}

/** Calls `round` until the time is over; tells the seed and the round when it fails. */
async function often(
  stream: number,
  round: (random: SeededRandom) => Promise<void>,
): Promise<void> {
  const random = new SeededRandom(SEED, stream);
  const end = performance.now() + DURATION_MS / 2;
  let rounds = 0;
  for (; performance.now() < end; rounds++) {
    await round(random).catch((cause) => {
      throw new Error(`SKEIN_SEED=${SEED}, round ${rounds}`, { cause });
    });
  }
  assert.ok(rounds > 50, `Only ${rounds} rounds`);
}

Deno.test("a log of which one file is bent is read up to some entry, or refused", async () => {
  const whole = new MemoryDisk();
  const { log } = await openWhole(whole, "raft", SMALL);
  const entries = entriesBetween(1, 12);
  for (const it of entries) await log.write(appended(it));
  await log.close();
  const paths = [...whole.files.keys()].sort();
  // Without the zeros after the last group, so that they do not look like what a crash leaves.
  const last = paths.at(-1) as string;
  const grown = whole.files.get(last) as Uint8Array;
  whole.files.set(last, grown.slice(0, writtenLength(grown)));
  let [refused, found] = [0, 0];
  await often(1, async (random) => {
    const path = paths[below(random, paths.length)] as string;
    const bytes = whole.files.get(path) as Uint8Array;
    const bent = random.float() < 0.1 ? random.bytes(below(random, 500)) : mutated(random, bytes);
    const disk = new MemoryDisk(whole.files);
    disk.files.set(path, bent);
    const opened = await open(disk);
    if (opened === undefined) return void refused++;
    found++;
    const { restored } = opened;
    const first = entries.slice(0, restored.entries.length);
    assert.equal(tell(restored), tell({ beforeIndex: 0, beforeTerm: 0, entries: first }));
    const isTorn = bent.length < bytes.length || bent.at(-1) === 0;
    if (path !== last || !isTorn) assert.equal(first.length, entries.length);
    await opened.log.close();
  });
  assert.ok(refused > 0 && found > 0);
});

Deno.test("groups that are right in themselves are taken when they follow each other", async () => {
  let [refused, found] = [0, 0];
  await often(2, async (random) => {
    const disk = new MemoryDisk();
    const count = 1 + below(random, 3);
    let last = below(random, 4);
    for (let sequence = 1; sequence <= count; sequence++) {
      const isReset = random.float() < 0.2;
      const parts = [encodeSegmentHead({
        sequence,
        salt: 7 * sequence,
        beforeIndex: last,
        beforeTerm: Math.min(1, last),
        isReset,
      })];
      let at = (parts[0] as Uint8Array).length;
      for (let groups = below(random, 4); groups > 0; groups--) {
        const change = drawn(random, last);
        last = change.entries.at(-1)?.index ?? change.cut?.index ?? last;
        const group = encodeGroup(change, 7 * sequence, at);
        at += group.length;
        parts.push(group);
      }
      disk.files.set(`raft/${segmentName(sequence)}`, concatBytes(parts));
    }
    const opened = await open(disk);
    if (opened === undefined) return void refused++;
    found++;
    const { log, restored } = opened;
    const { beforeIndex, entries } = restored;
    const next = beforeIndex + entries.length + 1;
    const term = Math.max(1, entries.at(-1)?.term ?? restored.beforeTerm);
    await log.write(appended(entry(next, term)));
    const wanted: readonly Entry[] = [...entries, entry(next, term)];
    const request = { from: beforeIndex + 1, maxEntries: Infinity, maxBytes: Infinity };
    assert.deepEqual(await log.load(request), wanted);
    await log.close();
    const again = await openWhole(disk, "raft", SMALL);
    assert.equal(tell(again.restored), tell({ ...restored, entries: wanted }));
    await again.log.close();
  });
  assert.ok(refused > 0 && found > 0, `${refused} refused, ${found} found`);
});

/** A change that mostly follows an entry. */
function drawn(random: SeededRandom, last: number): Change {
  const near = (index: number): number => Math.max(0, index + below(random, 3) - 1);
  const place = (index: number) => ({ index, term: Math.min(1, index) });
  const begin = random.float() < 0.2 ? place(Math.max(0, last - below(random, 3))) : undefined;
  const cut = random.float() < 0.3 ? place(Math.max(0, last - below(random, 3))) : undefined;
  const after = cut?.index ?? last;
  const first = random.float() < 0.05 ? near(after) + 1 : after + 1;
  return { begin, cut, entries: entriesBetween(first, first + below(random, 4) - 1) };
}
