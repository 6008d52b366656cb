/**
 * Producing: messages in, their offsets out.
 *
 * @module
 */

import {
  decodeProduced,
  decodeProducer,
  initProducerCommand,
  produceCommand,
} from "../../../cluster/machine/topics/mod.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import {
  checkMessages,
  CODE,
  type EncodedMessages,
  MAX_MESSAGE_BYTES,
  type MessageId,
  VERSION,
} from "../../../protocol/topics/mod.ts";
import { type Refusal, refusal } from "../refusals.ts";
import { ask, done, type Handler } from "../handler.ts";

/** Appends messages. */
export const produce: Handler<"produce"> = async (services, { version, body }, client) => {
  const { topic, partition, producer, messages: { count, bytes }, timeoutMs } = body;
  const wrong = refusalOfMessages(body.messages, version === VERSION.second, []);
  if (wrong !== undefined) return wrong;
  const command = produceCommand({
    topic: encodeUtf8(topic),
    partition,
    autoCreate: services.autoCreate && client.may("write", topic),
    sequence: producer && {
      producer: producer.id,
      epoch: producer.epoch,
      sequence: producer.baseSequence,
    },
    count,
    messages: bytes,
  });
  const limitMs = Math.min(timeoutMs || Infinity, services.requestLimitMs);
  const result = await ask(services, "command", command, limitMs);
  if (!result.ok) return result;
  const { next, ...appended } = decodeProduced(result.body);
  return done({ ...appended, highWaterMark: next });
};

/** Why messages are not taken; adds their ids to `ids`. */
export function refusalOfMessages(
  { bytes, count }: EncodedMessages,
  knowsNulls: boolean,
  ids: MessageId[],
): Refusal | undefined {
  const checked = checkMessages(bytes, count, knowsNulls, ids);
  if (typeof checked === "string") return refusal(CODE.INVALID_REQUEST, checked);
  if (checked.longest <= MAX_MESSAGE_BYTES) return undefined;
  const text = `A message takes ${checked.longest} of ${MAX_MESSAGE_BYTES} bytes`;
  return refusal(CODE.MESSAGE_TOO_LARGE, text);
}

/** Gives a producer its id. */
export const initProducer: Handler<"initProducer"> = async (services, { body }) => {
  if (body.transactionalId !== "") {
    return refusal(CODE.INVALID_REQUEST, "There are no transactions");
  }
  const result = await ask(services, "command", initProducerCommand());
  return result.ok ? done({ producerId: decodeProducer(result.body), epoch: 0 }) : result;
};
