/** Damage of the files of a log is told, and never taken for what a crash leaves. */

import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import type { LogWrite } from "../../../../cluster/raft/state/effects.ts";
import { concatBytes, putU32 } from "../../../../protocol/bytes.ts";
import { DamagedLogError } from "../../../../server/replica/log/errors.ts";
import { encodeGroup } from "../../../../server/replica/log/encoding.ts";
import {
  encodeSegmentHead,
  readSegmentHead,
  SEGMENT_HEAD_BYTES,
} from "../../../../server/replica/log/format.ts";
import { LogFiles } from "../../../../server/replica/log/log_files.ts";
import { segmentName } from "../../../../server/replica/log/segment.ts";
import { MemoryDisk } from "../../../support/replica/memory_disk.ts";
import {
  appended,
  entriesBetween,
  entry,
  openWhole,
  snapshot,
  tell,
  type WholeLog,
} from "../../../support/replica/writes.ts";

const FIRST = `raft/${segmentName(1)}`;
const SECOND = `raft/${segmentName(2)}`;

/** Bytes of a group of one entry. */
const GROUP_BYTES = 89;

/** Where the last group ends. */
const END = SEGMENT_HEAD_BYTES + 2 * GROUP_BYTES;

type Files = ReadonlyMap<string, Uint8Array>;

/** Five groups in two files, the second of which ends with the last group. */
async function written(): Promise<Files> {
  const files = await filled();
  return withFile(files, SECOND, (files.get(SECOND) as Uint8Array).slice(0, END));
}

/** The same with zeros after the last group, as it was written. */
async function filled(): Promise<Files> {
  const disk = new MemoryDisk();
  const { log } = await openWhole(disk, "raft", { segmentBytes: 250 });
  for (const it of entriesBetween(1, 5)) await log.write(appended(it));
  await log.close();
  const lengths = [...disk.files].map(([, { length }]) => length);
  assert.deepEqual(lengths, [SEGMENT_HEAD_BYTES + 3 * GROUP_BYTES, 250]);
  return disk.files;
}

/** What a start finds in files. */
async function open(files: Iterable<readonly [string, Uint8Array]>): Promise<WholeLog["restored"]> {
  const { log, restored } = await openWhole(new MemoryDisk(files), "raft");
  await log.close();
  return restored;
}

/** The salt of a file. */
function saltOf(files: Files, path: string): number {
  const head = readSegmentHead(files.get(path) as Uint8Array, path === FIRST ? 1 : 2);
  assert.ok(typeof head !== "string");
  return head.salt;
}

/** Files of which one is another. */
function withFile(files: Files, path: string, bytes: Uint8Array | undefined): Files {
  const copy = new Map(files);
  if (bytes === undefined) copy.delete(path);
  else copy.set(path, bytes);
  return copy;
}

async function assertDamaged(
  files: Files,
  path: string,
  offset: number,
  problem: RegExp,
): Promise<void> {
  const disk = new MemoryDisk(files);
  await assert.rejects(LogFiles.open(disk, "raft"), (error) => {
    assert.ok(error instanceof DamagedLogError, String(error));
    assert.deepEqual([error.path, error.offset], [path, offset]);
    assert.match(error.message, /^Log file '.*' is damaged at byte \d+: [A-Z]/);
    assert.match(error.message, problem);
    return true;
  });
  assert.deepEqual(disk.files, new Map(files), "Nothing was changed");
}

Deno.test("each flipped bit of a log is found, in the last group as well", async () => {
  const files = await written();
  assert.equal((await open(files)).entries.length, 5);
  for (const [path, whole] of files) {
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const bytes = whole.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const at = Math.floor(((bit >> 3) - SEGMENT_HEAD_BYTES) / GROUP_BYTES);
      const offset = at < 0 ? 0 : SEGMENT_HEAD_BYTES + at * GROUP_BYTES;
      await assertDamaged(withFile(files, path, bytes), path, offset, /./);
    }
  }
});

Deno.test("each byte that is another one is found", async () => {
  const files = await written();
  const whole = files.get(SECOND) as Uint8Array;
  for (let at = 0; at < whole.length; at++) {
    for (const value of [0x00, 0x01, 0x65, 0x80, 0xff]) {
      const bytes = whole.slice();
      bytes[at] = value;
      if (value === whole[at] || (value === 0 && at === whole.length - 1)) continue;
      await assert.rejects(open(withFile(files, SECOND, bytes)), DamagedLogError, `${at} ${value}`);
    }
  }
});

Deno.test("of a last group that lacks bytes, or has zeros instead, all is cut", async () => {
  const files = await written();
  const whole = files.get(SECOND) as Uint8Array;
  const begin = whole.length - GROUP_BYTES;
  const rest = { beforeIndex: 0, beforeTerm: 0, entries: entriesBetween(1, 4) };
  for (let length = begin; length < whole.length; length++) {
    for (const zeros of [0, 1, whole.length - length]) {
      if (length + zeros === begin || length + zeros > whole.length) continue;
      const bytes = concatBytes([whole.slice(0, length), new Uint8Array(zeros)]);
      const disk = new MemoryDisk(withFile(files, SECOND, bytes));
      // There may be zeros; a start takes them away.
      const isFill = length === begin;
      for (const cutBytes of [isFill ? 0 : bytes.length - begin, 0]) {
        const { log, restored } = await openWhole(disk, "raft");
        assert.equal(restored.cutBytes, cutBytes);
        assert.equal(tell(restored), tell(rest));
        await log.close();
      }
      assert.equal(disk.files.get(SECOND)?.length, begin);
    }
  }
});

Deno.test("what no crash can have left at the end of a log is damage", async () => {
  const files = await written();
  const whole = files.get(SECOND) as Uint8Array;
  const end = whole.length;
  const last = end - GROUP_BYTES;
  const withEnd = (...parts: Uint8Array[]): Files =>
    withFile(files, SECOND, concatBytes([whole, ...parts]));
  const elsewhere = encodeGroup(appended(entry(6)), saltOf(files, SECOND) + 1, end);
  await assertDamaged(withEnd(new Uint8Array([1])), SECOND, end, /File ends within the head/);
  await assertDamaged(withEnd(elsewhere), SECOND, end, /Group belongs elsewhere/);
  await assertDamaged(withEnd(elsewhere.slice(0, 40)), SECOND, end, /Group belongs elsewhere/);
  await assertDamaged(withEnd(new Uint8Array(65 * 1024 * 1024)), SECOND, end, /Head has a wrong/);
  const zeroed = whole.slice();
  zeroed.fill(0, last, last + 40);
  await assertDamaged(withFile(files, SECOND, zeroed), SECOND, last, /Head has a wrong checksum/);
  // Something after the end of the group that is wrong.
  const wrong = concatBytes([whole, new Uint8Array([0, 0, 1])]);
  wrong[end - 1] = 0;
  await assertDamaged(withFile(files, SECOND, wrong), SECOND, last, /Group has a wrong end/);
});

Deno.test("a torn group before the last file is damage", async () => {
  const files = await written();
  const whole = files.get(FIRST) as Uint8Array;
  const last = whole.length - GROUP_BYTES;
  const shorter = withFile(files, FIRST, whole.slice(0, -1));
  await assertDamaged(shorter, FIRST, last, /File ends within a group/);
  const without = withFile(files, FIRST, whole.slice(0, last));
  await assertDamaged(without, SECOND, 0, /follows entry 3 of term 1, expected entry 2 of term 1/);
});

Deno.test("files that are missing between others, or are not what their names say, are damage", async () => {
  const files = await written();
  const [first, second] = [files.get(FIRST), files.get(SECOND)] as [Uint8Array, Uint8Array];
  const third = `raft/${segmentName(3)}`;
  const gap = withFile(withFile(files, SECOND, undefined), third, segment(3, 5));
  await assertDamaged(gap, third, 0, /File '0000000000000002\.log' before it is missing/);
  await assertDamaged(withFile(files, SECOND, first), SECOND, 0, /Head is of file 1, expected 2/);
  await assertDamaged(
    withFile(files, SECOND, second.slice(0, SEGMENT_HEAD_BYTES - 1)),
    SECOND,
    0,
    /ends within its head/,
  );
  await assertDamaged(
    withFile(files, SECOND, new Uint8Array(0)),
    SECOND,
    0,
    /ends within its head/,
  );
  await assertDamaged(
    withFile(files, FIRST, new Uint8Array(99)),
    FIRST,
    0,
    /No head of a log file/,
  );
});

function segment(sequence: number, beforeIndex: number): Uint8Array {
  return encodeSegmentHead({ sequence, salt: 3, beforeIndex, beforeTerm: 1, isReset: false });
}

Deno.test("a log of another format is not read", async () => {
  const files = await written();
  const bytes = (files.get(SECOND) as Uint8Array).slice();
  putU32(bytes, 8, 1);
  await assertDamaged(withFile(files, SECOND, bytes), SECOND, 0, /Log has format 1, expected 2/);
});

Deno.test("a head that no file of a log can have is none", async () => {
  const files = await written();
  const whole = files.get(SECOND) as Uint8Array;
  for (const [at, value] of [[12, 2], [24, 2 ** 21], [32, 2 ** 21], [40, 2 ** 21]] as const) {
    const bytes = whole.slice();
    putU32(bytes, at, value);
    putU32(bytes, 48, crc32(bytes.subarray(0, 48)));
    await assertDamaged(withFile(files, SECOND, bytes), SECOND, 0, /Head is none/);
  }
});

Deno.test("no two files of logs have the same salt", async () => {
  const logs = [await written(), await written()];
  const salts = logs.flatMap((files) => [FIRST, SECOND].map((path) => saltOf(files, path)));
  assert.equal(new Set(salts).size, 4);
});

Deno.test("whole groups that do not follow each other are damage", async () => {
  const files = await written();
  const whole = files.get(SECOND) as Uint8Array;
  const end = whole.length;
  const place = { index: 4, term: 1 };
  for (
    const [change, problem] of [
      [appended(entry(7)), /Entry 7 of term 1 cannot follow entry 5 of term 1/],
      [{ cut: place, entries: [entry(5, 2), entry(6, 1)] }, /Entry 6 of term 1 cannot follow/],
      [{ cut: { index: 6, term: 1 }, entries: [] }, /cannot be cut after 6/],
      [{ cut: { index: 4, term: 2 }, entries: [] }, /Entry 4 has not the term 2/],
      [{ begin: { index: 6, term: 1 }, entries: [] }, /cannot begin after 6/],
      [{ begin: { index: 5, term: 2 }, entries: [] }, /Entry 5 has not the term 2/],
      [{ begin: place, cut: { index: 3, term: 1 }, entries: [] }, /cut before it begins/],
    ] as const
  ) {
    const bytes = concatBytes([whole, encodeGroup(change, saltOf(files, SECOND), end)]);
    await assertDamaged(withFile(files, SECOND, bytes), SECOND, end, problem);
  }
});

Deno.test("what is damaged while the log is open is not loaded", async () => {
  const disk = new MemoryDisk(await written());
  const { log } = await openWhole(disk, "raft");
  (disk.files.get(FIRST) as Uint8Array)[SEGMENT_HEAD_BYTES + GROUP_BYTES + 50]! ^= 1;
  const request = { maxEntries: 9, maxBytes: Infinity };
  await assert.rejects(log.load({ ...request, from: 1 }), DamagedLogError);
  assert.deepEqual(await log.load({ ...request, from: 4 }), entriesBetween(4, 5));
  await disk.truncate(FIRST, 200);
  await assert.rejects(log.load({ ...request, from: 1 }), /File has become shorter/);
  await log.close();
});

Deno.test("zeros in place of what was acknowledged are damage while the log is open, and in files before the last", async () => {
  const disk = new MemoryDisk();
  const { log } = await openWhole(disk, "raft", { segmentBytes: 250 });
  for (const it of entriesBetween(1, 5)) await log.write(appended(it));
  assert.deepEqual(await log.check(() => false), []);
  const request = { maxEntries: 9, maxBytes: Infinity };
  for (const [path, from] of [[SECOND, 4], [FIRST, 1]] as const) {
    const before = (disk.files.get(path) as Uint8Array).slice();
    disk.files.get(path)?.fill(0, SEGMENT_HEAD_BYTES + GROUP_BYTES);
    const problems = await log.check(() => false);
    assert.equal(problems.length, 1);
    assert.match(problems[0] as string, /Head has a wrong checksum/);
    await assert.rejects(log.load({ ...request, from }), DamagedLogError);
    disk.files.set(path, before);
  }
  await log.close();
  const begin: LogWrite = {
    seq: 0,
    reset: { snapshot: snapshot(1, 1), keepSuffix: true },
    entries: [],
  };
  const begun = new MemoryDisk();
  {
    const { log } = await openWhole(begun, "raft", { segmentBytes: 150 });
    await log.write(appended(entry(1)));
    await log.write(begin);
    await log.write(appended(entry(2)));
    await log.close();
  }
  assert.deepEqual([...begun.files.keys()], [FIRST, SECOND]);
  begun.files.get(FIRST)?.fill(0, SEGMENT_HEAD_BYTES + GROUP_BYTES);
  await assertDamaged(begun.files, FIRST, SEGMENT_HEAD_BYTES + GROUP_BYTES, /wrong checksum/);
});

Deno.test("a group that claims no bytes, or too many, is none", async () => {
  const files = await written();
  const whole = files.get(SECOND) as Uint8Array;
  const last = END - GROUP_BYTES;
  for (const claimed of [0, 64 * 1024 * 1024 + 1, 2 ** 32 - 1]) {
    const bytes = whole.slice();
    putU32(bytes, last + 16, claimed);
    putU32(bytes, last + 28, crc32(bytes.subarray(last, last + 28)));
    await assertDamaged(withFile(files, SECOND, bytes), SECOND, last, /Group claims \d+ bytes/);
  }
});

Deno.test("files from before a snapshot need not be whole, and go", async () => {
  const files = await written();
  const place = { beforeIndex: 9, beforeTerm: 3 };
  const head = encodeSegmentHead({ sequence: 7, salt: 3, ...place, isReset: true });
  const path = `raft/${segmentName(7)}`;
  const disk = new MemoryDisk(withFile(withFile(files, FIRST, new Uint8Array(5)), path, head));
  disk.files.set(`raft/${segmentName(8)}.new`, new Uint8Array(5));
  disk.files.set("raft/vote", new Uint8Array(5));
  const { log, restored } = await openWhole(disk, "raft");
  assert.equal(tell(restored), tell({ beforeIndex: 9, beforeTerm: 3, entries: [] }));
  assert.deepEqual([...disk.files.keys()].sort(), [path, "raft/vote"]);
  await log.close();
});
