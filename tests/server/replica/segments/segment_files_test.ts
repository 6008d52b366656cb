/** Segments of messages on a disk: what is read is what was appended, also after a restart, a full disk and damage. */

import assert from "node:assert/strict";
import type { MessageChange } from "../../../../cluster/machine/topics/segment.ts";
import { DiskFullError } from "../../../../cluster/runtime.ts";
import { concatBytes, equalBytes } from "../../../../protocol/bytes.ts";
import {
  DamagedSegmentError,
  SegmentGoneError,
} from "../../../../server/replica/segments/errors.ts";
import { nextTurn } from "../../../../server/runtime.ts";
import { names } from "../../../support/disk_suite.ts";
import { below } from "../../../support/random_value.ts";
import { HOST, onBothDisks } from "../../../support/replica/disks.ts";
import { MemoryDisk } from "../../../support/replica/memory_disk.ts";
import {
  batchOf,
  FOLDER,
  openSegments,
  readAll,
  Rows,
  segmentAt,
} from "../../../support/replica/segments.ts";
import { WatchedDisk } from "../../../support/replica/watched_disk.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";
import { Simulation } from "../../../support/simulation/simulation.ts";

const A = segmentAt(0);
const A_PATH = "topics/1/0-0000000000000000.log";

onBothDisks(
  "what is appended is there at once, when it is written, and after a restart",
  async (disk) => {
    const random = new SeededRandom(1);
    const rows = new Rows();
    const limits = { writeBytes: 3_000 };
    const { files } = await openSegments(disk, rows, limits);
    const segments = [0, 1, 2].flatMap((partition) =>
      [0, 100].map((base) => segmentAt(base, partition, 1 + below(random, 3)))
    );
    const written = segments.map((): Uint8Array[] => []);
    const look = async (open = files): Promise<void> => {
      for (const [i, segment] of segments.entries()) {
        const length = 1 + below(random, 1_000);
        const all = rows.row(segment) === undefined ? [] : await readAll(open, segment, length);
        assert.deepEqual(
          all.length === 0 ? [] : [concatBytes(written[i]!)],
          all.length === 0 ? [] : [all],
        );
      }
    };
    for (let round = 0; round < 60; round++) {
      const changes: MessageChange[] = [];
      for (let count = below(random, 4); count > 0; count--) {
        const i = below(random, segments.length);
        const batch = batchOf(random, below(random, 700));
        written[i]!.push(batch);
        changes.push(rows.append(segments[i]!, batch));
      }
      files.take(changes);
      if (random.float() < 0.3) await files.flush();
      if (random.float() < 0.1) await files.sync();
      await look();
    }
    await files.close();
    const again = await openSegments(disk, rows, limits);
    assert.deepEqual(again.found, []);
    await look(again.files);
    assert.deepEqual(await again.files.check(() => false), []);
    await again.files.close();
  },
);

onBothDisks("without messages there is no file and no folder", async (disk) => {
  const { files } = await openSegments(disk);
  await files.flush();
  await files.sync();
  assert.equal(files.forgettable(), undefined);
  await files.close();
  assert.deepEqual(await names(disk, ""), []);
});

Deno.test("whole batches are read, at least one, and none at the end", async () => {
  const random = new SeededRandom(2);
  const { files, rows } = await openSegments(new MemoryDisk());
  const batches = [100, 2_000, 50].map((bytes) => batchOf(random, bytes));
  files.take(batches.map((batch) => rows.append(A, batch)));
  for (const isWritten of [false, true]) {
    if (isWritten) await files.flush();
    assert.deepEqual(await files.read(A, 0, 1), batches[0]);
    assert.deepEqual(await files.read(A, 0, 1_000), batches[0]);
    assert.deepEqual(await files.read(A, 137, 10), batches[1]);
    assert.deepEqual(await files.read(A, 137, 2_100), batches[1]);
    assert.deepEqual(await files.read(A, 0, 10_000), concatBytes(batches));
    assert.equal((await files.read(A, 137 + 2_037 + 87, 10)).length, 0);
    await assert.rejects(files.read(segmentAt(7), 0, 10), SegmentGoneError);
  }
});

Deno.test("batches are read to where there is room for them, and what has no room is elsewhere", async () => {
  const random = new SeededRandom(3);
  const { files, rows } = await openSegments(new MemoryDisk());
  const [first, second, third] = [100, 200, 300].map((bytes) => batchOf(random, bytes));
  const all = concatBytes([first!, second!, third!]);
  const take = (...batches: Uint8Array[]): void =>
    files.take(batches.map((batch) => rows.append(A, batch)));
  const look = async (): Promise<void> => {
    const into = new Uint8Array(all.length + 1).fill(7);
    const found = await files.read(A, 0, all.length, into.subarray(1));
    assert.deepEqual([found.buffer, found.byteOffset], [into.buffer, 1]);
    assert.deepEqual(found, all);
    assert.equal(into[0], 7);
    const little = new Uint8Array(60);
    assert.deepEqual(await files.read(A, first!.length, little.length, little), second);
  };
  take(first!, second!);
  await files.flush();
  // One part is in the file, and one in memory.
  take(third!);
  await look();
  await files.flush();
  await look();
  assert.deepEqual(await files.read(A, 0, all.length), all, "what is in memory stays as it is");
});

Deno.test("what is half in the file and half in memory is read as one", async () => {
  const random = new SeededRandom(3);
  const { files, rows } = await openSegments(new MemoryDisk());
  const [first, second] = [batchOf(random, 300), batchOf(random, 300)];
  files.take([rows.append(A, first)]);
  await files.flush();
  files.take([rows.append(A, second)]);
  const reading = files.read(A, 0, 10_000);
  await files.flush();
  assert.deepEqual(await reading, concatBytes([first, second]));
});

Deno.test("what is appended again is left out, and what does not fit is an error", async () => {
  const random = new SeededRandom(4);
  const disk = new MemoryDisk();
  const { files, rows } = await openSegments(disk);
  const changes = [300, 20, 60].map((bytes) => rows.append(A, batchOf(random, bytes)));
  files.take(changes);
  await files.flush();
  files.take(changes);
  await files.flush();
  assert.equal(disk.files.get(A_PATH)?.length, rows.row(A)?.bytes);
  const batch = batchOf(random, 100);
  assert.throws(() => files.add(A, rows.row(A)!.bytes - 10, batch), RangeError);
});

Deno.test("at the start what the state does not tell of is cut off, or removed once the state lasts", async () => {
  const random = new SeededRandom(5);
  const disk = new WatchedDisk(new MemoryDisk());
  const { files, rows } = await openSegments(disk);
  files.take([
    rows.append(A, batchOf(random, 100)),
    rows.append(segmentAt(9), batchOf(random, 100)),
  ]);
  const before = rows.copy();
  const changes = [
    rows.append(A, batchOf(random, 40)),
    rows.append(segmentAt(50), batchOf(random, 40)),
    rows.append(segmentAt(0, 3, 2), batchOf(random, 40)),
  ];
  files.take(changes);
  await files.close();
  let synced = 0;
  before.sync = async () => {
    await Promise.resolve();
    assert.equal(disk.count("remove"), 0, "the rows do not last yet");
    synced++;
  };
  const again = await openSegments(disk, before);
  assert.deepEqual([synced, disk.count("remove")], [1, 2]);
  assert.deepEqual(again.found, []);
  assert.equal(again.files.count, 2);
  assert.deepEqual(await names(disk, "topics/1"), [
    "0-0000000000000000.log",
    "0-0000000000000009.log",
  ]);
  assert.equal((await readAll(again.files, A)).length, 137);
  // The log brings it again.
  again.files.take(changes);
  assert.equal((await readAll(again.files, A)).length, 137 + 77);
  // What comes after that has its place behind it, in the file as well.
  again.files.take([rows.append(A, batchOf(random, 40))]);
  await again.files.close();
  const last = await openSegments(disk, rows);
  assert.deepEqual(last.found, []);
  assert.deepEqual(await last.files.check(() => false), []);
});

Deno.test("what the state tells of and is not there is damage: it is not served, and the rest is", async () => {
  const random = new SeededRandom(6);
  const disk = new MemoryDisk();
  const { files, rows } = await openSegments(disk);
  const batches = [100, 100].map((bytes) => batchOf(random, bytes));
  for (const base of [0, 1, 2]) {
    for (const batch of batches) files.take([rows.append(segmentAt(base), batch)]);
  }
  await files.close();
  await disk.truncate(A_PATH, 200);
  await disk.remove("topics/1/0-0000000000000001.log");
  const again = await openSegments(disk, rows);
  assert.deepEqual(again.found, [segmentAt(0), segmentAt(1)]);
  assert.deepEqual(again.files.damaged(), again.found);
  assert.deepEqual(await again.files.read(A, 0, 10_000), batches[0]);
  await assert.rejects(again.files.read(A, 137, 10_000), DamagedSegmentError);
  await assert.rejects(again.files.read(segmentAt(1), 0, 10), DamagedSegmentError);
  assert.equal((await readAll(again.files, segmentAt(2))).length, 274);
  assert.equal(again.files.have(A), 137);
  assert.equal((await again.files.check(() => false)).length, 2);
  // What is appended has its place all the same.
  again.files.take([rows.append(segmentAt(1), batches[0]!)]);
  await again.files.flush();
  assert.deepEqual(await again.files.read(segmentAt(1), 274, 10), batches[0]);
  await assert.rejects(again.files.read(segmentAt(1), 0, 10), DamagedSegmentError);
  // One of which nothing was known is told of.
  assert.deepEqual(again.damages, []);
  again.files.add(segmentAt(9), 1_000, batches[0]!);
  assert.match(
    again.damages.join(),
    /'topics\/1\/0-0{15}9.log' is damaged: 1000 bytes are missing at 0$/,
  );
  await again.files.close();
});

Deno.test("a bit that is turned over is found by whoever reads it, told once, and found by a check", async () => {
  const random = new SeededRandom(7);
  for (let round = 0; round < 30; round++) {
    const disk = new MemoryDisk();
    const { files, rows, damages } = await openSegments(disk);
    const batches = [100, 200, 50].map((bytes) => batchOf(random, bytes));
    for (const batch of batches) files.take([rows.append(A, batch)]);
    await files.flush();
    const all = concatBytes(batches);
    const at = below(random, all.length);
    disk.files.get(A_PATH)![at]! ^= 1 << below(random, 8);
    if (round % 2 === 0) assert.equal((await files.check(() => false)).length, 1);
    let [good, failures] = [0, 0];
    for (let tries = 0; tries < 4; tries++) {
      try {
        const bytes = await files.read(A, good, 10_000);
        assert.ok(
          equalBytes(bytes, all.subarray(good, good + bytes.length)),
          "served as it was written",
        );
        good += bytes.length;
      } catch (error) {
        assert.ok(error instanceof DamagedSegmentError);
        failures++;
      }
    }
    assert.ok(good <= at && failures >= 3, `${good} bytes, flipped at ${at}`);
    assert.equal(damages.length, 1);
  }
});

Deno.test("a batch that is as it was written, in a segment that is not, is found by a check", async () => {
  const random = new SeededRandom(8);
  const disk = new MemoryDisk();
  const { files, rows } = await openSegments(disk);
  const batch = batchOf(random, 100);
  files.take([rows.append(A, batch)]);
  await files.flush();
  disk.files.set(A_PATH, batchOf(random, 100));
  const [problem = ""] = await files.check(() => false);
  assert.match(
    problem,
    /^Segment 'topics\/1\/0-0+\.log' is damaged: wrong checksum of 137 bytes at 0$/,
  );
});

Deno.test("a check passes over what is dropped meanwhile", async () => {
  const random = new SeededRandom(9);
  const disk = new MemoryDisk();
  const { files, rows } = await openSegments(disk);
  const ids = [0, 1, 2].map((base) => segmentAt(base));
  files.take(ids.map((id) => rows.append(id, batchOf(random, 100))));
  await files.flush();
  const checking = files.check(() => false);
  files.take(ids.map((id) => rows.drop(id)));
  await files.forgettable()?.();
  assert.deepEqual(await checking, []);
});

onBothDisks(
  "a segment that is dropped stays on the disk until the rows without it last",
  async (disk) => {
    const random = new SeededRandom(10);
    const { files, rows } = await openSegments(disk);
    files.take([
      rows.append(A, batchOf(random, 100)),
      rows.append(segmentAt(5), batchOf(random, 100)),
    ]);
    await files.sync();
    files.take([rows.drop(A)]);
    await assert.rejects(files.read(A, 0, 10), SegmentGoneError);
    assert.equal((await names(disk, "topics/1")).length, 2);
    const forget = files.forgettable();
    files.take([rows.drop(segmentAt(5))]);
    await forget?.();
    assert.deepEqual(await names(disk, "topics/1"), ["0-0000000000000005.log"]);
    await files.sync();
    await files.close();
  },
);

Deno.test("a disk without room is waited for, and what was written in part is written once", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const simulation = new Simulation(seed);
    const random = new SeededRandom(seed);
    const { disk } = simulation.addHost(HOST);
    const platter = simulation.disk(HOST);
    const run = async (): Promise<void> => {
      const { files, rows } = await openSegments(disk, new Rows(), {
        writeBytes: 1_000,
        mostBytes: 5_000,
      });
      platter.room = below(random, 3_000);
      const written: Uint8Array[] = [];
      while (!files.mustWait) {
        written.push(batchOf(random, below(random, 500)));
        files.take([rows.append(A, written.at(-1)!)]);
        await Promise.resolve();
      }
      await assert.rejects(files.flush(), DiskFullError);
      await assert.rejects(files.sync(), DiskFullError);
      assert.deepEqual(await readAll(files, A), concatBytes(written));
      platter.room = Infinity;
      await files.flush();
      assert.equal(files.mustWait, false);
      assert.deepEqual(await readAll(files, A), concatBytes(written));
      await files.close();
      const again = await openSegments(disk, rows);
      assert.deepEqual(await readAll(again.files, A), concatBytes(written), `seed ${seed}`);
    };
    await simulation.settle(run());
  }
});

Deno.test("what is under way when another segment finds no room is written once", async () => {
  const random = new SeededRandom(13);
  const [begun, slow] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const disk = new class extends WatchedDisk {
    override async append(path: string, bytes: Uint8Array): Promise<void> {
      await super.append(path, bytes);
      if (path === A_PATH) return;
      begun.resolve();
      await slow.promise;
    }
  }(new MemoryDisk());
  const { files, rows } = await openSegments(disk);
  const [other, batch] = [segmentAt(1), batchOf(random, 100)];
  files.take([rows.append(A, batch), rows.append(other, batch)]);
  disk.failure = (call, path) =>
    call === "append" && path === A_PATH ? new DiskFullError(path) : undefined;
  const first = assert.rejects(files.flush(), DiskFullError);
  await begun.promise;
  const second = assert.rejects(files.flush(), DiskFullError);
  for (let i = 0; i < 10; i++) await nextTurn();
  slow.resolve();
  await Promise.all([first, second]);
  disk.failure = () => undefined;
  await files.flush();
  for (const segment of [A, other]) assert.deepEqual(await readAll(files, segment), batch);
  const next = batchOf(random, 50);
  files.take([rows.append(A, next), rows.append(other, next)]);
  await files.close();
  const again = await openSegments(disk, rows);
  const all = concatBytes([batch, next]);
  for (const segment of [A, other]) assert.deepEqual(await readAll(again.files, segment), all);
});

Deno.test("after a sync that failed nothing counts as written any more", async () => {
  const random = new SeededRandom(11);
  const disk = new WatchedDisk(new MemoryDisk());
  const { files, rows } = await openSegments(disk);
  files.take([rows.append(A, batchOf(random, 100))]);
  disk.failure = (call, path) => call === "sync" ? new DiskFullError(path) : undefined;
  await assert.rejects(files.sync(), { name: "SegmentsFailedError" });
  disk.failure = () => undefined;
  await assert.rejects(files.sync(), { name: "SegmentsFailedError" });
  await assert.rejects(files.flush(), { name: "SegmentsFailedError" });
});

Deno.test("whole bytes take the place of damaged ones, while more are appended", async () => {
  const random = new SeededRandom(12);
  for (const isShort of [false, true]) {
    const disk = new MemoryDisk();
    const { files, rows } = await openSegments(disk);
    const batches = [100, 200, 50].map((bytes) => batchOf(random, bytes));
    for (const batch of batches) files.take([rows.append(A, batch)]);
    await files.flush();
    if (isShort) await disk.truncate(A_PATH, 150);
    else disk.files.get(A_PATH)![150]! ^= 1;
    assert.equal((await files.check(() => false)).length, 1);
    const known = concatBytes(batches);
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield batches[0]!;
      batches.push(batchOf(random, 800_000));
      files.take([rows.append(A, batches.at(-1)!)]);
      await files.flush();
      yield concatBytes(batches.slice(1, 3));
      batches.push(batchOf(random, 800_000));
      files.take([rows.append(A, batches.at(-1)!)]);
    };
    if (isShort) {
      // In this life the file had them, so what follows has no place: the bytes behind are damaged as well.
      await assert.rejects(files.replace(A, known.length, pieces()), DamagedSegmentError);
      assert.ok(files.isDamaged(A));
      continue;
    }
    const twice = { count: 0 };
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      twice.count++;
      yield* pieces();
    };
    // Who asks for it while it is under way finds it done.
    await Promise.all([0, 1].map(() => files.replace(A, known.length, counted())));
    assert.equal(twice.count, 1);
    assert.equal(files.isDamaged(A), false);
    assert.deepEqual(await readAll(files, A), concatBytes(batches));
    assert.deepEqual(await files.check(() => false), []);
    assert.deepEqual(await names(disk, "topics/1"), ["0-0000000000000000.log"]);
    await files.close();
    const again = await openSegments(disk, rows);
    assert.deepEqual(await readAll(again.files, A), concatBytes(batches));
  }
});

Deno.test("what whole bytes bring of those that wait to be written waits no more", async () => {
  const random = new SeededRandom(13);
  const disk = new MemoryDisk();
  const { files, rows } = await openSegments(disk, new Rows(), { mostBytes: 800 });
  const batches = [500, 900].map((bytes) => batchOf(random, bytes));
  files.take([rows.append(A, batches[0]!)]);
  await files.flush();
  disk.files.get(A_PATH)![99]! ^= 1;
  assert.equal((await files.check(() => false)).length, 1);
  files.take([rows.append(A, batches[1]!)]);
  assert.ok(files.mustWait);
  const known = concatBytes(batches);
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    yield await known;
  };
  await files.replace(A, known.length, pieces());
  await files.flush();
  assert.equal(files.mustWait, false);
  assert.deepEqual(await readAll(files, A), known);
  assert.equal(disk.files.get(A_PATH)!.length, known.length);
});

Deno.test("what was to take the place of a file and did not is removed at the start", async () => {
  const disk = new MemoryDisk([["topics/3/0-0000000000000000.log.new", new Uint8Array(5)]]);
  await openSegments(disk);
  assert.deepEqual([...disk.files.keys()], []);
});

Deno.test("nothing goes that a snapshot needs which begins to come meanwhile", async () => {
  const random = new SeededRandom(14);
  const disk = new MemoryDisk();
  const { files, rows } = await openSegments(disk);
  const before = rows.copy();
  files.take([
    rows.append(A, batchOf(random, 100)),
    rows.append(segmentAt(5), batchOf(random, 100)),
  ]);
  before.append(A, batchOf(random, 20));
  let isComing = false;
  rows.rows = () => before.rows();
  rows.sync = () => {
    isComing = true;
    return Promise.resolve();
  };
  await files.settle(() => !isComing);
  assert.deepEqual([files.have(A), files.have(segmentAt(5))], [137, 137]);
  isComing = false;
  rows.sync = () => Promise.resolve();
  await files.settle(() => !isComing);
  assert.deepEqual([files.have(A), files.have(segmentAt(5))], [57, 0]);
});

Deno.test("files of somebody else are left alone", async () => {
  const paths = [
    "topics/readme",
    "topics/x/0-0000000000000000.log",
    "topics/1/0-0.log",
    "topics/1/notes.txt",
  ];
  const disk = new MemoryDisk(paths.map((path) => [path, new Uint8Array(1)]));
  assert.equal((await openSegments(disk)).files.count, 0);
  assert.deepEqual([...disk.files.keys()], paths);
  assert.equal(FOLDER, "topics");
});
