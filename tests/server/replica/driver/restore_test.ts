import assert from "node:assert/strict";
import { setCommand } from "../../../../cluster/machine/kv/mod.ts";
import { Machine, MemoryStore } from "../../../../cluster/machine/mod.ts";
import { entryBytes } from "../../../../cluster/raft/log/entry.ts";
import { Sizes } from "../../../../cluster/raft/log/sizes.ts";
import { Terms } from "../../../../cluster/raft/log/terms.ts";
import {
  DEFAULT_RAFT_OPTIONS,
  type Entry,
  type SnapshotMeta,
} from "../../../../cluster/raft/mod.ts";
import { restore, TornStateError } from "../../../../server/replica/driver/restore.ts";
import { entriesOf, json, path } from "../../../support/machine/fixture.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { dumpOf } from "../../../support/replica/simulation/lagging_store.ts";
import { MemoryDisk, MemorySnapshots } from "../../../support/replica/memory_parts.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

/** What a start works with. */
function partsOf(
  clock: ManualClock,
  disk: MemoryDisk,
  store: MemoryStore,
): Parameters<typeof restore>[0] {
  return {
    directory: "/data",
    id: "a",
    options: DEFAULT_RAFT_OPTIONS,
    clock,
    random: new SeededRandom(1),
    log: disk,
    snapshots: new MemorySnapshots(disk, store),
    newMachine: () => new Machine(store),
  };
}

Deno.test("a state ahead of log and snapshot is refused before anything is changed", async () => {
  const clock = new ManualClock();
  const disk = new MemoryDisk(clock);
  const store = new MemoryStore();
  const commands = Array.from({ length: 9 }, (_, i) => setCommand(path("foo"), json(i)));
  const entries = entriesOf(commands);
  new Machine(store).apply(entries);
  disk.state.entries = entries.slice(0, 5).map((entry) => ({ ...entry, term: 1, type: "command" }));
  const before = structuredClone(disk.state);
  const snapshot: SnapshotMeta = {
    index: 7,
    term: 1,
    configuration: [{ id: "a", role: "voter" }],
    configurationIndex: 1,
    size: 1,
    hash: "",
  };
  const parts = partsOf(clock, disk, store);
  await assert.rejects(
    restore(parts, { ...disk.state, snapshot }),
    new TornStateError("/data", "State has entry 9, the log ends with 5"),
  );
  assert.deepEqual(disk.state, before);
});

Deno.test("what was applied and is in no snapshot is counted, wherever its entries are", async () => {
  const clock = new ManualClock();
  const disk = new MemoryDisk(clock);
  const store = new MemoryStore();
  const entries = entriesOf([1, 2, 3, 4, 5].map((i) => setCommand(path("foo"), json(i))))
    .map((entry): Entry => ({ ...entry, term: 1, type: "command" }));
  new Machine(store).apply(entries.slice(0, 4));
  const sizes = new Sizes(0);
  const terms = new Terms(0, 0);
  for (const entry of entries.slice(0, 3)) {
    sizes.push(entryBytes(entry));
    terms.push(1);
  }
  const { unsavedBytes } = await restore(partsOf(clock, disk, store), {
    ...disk.state,
    snapshot: undefined,
    onDisk: { terms, sizes, configurations: [] },
    entries: entries.slice(3),
  });
  const applied = entries.slice(0, 4).reduce((sum, entry) => sum + entryBytes(entry), 0);
  assert.equal(unsavedBytes, applied);
});

Deno.test("a snapshot that came before its log was begun takes effect at the next start, though the log is as long", async () => {
  const clock = new ManualClock();
  const disk = new MemoryDisk(clock);
  const commands = (from: number) =>
    entriesOf(Array.from({ length: 5 }, (_, i) => setCommand(path("foo"), json(from + i))));
  const other = new MemoryStore();
  new Machine(other).apply(commands(10));
  const configuration = [{ id: "a", role: "voter" }] as const;
  const place = { index: 5, term: 2, configuration, configurationIndex: 1 };
  const snapshot = await new MemorySnapshots(disk, other).save(other.view(), place);
  // What a leader of term 1 appended and nobody else has: only its beginning was committed.
  const stale = commands(0);
  disk.state.entries = stale.map((entry) => ({ ...entry, term: 1, type: "command" }));
  const store = new MemoryStore();
  new Machine(store).apply(stale.slice(0, 2));
  const parts = partsOf(clock, disk, store);
  const restored = restore(parts, { ...disk.state, snapshot });
  await clock.advance(10);
  const { raft, machine } = await restored;
  assert.deepEqual([raft.commit, raft.log.lastIndex, raft.log.term(5)], [5, 5, 2]);
  assert.deepEqual([machine.context.index, disk.state.entries], [5, []]);
  assert.deepEqual(dumpOf(store), dumpOf(other));
});
