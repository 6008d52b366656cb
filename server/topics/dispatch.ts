/**
 * Which function does which kind of request.
 *
 * @module
 */

import type { RequestKind } from "../../protocol/topics/mod.ts";
import { healthCheck, metadata } from "./requests/cluster.ts";
import { fetch } from "./requests/fetch.ts";
import { commitOffsets, fetchOffsets } from "./requests/groups.ts";
import type { Handler } from "./handler.ts";
import {
  describeGroup,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  syncGroup,
} from "./requests/members.ts";
import { getOffset } from "./requests/offsets.ts";
import { initProducer, produce } from "./requests/produce.ts";
import {
  alterTopic,
  createTopic,
  deleteRecords,
  deleteTopic,
  describeTopic,
  listTopics,
} from "./requests/topics.ts";
import { transact } from "./requests/transact.ts";

/** All kinds but the one by which a client says who it is. */
export const HANDLERS: { readonly [K in Exclude<RequestKind, "hello">]: Handler<K> } = {
  produce,
  fetch,
  getOffset,
  createTopic,
  deleteTopic,
  listTopics,
  healthCheck,
  commitOffsets,
  fetchOffsets,
  initProducer,
  metadata,
  describeTopic,
  alterTopic,
  deleteRecords,
  transact,
  joinGroup,
  syncGroup,
  heartbeat,
  leaveGroup,
  describeGroup,
  listGroups,
};
