/**
 * Groups as programs see them.
 *
 * @module
 */

import type { GroupDescription, ListedGroup } from "../group_requests.ts";

/**
 * A group of a list.
 *
 * @example
 * ```ts
 * import { Agent, type TopicGroup } from "@skein/agent";
 *
 * await using agent = await Agent.start({ dev: true, bind: "127.0.0.1:0", peerAddr: "127.0.0.1:0", kvAddr: "none", sessionAddr: "none", topicsAddr: "none" });
 * const groups: TopicGroup[] = await agent.topics.listGroups();
 * console.log(groups); // []
 * ```
 */
export interface TopicGroup {
  /** Its name. */
  readonly name: string;
  /** Grows by one whenever members come or go, or the partitions that they share do. */
  readonly generation: number;
  /** How many members it has; 0: it has committed offsets, and nobody reads. */
  readonly members: number;
}

/**
 * The members of a group, and what they read.
 *
 * @example
 * ```ts
 * import { Agent, type TopicGroupInfo } from "@skein/agent";
 *
 * await using agent = await Agent.start({ dev: true, bind: "127.0.0.1:0", peerAddr: "127.0.0.1:0", kvAddr: "none", sessionAddr: "none", topicsAddr: "none" });
 * await agent.topics.createTopic("orders", { partitions: 2 });
 * await using consumer = agent.topics.consumer("orders", { group: "billing" });
 * await consumer.position(0);
 * const { members }: TopicGroupInfo = await agent.topics.describeGroup("billing");
 * console.log(members[0]?.partitions.length); // 2
 * ```
 */
export interface TopicGroupInfo {
  /** Its name. */
  readonly name: string;
  /** Grows by one whenever members come or go, or the partitions that they share do. */
  readonly generation: number;
  /** Those that it has. */
  readonly members: readonly {
    /** Its id. */
    readonly id: string;
    /** The name of its client, or of its agent. */
    readonly client: string;
    /** That of the group when it last learned what it is to read. */
    readonly generation: number;
    /** What it reads, or may be reading. */
    readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
  }[];
}

/** A list of groups. */
export function groupsOf(groups: readonly ListedGroup[]): TopicGroup[] {
  return groups.map(({ group, generation, members }) => ({ name: group, generation, members }));
}

/** A group that was described. */
export function groupInfoOf(
  name: string,
  { generation, members }: GroupDescription,
): TopicGroupInfo {
  return {
    name,
    generation,
    members: members.map(({ member, client, generation, owned }) => {
      return { id: member, client, generation, partitions: owned };
    }),
  };
}
