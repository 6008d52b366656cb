/**
 * What a server tells of itself and of the others.
 *
 * @module
 */

import { MAX_PARTITIONS } from "../../../cluster/machine/topics/mod.ts";
import { CODE, type ListedTopic, type TopicMetadata } from "../../../protocol/topics/mod.ts";
import { nextTurn } from "../../runtime.ts";
import { type Client, done, type Handler, listed } from "../handler.ts";
import type { Refusal } from "../refusals.ts";
import { sees } from "../rights.ts";
import type { RequestServices } from "../services.ts";
import { allTopics, describe } from "./topics.ts";

/** Partitions of topics that are asked for together, and those of one topic more: some milliseconds of work. */
const PARTITIONS_AT_A_TIME = 4 * MAX_PARTITIONS;

/** So many topics are asked for by their names without a look at which there are. */
const FEW = 16;

/** How the server does: it is well when there is a leader, and room on the disk. */
export const healthCheck: Handler<"healthCheck"> = ({ cluster, startedAt }) =>
  done({
    status: cluster.leader !== undefined && !cluster.isFull ? "healthy" : "unhealthy",
    uptimeSeconds: Math.floor((performance.now() - startedAt) / 1_000),
  });

/** The servers, and topics: all of them, or those that are there of some. */
export const metadata: Handler<"metadata"> = (services, { body }, client) =>
  listed(services, client, async () => {
    const { cluster } = services;
    const topics = await described(services, client, body.topics);
    if ("ok" in topics) return topics;
    return done({ servers: cluster.servers(), leader: cluster.leader ?? "", topics });
  });

/** Those of some topics that are there, or all, as far as the client may know of them; by name. */
async function described(
  services: RequestServices,
  client: Client,
  wanted: readonly string[],
): Promise<TopicMetadata[] | Refusal> {
  const all = await named(services, client, wanted);
  if ("ok" in all) return all;
  const topics: TopicMetadata[] = [];
  for (let at = 0; at < all.length;) {
    const some: string[] = [];
    for (let room = PARTITIONS_AT_A_TIME; room > 0 && at < all.length; at++) {
      const { name, partitions } = all[at] as ListedTopic;
      some.push(name);
      room -= partitions;
    }
    const found = await Promise.all(some.map((name) => describe(services, name)));
    for (const [i, one] of found.entries()) {
      if (!("ok" in one)) {
        const partitions = one.offsets.map(({ start, next }) => ({ start, highWaterMark: next }));
        topics.push({ name: some[i] as string, topicId: one.id, partitions });
      } else if (one.code !== CODE.TOPIC_NOT_FOUND) {
        return one;
      }
    }
    if (at < all.length) await nextTurn();
  }
  return topics;
}

/** Those of some topics that may be there, or all, as far as the client may know of them. */
async function named(
  services: RequestServices,
  client: Client,
  wanted: readonly string[],
): Promise<ListedTopic[] | Refusal> {
  const names = new Set(wanted);
  if (names.size > 0 && names.size <= FEW) {
    return [...names].filter((name) => sees(client, name)).sort()
      .map((name) => ({ name, partitions: MAX_PARTITIONS }));
  }
  const all = await allTopics(services, client);
  if ("ok" in all || names.size === 0) return all;
  // Each that is not there would cost as much as one with all the partitions that there may be.
  return all.filter(({ name }) => names.has(name));
}
