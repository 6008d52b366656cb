/**
 * The offsets that groups have committed.
 *
 * @module
 */

import {
  allGroupOffsetsQuestion,
  commitOffsetsCommand,
  COMMITTED,
  decodeGroupOffsets,
  type GroupOffset,
  groupOffsetsQuestion,
} from "../../../cluster/machine/topics/mod.ts";
import { decodeUtf8, encodeUtf8 } from "../../../protocol/text.ts";
import { CODE, MAX_FRAME_BYTES } from "../../../protocol/topics/mod.ts";
import { refusal } from "../refusals.ts";
import { ask, done, type Handler, listed } from "../handler.ts";

/** By what has become of an offset. */
const CODES: Readonly<Record<number, number>> = {
  [COMMITTED.done]: 0,
  [COMMITTED.topicNotFound]: CODE.TOPIC_NOT_FOUND,
  [COMMITTED.partitionNotFound]: CODE.PARTITION_NOT_FOUND,
  [COMMITTED.metadataTooLong]: CODE.INVALID_COMMIT_SIZE,
  [COMMITTED.quotaExceeded]: CODE.QUOTA_EXCEEDED,
};

/** Keeps offsets of a group. */
export const commitOffsets: Handler<"commitOffsets"> = async (services, { body }) => {
  const { group, generation, member, offsets } = body;
  if (generation !== 0 || member !== "") {
    return refusal(CODE.UNKNOWN_MEMBER, "Groups have no members");
  }
  if (offsets.some(({ offset }) => offset < 0)) {
    return refusal(CODE.INVALID_REQUEST, "An offset is less than 0");
  }
  const commits = offsets.map(({ topic, partition, offset, metadata }) => ({
    topic: encodeUtf8(topic),
    partition,
    offset,
    metadata: encodeUtf8(metadata),
  }));
  const result = await ask(services, "command", commitOffsetsCommand(encodeUtf8(group), commits));
  return result.ok ? done({ codes: [...result.body].map((one) => CODES[one] ?? 0) }) : result;
};

/** Tells what a group has committed: of some partitions, or all that the client may see. */
export const fetchOffsets: Handler<"fetchOffsets"> = (services, { body }, client) =>
  listed(services, client, async () => {
    const group = encodeUtf8(body.group);
    const places = body.partitions.map(({ topic, partition }) => {
      return { topic: encodeUtf8(topic), partition };
    });
    let question = places.length > 0
      ? groupOffsetsQuestion(group, places)
      : allGroupOffsetsQuestion(group);
    const all: GroupOffset[] = [];
    for (let bytes = 0;;) {
      const result = await ask(services, "question", question);
      if (!result.ok) return result;
      bytes += result.body.length;
      if (bytes > MAX_FRAME_BYTES) {
        return refusal(CODE.MESSAGE_TOO_LARGE, "The group has committed too much to tell at once");
      }
      const { offsets, after } = decodeGroupOffsets(result.body);
      all.push(...offsets);
      if (after === undefined) break;
      question = allGroupOffsetsQuestion(group, after);
    }
    const told = all.map(({ topic, partition, offset, metadata }) => {
      return { topic: decodeUtf8(topic), partition, offset, metadata: decodeUtf8(metadata) };
    });
    return done({ offsets: told.filter(({ topic }) => client.may("subscribe", topic)) });
  });
