/** What a log does when its disk fails, is full, or is asked for what makes no sense. */

import assert from "node:assert/strict";
import type { LogWrite } from "../../../../cluster/raft/state/effects.ts";
import { type Disk, DiskFullError } from "../../../../cluster/runtime.ts";
import { LogFailedError } from "../../../../server/replica/log/errors.ts";
import { SEGMENT_HEAD_BYTES } from "../../../../server/replica/log/format.ts";
import { LogFiles } from "../../../../server/replica/log/log_files.ts";
import { MemoryDisk } from "../../../support/replica/memory_disk.ts";
import { HOST, onSimDisk } from "../../../support/replica/disks.ts";
import { type DiskCall, WatchedDisk } from "../../../support/replica/watched_disk.ts";
import {
  appended,
  entriesBetween,
  entry,
  openWhole,
  snapshot,
  tell,
} from "../../../support/replica/writes.ts";
import { Simulation } from "../../../support/simulation/simulation.ts";

const SMALL = { segmentBytes: 250 };

/** Bytes of a group of one entry. */
const GROUP_BYTES = 89;

/** A disk of a system that, when a sync fails, takes what it has in memory for written, as Linux does. */
class ForgetfulDisk extends MemoryDisk {
  /** What a crash of the machine leaves. */
  readonly lasting = new MemoryDisk();
  isFailing = false;
  writtenBytes = 0;
  readonly #unsynced = new Map<string, (() => Promise<void>)[]>();

  override async append(path: string, bytes: Uint8Array): Promise<void> {
    this.#note(path, () => this.lasting.append(path, bytes));
    await super.append(path, bytes);
  }

  override async write(path: string, position: number, bytes: Uint8Array): Promise<void> {
    this.writtenBytes += bytes.length;
    this.#note(path, () => this.lasting.write(path, position, bytes));
    await super.write(path, position, bytes);
  }

  override async truncate(path: string, length: number): Promise<void> {
    this.#note(path, () => this.lasting.truncate(path, length));
    await super.truncate(path, length);
  }

  override async rename(from: string, to: string): Promise<void> {
    await this.lasting.rename(from, to);
    await super.rename(from, to);
  }

  override async sync(path = ""): Promise<void> {
    const unsynced = this.#unsynced.get(path) ?? [];
    this.#unsynced.delete(path);
    if (this.isFailing) throw new Error("I/O");
    for (const change of unsynced) await change();
  }

  #note(path: string, change: () => Promise<void>): void {
    this.#unsynced.set(path, [...this.#unsynced.get(path) ?? [], change]);
  }
}

Deno.test("a group whose sync has failed lasts once a start has found it", async () => {
  const disk = new ForgetfulDisk();
  const { log } = await openWhole(disk, "raft");
  await log.write(appended(entry(1)));
  disk.isFailing = true;
  await assert.rejects(log.write(appended(entry(2, 1, 20_000))), LogFailedError);
  await log.close();
  disk.isFailing = false;
  disk.writtenBytes = 0;
  const { log: again, restored } = await openWhole(disk, "raft");
  assert.equal(restored.entries.length, 2);
  const after = await openWhole(disk.lasting, "raft");
  assert.equal(tell(after.restored), tell(restored));
  assert.ok(disk.writtenBytes < 20_100, "nothing but that group");
  await again.close();
  await after.log.close();
});

/** A log with three entries, on a disk that is watched. */
async function opened(disk: Disk): Promise<{ log: LogFiles; watched: WatchedDisk }> {
  const watched = new WatchedDisk(disk);
  const { log } = await openWhole(watched, "raft", SMALL);
  for (const it of entriesBetween(1, 3)) await log.write(appended(it));
  watched.calls = [];
  return { log, watched };
}

/** A fourth write finds the first file full. */
const FOURTH = appended(entry(4));

const RESET: LogWrite = {
  seq: 1,
  reset: { snapshot: snapshot(9, 2), keepSuffix: false },
  entries: [],
};

function failing(
  watched: WatchedDisk,
  call: DiskCall,
  end: string,
  error = new Error("I/O"),
): void {
  watched.failure = (it, path) => it === call && path.endsWith(end) ? error : undefined;
}

for (
  const [what, call, end, write] of [
    ["a write", "write", ".log", FOURTH],
    ["a sync", "sync", ".log", FOURTH],
    ["the making of a file", "append", ".new", FOURTH],
    ["the sync of a file that is made", "sync", ".new", FOURTH],
    ["the naming of a file", "rename", "", FOURTH],
    ["the sync of the folder", "sync", "raft", FOURTH],
    ["the removal of what a snapshot voids", "remove", "1.log", RESET],
  ] as const
) {
  Deno.test(`nothing is written after ${what} that failed`, () =>
    onSimDisk(async (disk) => {
      const { log, watched } = await opened(disk);
      failing(watched, call, end);
      const tasks = [write, appended(entry(5))].map((it) => log.write(it));
      for (const task of tasks) await assert.rejects(task, LogFailedError);
      failing(watched, "list", "");
      watched.calls = [];
      await assert.rejects(
        log.write(FOURTH),
        /^LogFailedError: Log in 'raft' cannot be written any more: /,
      );
      await assert.rejects(log.load({ from: 1, maxEntries: 1, maxBytes: 1 }), LogFailedError);
      await assert.rejects(log.trim(1), LogFailedError);
      assert.throws(() => log.recover(), LogFailedError);
      assert.deepEqual(watched.calls, []);
      await log.close();
    }));
}

Deno.test("a log refuses what it could not read again", () =>
  onSimDisk(async (disk) => {
    const nonsense: LogWrite[] = [
      appended(entry(5)),
      appended(entry(4), entry(4)),
      appended(entry(4, 0)),
      appended({ ...entry(4), time: 0.5 }),
      appended({ ...entry(4), data: new Uint8Array(16 * 1024 * 1024 + 1) }),
      { seq: 1, truncateFrom: 5, entries: [] },
      { seq: 1, reset: { snapshot: snapshot(3, 2), keepSuffix: true }, entries: [] },
      { seq: 1, reset: { snapshot: snapshot(9, 2), keepSuffix: true }, entries: [] },
    ];
    for (const write of nonsense) {
      const { log } = await openWhole(disk, "raft");
      if (log.load !== undefined) {
        await log.write({ seq: 0, truncateFrom: 1, entries: entriesBetween(1, 3) });
      }
      await assert.rejects(log.write(write), (error) => {
        assert.ok(error instanceof LogFailedError && error.cause instanceof RangeError);
        return true;
      });
      await log.close();
    }
    const { restored } = await openWhole(disk, "raft");
    assert.equal(tell(restored), tell({ ...restored, entries: entriesBetween(1, 3) }));
  }));

Deno.test("a log on a full disk is as it was, and goes on when there is room and it is told", async () => {
  // The first two leave the file open, the third finds it full.
  for (const before of [1, 2, 3]) {
    for (const room of [0, 1, 30, 80]) {
      const simulation = new Simulation(room);
      const { disk } = simulation.addHost(HOST);
      const platter = simulation.disk(HOST);
      const work = async (): Promise<void> => {
        const { log } = await openWhole(disk, "raft", SMALL);
        for (const it of entriesBetween(1, before)) await log.write(appended(it));
        platter.room = room;
        const writes = entriesBetween(before + 1, before + 3).map((it) => appended(it));
        const results = await Promise.allSettled(writes.map((it) => log.write(it)));
        const failed = results.filter((result) => result.status === "rejected");
        for (const { reason } of failed) assert.ok(reason instanceof DiskFullError, `${reason}`);
        // One may have had its room before, or just what there is.
        const done = results.length - failed.length;
        assert.equal(done, before === 1 || before === 2 && room >= 69 ? 1 : 0);
        assert.equal(results[0]?.status === "fulfilled", done === 1);
        // At most the head of the next file is there besides what counts.
        const sizes = (await disk.list("raft")).map(({ bytes }) => bytes);
        const counting = SEGMENT_HEAD_BYTES + GROUP_BYTES * (before + done);
        const heads = sizes.length > 1 ? SEGMENT_HEAD_BYTES : 0;
        assert.equal(sizes.reduce((sum, size) => sum + size), counting + heads);
        platter.room = Infinity;
        const left = writes.slice(done);
        await assert.rejects(log.write(left[0] as LogWrite), DiskFullError, "Until it is told");
        const held = await log.load({ from: 1, maxEntries: 99, maxBytes: Infinity });
        assert.deepEqual(held, entriesBetween(1, before + done));
        log.recover();
        await Promise.all(left.map((it) => log.write(it)));
        await log.close();
      };
      await simulation.settle(work());
      simulation.crash(HOST);
      const next = simulation.addHost(HOST).disk;
      const { restored } = await simulation.settle(openWhole(next, "raft", SMALL));
      assert.equal(restored.cutBytes, 0);
      assert.deepEqual(restored.entries, entriesBetween(1, before + 3));
    }
  }
});

Deno.test("nothing is written after a sync that failed beside a write that had no room", () =>
  onSimDisk(async (disk) => {
    const { log, watched } = await opened(disk);
    for (const it of entriesBetween(4, 5)) await log.write(appended(it));
    let syncs = 0;
    watched.failure = (call) => {
      if (call === "write") return new DiskFullError("raft");
      return call === "sync" && ++syncs === 1 ? new Error("I/O") : undefined;
    };
    await assert.rejects(log.write(appended(entry(6))), LogFailedError);
    assert.throws(() => log.recover(), LogFailedError);
    await log.close();
  }));

Deno.test("a write that failed is cut off only when there was no room", () =>
  onSimDisk(async (disk) => {
    const { log, watched } = await opened(disk);
    for (const it of entriesBetween(4, 4)) await log.write(appended(it));
    watched.calls = [];
    failing(watched, "write", ".log");
    await assert.rejects(log.write(appended(entry(5))), LogFailedError);
    assert.equal(watched.count("truncate"), 0);
    await log.close();
  }));

Deno.test("a group that has room goes without room for others, which is made once there is some", async () => {
  const simulation = new Simulation(1);
  const { disk } = simulation.addHost(HOST);
  const platter = simulation.disk(HOST);
  const length = async () => (await disk.list("raft"))[0]?.bytes;
  const work = async (): Promise<void> => {
    const { log } = await openWhole(disk, "raft");
    platter.room = 200_000;
    await log.write(appended(entry(1)));
    assert.equal(await length(), SEGMENT_HEAD_BYTES + GROUP_BYTES);
    assert.equal(platter.room, 200_000 - GROUP_BYTES);
    platter.room = 300_000;
    await log.write(appended(entry(2)));
    const end = SEGMENT_HEAD_BYTES + 2 * GROUP_BYTES;
    assert.equal(await length(), end + 256 * 1024);
    platter.room = 0;
    // More than there is room for in the file.
    await assert.rejects(log.write(appended(entry(3, 1, 300_000))), DiskFullError);
    assert.equal(await length(), end);
    platter.room = 400_000;
    log.recover();
    await log.write(appended(entry(3)));
    assert.equal(await length(), end + GROUP_BYTES + 256 * 1024);
    await log.close();
  };
  await simulation.settle(work());
});

Deno.test("a full disk that cannot even be cut, or synced, ends the log", () =>
  onSimDisk(async (disk) => {
    for (const call of ["truncate", "sync"] as const) {
      const watched = new WatchedDisk(disk);
      const { log } = await openWhole(watched, call);
      const full = new DiskFullError("raft");
      watched.failure = (it) => it === "write" || it === call ? full : undefined;
      await assert.rejects(log.write(appended(entry(1))), LogFailedError);
      assert.throws(() => log.recover(), LogFailedError);
      await log.close();
    }
  }));

Deno.test("a file that could not be removed is removed before those after it", () =>
  onSimDisk(async (disk) => {
    const { log, watched } = await opened(disk);
    for (const it of entriesBetween(4, 9)) await log.write(appended(it));
    failing(watched, "remove", "1.log");
    await assert.rejects(log.trim(9), /I\/O/);
    failing(watched, "list", "");
    watched.calls = [];
    await log.trim(9);
    assert.deepEqual(watched.calls, [
      "remove raft/0000000000000001.log",
      "sync raft",
      "remove raft/0000000000000002.log",
      "sync raft",
    ]);
    await log.close();
  }));
