import assert from "node:assert/strict";
import {
  createRaft,
  DEFAULT_RAFT_OPTIONS,
  type Entry,
  foundingEntry,
  NOTHING,
  type Restored,
} from "../../../cluster/raft/mod.ts";
import { entryBytes } from "../../../cluster/raft/log/entry.ts";
import { Sizes } from "../../../cluster/raft/log/sizes.ts";
import { Terms } from "../../../cluster/raft/log/terms.ts";
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

Deno.test("a server whose entries stay on its disk knows of them what one knows that has them in memory", () => {
  const configurations = [
    foundingEntry([{ id: "a", role: "voter" }], 0),
    { ...foundingEntry([{ id: "a", role: "voter" }, { id: "b", role: "learner" }], 0), index: 3 },
  ];
  const rest = [2, 4].map((index): Entry => ({
    index,
    term: index - 1,
    type: "no-op",
    time: 0,
    data: new Uint8Array(),
  }));
  const entries = [configurations[0]!, rest[0]!, configurations[1]!, rest[1]!];
  const terms = new Terms(0, 0);
  const sizes = new Sizes(0);
  for (const entry of entries) {
    terms.push(entry.term);
    sizes.push(entryBytes(entry));
  }
  const onDisk = { terms, sizes, configurations };
  const create = (found: Partial<Restored>) => {
    const restored = { ...NOTHING, term: 3, applied: 2, ...found };
    return createRaft("a", DEFAULT_RAFT_OPTIONS, new SeededRandom(1), 0, restored);
  };
  const [one, other] = [create({ entries }), create({ onDisk })];
  for (const { log, members, role, commit } of [one, other]) {
    assert.deepEqual([log.lastIndex, log.lastTerm, log.durableIndex, commit], [4, 3, 4, 2]);
    assert.deepEqual([1, 2, 3, 4, 5].map((index) => log.term(index)), [1, 1, 1, 3, undefined]);
    assert.deepEqual(
      [0, 32, 64, 96, 128, 512].map((bytes) => log.beforeNewest(bytes, 4)),
      [4, 4, 3, 3, 2, 0],
    );
    assert.deepEqual(members.configuration.map(({ id }) => id), ["a", "b"]);
    assert.deepEqual(members.since(2).length, 2);
    assert.deepEqual(role, one.role);
  }
  assert.equal(other.log.slice(4, { count: 1, bytes: 1 }), undefined);
  other.log.append([{ ...rest[1]!, index: 5 }]);
  assert.deepEqual(other.log.slice(5, { count: 1, bytes: 1 })?.map(({ index }) => index), [5]);
  assert.equal(terms.last, 4, "What the log goes on with is its own");
});
