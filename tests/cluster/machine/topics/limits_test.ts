/**
 * The bounds of topics: what is refused at them, and what one entry does at most.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Machine } from "../../../../cluster/machine/machine.ts";
import {
  alterTopicCommand,
  commitOffsetsCommand,
  createTopicCommand,
  decodeGroupOffsets,
  decodeLocation,
  decodeProduced,
  decodeTopicsDue,
  decodeTopicsSwept,
  deleteTopicCommand,
  GROUP_LIFE_MS,
  groupOffsetsQuestion,
  initProducerCommand,
  isGroup,
  isName,
  locateQuestion,
  MAX_ALL_COMMITTED,
  MAX_ALL_PARTITIONS,
  MAX_BATCH_BYTES,
  MAX_PRODUCERS,
  MAX_SWEPT_ROWS,
  MAX_TOPICS,
  type MessageChange,
  produceCommand,
  PRODUCER_LIFE_MS,
  STRETCH_BYTES,
  sweepTopicsCommand,
  topicsDueQuestion,
  trimCommand,
} from "../../../../cluster/machine/topics/mod.ts";
import { encodeMessages, messageOf } from "../../../support/topics/messages.ts";
import { newStage, Stage, T } from "../../../support/topics/machine_stage.ts";
import { bodyOf, segmentsOf, totalsOf, utf8 } from "../../../support/topics/answers.ts";
import { read, SegmentBytes } from "../../../support/topics/segment_bytes.ts";

Deno.test("names are letters, digits and three marks, and groups are any short text", () => {
  for (const good of ["a", "a.b", "-", "_", "...", "x".repeat(249), "A9"]) {
    assert.ok(isName(utf8(good)), good);
  }
  for (const bad of ["", ".", "..", "a/b", "a b", "é", "a\0", "x".repeat(250), "a^b"]) {
    assert.ok(!isName(utf8(bad)), bad);
  }
  for (const good of ["a", "é", "x".repeat(249), " "]) assert.ok(isGroup(utf8(good)), good);
  for (const bad of [utf8(""), utf8("x".repeat(250)), Uint8Array.of(0xff)]) {
    assert.ok(!isGroup(bad));
  }
});

Deno.test("there are so many topics and partitions, and those of deleted topics count until they are swept", () => {
  const stage = newStage();
  const more = createTopicCommand({ topic: utf8("more"), partitions: 2 });
  stage.count({ topics: MAX_TOPICS });
  assert.equal(stage.do(more), "QUOTA_EXCEEDED");
  assert.equal(stage.produce("x", { topic: utf8("new"), autoCreate: true }), "QUOTA_EXCEEDED");
  stage.count({ topics: 1, partitions: MAX_ALL_PARTITIONS - 1 });
  assert.equal(stage.do(more), "QUOTA_EXCEEDED");
  assert.equal(stage.produce("x", { topic: utf8("new"), autoCreate: true }), "done");
  assert.equal(stage.produce("x"), "done");
  assert.equal(stage.do(deleteTopicCommand(T)), "done");
  assert.equal(stage.do(deleteTopicCommand(utf8("new"))), "done");
  stage.count({ partitions: MAX_ALL_PARTITIONS });
  assert.equal(stage.do(createTopicCommand({ topic: T, partitions: 1 })), "QUOTA_EXCEEDED");
  assert.deepEqual(stage.sweep(), { more: false, upTo: stage.time });
  assert.equal(decodeTopicsDue(bodyOf(stage.machine.query(topicsDueQuestion()))), 0);
  assert.equal(stage.do(createTopicCommand({ topic: T, partitions: 1 })), "done");
  for (const partitions of [0, 1_025]) {
    assert.equal(stage.do(createTopicCommand({ topic: T, partitions })), "INVALID partitions");
  }
});

Deno.test("options that break a rule are refused", () => {
  const stage = newStage();
  for (
    const options of [
      { retentionMs: 999 },
      { segmentMs: 999 },
      { segmentMs: 0 },
      { segmentBytes: 4_095 },
      { segmentBytes: 2 ** 30 + 1 },
    ]
  ) {
    const create = createTopicCommand({ topic: utf8("u"), partitions: 1, options });
    assert.equal(stage.do(create), "INVALID options");
    assert.equal(stage.do(alterTopicCommand({ topic: T, options })), "INVALID options");
  }
  const least = { retentionMs: 1_000, segmentMs: 1_000, segmentBytes: 4_096, retentionBytes: 1 };
  assert.equal(stage.do(alterTopicCommand({ topic: T, options: least })), "done");
});

Deno.test("a batch is no longer than an entry may be", () => {
  const stage = newStage();
  const most = MAX_BATCH_BYTES - 37 - 28;
  const messages = new Uint8Array(28 + most);
  new DataView(messages.buffer).setUint32(20, most);
  const produce = { topic: T, partition: 0, count: 1 };
  assert.equal(stage.do(produceCommand({ ...produce, messages })), "done");
  const longer = new Uint8Array(29 + most);
  new DataView(longer.buffer).setUint32(20, most + 1);
  assert.equal(stage.do(produceCommand({ ...produce, messages: longer })), "INVALID messages");
});

Deno.test("there are so many producers, and each is forgotten when it was silent for a week", () => {
  const stage = newStage();
  for (let i = 0; i < 3; i++) assert.equal(stage.do(initProducerCommand()), "done");
  const as = (producer: number, sequence: number) => {
    return stage.produce("x", { sequence: { producer, epoch: 0, sequence } });
  };
  assert.equal(as(1, 0), "done");
  stage.count({ producers: MAX_PRODUCERS });
  assert.equal(as(2, 0), "QUOTA_EXCEEDED");
  assert.equal(as(1, 1), "done");
  stage.count({ producers: 1 });
  stage.time += PRODUCER_LIFE_MS - 1;
  assert.equal(as(2, 0), "done");
  assert.equal(totalsOf(stage.machine).producers, 2);
  stage.time += 1;
  // The first was here a week ago.
  stage.sweep();
  assert.equal(totalsOf(stage.machine).producers, 1);
  assert.equal(as(1, 2), "OUT_OF_ORDER");
  assert.equal(as(2, 1), "done");
  stage.time += PRODUCER_LIFE_MS - 1;
  stage.sweep();
  assert.equal(as(2, 2), "done");
  assert.equal(as(1, 0), "done");
});

Deno.test("the last five batches of a producer are known, and no earlier one", () => {
  const stage = newStage();
  stage.do(initProducerCommand());
  const as = (sequence: number) => {
    return stage.produce("x", { sequence: { producer: 1, epoch: 0, sequence } });
  };
  for (let i = 0; i < 7; i++) assert.equal(as(i), "done");
  for (let i = 0; i < 7; i++) assert.equal(as(i), i < 2 ? "OUT_OF_ORDER" : "done", `${i}`);
  assert.equal(segmentsOf(stage.machine)[0]?.next, 7);
});

Deno.test("sequence numbers go on from 0 after the greatest", () => {
  const stage = newStage();
  stage.do(initProducerCommand());
  const max = 0x7fff_ffff;
  const as = (sequence: number, epoch = 0) => {
    return stage.produce("x", { sequence: { producer: 1, epoch, sequence } });
  };
  assert.equal(as(0), "done");
  stage.store.transaction((state) => {
    const [row] = state.range(Uint8Array.of(0x15, 3, 0x15, 6), Uint8Array.of(0x15, 3, 0x15, 7), 1);
    const value = (row?.value as Uint8Array).slice();
    new DataView(value.buffer).setUint32(12, max);
    state.put(row?.key as Uint8Array, value);
  });
  assert.equal(as(max), "done");
  assert.equal(as(max + 1), "INVALID");
  assert.equal(as(0), "done");
  assert.equal(as(1), "done");
});

Deno.test("there are so many committed offsets, and a group is forgotten a week after its last one", () => {
  const stage = newStage();
  assert.equal(stage.do(createTopicCommand({ topic: utf8("u"), partitions: 3 })), "done");
  const commit = (
    group: string,
    topic: Uint8Array,
    partition: number,
  ) => [...bodyOf(stage.apply(commitOffsetsCommand(utf8(group), [
    { topic, partition, offset: 5, metadata: new Uint8Array() },
  ])))];
  const told = (group: string, topic: Uint8Array, partition: number) =>
    decodeGroupOffsets(
      bodyOf(stage.machine.query(groupOffsetsQuestion(utf8(group), [{ topic, partition }]))),
    ).offsets[0]?.offset;
  assert.deepEqual(commit("g", T, 0), [0]);
  stage.count({ offsets: MAX_ALL_COMMITTED });
  assert.deepEqual(commit("g", utf8("u"), 0), [4]);
  assert.deepEqual(commit("g", T, 0), [0]);
  stage.count({ offsets: 1 });
  assert.deepEqual(commit("h", utf8("u"), 0), [0]);
  stage.time += GROUP_LIFE_MS - 1;
  assert.deepEqual(commit("g", utf8("u"), 1), [0]);
  stage.time += 1;
  stage.sweep();
  assert.deepEqual([told("g", T, 0), told("g", utf8("u"), 1)], [5, 5]);
  assert.equal(told("h", utf8("u"), 0), -1);
  assert.equal(totalsOf(stage.machine).offsets, 2);
  stage.time += GROUP_LIFE_MS - 1;
  stage.sweep();
  assert.deepEqual([told("g", T, 0), told("g", utf8("u"), 1)], [-1, -1]);
  assert.equal(totalsOf(stage.machine).offsets, 0);
  assert.equal(stage.do(commitOffsetsCommand(utf8(""), [])), "INVALID group");
});

Deno.test("segments end by their bytes and by their age, and go when all of them is old enough", () => {
  const stage = newStage({ retentionMs: 60_000, segmentBytes: 4_096, segmentMs: 10_000 });
  const value = "x".repeat(1_000);
  for (let i = 0; i < 7; i++) stage.produce(value);
  const sizes = () => segmentsOf(stage.machine).map(({ base, next }) => next - base);
  assert.deepEqual(sizes(), [3, 3, 1]);
  stage.time += 9_999;
  stage.produce(value);
  assert.deepEqual(sizes(), [3, 3, 2]);
  stage.time += 1;
  stage.produce(value);
  assert.deepEqual(sizes(), [3, 3, 2, 1]);
  assert.equal(stage.due, 50_000);
  stage.time += 49_999;
  // Looked at, and not old enough.
  assert.equal(stage.do(alterTopicCommand({ topic: T, options: {} })), "done");
  assert.equal(stage.due, 0);
  stage.sweep();
  assert.deepEqual(sizes(), [3, 3, 2, 1]);
  stage.time += 1;
  assert.equal(stage.due, 0);
  stage.sweep();
  assert.deepEqual(stage.changes.map(({ kind, segment }) => [kind, segment.base]), [
    ["drop", 0],
    ["drop", 3],
  ]);
  assert.deepEqual(sizes(), [2, 1]);
  assert.equal(stage.due, 9_999);
  stage.time += 100_000;
  stage.sweep();
  assert.deepEqual(sizes(), []);
  assert.equal(decodeTopicsDue(bodyOf(stage.machine.query(topicsDueQuestion()))), 0);
  // What comes then goes on where it was.
  const produced = stage.apply(produceCommand({
    topic: T,
    partition: 0,
    count: 1,
    messages: encodeMessages([messageOf("next")]),
  }));
  assert.deepEqual(decodeProduced(bodyOf(produced)), {
    baseOffset: 9,
    count: 1,
    next: 10,
    duplicates: [],
  });
  assert.deepEqual(sizes(), [1]);
});

Deno.test("the first segments go while those after them are as many bytes as are wanted", () => {
  const stage = newStage({ retentionMs: 0, retentionBytes: 10_000, segmentBytes: 4_096 });
  const value = "x".repeat(1_000);
  for (let i = 0; i < 40; i++) {
    stage.produce(value);
    if (stage.due === 0) stage.sweep();
    const bytes = segmentsOf(stage.machine).reduce((sum, one) => sum + one.bytes, 0);
    assert.ok(bytes < 10_000 + 2 * 4_096, `${bytes} bytes after ${i}`);
    if (i > 20) assert.ok(bytes >= 10_000, `${bytes} bytes after ${i}`);
  }
});

Deno.test("one entry sweeps so many rows, and another one the rest", () => {
  const stage = newStage({ segmentBytes: 2 ** 30 });
  const messages = encodeMessages([messageOf("x".repeat(STRETCH_BYTES))]);
  const produce = produceCommand({ topic: T, partition: 0, count: 1, messages });
  const batches = 2 * MAX_SWEPT_ROWS + 10;
  const { machine, store } = stage;
  // Without the bytes, of which nobody is told here.
  const silent = new Machine(store);
  const entries = Array.from({ length: batches }, (_, i) => ({
    index: machine.context.index + 1 + i,
    type: "command",
    time: stage.time,
    data: produce,
  }));
  silent.apply(entries);
  const drops: MessageChange[] = [];
  const sweeping = new Machine(store, undefined, { messages: (some) => drops.push(...some) });
  const next = (data: Uint8Array) => {
    const index = sweeping.context.index + 1;
    return bodyOf(sweeping.apply([{ index, type: "command", time: stage.time, data }])[0]);
  };
  next(trimCommand({ topic: T, partition: 0, offset: batches - 1 }));
  assert.deepEqual(decodeTopicsSwept(next(sweepTopicsCommand())), {
    more: false,
    upTo: stage.time,
  });
  assert.equal(drops.length, 0, "a segment of which something is left stays");
  next(trimCommand({ topic: T, partition: 0, offset: -1 }));
  for (let left = 2; left > 0; left--) {
    const before = store.range(Uint8Array.of(0x15, 3), Uint8Array.of(0x15, 4), Infinity).length;
    assert.equal(decodeTopicsSwept(next(sweepTopicsCommand())).more, true);
    const after = store.range(Uint8Array.of(0x15, 3), Uint8Array.of(0x15, 4), Infinity).length;
    assert.ok(before - after <= MAX_SWEPT_ROWS && before > after, `${before - after} rows`);
    const where = { topic: T, partition: 0, offset: -1, bytes: 9 };
    const { start } = decodeLocation(bodyOf(sweeping.query(locateQuestion(where))));
    assert.equal(start, batches);
    assert.equal(drops.length, 0);
  }
  assert.equal(decodeTopicsSwept(next(sweepTopicsCommand())).more, false);
  assert.deepEqual(drops.map(({ kind }) => kind), ["drop"]);
});

Deno.test("what a deleted topic has left does not go by what is set for another one of its name", () => {
  const stage = new Stage();
  const partitions = 300;
  const create = createTopicCommand({ topic: T, partitions, options: { retentionMs: 1_000 } });
  assert.equal(stage.do(create), "done");
  for (let partition = 0; partition < partitions; partition++) stage.produce("x", { partition });
  // Its messages are due before it is deleted, more of them than one entry looks after.
  stage.time += 5_000;
  assert.equal(stage.do(deleteTopicCommand(T)), "done");
  assert.equal(stage.do(create), "done");
  assert.equal(stage.produce("y"), "done");
  assert.equal(stage.sweep().more, true);
  assert.deepEqual(stage.changes, []);
  assert.equal(stage.sweep().more, false);
  assert.equal(stage.changes.length, partitions);
  assert.deepEqual([...stage.segments.all.keys()].length, 1);
});

Deno.test("what is appended while a segment goes is in another one", () => {
  const messages = encodeMessages([messageOf("x".repeat(STRETCH_BYTES))]);
  for (let more = -4; more <= 4; more++) {
    const stage = newStage({ segmentBytes: 2 ** 30 });
    const batches = MAX_SWEPT_ROWS + more;
    const produce = produceCommand({ topic: T, partition: 0, count: 1, messages });
    const silent = new Machine(stage.store);
    silent.apply(Array.from({ length: batches }, (_, i) => ({
      index: silent.context.index + 1 + i,
      type: "command",
      time: stage.time,
      data: produce,
    })));
    const segments = new SegmentBytes();
    segments.all.set("1/0/0", new Uint8Array());
    const machine = new Machine(stage.store, undefined, {
      messages: (some) => segments.take(some),
    });
    const next = (data: Uint8Array) => {
      const index = machine.context.index + 1;
      return bodyOf(machine.apply([{ index, type: "command", time: stage.time, data }])[0]);
    };
    next(trimCommand({ topic: T, partition: 0, offset: -1 }));
    next(sweepTopicsCommand());
    for (const value of ["a", "b"]) {
      const bytes = encodeMessages([messageOf(value)]);
      next(produceCommand({ topic: T, partition: 0, count: 1, messages: bytes }));
    }
    for (let i = 0; i < 3; i++) {
      for (const offset of [batches, batches + 1]) {
        const { message } = read(machine, segments, "t", 0, offset);
        assert.equal(message.offset, BigInt(offset), `${more} rows more`);
      }
      next(sweepTopicsCommand());
    }
    assert.deepEqual([...segments.all.keys()], [`1/0/${batches}`], `${more} rows more`);
  }
});

Deno.test("what is wanted from an offset on is told by whole batches, over segments, and not much more than that", () => {
  const stage = newStage({ segmentBytes: 900_000 });
  for (let i = 0; i < 60; i++) stage.produce(String(i).padEnd(i % 7 === 0 ? 70_000 : 9_000));
  for (let offset = 0; offset < 60; offset++) {
    for (const bytes of [1, 10_000, 100_000, 1_000_000]) {
      const found = read(stage.machine, stage.segments, "t", 0, offset, bytes);
      const { message, skipped } = found;
      assert.equal(message.offset, BigInt(offset));
      const where = { topic: T, partition: 0, offset, bytes };
      const { spans } = decodeLocation(bodyOf(stage.machine.query(locateQuestion(where))));
      const told = spans.reduce((sum, { position, end }) => sum + end - position, 0);
      const most = bytes + 2 * (STRETCH_BYTES + 70_100);
      assert.ok(told <= most, `${told} of ${bytes} from ${offset}`);
      const after = spans.at(-1);
      const isEnd = after?.end === segmentsOf(stage.machine).at(-1)?.bytes;
      assert.ok(isEnd || told - skipped >= bytes, `${told} of ${bytes} from ${offset}`);
    }
  }
});
