/**
 * Which rights of the key-value port a request needs. A topic is what a path of one segment with its name is there: to produce is
 * to publish, to consume is to subscribe, and who makes or changes a topic writes.
 *
 * @module
 */

import type { Request } from "../../protocol/topics/mod.ts";
import type { Deed } from "../kv/access/rights.ts";
import type { Client } from "./handler.ts";

/** Whether a client may have a request done. */
export function mayDo(client: Client, { kind, body }: Request): boolean {
  switch (kind) {
    case "produce":
      return client.may("publish", body.topic);
    case "fetch":
    case "getOffset":
      return client.may("subscribe", body.topic);
    case "transact":
      return body.parts.every(({ topic }) => client.may("publish", topic)) &&
        body.offsets.every(({ topic }) => client.may("subscribe", topic));
    case "commitOffsets":
      return body.offsets.every(({ topic }) => client.may("subscribe", topic));
    case "fetchOffsets":
      return body.partitions.every(({ topic }) => client.may("subscribe", topic));
    case "joinGroup":
      return body.topics.every((topic) => client.may("subscribe", topic));
    case "createTopic":
    case "deleteTopic":
    case "alterTopic":
    case "deleteRecords":
      return client.may("write", body.topic);
    case "describeTopic":
      return sees(client, body.topic);
    default:
      return true;
  }
}

/** Whether a client may do anything with a topic, so that it may know of it. */
export function sees(client: Client, topic: string): boolean {
  return SHOWN.some((deed) => client.may(deed, topic));
}

const SHOWN: readonly Deed[] = ["subscribe", "publish", "write"];
