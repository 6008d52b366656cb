/**
 * What a server tells of itself and of the others.
 *
 * @module
 */

import type { TopicMetadata } from "../../../protocol/topics/mod.ts";
import { CODE } from "../../../protocol/topics/mod.ts";
import { sees } from "../rights.ts";
import { done, type Handler } from "../handler.ts";
import { allTopics, describe } from "./topics.ts";

/** Topics that are asked for together. */
const AT_A_TIME = 256;

/** How the server does: it is well when there is a leader, and room on the disk. */
export const healthCheck: Handler<"healthCheck"> = ({ cluster, startedAt }) =>
  done({
    status: cluster.leader !== undefined && !cluster.isFull ? "healthy" : "unhealthy",
    uptimeSeconds: Math.floor((performance.now() - startedAt) / 1_000),
  });

/** The servers, and topics: all of them, or those that are there of some. */
export const metadata: Handler<"metadata"> = async (services, { body }, client) => {
  const { cluster } = services;
  let names = [...new Set(body.topics)].filter((name) => sees(client, name));
  if (body.topics.length === 0) {
    const listed = await allTopics(services, client);
    if ("ok" in listed) return listed;
    names = listed.map(({ name }) => name);
  }
  const topics: TopicMetadata[] = [];
  names.sort();
  while (names.length > 0) {
    const some = names.splice(0, AT_A_TIME);
    const found = await Promise.all(some.map((name) => describe(services, name)));
    for (const [i, one] of found.entries()) {
      if (!("ok" in one)) {
        const partitions = one.offsets.map(({ start, next }) => ({ start, highWaterMark: next }));
        topics.push({ name: some[i] as string, topicId: one.id, partitions });
      } else if (one.code !== CODE.TOPIC_NOT_FOUND) {
        return one;
      }
    }
  }
  return done({ servers: cluster.servers(), leader: cluster.leader ?? "", topics });
};
