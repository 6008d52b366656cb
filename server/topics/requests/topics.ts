/**
 * Topics: made, changed, listed, deleted.
 *
 * @module
 */

import {
  alterTopicCommand,
  createTopicCommand,
  decodeDescription,
  decodeStart,
  decodeTopics,
  deleteTopicCommand,
  describeTopicQuestion,
  hasCreated,
  listTopicsQuestion,
  MAX_PARTITIONS,
  type TopicDescription,
  type TopicOptions,
  trimCommand,
} from "../../../cluster/machine/topics/mod.ts";
import { decodeUtf8, encodeUtf8 } from "../../../protocol/text.ts";
import { CODE, type ListedTopic, type TopicSettings } from "../../../protocol/topics/mod.ts";
import { nextTurn } from "../../runtime.ts";
import { type Refusal, refusal } from "../refusals.ts";
import { sees } from "../rights.ts";
import type { RequestServices } from "../services.ts";
import { ask, type Client, done, type Handler, listed } from "../handler.ts";

/** What a setting says that is never reached. */
const NEVER = -1;
/** What one says that is not to be changed. */
const UNCHANGED = -2;

const OPTION_NAMES = [
  "retentionMs",
  "retentionBytes",
  "segmentBytes",
  "segmentMs",
  "dedupeMs",
] as const satisfies readonly (keyof TopicOptions)[];

/** Makes a topic. */
export const createTopic: Handler<"createTopic"> = async (services, { body }) => {
  const { topic, partitions, replicationFactor: replicas } = body;
  if (partitions === 0 || partitions > MAX_PARTITIONS) {
    const text = `Expected 1 to ${MAX_PARTITIONS} partitions, got ${partitions}`;
    return refusal(CODE.INVALID_REQUEST, text);
  }
  const servers = services.cluster.servers().length;
  if (replicas > servers) {
    const text = `Expected a replication factor of at most ${servers}, got ${replicas}`;
    return refusal(CODE.INVALID_REQUEST, text);
  }
  const command = createTopicCommand({ topic: encodeUtf8(topic), partitions, replicas });
  const result = await ask(services, "command", command);
  return result.ok ? done({ topic, created: hasCreated(result.body) }) : result;
};

/** Deletes one. */
export const deleteTopic: Handler<"deleteTopic"> = async (services, { body: { topic } }) => {
  const result = await ask(services, "command", deleteTopicCommand(encodeUtf8(topic)));
  return result.ok ? done({ topic, deleted: true }) : result;
};

/** Lists those that the client may do something with, by name. */
export const listTopics: Handler<"listTopics"> = (services, _request, client) =>
  listed(services, client, async () => {
    const topics = await allTopics(services, client);
    return "ok" in topics ? topics : done({ topics });
  });

/** Tells all about a topic. */
export const describeTopic: Handler<"describeTopic"> = (services, { body: { topic } }, client) =>
  listed(services, client, async () => {
    const found = await describe(services, topic);
    if ("ok" in found) return found;
    return done({
      topic,
      topicId: found.id,
      replicationFactor: found.replicas,
      settings: settingsOf(found),
      partitions: found.offsets.map(({ start, next, bytes }) => {
        return { start, highWaterMark: next, bytes };
      }),
    });
  });

/** Changes what is set for a topic. */
export const alterTopic: Handler<"alterTopic"> = async (services, { body }) => {
  const { topic, settings } = body;
  const options: Partial<Record<keyof TopicOptions, number>> = {};
  for (const name of OPTION_NAMES) {
    const value = settings[name];
    if (value === 0 && name !== "dedupeMs") {
      return refusal(CODE.INVALID_REQUEST, `${name} is 0: -1 stands for no limit`);
    }
    if (value === NEVER && name === "dedupeMs") {
      return refusal(CODE.INVALID_REQUEST, `${name} is -1: 0 stands for not at all`);
    }
    if (value !== UNCHANGED) options[name] = value === NEVER ? 0 : value;
  }
  const command = alterTopicCommand({ topic: encodeUtf8(topic), options });
  const result = await ask(services, "command", command);
  if (!result.ok) return result;
  const found = await describe(services, topic);
  return "ok" in found ? found : done({ settings: settingsOf(found) });
};

/** Deletes the first messages of a partition. */
export const deleteRecords: Handler<"deleteRecords"> = async (services, { body }) => {
  const { topic, partition, offset } = body;
  const command = trimCommand({ topic: encodeUtf8(topic), partition, offset });
  const result = await ask(services, "command", command);
  return result.ok ? done({ start: decodeStart(result.body) }) : result;
};

/** All about a topic, or why it is not known. */
export async function describe(
  services: RequestServices,
  topic: string,
): Promise<TopicDescription | Refusal> {
  const result = await ask(services, "question", describeTopicQuestion(encodeUtf8(topic)));
  return result.ok ? decodeDescription(result.body) : result;
}

/** All topics that a client may do something with, by name. */
export async function allTopics(
  services: RequestServices,
  client: Client,
): Promise<ListedTopic[] | Refusal> {
  const topics: ListedTopic[] = [];
  let after: Uint8Array | undefined = new Uint8Array();
  while (after !== undefined) {
    const result = await ask(services, "question", listTopicsQuestion({ after }));
    if (!result.ok) return result;
    const page = decodeTopics(result.body);
    for (const { name: bytes, partitions } of page.topics) {
      const name = decodeUtf8(bytes);
      if (sees(client, name)) topics.push({ name, partitions });
    }
    after = page.more ? page.topics.at(-1)?.name : undefined;
    if (after !== undefined) await nextTurn();
    // Nobody hears of the rest.
    if (client.isGone) return refusal(CODE.OVERLOADED, "The client is gone");
  }
  return topics;
}

function settingsOf(options: TopicOptions): TopicSettings {
  const { retentionMs, retentionBytes, segmentBytes, segmentMs, dedupeMs } = options;
  return {
    retentionMs: retentionMs || NEVER,
    retentionBytes: retentionBytes || NEVER,
    segmentBytes,
    segmentMs,
    dedupeMs,
  };
}
