/**
 * The offsets of a partition: where it begins and ends, and which message is the first at or after a time.
 *
 * @module
 */

import {
  BATCH_HEAD_BYTES,
  decodeLocation,
  locateQuestion,
  locateTimeQuestion,
  type Location,
  readBatchHead,
  type Span,
  START_OFFSET,
  STRETCH_BYTES,
} from "../../../cluster/machine/topics/mod.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { CODE, findByTime, type Halves, isBefore } from "../../../protocol/topics/mod.ts";
import { DamagedSegmentError, SegmentGoneError } from "../../replica/segments/errors.ts";
import { nextTurn } from "../../runtime.ts";
import { type Refusal, refusal, refusalOf } from "../refusals.ts";
import type { RequestServices } from "../services.ts";
import { ask, type Client, done, type Handler } from "../handler.ts";

/** Which partition. */
interface Where {
  readonly topic: Uint8Array;
  readonly partition: number;
}

/** What a partition has, and which message is the first at or after a time; -1: none is. */
interface Found {
  readonly location: Location;
  readonly atTime: number;
}

/** Tells which messages a partition has. */
export const getOffset: Handler<"getOffset"> = async (services, { body }, client) => {
  const { topic, partition, time } = body;
  const where = { topic: encodeUtf8(topic), partition };
  const found = time === undefined
    ? await endsOf(services, where)
    : await search(services, client, where, halvesOf(time));
  if ("ok" in found) return found;
  const { location: { start, next }, atTime } = found;
  return done({ topic, partition, start, end: next, highWaterMark: next, atTime });
};

async function endsOf(services: RequestServices, where: Where): Promise<Found | Refusal> {
  const question = locateQuestion({ ...where, offset: START_OFFSET, bytes: 0 });
  const result = await ask(services, "question", question);
  return result.ok ? { location: decodeLocation(result.body), atTime: -1 } : result;
}

/** Reads stretch by stretch what the index cannot tell. Once the leader has answered, what this server has is new enough. */
async function search(
  services: RequestServices,
  client: Client,
  where: Where,
  time: Halves,
): Promise<Found | Refusal> {
  const { state, cluster, requestLimitMs } = services;
  const endsAt = performance.now() + requestLimitMs;
  const first = locateTimeQuestion({ ...where, time, from: START_OFFSET });
  let result = await ask(services, "question", first);
  let topic: number | undefined;
  for (let wasGone = false;;) {
    if (!result.ok) return result;
    const location = decodeLocation(result.body);
    const { offset, next, spans: [span] } = location;
    // Another topic has the name now.
    if ((topic ??= location.topic) !== location.topic) {
      return await search(services, client, where, time);
    }
    if (span === undefined && offset === next) return { location, atTime: -1 };
    let from = offset;
    try {
      if (span !== undefined) {
        const { atTime, end } = await scan(services, client, location, where.partition, span, time);
        if (atTime >= 0) return { location, atTime };
        from = end;
      }
      wasGone = false;
    } catch (error) {
      const isGone = error instanceof SegmentGoneError;
      if (!isGone && !(error instanceof DamagedSegmentError)) throw error;
      // What went between two looks is looked for once more.
      if (!isGone || wasGone) return refusal(CODE.STORAGE_ERROR, error.message);
      wasGone = true;
    }
    if (client.isGone || performance.now() >= endsAt) {
      return refusal(CODE.REQUEST_TIMEOUT, "The messages could not be looked through in time");
    }
    await nextTurn();
    const again = state.peek(locateTimeQuestion({ ...where, time, from }));
    result = again.ok ? again : refusalOf(again, cluster);
  }
}

/** What a stretch has. */
interface Scanned {
  /** Offset of its first message at or after a time; -1: there is none. */
  readonly atTime: number;
  /** Offset after its last message. */
  readonly end: number;
}

/** Looks through a stretch, one of a client at a time, and one of all clients while they have too much in memory. */
async function scan(
  { messages, waiting, buffers, scarce }: RequestServices,
  client: Client,
  { topic, offset }: Location,
  partition: number,
  { base, position, end }: Span,
  time: Halves,
): Promise<Scanned> {
  const reading = async (): Promise<Scanned> => {
    const taken = end - position;
    waiting.bytes += taken;
    const buffer = buffers.take(STRETCH_BYTES);
    try {
      let scanned: Scanned = { atTime: -1, end: offset };
      for (let at = position; at < end && scanned.atTime < 0;) {
        const length = Math.min(end - at, STRETCH_BYTES);
        const bytes = await messages.read({ topic, partition, base }, at, length, buffer);
        if (bytes.length === 0) throw new Error(`Expected a batch at ${at} of a segment, got none`);
        scanned = scanBatches(bytes, scanned.end, time);
        at += bytes.length;
      }
      return scanned;
    } finally {
      buffers.give(buffer);
      waiting.bytes -= taken;
    }
  };
  return await client.inTurn(() => waiting.isFull ? scarce.run(["read"], reading) : reading());
}

/** Looks through whole batches; messages before an offset do not count. */
function scanBatches(bytes: Uint8Array, from: number, time: Halves): Scanned {
  let end = from;
  for (let at = 0; at < bytes.length;) {
    const head = readBatchHead(bytes, at);
    if (head === undefined) throw new Error("Expected whole batches of a segment");
    const { size, baseOffset, count, maxTimestamp } = head;
    if (baseOffset + count > from && !isBefore(maxTimestamp, time)) {
      const batch = bytes.subarray(at, at + size);
      const found = findByTime(batch, BATCH_HEAD_BYTES, from - baseOffset, time);
      if (found >= 0) return { atTime: baseOffset + found, end };
    }
    end = Math.max(end, baseOffset + count);
    at += size;
  }
  return { atTime: -1, end };
}

function halvesOf(time: bigint): Halves {
  return { high: Number(time >> 32n), low: Number(time & 0xffff_ffffn) };
}
