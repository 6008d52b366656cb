/**
 * Why a request was not done, or not known to be, as the wire has it.
 *
 * @module
 */

import type { Failure } from "../../cluster/machine/mod.ts";
import { joinHostPort } from "../../protocol/host_port.ts";
import { CODE } from "../../protocol/topics/mod.ts";
import type { TopicCluster } from "./services.ts";

/** A code of the wire, and a text for people. */
export interface Refusal {
  readonly ok: false;
  readonly code: number;
  readonly message: string;
}

/** By what the machine or the server says. */
const REASONS: Readonly<Record<string, readonly [code: number, message: string]>> = {
  TOPIC_NOT_FOUND: [CODE.TOPIC_NOT_FOUND, "There is no such topic"],
  PARTITION_NOT_FOUND: [CODE.PARTITION_NOT_FOUND, "The topic has no such partition"],
  TOPIC_EXISTS: [CODE.TOPIC_EXISTS, "The topic is there with another number of partitions"],
  OFFSET_OUT_OF_RANGE: [CODE.OFFSET_OUT_OF_RANGE, "The partition has no such offset"],
  OUT_OF_ORDER: [CODE.OUT_OF_ORDER_SEQUENCE, "The batch does not follow the one before"],
  PRODUCER_FENCED: [CODE.PRODUCER_FENCED, "A later producer of this id has taken over"],
  UNKNOWN_PRODUCER: [CODE.UNKNOWN_PRODUCER, "Nobody was given this id of a producer"],
  QUOTA_EXCEEDED: [CODE.QUOTA_EXCEEDED, "There is as much as there may be"],
  UNKNOWN_MEMBER: [CODE.UNKNOWN_MEMBER, "The group has members, and no such one"],
  REBALANCE_IN_PROGRESS: [CODE.REBALANCE_IN_PROGRESS, "The member is to sync"],
  METADATA_TOO_LONG: [CODE.INVALID_COMMIT_SIZE, "The text with an offset is too long"],
  OFFSET_MOVED: [CODE.TRANSACTION_ABORTED, "The group has another offset than was expected"],
  INVALID_GENERATION: [CODE.INVALID_GENERATION, "The member was told another generation"],
  UNKNOWN_GROUP: [CODE.UNKNOWN_GROUP, "There is no such group"],
  TOO_LARGE: [CODE.MESSAGE_TOO_LARGE, "The answer would be too long, ask for less"],
  VALUE_TOO_LARGE: [CODE.MESSAGE_TOO_LARGE, "The request is too long"],
  OVERLOADED: [CODE.OVERLOADED, "There is too much to do"],
  SHUTTING_DOWN: [CODE.OVERLOADED, "The server is about to end"],
  OUTCOME_UNKNOWN: [CODE.REQUEST_TIMEOUT, "It is not known whether it was done"],
  STORAGE_FULL: [CODE.STORAGE_FULL, "The disk is full"],
};

const BREAKS_RULE = [CODE.INVALID_REQUEST, "The request breaks a rule"] as const;

/** A refusal. */
export function refusal(code: number, message: string): Refusal {
  return { ok: false, code, message };
}

/** Why something has failed; `undefined`: this server does not lead. */
export function refusalOf(failure: Failure | undefined, cluster: TopicCluster): Refusal {
  if (failure === undefined || failure.reason === "NO_LEADER") return notLeader(cluster);
  const [code, message] = REASONS[failure.reason] ?? BREAKS_RULE;
  const field = failure.field === undefined ? "" : `: '${failure.field}'`;
  return refusal(code, message + field);
}

/** This server does not lead: the message is the name of who does and where, empty when that is not known. */
function notLeader(cluster: TopicCluster): Refusal {
  const { isLeader, leader } = cluster;
  const found = isLeader ? undefined : cluster.servers().find(({ id }) => id === leader);
  const where = found === undefined || found.port === 0
    ? ""
    : `${found.id} ${joinHostPort(found.host, found.port)}`;
  return refusal(CODE.NOT_LEADER, where);
}
