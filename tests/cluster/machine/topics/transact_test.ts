/**
 * Transactions: all of it or nothing, once.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ANY_OFFSET,
  commitOffsetsCommand,
  type Committer,
  createTopicCommand,
  decodeGroupOffsets,
  decodeTransacted,
  deleteTopicCommand,
  type ExpectedCommit,
  groupOffsetsQuestion,
  initProducerCommand,
  MAX_ALL_COMMITTED,
  MAX_ALL_IDS,
  MAX_ALL_PARTITIONS,
  MAX_IDS,
  MAX_METADATA_BYTES,
  MAX_PRODUCERS,
  MAX_TOPICS,
  MAX_TRANSACT_ITEMS,
  NOT_COMMITTED,
  type Produce,
  type Transact,
  transactCommand,
} from "../../../../cluster/machine/topics/mod.ts";
import { ID_HEADER } from "../../../../protocol/topics/mod.ts";
import { newStage, type Stage, T } from "../../../support/topics/machine_stage.ts";
import { encodeMessages, messageOf } from "../../../support/topics/messages.ts";
import { bodyOf, totalsOf, utf8 } from "../../../support/topics/answers.ts";
import { read } from "../../../support/topics/segment_bytes.ts";

const IN = utf8("in");
const OUT = utf8("out");
const G = utf8("g");

/** Messages for a partition; with an id where `id` says so. */
function part(
  topic: Uint8Array,
  partition: number,
  values: readonly string[],
  rest: Partial<Produce> = {},
): Produce {
  const messages = values.map((value) =>
    value.startsWith("id ")
      ? messageOf(value, { headers: [[ID_HEADER, utf8(value)]] })
      : messageOf(value)
  );
  return {
    topic,
    partition,
    count: messages.length,
    messages: encodeMessages(messages),
    ...rest,
  };
}

function commit(
  partition: number,
  expected: number,
  offset: number,
  rest: Partial<ExpectedCommit> = {},
): ExpectedCommit {
  return { topic: IN, partition, offset, expected, metadata: new Uint8Array(), ...rest };
}

function command(
  parts: readonly Produce[],
  commits: readonly ExpectedCommit[] = [],
  rest: Partial<Transact> = {},
): Uint8Array {
  return transactCommand({ parts, group: commits.length > 0 ? G : utf8(""), commits, ...rest });
}

/** Topics to read from and to write to, and a producer with the id 1. */
function newPipeline(): Stage {
  const stage = newStage();
  for (const topic of [IN, OUT]) {
    assert.equal(stage.do(createTopicCommand({ topic, partitions: 3 })), "done");
  }
  assert.equal(stage.do(initProducerCommand()), "done");
  return stage;
}

const as = (sequence: number, producer = 1, epoch = 0): Partial<Produce> => {
  return { sequence: { producer, epoch, sequence } };
};

function committed(stage: Stage, partition: number): number | undefined {
  const question = groupOffsetsQuestion(G, [{ topic: IN, partition }]);
  return decodeGroupOffsets(bodyOf(stage.machine.query(question))).offsets[0]?.offset;
}

Deno.test("messages for many partitions and offsets are there together", () => {
  const stage = newPipeline();
  const created = { topic: utf8("new"), autoCreate: true };
  const data = command([
    part(OUT, 0, ["a", "id 1"]),
    part(OUT, 2, ["id 1", "b"]),
    part(T, 0, ["c"]),
    part(T, 0, ["d"], created),
  ], [commit(0, NOT_COMMITTED, 5), commit(1, ANY_OFFSET, 7)]);
  assert.deepEqual(decodeTransacted(bodyOf(stage.apply(data))), [
    { baseOffset: 0, count: 2, next: 2, duplicates: [] },
    { baseOffset: 0, count: 1, next: 1, duplicates: [{ message: 0, partition: 0, offset: 1 }] },
    { baseOffset: 0, count: 1, next: 1, duplicates: [] },
    { baseOffset: 0, count: 1, next: 1, duplicates: [] },
  ]);
  for (
    const [topic, partition, value] of [["out", 2, "b"], ["t", 0, "c"], ["new", 0, "d"]] as const
  ) {
    const { message } = read(stage.machine, stage.segments, topic, partition, 0);
    assert.equal(new TextDecoder().decode(message.value as Uint8Array), value);
  }
  assert.deepEqual([0, 1, 2].map((partition) => committed(stage, partition)), [5, 7, -1]);
  assert.deepEqual([totalsOf(stage.machine).offsets, totalsOf(stage.machine).ids], [2, 1]);
});

Deno.test("what is refused in any part has done nothing, and says which part", () => {
  const stage = newPipeline();
  assert.equal(stage.do(command([part(OUT, 0, ["x"], as(0))], [commit(0, -1, 3)])), "done");
  assert.equal(stage.do(command([part(OUT, 1, ["x"], as(0, 1, 4))])), "done");
  const ids = (count: number, from = 0) =>
    Array.from({ length: count }, (_, i) => `id ${from + i}`);
  const metadata = new Uint8Array(MAX_METADATA_BYTES + 1);
  const other = { topic: utf8("none") };
  const created = { topic: utf8("new"), autoCreate: true };
  const wrongParts: [part: Produce, reason: string][] = [
    [part(T, 0, ["x"], other), "TOPIC_NOT_FOUND none/0"],
    [part(T, 0, ["x"], { topic: utf8("."), autoCreate: true }), "INVALID topic of ./0"],
    [part(OUT, 3, ["x"]), "PARTITION_NOT_FOUND out/3"],
    [part(T, 1, ["x"], created), "PARTITION_NOT_FOUND new/1"],
    [part(OUT, 2, ["x"], { count: 2 }), "INVALID messages of out/2"],
    [part(OUT, 2, [`id ${"x".repeat(62)}`]), "INVALID messages of out/2"],
    [part(OUT, 2, ids(MAX_IDS)), "INVALID messages of out/2"],
    [part(OUT, 0, ["x"], as(2)), "OUT_OF_ORDER out/0"],
    [part(OUT, 0, ["x"], as(0)), "OUT_OF_ORDER out/0"],
    [part(OUT, 1, ["x"], as(1)), "PRODUCER_FENCED out/1"],
    [part(OUT, 2, ["x"], as(0, 9)), "UNKNOWN_PRODUCER out/2"],
    [part(T, 0, ["x"]), "INVALID partition of t/0"],
  ];
  const fine = [part(T, 0, ["id 9"]), part(T, 0, ["y"], created)];
  const before = stage.rows();
  const refused = (
    parts: readonly Produce[],
    commits: readonly ExpectedCommit[],
    reason: string,
    rest: Partial<Transact> = {},
  ) => {
    assert.equal(stage.do(command(parts, commits, rest)), reason);
    assert.deepEqual(stage.rows(), before, reason);
    assert.deepEqual(stage.changes, [], reason);
  };
  for (const [wrong, reason] of wrongParts) refused([...fine, wrong], [commit(0, 3, 4)], reason);
  refused([part(OUT, 0, ["x"], as(0)), part(OUT, 2, ["x"], as(0))], [], "OUT_OF_ORDER out/2");
  const wrongCommits: [commit: ExpectedCommit, reason: string][] = [
    [commit(1, -1, 0, other), "TOPIC_NOT_FOUND none/1"],
    [commit(0, -1, 0, { topic: utf8("new") }), "TOPIC_NOT_FOUND new/0"],
    [commit(3, -1, 0), "PARTITION_NOT_FOUND in/3"],
    [commit(1, -1, 0, { metadata }), "METADATA_TOO_LONG in/1"],
    [commit(0, 3, 4), "INVALID offset of in/0"],
    [commit(1, 0, 4), "OFFSET_MOVED in/1"],
    [commit(2, 3, 4), "OFFSET_MOVED in/2"],
  ];
  for (const [wrong, reason] of wrongCommits) refused(fine, [commit(0, 3, 4), wrong], reason);
  for (const expected of [-1, 2, 4]) refused(fine, [commit(0, expected, 4)], "OFFSET_MOVED in/0");
  // Another one that has read the same is refused although it would commit the same.
  refused(fine, [commit(0, 2, 3)], "OFFSET_MOVED in/0");
  refused(fine, [commit(0, 3, 4)], "INVALID group", { group: utf8("") });
  refused(fine, [commit(0, 3, 4)], "INVALID group", { group: Uint8Array.of(0xff) });
  const members: Committer[] = [{ member: 1, generation: 0 }, { member: 0, generation: 1 }];
  for (const committer of members) {
    refused(fine, [commit(0, 3, 4)], "UNKNOWN_MEMBER", { committer });
    refused(fine, [], "UNKNOWN_MEMBER", { committer, group: G });
  }
  const most = MAX_TRANSACT_ITEMS;
  refused(Array.from({ length: most + 1 }, () => part(T, 0, ["x"])), [], "INVALID");
  refused([], Array.from({ length: most + 1 }, () => commit(0, -1, 0)), "INVALID");
  const thousand = part(T, 0, ids(MAX_IDS));
  const commits = Array.from({ length: most - MAX_IDS }, () => commit(0, 3, 4));
  refused([thousand], commits, "INVALID items");
  refused([thousand], commits.slice(1), "INVALID offset of in/0");
});

Deno.test("what one part takes of what there may be is not there for another one", () => {
  const stage = newPipeline();
  const created = (name: string) => part(T, 0, ["x"], { topic: utf8(name), autoCreate: true });
  const both = (counted: Parameters<Stage["count"]>[0], one: Produce, other: Produce) => {
    const { machine } = stage;
    const totals = totalsOf(machine);
    stage.count(counted);
    const before = stage.rows();
    assert.match(stage.do(command([one, other])), /^QUOTA_EXCEEDED /);
    assert.deepEqual(stage.rows(), before);
    assert.equal(stage.do(command([one])), "done");
    assert.match(stage.do(command([other])), /^QUOTA_EXCEEDED /);
    stage.count({ ...totals, lastTopic: totalsOf(machine).lastTopic });
  };
  both({ topics: MAX_TOPICS - 1 }, created("a"), created("b"));
  both({ partitions: MAX_ALL_PARTITIONS - 1 }, created("c"), created("d"));
  both({ producers: MAX_PRODUCERS - 1 }, part(OUT, 0, ["x"], as(0)), part(OUT, 1, ["x"], as(0)));
  both({ ids: MAX_ALL_IDS - 1 }, part(OUT, 0, ["id 1"]), part(OUT, 1, ["id 2"]));
  stage.count({ offsets: MAX_ALL_COMMITTED - 1 });
  const before = stage.rows();
  const two = command([part(T, 0, ["x"])], [commit(0, -1, 1), commit(1, -1, 1)]);
  assert.equal(stage.do(two), "QUOTA_EXCEEDED in/1");
  assert.deepEqual(stage.rows(), before);
  assert.equal(stage.do(command([part(T, 0, ["x"])], [commit(0, -1, 1)])), "done");
  assert.equal(stage.do(command([], [commit(0, 1, 2)])), "done");
});

Deno.test("a transaction that comes again has the same answer, and does nothing", () => {
  const stage = newPipeline();
  stage.do(command([part(OUT, 1, ["id 2"])]));
  const data = command(
    [part(OUT, 0, ["id 1", "id 2"], as(0)), part(OUT, 1, ["a"], as(0))],
    [commit(0, -1, 5)],
  );
  const first = decodeTransacted(bodyOf(stage.apply(data)));
  assert.deepEqual(first.map(({ baseOffset, count }) => [baseOffset, count]), [[0, 1], [1, 1]]);
  // The group has gone on since.
  assert.equal(stage.do(commitOffsetsCommand(G, [commit(0, -1, 9)])), "done");
  stage.time += 500_000;
  stage.sweep();
  const before = stage.rows();
  assert.deepEqual(decodeTransacted(bodyOf(stage.apply(data))), first);
  assert.deepEqual(stage.rows(), before);
  assert.deepEqual(stage.changes, []);
  assert.equal(committed(stage, 0), 9);
  const next = command(
    [part(OUT, 0, ["b"], as(2)), part(OUT, 1, ["c"], as(1))],
    [commit(0, 9, 10)],
  );
  assert.deepEqual(
    decodeTransacted(bodyOf(stage.apply(next))).map(({ baseOffset }) => baseOffset),
    [1, 2],
  );
  assert.equal(stage.do(deleteTopicCommand(OUT)), "done");
  assert.equal(stage.do(next), "TOPIC_NOT_FOUND out/0");
});

Deno.test("offsets alone may come again while they are the last ones, and not after others", () => {
  const stage = newPipeline();
  const data = command([], [commit(0, -1, 5), commit(1, -1, 6)]);
  assert.equal(stage.do(data), "done");
  assert.equal(stage.do(data), "done");
  assert.equal(stage.do(command([], [commit(0, 5, 8)])), "done");
  assert.equal(stage.do(data), "OFFSET_MOVED in/0");
  assert.deepEqual([committed(stage, 0), committed(stage, 1)], [8, 6]);
});

Deno.test("of two that have read the same one alone says what has come of it", () => {
  const stage = newPipeline();
  for (let from = -1; from < 20; from++) {
    const outcomes = ["one", "other"].map((who) =>
      stage.do(command([part(OUT, 0, [`${from} ${who}`])], [commit(0, from, from + 1)]))
    );
    assert.deepEqual(outcomes, ["done", "OFFSET_MOVED in/0"]);
    const { message } = read(stage.machine, stage.segments, "out", 0, from + 1);
    assert.equal(new TextDecoder().decode(message.value as Uint8Array), `${from} one`);
  }
});

Deno.test("what is to be told of duplicates again counts as it did the first time, though nothing has an id now", () => {
  const stage = newPipeline();
  const ids = Array.from({ length: 600 }, (_, i) => `id ${i}`);
  assert.equal(stage.do(command([part(OUT, 2, ids)])), "done");
  const again = (partition: number, values: readonly string[]) =>
    part(OUT, partition, values, as(0));
  for (const partition of [0, 1, 0, 1]) {
    assert.equal(stage.do(command([again(partition, ids)])), "done");
  }
  const plain = ids.map(() => "");
  assert.equal(stage.do(command([again(0, plain)])), "done");
  assert.equal(stage.do(command([again(0, plain), again(1, plain)])), "INVALID items");
});
