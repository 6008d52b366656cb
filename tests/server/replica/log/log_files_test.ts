import assert from "node:assert/strict";
import type { Entry } from "../../../../cluster/raft/mod.ts";
import type { LogWrite } from "../../../../cluster/raft/state/effects.ts";
import type { Disk } from "../../../../cluster/runtime.ts";
import { LogClosedError } from "../../../../server/replica/log/errors.ts";
import { groupBytes, SEGMENT_HEAD_BYTES } from "../../../../server/replica/log/format.ts";
import { LogFiles } from "../../../../server/replica/log/log_files.ts";
import { names } from "../../../support/disk_suite.ts";
import { onBothDisks } from "../../../support/replica/disks.ts";
import { WatchedDisk } from "../../../support/replica/watched_disk.ts";
import {
  appended,
  entriesBetween,
  entry,
  openWhole,
  snapshot,
  tell,
} from "../../../support/replica/writes.ts";

/** About three groups of one short entry. */
const SMALL = { segmentBytes: 250 };

/** What a start finds. */
async function found(disk: Disk, options = {}): Promise<string> {
  const { log, restored } = await openWhole(disk, "raft", options);
  await log.close();
  assert.equal(restored.cutBytes, 0);
  return tell(restored);
}

/** Has writes written, one after the other. */
async function put(log: LogFiles, ...writes: readonly LogWrite[]): Promise<void> {
  for (const write of writes) await log.write(write);
}

/** All that can be loaded from an index on. */
function loaded(log: LogFiles, from: number): Promise<readonly Entry[]> {
  return log.load({ from, maxEntries: Infinity, maxBytes: Infinity });
}

function reset(index: number, term: number, keepSuffix: boolean): Required<LogWrite>["reset"] {
  return { snapshot: snapshot(index, term), keepSuffix };
}

onBothDisks(
  "what entries take is known when some were cut off, or left out at the beginning",
  async (disk) => {
    const large = (index: number, term: number) => entry(index, term, 200_000 * term);
    for (
      const write of [
        appended(...[1, 2, 3, 4, 5].map((index) => large(index, 1))),
        { seq: 1, truncateFrom: 4, entries: [large(4, 2)] },
        { seq: 2, reset: reset(2, 1, true), entries: [] },
        { seq: 3, reset: reset(9, 3, false), entries: [large(10, 3)] },
      ]
    ) {
      const { log } = await openWhole(disk, "raft");
      await log.write(write);
      await log.close();
      await found(disk);
    }
  },
);

onBothDisks("a log that is new is empty, and stays so", async (disk) => {
  for (let start = 0; start < 2; start++) {
    assert.equal(await found(disk), tell({ beforeIndex: 0, beforeTerm: 0, entries: [] }));
  }
});

onBothDisks("entries come back as they were, whatever they are", async (disk) => {
  const entries: Entry[] = [
    { index: 1, term: 1, type: "configuration", time: 0, data: new Uint8Array([0, 255]) },
    { index: 2, term: 4, type: "no-op", time: 2 ** 48, data: new Uint8Array(0) },
    { index: 3, term: 4, type: "barrier", time: 7, data: new Uint8Array(0) },
    { index: 4, term: 2 ** 53 - 1, type: "command", time: 8, data: new Uint8Array(2_000_000) },
  ];
  {
    await using log = (await openWhole(disk, "raft")).log;
    await put(log, appended(...entries.slice(0, 2)), appended(...entries.slice(2)));
    assert.deepEqual(await loaded(log, 1), entries);
  }
  const { log, restored } = await openWhole(disk, "raft");
  assert.deepEqual(restored.entries, entries);
  assert.deepEqual(await loaded(log, 2), entries.slice(1));
  await log.close();
});

onBothDisks("what comes while a group is synced is the next group", async (disk) => {
  const watched = new WatchedDisk(disk);
  await using log = (await openWhole(watched, "raft")).log;
  watched.calls = [];
  await Promise.all(entriesBetween(1, 100).map((it) => log.write(appended(it))));
  const path = "raft/0000000000000001.log";
  const group = [`write ${path}`, `sync ${path}`];
  assert.deepEqual(watched.calls, [...group, ...group]);
  assert.equal((await loaded(log, 1)).length, 100);
});

onBothDisks("the disk gets a write and its sync before anything else is done", async (disk) => {
  const watched = new WatchedDisk(disk);
  await using log = (await openWhole(watched, "raft")).log;
  watched.calls = [];
  const written = log.write(appended(entry(1)));
  const path = "raft/0000000000000001.log";
  assert.deepEqual(watched.calls, [`write ${path}`, `sync ${path}`]);
  await written;
});

onBothDisks("room is made for groups that come, as long as a file is to grow", async (disk) => {
  const KIB = 1024;
  const options = { segmentBytes: 400 * KIB };
  const lengths = async () => (await disk.list("raft")).map(({ bytes }) => bytes);
  const first = SEGMENT_HEAD_BYTES + groupBytes(appended(entry(1)));
  {
    await using log = (await openWhole(disk, "raft", options)).log;
    assert.deepEqual(await lengths(), [SEGMENT_HEAD_BYTES]);
    await log.write(appended(entry(1)));
    assert.deepEqual(await lengths(), [first + 256 * KIB]);
    for (const it of entriesBetween(2, 49)) await log.write(appended(it));
    assert.deepEqual(await lengths(), [first + 256 * KIB]);
  }
  const { log, restored } = await openWhole(disk, "raft", options);
  assert.deepEqual([restored.entries.length, restored.cutBytes], [49, 0]);
  const [end] = await lengths() as [number];
  assert.ok(end < 5 * KIB, "a start takes away what was not used");
  await log.write(appended(entry(50)));
  assert.deepEqual(await lengths(), [end + groupBytes(appended(entry(50))) + 256 * KIB]);
  await log.write(appended(entry(51, 1, 240 * KIB)));
  assert.deepEqual(await lengths(), [end + groupBytes(appended(entry(50))) + 256 * KIB]);
  await log.write(appended(entry(52, 1, 60 * KIB)));
  assert.deepEqual(await lengths(), [options.segmentBytes], "not beyond what a file has");
  await log.write(appended(entry(53, 1, 99 * KIB)));
  await log.write(appended(entry(54, 1, 70 * KIB)));
  const [old, live] = await lengths();
  assert.ok((old as number) > options.segmentBytes && (old as number) < 405 * KIB);
  const group = groupBytes(appended(entry(54, 1, 70 * KIB)));
  assert.equal(live, SEGMENT_HEAD_BYTES + group, "nothing more is written than a large group");
  assert.deepEqual((await loaded(log, 1)).length, 54);
  await log.close();
  const again = await openWhole(disk, "raft", options);
  assert.deepEqual([again.restored.entries.length, again.restored.cutBytes], [54, 0]);
  await again.log.close();
});

onBothDisks("a load gives what was asked for, at least one", async (disk) => {
  await using log = (await openWhole(disk, "raft", SMALL)).log;
  for (const it of entriesBetween(1, 30)) await log.write(appended(it));
  const indexes = async (from: number, maxEntries: number, maxBytes: number): Promise<number[]> =>
    (await log.load({ from, maxEntries, maxBytes })).map(({ index }) => index);
  assert.deepEqual(await indexes(7, 3, Infinity), [7, 8, 9]);
  assert.deepEqual(await indexes(7, 1, 0), [7]);
  assert.deepEqual(await indexes(7, 0, 1), [7]);
  assert.deepEqual(await indexes(29, 99, 2 * (32 + 12)), [29, 30]);
  assert.deepEqual(await indexes(29, 99, 2 * (32 + 12) - 1), [29]);
  assert.deepEqual(await indexes(31, 9, 999), []);
  assert.deepEqual(await indexes(0, 9, 999), []);
});

onBothDisks(
  "a cut reaches back through files, and what follows takes the place of what was cut",
  async (disk) => {
    {
      await using log = (await openWhole(disk, "raft", SMALL)).log;
      for (const it of entriesBetween(1, 12)) await log.write(appended(it));
      assert.ok(log.segments > 3);
      await put(
        log,
        { seq: 1, truncateFrom: 10, entries: [] },
        { seq: 2, truncateFrom: 4, entries: [entry(4, 2)] },
        appended(entry(5, 3)),
        { seq: 3, truncateFrom: 5, entries: entriesBetween(5, 6, 4) },
      );
      assert.deepEqual((await loaded(log, 1)).map(({ term }) => term), [1, 1, 1, 2, 4, 4]);
    }
    const entries = [...entriesBetween(1, 3), entry(4, 2), ...entriesBetween(5, 6, 4)];
    assert.equal(await found(disk, SMALL), tell({ beforeIndex: 0, beforeTerm: 0, entries }));
  },
);

onBothDisks(
  "a snapshot of others voids the log, or its beginning, with what comes in the same write",
  async (disk) => {
    {
      await using log = (await openWhole(disk, "raft", SMALL)).log;
      for (const it of entriesBetween(1, 12)) await log.write(appended(it));
      await put(log, { seq: 1, reset: reset(9, 1, true), entries: [entry(13)] });
      assert.deepEqual(await loaded(log, 9), []);
      assert.deepEqual(await loaded(log, 10), entriesBetween(10, 13));
    }
    const suffix = { beforeIndex: 9, beforeTerm: 1, entries: entriesBetween(10, 13) };
    assert.equal(await found(disk, SMALL), tell(suffix));
    {
      await using log = (await openWhole(disk, "raft", SMALL)).log;
      await Promise.all([
        log.write({ seq: 2, reset: reset(12, 5, false), entries: [entry(13, 6)] }),
        log.write(appended(entry(14, 6))),
      ]);
      assert.deepEqual(await loaded(log, 12), []);
      assert.deepEqual(await loaded(log, 13), entriesBetween(13, 14, 6));
      assert.equal(log.segments, 1);
    }
    assert.equal((await names(disk, "raft")).length, 1);
    const anew = { beforeIndex: 12, beforeTerm: 5, entries: entriesBetween(13, 14, 6) };
    assert.equal(await found(disk, SMALL), tell(anew));
  },
);

onBothDisks(
  "trimming removes whole files that hold nothing else, and never the one that grows",
  async (disk) => {
    {
      await using log = (await openWhole(disk, "raft", SMALL)).log;
      for (const it of entriesBetween(1, 12)) await log.write(appended(it));
      assert.deepEqual(
        await names(disk, "raft"),
        [1, 2, 3, 4].map((it) => `${it}.log`.padStart(20, "0")),
      );
      await log.trim(2);
      assert.equal(log.segments, 4);
      await log.trim(3);
      assert.equal(log.segments, 3);
      await Promise.all([log.trim(8), log.trim(7), loaded(log, 1)]);
      assert.equal(log.segments, 2);
      assert.deepEqual(await loaded(log, 6), []);
      assert.deepEqual(await loaded(log, 7), entriesBetween(7, 12));
    }
    const left = { beforeIndex: 6, beforeTerm: 1, entries: entriesBetween(7, 12) };
    assert.equal(await found(disk, SMALL), tell(left));
    await using log = (await openWhole(disk, "raft", SMALL)).log;
    await log.trim(12);
    assert.equal(log.segments, 1);
    await log.write(appended(entry(13)));
    assert.equal((await loaded(log, 13)).length, 1);
  },
);

onBothDisks("a file is trimmed by what still counts in it", async (disk) => {
  {
    await using log = (await openWhole(disk, "raft", SMALL)).log;
    for (const it of entriesBetween(1, 6)) await log.write(appended(it));
    await log.write({ seq: 1, truncateFrom: 3, entries: entriesBetween(3, 4, 2) });
    assert.equal(log.segments, 3);
    await log.trim(2);
    assert.equal(log.segments, 1);
    assert.deepEqual(await loaded(log, 3), entriesBetween(3, 4, 2));
  }
  const left = { beforeIndex: 2, beforeTerm: 1, entries: entriesBetween(3, 4, 2) };
  assert.equal(await found(disk, SMALL), tell(left));
});

onBothDisks(
  "a log that is closed takes nothing any more, but finishes what it was given",
  async (disk) => {
    const { log } = await openWhole(disk, "raft");
    const writes = entriesBetween(1, 5).map((it) => log.write(appended(it)));
    await log.close();
    await Promise.all(writes);
    const refused = [log.write(appended(entry(6))), loaded(log, 1), log.trim(1)];
    for (const call of refused) await assert.rejects(call, LogClosedError);
    assert.throws(() => log.recover(), LogClosedError);
  },
);
