/** Groups of which a crash has left some sectors are cut, and nothing that was acknowledged is ever taken for one. */

import assert from "node:assert/strict";
import type { Entry } from "../../../../cluster/raft/mod.ts";
import { concatBytes } from "../../../../protocol/bytes.ts";
import { DamagedLogError } from "../../../../server/replica/log/errors.ts";
import { encodeGroup } from "../../../../server/replica/log/encoding.ts";
import {
  type Change,
  encodeSegmentHead,
  GROUP_HEAD_BYTES,
  GROUP_TAIL_BYTES,
  groupBytes,
  readGroup,
  readGroupHead,
  SEGMENT_HEAD_BYTES,
} from "../../../../server/replica/log/format.ts";
import { SECTOR_BYTES, sectorEnd } from "../../../../server/replica/log/sectors.ts";
import type { LogFilesOptions } from "../../../../server/replica/log/log_files.ts";
import { segmentName } from "../../../../server/replica/log/segment.ts";
import { below } from "../../../support/random_value.ts";
import { MemoryDisk } from "../../../support/replica/memory_disk.ts";
import { appended, entry, openWhole } from "../../../support/replica/writes.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const PATH = `raft/${segmentName(1)}`;

/** Of the file. */
const SALT = 0x1234_5678_9abc;

/** Where in its sector the last group is to begin: with its head in one sector, and in two. */
const PLACES = [0, 1, 100, 479, 480, 481, 495, 496, 508, 511];

/** What entries hold that is hard to tell from what was never written. */
const HOLLOW: readonly ((random: SeededRandom, data: Uint8Array) => void)[] = [
  () => {},
  (random, data) => data.fill(below(random, 256)),
  (random, data) => data[below(random, data.length)] = 1 << below(random, 8),
  (random, data) => {
    for (let i = 0; i < data.length; i += SECTOR_BYTES) data[i] = 1 << below(random, 8);
  },
  (random, data) => {
    const four = random.bytes(4);
    for (let i = 0; i < data.length; i++) data[i] = four[i % 4]!;
  },
];

function hollow(random: SeededRandom, index: number, bytes: number): Entry {
  const data = new Uint8Array(bytes);
  HOLLOW[below(random, HOLLOW.length)]!(random, data);
  return { ...entry(index), data };
}

/** A file with a group that ends where another one is to begin in its sector, and those that follow. */
function fileWith(place: number, ...changes: readonly Change[]): Uint8Array {
  const head = encodeSegmentHead({
    sequence: 1,
    salt: SALT,
    beforeIndex: 0,
    beforeTerm: 0,
    isReset: false,
  });
  const least = SEGMENT_HEAD_BYTES + groupBytes(appended(entry(1, 1, 8)));
  const more = (place - least % SECTOR_BYTES + SECTOR_BYTES) % SECTOR_BYTES;
  const parts = [head];
  let at = SEGMENT_HEAD_BYTES;
  for (const change of [appended(entry(1, 1, 8 + more)), ...changes]) {
    const group = encodeGroup(change, SALT, at);
    parts.push(group);
    at += group.length;
  }
  return concatBytes(parts);
}

/** How many entries a start finds, and how many bytes it has cut; `undefined` when the file is damaged. */
async function found(
  bytes: Uint8Array,
  options: LogFilesOptions = {},
): Promise<readonly [number, number] | undefined> {
  try {
    const { log, restored } = await openWhole(new MemoryDisk([[PATH, bytes]]), "raft", options);
    await log.close();
    return [restored.entries.length, restored.cutBytes];
  } catch (error) {
    if (error instanceof DamagedLogError) return undefined;
    throw error;
  }
}

/** The sectors of a part of a file. */
function sectorsBetween(begin: number, end: number): { begin: number; end: number }[] {
  const sectors = [];
  for (let at = begin; at < end; at = sectorEnd(at)) {
    sectors.push({ begin: at, end: Math.min(end, sectorEnd(at)) });
  }
  return sectors;
}

/** `bytes` with zeros after them. */
function withZeros(bytes: Uint8Array, count: number): Uint8Array {
  return concatBytes([bytes, new Uint8Array(count)]);
}

Deno.test("a last group that lacks sectors is cut, whichever they are and whatever it holds", async () => {
  const random = new SeededRandom(1);
  for (const place of PLACES) {
    for (let round = 0; round < 4; round++) {
      const begin = fileWith(place).length;
      const whole = fileWith(place, appended(hollow(random, 2, 1 + below(random, 2_000))));
      assert.deepEqual(await found(whole), [2, 0]);
      assert.deepEqual(await found(withZeros(whole, 700)), [2, 0]);
      const sectors = sectorsBetween(begin, whole.length);
      for (let lost = 1; lost < 1 << sectors.length; lost++) {
        const bytes = withZeros(whole, 700);
        sectors.forEach(({ begin, end }, i) => (lost >> i & 1) === 1 && bytes.fill(0, begin, end));
        const isAll = lost === (1 << sectors.length) - 1;
        const what = `place ${place}, lost ${lost.toString(2)} of ${sectors.length}`;
        assert.deepEqual(await found(bytes), [1, isAll ? 0 : bytes.length - begin], what);
        const shorter = bytes.slice(0, below(random, bytes.length - begin) + begin);
        assert.equal((await found(shorter))?.[0], 1, `${what}, ${shorter.length} bytes`);
      }
    }
  }
});

Deno.test("a last group of which there are only the first bytes is cut", async () => {
  for (const place of PLACES) {
    const begin = fileWith(place).length;
    const whole = fileWith(place, appended(entry(2, 1, 600)));
    for (let end = begin; end < whole.length; end++) {
      for (const zeros of [0, 9, 1_200]) {
        const bytes = withZeros(whole.slice(0, end), zeros);
        assert.equal((await found(bytes))?.[0], 1, `place ${place}, ${end - begin} bytes`);
      }
    }
  }
});

Deno.test("a flipped bit is never taken for a sector that was not written", async () => {
  const random = new SeededRandom(2);
  for (const place of PLACES) {
    const begin = fileWith(place).length;
    for (let round = 0; round < 3; round++) {
      const whole = fileWith(place, appended(hollow(random, 2, 1 + below(random, 1_100))));
      const after = withZeros(whole, 700);
      for (let at = begin; at < whole.length; at++) {
        const isHead = at < begin + GROUP_HEAD_BYTES;
        for (const bit of isHead ? [0, 1, 2, 3, 4, 5, 6, 7] : [below(random, 8)]) {
          after[at]! ^= 1 << bit;
          assert.equal(await found(after), undefined, `place ${place}, byte ${at - begin}`);
          after[at]! ^= 1 << bit;
        }
      }
    }
  }
});

Deno.test("what was written before a group that is there is not cut, whatever of it was cleared", async () => {
  const random = new SeededRandom(3);
  for (const place of PLACES) {
    const begin = fileWith(place).length;
    const cleared = appended(hollow(random, 2, 900));
    const whole = withZeros(fileWith(place, cleared, appended(entry(3))), 1_500);
    const end = begin + groupBytes(cleared);
    for (const sector of sectorsBetween(begin, end)) {
      const bytes = whole.slice();
      bytes.fill(0, sector.begin, sector.end);
      assert.equal(await found(bytes), undefined, `place ${place}, byte ${sector.begin - begin}`);
    }
    const none = whole.slice();
    none.fill(0, begin, end);
    assert.equal(await found(none), undefined, `place ${place}, all of it`);
  }
});

Deno.test("a group that seems to follow one whose head is gone has to stand where it says", async () => {
  const begin = fileWith(0).length;
  const elsewhere = encodeGroup(appended(entry(9)), SALT, 5);
  const whole = fileWith(0, appended({ ...entry(2), data: withZeros(elsewhere, 900) }));
  const bytes = withZeros(whole, 100);
  bytes.fill(0, begin, sectorEnd(begin));
  bytes.set(elsewhere, begin + 600);
  assert.deepEqual(await found(bytes), [1, bytes.length - begin]);
  bytes.set(encodeGroup(appended(entry(9)), SALT, begin + 600), begin + 600);
  assert.equal(await found(bytes), undefined);
});

Deno.test("a sector with hardly any bit is none that was not written", async () => {
  for (const place of PLACES) {
    const begin = fileWith(place).length;
    const data = new Uint8Array(1_700);
    // Of the sectors behind the first, each has two bits.
    for (let at = sectorEnd(begin) - begin; at < 1_600; at += SECTOR_BYTES) {
      data.fill(1, at, at + 2);
    }
    const whole = withZeros(fileWith(place, appended({ ...entry(2), data })), 900);
    assert.deepEqual(await found(whole), [2, 0]);
    for (let at = begin; at < begin + 1_700; at++) {
      for (let bit = 0; bit < 8; bit++) {
        if ((whole[at]! >> bit & 1) === 0) continue;
        whole[at]! ^= 1 << bit;
        assert.equal(await found(whole), undefined, `place ${place}, byte ${at - begin}`);
        whole[at]! ^= 1 << bit;
      }
    }
  }
});

Deno.test("a sector that was cleared before the last group is damage, also where that is the only one left", async () => {
  const begin = fileWith(0).length;
  const small = [2, 3, 4, 5].map((index) => appended(entry(index)));
  const whole = withZeros(fileWith(0, ...small, appended(entry(6, 1, 2_000))), 900);
  assert.deepEqual(await found(whole), [6, 0]);
  whole.fill(0, begin, begin + SECTOR_BYTES);
  assert.equal(await found(whole), undefined);
});

Deno.test("what clients have written is not taken for a group that follows", async () => {
  const begin = fileWith(0).length;
  const data = new Uint8Array(2_000).fill(0x61);
  const dataAt = begin + groupBytes(appended({ ...entry(2), data })) - GROUP_TAIL_BYTES -
    data.length;
  // They know all but the salt.
  for (const salt of [SALT + 1, SALT + 2 ** 32, SALT]) {
    data.set(encodeGroup(appended(entry(9)), salt, dataAt + 700), 700);
    const whole = withZeros(fileWith(0, appended({ ...entry(2), data })), 900);
    assert.deepEqual(await found(whole), [2, 0]);
    whole.fill(0, begin, sectorEnd(begin));
    // Half of it is enough to be taken for the end of one.
    const isKnown = salt % 2 ** 32 === SALT % 2 ** 32;
    assert.deepEqual(await found(whole), isKnown ? undefined : [1, whole.length - begin]);
  }
});

Deno.test("a long group that lacks sectors is cut, and not when another one has followed it", async () => {
  const MIB = 1024 * 1024;
  const begin = fileWith(0).length;
  const long = appended(entry(2, 1, 3 * MIB));
  const whole = withZeros(fileWith(0, long), 200_000);
  assert.deepEqual(await found(whole), [2, 0]);
  for (const [from, to] of [[begin, sectorEnd(begin)], [begin + MIB, whole.length]] as const) {
    const bytes = whole.slice();
    bytes.fill(0, from, to);
    assert.deepEqual(await found(bytes), [1, bytes.length - begin]);
  }
  const none = whole.slice();
  none.fill(0, begin);
  assert.deepEqual(await found(none), [1, none.length - begin]);
  // Its head stands on both sides of what is read at a time.
  for (const before of [0, 1, 16, 31, 32, 33]) {
    const data = new Uint8Array(2 * MIB - before).fill(0x61);
    const rest = groupBytes(appended({ ...entry(2), data: new Uint8Array(0) }));
    const exact = appended({ ...entry(2), data: data.subarray(rest) });
    const bytes = fileWith(0, exact, appended(entry(3, 1, 100)));
    bytes.fill(0, begin, sectorEnd(begin));
    bytes.fill(0, bytes.length - 60);
    assert.equal(await found(bytes), undefined, `${before} bytes before`);
  }
});

Deno.test("more zeros than are ever written ahead are what is left of a group", async () => {
  const whole = fileWith(0, appended(entry(2)));
  assert.deepEqual(await found(withZeros(whole, 256 * 1024)), [2, 0]);
  assert.deepEqual(await found(withZeros(whole, 256 * 1024 + 1)), [2, 256 * 1024 + 1]);
});

Deno.test("of a log that is synced late all is cut from the first group on that lacks a sector, and damage is told", async () => {
  const random = new SeededRandom(7);
  const isLazy = true;
  let followed = 0;
  for (const place of PLACES) {
    for (let round = 0; round < 40; round++) {
      const changes = Array.from(
        { length: 6 },
        (_, i) => appended(hollow(random, 2 + i, 1 + below(random, 1_500))),
      );
      const begin = fileWith(place).length;
      const whole = fileWith(place, ...changes);
      const bytes = withZeros(whole, 700);
      const lost = sectorsBetween(begin, whole.length).filter(() => random.float() < 0.2);
      for (const { begin, end } of lost) bytes.fill(0, begin, end);
      const ends = changes.map((_, i) => fileWith(place, ...changes.slice(0, i + 1)).length);
      const count = ends.filter((end) => end <= (lost[0]?.begin ?? Infinity)).length;
      assert.equal((await found(bytes, { isLazy }))?.[0], 1 + count, `place ${place}, ${round}`);
      if (await found(bytes) === undefined) followed++;
      const cut = begin + below(random, whole.length - begin);
      const left = ends.filter((end) => end <= cut).length;
      assert.equal((await found(whole.slice(0, cut), { isLazy }))?.[0], 1 + left);
      whole[SEGMENT_HEAD_BYTES + below(random, whole.length - SEGMENT_HEAD_BYTES)]! ^= 1 <<
        below(random, 8);
      assert.equal(await found(whole, { isLazy }), undefined, "a flipped bit");
    }
  }
  assert.ok(followed > 100, `${followed} times whole groups followed one that was not`);
});

Deno.test("masks are drawn until one does", () => {
  const data = new Uint8Array(4_096);
  for (let i = 0; i < data.length; i++) data[i] = i < 2_048 ? 0 : [1, 2, 3, 4][i % 4]!;
  const counts = [0x01020304, 0x02030401, 0x03040102, 0x04010203].map((wrong) => {
    const masks = [0, wrong, 0, wrong, 0xdeadbeef];
    const drawn: number[] = [];
    const group = encodeGroup(appended({ ...entry(2), data }), 1, 512, () => {
      drawn.push(masks[drawn.length] as number);
      return drawn.at(-1) as number;
    });
    const head = readGroupHead(group, 1, 512);
    assert.ok(typeof head !== "string" && head.mask === drawn.at(-1));
    assert.deepEqual((readGroup(group, head) as Change).entries, [{ ...entry(2), data }]);
    return drawn.length;
  });
  assert.deepEqual(counts.toSorted(), [2, 2, 2, 5], "by one of them the rest is blank");
});

Deno.test("groups have no blank sector, nor one bit that keeps it from being blank, and come back as they were", () => {
  const random = new SeededRandom(4);
  let masks = 0;
  for (let round = 0; round < 2_000; round++) {
    const at = below(random, 5_000);
    const count = 1 + below(random, 3);
    const entries = Array.from(
      { length: count },
      (_, i) => hollow(random, 2 + i, 1 + below(random, 3_000)),
    );
    const group = encodeGroup({ entries }, 7, at);
    const head = readGroupHead(group, 7, at);
    assert.ok(typeof head !== "string");
    if (head.mask !== 0) masks++;
    const read = readGroup(group, head);
    assert.ok(typeof read !== "string");
    assert.deepEqual(read.entries, entries);
    for (const { begin, end } of sectorsBetween(at, at + group.length)) {
      const ones = group.subarray(begin - at, end - at).reduce(
        (sum, byte) => sum + byte.toString(2).replaceAll("0", "").length,
        0,
      );
      assert.ok(ones >= 2, `round ${round}`);
    }
  }
  assert.ok(masks > 500 && masks < 1_900, `${masks} masks`);
});
