/**
 * Ids of messages: known for as long as their topic says, by the time of the log.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Machine } from "../../../../cluster/machine/machine.ts";
import {
  alterTopicCommand,
  createTopicCommand,
  decodeProduced,
  deleteTopicCommand,
  initProducerCommand,
  MAX_ALL_IDS,
  MAX_IDS,
  MAX_SWEPT_ROWS,
  type Produce,
  produceCommand,
  sweepTopicsCommand,
} from "../../../../cluster/machine/topics/mod.ts";
import { ID_HEADER } from "../../../../protocol/topics/mod.ts";
import { dumped, load } from "../../../support/machine/fixture.ts";
import { MemoryStore } from "../../../../cluster/machine/store/memory_store.ts";
import { newStage, type Stage, T } from "../../../support/topics/machine_stage.ts";
import { encodeMessages, messageOf, type TestMessage } from "../../../support/topics/messages.ts";
import { bodyOf, totalsOf, utf8 } from "../../../support/topics/answers.ts";
import { read } from "../../../support/topics/segment_bytes.ts";

/** A message with an id. */
function withId(id: string, rest: Partial<TestMessage> = {}): TestMessage {
  return messageOf(id, { ...rest, headers: [[ID_HEADER, utf8(id)]] });
}

function commandOf(messages: readonly TestMessage[], rest: Partial<Produce> = {}): Uint8Array {
  const count = messages.length;
  return produceCommand({
    topic: T,
    partition: 0,
    count,
    messages: encodeMessages(messages),
    ...rest,
  });
}

/** Sends messages with these ids; an empty one stands for none. */
function send(stage: Stage, ids: readonly string[], rest: Partial<Produce> = {}) {
  const messages = ids.map((id) => id === "" ? messageOf("x") : withId(id));
  return decodeProduced(bodyOf(stage.apply(commandOf(messages, rest))));
}

function rowsBelow(stage: Stage, table: number): number {
  const key = (last: number) => Uint8Array.of(0x15, 3, 0x15, last);
  return stage.store.range(key(table), key(table + 1), Infinity).length;
}

Deno.test("a message with an id that is known is not appended, in no partition of its topic", () => {
  const stage = newStage();
  assert.equal(stage.do(createTopicCommand({ topic: utf8("u"), partitions: 2 })), "done");
  const u = { topic: utf8("u") };
  assert.deepEqual(send(stage, ["a", "", "b"], u), {
    baseOffset: 0,
    count: 3,
    next: 3,
    duplicates: [],
  });
  assert.deepEqual(send(stage, ["c", "a", "", "c", "d"], { ...u, partition: 1 }), {
    baseOffset: 0,
    count: 3,
    next: 3,
    duplicates: [
      { message: 1, partition: 0, offset: 0 },
      { message: 3, partition: 1, offset: 0 },
    ],
  });
  assert.deepEqual(send(stage, ["b", "d"], u), {
    baseOffset: 3,
    count: 0,
    next: 3,
    duplicates: [
      { message: 0, partition: 0, offset: 2 },
      { message: 1, partition: 1, offset: 2 },
    ],
  });
  const values = [0, 1, 2].map((offset) => {
    const { message } = read(stage.machine, stage.segments, "u", 1, offset);
    return new TextDecoder().decode(message.value as Uint8Array);
  });
  assert.deepEqual(values, ["c", "x", "d"]);
  // Another topic has its own.
  assert.equal(send(stage, ["a"]).count, 1);
});

Deno.test("an id is known until its time is over by the log, whether it was swept or not", () => {
  for (const isSwept of [false, true]) {
    const stage = newStage({ dedupeMs: 5_000 });
    send(stage, ["a"]);
    stage.time += 2_000;
    send(stage, ["b"]);
    stage.time += 2_999;
    if (isSwept) stage.sweep();
    assert.equal(send(stage, ["a"]).count, 0);
    stage.time += 1;
    if (isSwept) stage.sweep();
    assert.equal(totalsOf(stage.machine).ids, isSwept ? 1 : 2);
    assert.equal(send(stage, ["b"]).count, 0);
    assert.equal(send(stage, ["a"]).count, 1);
    assert.equal(totalsOf(stage.machine).ids, 2);
    // The row of the first time is no reason to forget it.
    stage.time += 4_999;
    stage.sweep();
    assert.deepEqual(send(stage, ["a"]).duplicates, [{ message: 0, partition: 0, offset: 2 }]);
    assert.equal(totalsOf(stage.machine).ids, 1);
    stage.time += 1;
    stage.sweep();
    assert.deepEqual([totalsOf(stage.machine).ids, rowsBelow(stage, 20), rowsBelow(stage, 21)], [
      0,
      0,
      0,
    ]);
  }
});

Deno.test("who goes on from a dump forgets ids when the others do", () => {
  const stage = newStage({ dedupeMs: 5_000 });
  send(stage, ["a", "b"]);
  stage.time += 3_000;
  send(stage, ["c"]);
  const store = new MemoryStore();
  load(store, dumped(stage.store));
  const late = new Machine(store);
  for (const laterMs of [1_999, 1, 3_000]) {
    stage.time += laterMs;
    for (const data of [commandOf([withId("a"), withId("c")]), sweepTopicsCommand()]) {
      const entry = { index: late.context.index + 1, type: "command", time: stage.time, data };
      assert.deepEqual(late.apply([entry]), [stage.apply(data)]);
    }
    assert.deepEqual(dumped(store), dumped(stage.store), `${laterMs} ms later`);
  }
});

Deno.test("a topic may know ids longer, or for less time, or not at all", () => {
  const stage = newStage({ dedupeMs: 5_000 });
  const alter = (dedupeMs: number) =>
    assert.equal(stage.do(alterTopicCommand({ topic: T, options: { dedupeMs } })), "done");
  send(stage, ["a"]);
  alter(10_000);
  stage.time += 6_000;
  stage.sweep();
  assert.equal(send(stage, ["a"]).count, 0);
  alter(1_000);
  assert.equal(stage.due, 0);
  assert.equal(send(stage, ["a"]).count, 1);
  stage.sweep();
  assert.equal(totalsOf(stage.machine).ids, 1);
  alter(0);
  assert.equal(send(stage, ["a", "a"]).count, 2);
  stage.sweep();
  assert.equal(totalsOf(stage.machine).ids, 0);
  alter(1_000);
  assert.equal(send(stage, ["a", "a"]).count, 1);
  assert.equal(
    stage.do(alterTopicCommand({ topic: T, options: { dedupeMs: 999 } })),
    "INVALID options",
  );
});

Deno.test("a batch that comes again has the answer of the first time, also when its ids are long forgotten", () => {
  const stage = newStage({ dedupeMs: 1_000 });
  stage.do(initProducerCommand());
  send(stage, ["a", "b"]);
  const as = (sequence: number) => ({ sequence: { producer: 1, epoch: 0, sequence } });
  const first = send(stage, ["c", "a", "b", "d", "c"], as(0));
  assert.deepEqual([first.baseOffset, first.count, first.duplicates.length], [2, 2, 3]);
  // It took as many numbers as it had messages.
  assert.equal(stage.do(commandOf([withId("x")], as(2))), "OUT_OF_ORDER");
  const second = send(stage, ["d"], as(5));
  assert.deepEqual([second.baseOffset, second.count], [4, 0]);
  for (const laterMs of [0, 500, 1_000, 86_400_000]) {
    stage.time += laterMs;
    stage.sweep();
    const { next } = send(stage, [""]);
    assert.deepEqual(send(stage, ["c", "a", "b", "d", "c"], as(0)), { ...first, next });
    assert.deepEqual(send(stage, ["d"], as(5)), { ...second, next });
  }
});

Deno.test("ids that are none, and more than there may be, are refused with all that comes with them", () => {
  const stage = newStage();
  const many = Array.from({ length: MAX_IDS + 1 }, (_, i) => withId(String(i)));
  const two = { headers: [[ID_HEADER, utf8("a")], [ID_HEADER, utf8("a")]] as const };
  for (
    const wrong of [
      [messageOf("x"), withId("")],
      [withId("x".repeat(65))],
      [messageOf("x", two)],
      many,
    ]
  ) {
    assert.equal(stage.do(commandOf(wrong)), "INVALID messages");
  }
  // Another name is another header.
  for (const name of ["msg-id", "Msg-Id ", "Msg-I"]) {
    const headers = [[name, utf8("")], [name, utf8("")]] as const;
    assert.equal(stage.do(commandOf([messageOf("x", { headers })])), "done");
  }
  assert.equal(stage.do(commandOf([withId("x".repeat(64)), withId("\0".repeat(64))])), "done");
  assert.equal(stage.do(commandOf(many.slice(1))), "done");
  stage.count({ ids: MAX_ALL_IDS - 1 });
  const before = stage.rows();
  const created = { topic: utf8("new"), autoCreate: true };
  assert.equal(stage.do(commandOf([withId("y"), withId("z")], created)), "QUOTA_EXCEEDED");
  assert.equal(stage.do(commandOf([withId("y"), withId("z")])), "QUOTA_EXCEEDED");
  assert.deepEqual(stage.rows(), before);
  assert.equal(stage.do(commandOf([withId("y"), withId("y"), messageOf("z")])), "done");
  assert.equal(stage.do(commandOf([withId("z")])), "QUOTA_EXCEEDED");
  assert.equal(stage.do(commandOf([withId("y"), messageOf("z")])), "done");
  assert.equal(stage.produce("without"), "done");
});

Deno.test("the ids of a deleted topic go with it, and one entry forgets so many", () => {
  const stage = newStage({ dedupeMs: 1_000 });
  const batches = Math.ceil(3 * MAX_SWEPT_ROWS / 100);
  const fill = () => {
    for (let i = 0; i < batches; i++) {
      send(stage, Array.from({ length: 100 }, (_, k) => `${stage.time} ${i} ${k}`));
    }
  };
  fill();
  stage.time += 1_000;
  const left = () => totalsOf(stage.machine).ids;
  for (let before = left(); before > 0; before = left()) {
    const { more } = stage.sweep();
    assert.ok(before - left() <= MAX_SWEPT_ROWS + 100, `${before - left()} at once`);
    assert.ok(left() < before);
    assert.equal(more, left() > 0);
  }
  fill();
  assert.equal(stage.do(deleteTopicCommand(T)), "done");
  while (stage.sweep().more);
  assert.equal(left(), 0);
  assert.deepEqual([rowsBelow(stage, 20), rowsBelow(stage, 21)], [0, 0]);
  // That they are to be forgotten is said until then.
  stage.time += 1_000;
  stage.sweep();
  assert.equal(rowsBelow(stage, 10), 0);
});

Deno.test("what a producer is to be told of duplicates stands by itself, and goes with its batch, producer or topic", () => {
  const stage = newStage();
  stage.do(initProducerCommand());
  const ids = Array.from({ length: 100 }, (_, i) => `${i}`);
  send(stage, ids);
  const as = (sequence: number, epoch = 0) => ({ sequence: { producer: 1, epoch, sequence } });
  const next = (batch: number, epoch?: number) => send(stage, ids, as(batch * ids.length, epoch));
  const producers = () => stage.store.range(Uint8Array.of(0x15, 3, 0x15, 6), undefined, 1);
  for (let batch = 0; batch < 7; batch++) {
    assert.equal(next(batch).duplicates.length, ids.length);
    // Who sends something else reads and writes that row.
    assert.ok((producers()[0]?.value.length ?? Infinity) < 200);
    assert.equal(rowsBelow(stage, 22), Math.min(batch + 1, 5));
  }
  assert.deepEqual(next(2), next(6));
  // Another epoch, a batch without duplicates, silence and the end of the topic.
  next(0, 1);
  assert.equal(rowsBelow(stage, 22), 1);
  send(stage, ["new"], as(ids.length, 1));
  assert.equal(rowsBelow(stage, 22), 1);
  stage.time += 8 * 86_400_000;
  while (stage.sweep().more);
  assert.deepEqual([rowsBelow(stage, 22), totalsOf(stage.machine).producers], [0, 0]);
  send(stage, ids);
  next(0, 2);
  assert.equal(rowsBelow(stage, 22), 1);
  assert.equal(stage.do(deleteTopicCommand(T)), "done");
  while (stage.sweep().more);
  assert.equal(rowsBelow(stage, 22), 0);
});
