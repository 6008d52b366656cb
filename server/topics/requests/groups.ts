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
import { nextTurn } from "../../runtime.ts";
import { refusal } from "../refusals.ts";
import { numberOf } from "./members.ts";
import { ask, done, type Handler, listed } from "../handler.ts";

/** Offsets that are committed, or looked at, together. */
const AT_A_TIME = 500;

/** By what has become of an offset. */
const CODES: Readonly<Record<number, number>> = {
  [COMMITTED.done]: 0,
  [COMMITTED.topicNotFound]: CODE.TOPIC_NOT_FOUND,
  [COMMITTED.partitionNotFound]: CODE.PARTITION_NOT_FOUND,
  [COMMITTED.metadataTooLong]: CODE.INVALID_COMMIT_SIZE,
  [COMMITTED.quotaExceeded]: CODE.QUOTA_EXCEEDED,
  [COMMITTED.notOwned]: CODE.REBALANCE_IN_PROGRESS,
};

/** Keeps offsets of a group. */
export const commitOffsets: Handler<"commitOffsets"> = async (services, { body }) => {
  const { group, generation, offsets } = body;
  if (offsets.some(({ offset }) => offset < 0)) {
    return refusal(CODE.INVALID_REQUEST, "An offset is less than 0");
  }
  const commits = offsets.map(({ topic, partition, offset, metadata }) => ({
    topic: encodeUtf8(topic),
    partition,
    offset,
    metadata: encodeUtf8(metadata),
  }));
  const committer = { member: numberOf(body.member), generation };
  services.state.heard(committer.member);
  const asked = (commits.length > 0 ? inPieces(commits) : [commits]).map((some) => {
    return ask(services, "command", commitOffsetsCommand(encodeUtf8(group), some, committer));
  });
  const codes: number[] = [];
  for (const result of await Promise.all(asked)) {
    // Those that were kept are so: who commits them again changes nothing.
    if (!result.ok) return result;
    for (const one of result.body) codes.push(CODES[one] ?? 0);
  }
  return done({ codes });
};

/** Tells what a group has committed: of some partitions, or all that the client may see. */
export const fetchOffsets: Handler<"fetchOffsets"> = (services, { body }, client) =>
  listed(services, client, async () => {
    const group = encodeUtf8(body.group);
    const places = body.partitions.map(({ topic, partition }) => {
      return { topic: encodeUtf8(topic), partition };
    });
    const pieces = inPieces(places);
    const first = pieces.shift();
    let question = first ? groupOffsetsQuestion(group, first) : allGroupOffsetsQuestion(group);
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
      const next = pieces.shift();
      if (next === undefined && after === undefined) break;
      question = next === undefined
        ? allGroupOffsetsQuestion(group, after)
        : groupOffsetsQuestion(group, next);
      await nextTurn();
    }
    const told = all.map(({ topic, partition, offset, metadata }) => {
      return { topic: decodeUtf8(topic), partition, offset, metadata: decodeUtf8(metadata) };
    });
    return done({ offsets: told.filter(({ topic }) => client.may("subscribe", topic)) });
  });

/** What one entry, or one answer, is about: some milliseconds of work. */
function inPieces<T>(all: readonly T[]): (readonly T[])[] {
  const pieces: (readonly T[])[] = [];
  for (let at = 0; at < all.length; at += AT_A_TIME) pieces.push(all.slice(at, at + AT_A_TIME));
  return pieces;
}
