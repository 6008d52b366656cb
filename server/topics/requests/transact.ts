/**
 * Producing to several partitions, and committing what the messages were made from, at once.
 *
 * @module
 */

import { decodeTransacted, transactCommand } from "../../../cluster/machine/topics/mod.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import {
  CODE,
  MAX_TRANSACT_ITEMS,
  type MessageId,
  type Transact,
} from "../../../protocol/topics/mod.ts";
import { ask, done, type Handler } from "../handler.ts";
import { type Refusal, refusal } from "../refusals.ts";
import { numberOf } from "./members.ts";
import { refusalOfMessages } from "./produce.ts";

/** Does all of it, or nothing. */
export const transact: Handler<"transact"> = async (services, { body }, client) => {
  const { producerId, epoch, parts, group, generation, member, offsets } = body;
  const wrong = refusalOfItems(body);
  if (wrong !== undefined) return wrong;
  const committer = { member: numberOf(member), generation };
  services.state.heard(committer.member);
  const command = transactCommand({
    parts: parts.map((
      { topic, partition, baseSequence: sequence, messages: { count, bytes } },
    ) => ({
      topic: encodeUtf8(topic),
      partition,
      autoCreate: services.autoCreate && client.may("write", topic),
      sequence: producerId === 0 ? undefined : { producer: producerId, epoch, sequence },
      count,
      messages: bytes,
    })),
    group: encodeUtf8(group),
    committer,
    commits: offsets.map(({ topic, metadata, ...rest }) => {
      return { topic: encodeUtf8(topic), metadata: encodeUtf8(metadata), ...rest };
    }),
  });
  const result = await ask(services, "command", command);
  if (!result.ok) return result;
  const all = decodeTransacted(result.body);
  return done({ parts: all.map(({ next, ...rest }) => ({ ...rest, highWaterMark: next })) });
};

/** Why it cannot be done as it is said. */
function refusalOfItems({ parts, offsets }: Transact): Refusal | undefined {
  let items = parts.length + offsets.length;
  if (items === 0) {
    return refusal(CODE.INVALID_REQUEST, "Expected messages or offsets, got neither");
  }
  for (const { topic, partition, messages } of parts) {
    const ids: MessageId[] = [];
    const wrong = refusalOfMessages(messages, true, ids);
    if (wrong !== undefined) {
      return refusal(wrong.code, `${wrong.message}: '${topic}/${partition}'`);
    }
    items += ids.length;
  }
  if (items <= MAX_TRANSACT_ITEMS) return undefined;
  const text =
    `${items} partitions, ids and offsets together, expected at most ${MAX_TRANSACT_ITEMS}`;
  return refusal(CODE.INVALID_REQUEST, text);
}
