/**
 * What a server tells of itself and of the others.
 *
 * @module
 */

import { CODE, type TopicMetadata } from "../../../protocol/topics/mod.ts";
import { type Client, done, type Handler, listed } from "../handler.ts";
import type { Refusal } from "../refusals.ts";
import { sees } from "../rights.ts";
import type { RequestServices } from "../services.ts";
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
  const all = wanted.length > 0
    ? [...new Set(wanted)].filter((name) => sees(client, name)).sort()
    : await allTopics(services, client);
  if ("ok" in all) return all;
  const names = all.map((one) => typeof one === "string" ? one : one.name);
  const topics: TopicMetadata[] = [];
  for (let at = 0; at < names.length; at += AT_A_TIME) {
    const some = names.slice(at, at + AT_A_TIME);
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
  return topics;
}
