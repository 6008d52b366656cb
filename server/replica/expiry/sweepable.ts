/**
 * What is swept when it is due: values of keys, and what topics are rid of in time.
 *
 * @module
 */

import {
  decodeSwept,
  dueQuestion,
  MAX_SWEPT,
  NEVER,
  sweepCommand,
} from "../../../cluster/machine/kv/mod.ts";
import {
  decodeTopicsDue,
  decodeTopicsSwept,
  sweepTopicsCommand,
  topicsDueQuestion,
} from "../../../cluster/machine/topics/mod.ts";
import { decodeUtf8 } from "../../../protocol/text.ts";
import { type Sweepable, Sweeper, type SweeperParts } from "./sweeper.ts";

/** The answer when no value expires. */
const NO_EXPIRY = -1;

/** Values that expire. */
export const VALUES: Sweepable = {
  dueQuestion,
  dueIn(body) {
    const due = Number(decodeUtf8(body));
    return due === NO_EXPIRY ? undefined : due === NEVER ? Infinity : due;
  },
  command: sweepCommand,
  sweptIn(body) {
    const { count, upTo } = decodeSwept(body);
    return { more: count === MAX_SWEPT, upTo };
  },
  // As often as is looked where something is due: one that is set meanwhile is as late as it would be then.
  restMs: 100,
};

/** Messages that are kept no longer, what deleted topics have left, and who was silent for long. */
export const TOPICS: Sweepable = {
  dueQuestion: ({ from }) => topicsDueQuestion(from),
  dueIn: (body) => decodeTopicsDue(body) || undefined,
  command: sweepTopicsCommand,
  sweptIn: decodeTopicsSwept,
  // Most servers have no topics.
  restMs: 1_000,
};

/** The sweeping of both. */
export function sweepersOf(parts: SweeperParts): Sweeper[] {
  return [VALUES, TOPICS].map((what) => new Sweeper(parts, what));
}
