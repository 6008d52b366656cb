/**
 * A machine of topics whose clock a test sets.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Machine } from "../../../cluster/machine/machine.ts";
import { MemoryStore } from "../../../cluster/machine/store/memory_store.ts";
import {
  createTopicCommand,
  decodeTopicsDue,
  decodeTopicsSwept,
  type MessageChange,
  type Produce,
  produceCommand,
  sweepTopicsCommand,
  topicsDueQuestion,
} from "../../../cluster/machine/topics/mod.ts";
import { getTotals, putTotals, type Totals } from "../../../cluster/machine/topics/rows/totals.ts";
import { START_TIME } from "../machine/fixture.ts";
import { encodeMessages, messageOf } from "./messages.ts";
import { bodyOf, utf8 } from "./answers.ts";
import { SegmentBytes } from "./segment_bytes.ts";

/** The name of its topic. */
export const T = utf8("t");

/** A machine whose clock a test sets. */
export class Stage {
  readonly store = new MemoryStore();
  readonly segments = new SegmentBytes();
  /** What was told of the last command. */
  changes: readonly MessageChange[] = [];
  readonly machine = new Machine(this.store, undefined, {
    messages: (changes) => {
      this.changes = changes;
      this.segments.take(changes);
    },
  });
  time = START_TIME;

  /** Does a command: `done`, or the reason and the member. */
  do(data: Uint8Array): string {
    const result = this.apply(data);
    if (result.ok) return "done";
    return result.field === undefined ? result.reason : `${result.reason} ${result.field}`;
  }

  apply(data: Uint8Array) {
    this.changes = [];
    const { index } = this.machine.context;
    const [result] = this.machine.apply([{
      index: index + 1,
      type: "command",
      time: this.time,
      data,
    }]);
    assert.ok(result !== undefined);
    return result;
  }

  produce(value: string, rest: Partial<Produce> = {}): string {
    const messages = encodeMessages([messageOf(value)]);
    return this.do(produceCommand({ topic: T, partition: 0, count: 1, messages, ...rest }));
  }

  sweep() {
    return decodeTopicsSwept(bodyOf(this.apply(sweepTopicsCommand())));
  }

  /** When the next thing is due, from now on. */
  get due(): number {
    return decodeTopicsDue(bodyOf(this.machine.query(topicsDueQuestion()))) - this.time;
  }

  /** All that the module has. */
  rows() {
    return this.store.range(Uint8Array.of(0x15, 3), Uint8Array.of(0x15, 4), Infinity);
  }

  count(totals: Partial<Totals>): void {
    this.store.transaction((state) => putTotals(state, { ...getTotals(state), ...totals }));
  }
}

/** A machine with a topic of one partition. */
export function newStage(options = {}): Stage {
  const stage = new Stage();
  assert.equal(stage.do(createTopicCommand({ topic: T, partitions: 1, options })), "done");
  return stage;
}
