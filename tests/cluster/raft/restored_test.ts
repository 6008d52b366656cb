import assert from "node:assert/strict";
import {
  createRaft,
  DEFAULT_RAFT_OPTIONS,
  type Entry,
  foundingEntry,
  NOTHING,
} from "../../../cluster/raft/mod.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

Deno.test("a log that has another entry where the snapshot ends makes no server", () => {
  const configuration = [{ id: "a", role: "voter" }] as const;
  const entries: Entry[] = [
    foundingEntry(configuration, 0),
    { index: 2, term: 1, type: "no-op", time: 0, data: new Uint8Array() },
  ];
  const create = (term: number) => {
    const snapshot = { index: 2, term, configuration, configurationIndex: 1, size: 1, hash: "" };
    const restored = { ...NOTHING, term: 2, entries, snapshot };
    return createRaft("a", DEFAULT_RAFT_OPTIONS, new SeededRandom(1), 0, restored);
  };
  assert.equal(create(1).commit, 2);
  assert.throws(() => create(2), /^RangeError: Entry 2 has not the term 2 of the snapshot$/);
});
