/**
 * PRODUCE: appends messages to a partition, all of them or none, and INIT_PRODUCER, which gives a producer its id.
 *
 * A producer that numbers its messages may send a batch again whose answer it has not got: one of the last
 * `KNOWN_BATCHES` is not appended anew, and has the same answer. Nor is a message with the id of another one of its topic that
 * came not long ago.
 *
 * @module
 */

import { getU64, putU64 } from "../../../protocol/bytes.ts";
import { DecodeError } from "../../../protocol/msgpack/mod.ts";
import { type Command, encodeCall } from "../module.ts";
import { carryOut } from "./producing/carry_out.ts";
import {
  decodeAllProduced,
  encodeProduced,
  type Produce,
  type Produced,
  readPart,
  writePart,
} from "./producing/part.ts";
import { Planning } from "./producing/plan.ts";
import { TOPICS } from "./rows/keys.ts";
import { getTotals, putTotals } from "./rows/totals.ts";

/** Numbers of the commands. */
export const PRODUCE = 5;
/** See {@linkcode PRODUCE}. */
export const INIT_PRODUCER = 6;

const VERSION = 1;

/** The command that appends messages. Its result is {@linkcode Produced}. */
export function produceCommand(part: Produce): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, PRODUCE, (writer) => writePart(writer, part));
}

/**
 * What has come of a produce, by the body of its result.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeProduced(body: Uint8Array): Produced {
  const [produced, ...more] = decodeAllProduced(body);
  if (produced !== undefined && more.length === 0) return produced;
  throw new DecodeError(`Expected what has come of one batch, got ${body.length} bytes`);
}

/** The command that gives an id to a producer, which is the body of its result, for {@linkcode decodeProducer}. */
export function initProducerCommand(): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, TOPICS, INIT_PRODUCER, () => {});
}

/**
 * The id in the body of a result.
 *
 * @throws {DecodeError} when there is none
 */
export function decodeProducer(body: Uint8Array): number {
  if (body.length === 8) return getU64(body, 0);
  throw new DecodeError(`Expected 8 bytes of an id, got ${body.length}`);
}

/** The command. */
export const produce: Command<Required<Produce>> = {
  since: VERSION,
  read: readPart,
  apply(state, context, part) {
    const plan = new Planning(state, context.time).plan(part);
    if ("ok" in plan) return plan;
    const produced = carryOut(state, context, plan);
    return { ok: true, rev: 0, body: encodeProduced(state, [produced]) };
  },
};

/** The command. */
export const initProducer: Command<void> = {
  since: VERSION,
  read() {},
  apply(state) {
    const totals = getTotals(state);
    totals.lastProducer++;
    putTotals(state, totals);
    const body = state.allocate(8);
    putU64(body, 0, totals.lastProducer);
    return { ok: true, rev: 0, body };
  },
};
