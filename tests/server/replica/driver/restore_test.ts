import assert from "node:assert/strict";
import { setCommand } from "../../../../cluster/machine/kv/mod.ts";
import { Machine, MemoryStore } from "../../../../cluster/machine/mod.ts";
import { DEFAULT_RAFT_OPTIONS, type SnapshotMeta } from "../../../../cluster/raft/mod.ts";
import { restore, TornStateError } from "../../../../server/replica/driver/restore.ts";
import { entriesOf, json, path } from "../../../support/machine/fixture.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { MemoryDisk, MemorySnapshots } from "../../../support/replica/memory_parts.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

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
  const parts = {
    directory: "/data",
    id: "a",
    options: DEFAULT_RAFT_OPTIONS,
    clock,
    random: new SeededRandom(1),
    log: disk,
    snapshots: new MemorySnapshots(disk, store),
    newMachine: () => new Machine(store),
  };
  await assert.rejects(
    restore(parts, { ...disk.state, snapshot }),
    new TornStateError("/data", "State has entry 9, the log ends with 5"),
  );
  assert.deepEqual(disk.state, before);
});
