/**
 * What is to be looked after, in the order of the times at which it is.
 *
 * A row is a hint: whoever follows it looks at what is there then, which may be nothing, or not due any more.
 *
 * @module
 */

import type { StoreReader, Transaction } from "../../store/store.ts";
import { decodeTuple, encodeTuple, integerAt, keysBelow } from "../../store/tuple.ts";
import { TABLE, TOPICS } from "./keys.ts";
import { NEVER, type Partition } from "./partition.ts";

/** What is due. */
export type Due =
  /** What a deleted topic has left. */
  | { readonly kind: "topic"; readonly topic: number }
  /** Messages may have to go. */
  | { readonly kind: "partition"; readonly topic: number; readonly partition: number }
  /** A producer may have been silent for long. */
  | {
    readonly kind: "producer";
    readonly topic: number;
    readonly partition: number;
    readonly producer: number;
  }
  /** So may a group. */
  | { readonly kind: "group"; readonly group: Uint8Array }
  /** Ids of messages may have been known for long enough. */
  | { readonly kind: "ids"; readonly topic: number };

/** A row of the table. */
export interface DueRow {
  readonly key: Uint8Array;
  /** When it is due, in milliseconds since 1970. */
  readonly time: number;
  readonly due: Due;
}

const NOTHING = new Uint8Array();
const KINDS: readonly Due["kind"][] = ["topic", "partition", "producer", "group", "ids"];

/** Something is due at a time. */
export function putDue(state: Transaction, time: number, due: Due): void {
  state.put(dueKey(time, due), NOTHING);
}

/** A partition is due at another time than before; it has to be kept then. */
export function setDue(state: Transaction, partition: Partition, time: number): void {
  const { topic, number, due: before } = partition;
  if (time === before) return;
  const due = { kind: "partition", topic, partition: number } as const;
  if (before !== NEVER) state.delete(dueKey(before, due));
  if (time !== NEVER) putDue(state, time, due);
  partition.due = time;
}

/** What is due from one time to another, both included, the first of it. */
export function dueRows(state: StoreReader, from: number, to: number, limit: number): DueRow[] {
  const range = {
    from: keysBelow(encodeTuple([TOPICS, 10, from])).from,
    to: keysBelow(encodeTuple([TOPICS, 10, to])).to,
  };
  return state.range(range.from, range.to, limit).map(({ key }) => {
    const [, , time, kind, ...rest] = decodeTuple(key);
    return { key, time: time as number, due: dueOf(KINDS[kind as number], rest) };
  });
}

/** When the first is due of what is due from a time on; `NEVER` without any. */
export function firstDue(state: StoreReader, from: number): number {
  const range = keysBelow(TABLE.times);
  const [first] = state.range(keysBelow(encodeTuple([TOPICS, 10, from])).from, range.to, 1);
  return first === undefined ? NEVER : integerAt(first.key, TABLE.times.length).value;
}

function dueKey(time: number, due: Due): Uint8Array {
  const head = [TOPICS, 10, time, KINDS.indexOf(due.kind)];
  switch (due.kind) {
    case "topic":
    case "ids":
      return encodeTuple([...head, due.topic]);
    case "partition":
      return encodeTuple([...head, due.topic, due.partition]);
    case "producer":
      return encodeTuple([...head, due.topic, due.partition, due.producer]);
    case "group":
      return encodeTuple([...head, due.group]);
  }
}

function dueOf(kind: Due["kind"] | undefined, rest: readonly unknown[]): Due {
  const [topic, partition, producer] = rest as number[] as [number, number, number];
  switch (kind) {
    case "topic":
    case "ids":
      return { kind, topic };
    case "partition":
      return { kind, topic, partition };
    case "producer":
      return { kind, topic, partition, producer };
    default:
      return { kind: "group", group: rest[0] as Uint8Array };
  }
}
