/**
 * Who is to read what: settled anew when members come and go, and when topics do.
 *
 * @module
 */

import { encodeUtf8 } from "../../../../protocol/text.ts";
import type { StoreReader } from "../../store/store.ts";
import { MAX_GROUP_PARTITIONS } from "../limits.ts";
import { getTopic, type Topic } from "../rows/topic.ts";
import { assign, type Claim, NOBODY } from "./assignment.ts";
import {
  type Group,
  type Member,
  nextGeneration,
  NO_TOPIC,
  type SharedPartition,
  type SharedTopic,
} from "./group.ts";

/** Whether topics are others than those that targets were settled for: made, deleted, or made anew. */
export function haveChanged(state: StoreReader, topics: readonly SharedTopic[]): boolean {
  return topics.some((topic) => (topicOf(state, topic)?.id ?? NO_TOPIC) !== topic.id);
}

/** Gives each partition a target. What is owned stays so. Returns the topics that find no room in the group: they get none. */
export function settle(state: StoreReader, group: Group): SharedTopic[] {
  const leftOut: SharedTopic[] = [];
  const subscribers = subscribersOf(group);
  let room = MAX_GROUP_PARTITIONS;
  for (const topic of group.topics) room -= ownedUpTo(topic);
  const claims: (Claim & { readonly partitions: readonly SharedPartition[] })[] = [];
  const indexOf = new Map<Member | undefined, number>([[undefined, NOBODY]]);
  group.members.forEach((member, i) => indexOf.set(member, i));
  for (const topic of byPrecedence(group.topics)) {
    const numbers = subscribers.get(topic);
    const found = numbers && topicOf(state, topic);
    topic.id = found?.id ?? NO_TOPIC;
    const owned = ownedUpTo(topic);
    const more = Math.max(0, (found?.partitions ?? 0) - owned);
    const hasRoom = more <= room;
    if (hasRoom) room -= more;
    else leftOut.push(topic);
    const count = hasRoom ? found?.partitions ?? 0 : 0;
    resize(topic.partitions, Math.max(count, owned));
    const partitions = topic.partitions.slice(0, count);
    for (const partition of topic.partitions.slice(count)) partition.target = undefined;
    if (numbers === undefined || count === 0) continue;
    const before = partitions.map(({ target, owner }) => indexOf.get(target ?? owner) as number);
    claims.push({ subscribers: numbers, before, partitions });
  }
  assign(claims).forEach((members, i) => {
    claims[i]?.partitions.forEach((partition, number) => {
      partition.target = group.members[members[number] as number];
    });
  });
  group.topics = group.topics.filter((topic) => {
    return subscribers.has(topic) || topic.partitions.length > 0;
  });
  nextGeneration(group);
  return leftOut;
}

/** Takes members out of a group, and gives what they were to read to the others. */
export function takeOut(state: StoreReader, group: Group, gone: ReadonlySet<Member>): void {
  group.members = group.members.filter((member) => !gone.has(member));
  for (const { partitions } of group.topics) {
    for (const partition of partitions) {
      if (partition.target && gone.has(partition.target)) partition.target = undefined;
      if (partition.owner && gone.has(partition.owner)) partition.owner = undefined;
    }
  }
  settle(state, group);
}

function topicOf(state: StoreReader, { name }: SharedTopic): Topic | undefined {
  return getTopic(state, encodeUtf8(name));
}

function subscribersOf({ members }: Group): Map<SharedTopic, number[]> {
  const subscribers = new Map<SharedTopic, number[]>();
  members.forEach(({ topics }, i) => {
    for (const topic of topics) {
      const found = subscribers.get(topic);
      if (found === undefined) subscribers.set(topic, [i]);
      else found.push(i);
    }
  });
  return subscribers;
}

/** Those whose partitions have targets come first, so that no other topic takes their room. */
function byPrecedence(topics: readonly SharedTopic[]): SharedTopic[] {
  const isSettled = ({ partitions }: SharedTopic) => partitions.some(({ target }) => target);
  return [...topics.filter(isSettled), ...topics.filter((topic) => !isSettled(topic))];
}

/** The number after that of the last partition that somebody owns. */
function ownedUpTo({ partitions }: SharedTopic): number {
  return partitions.findLastIndex(({ owner }) => owner !== undefined) + 1;
}

function resize(partitions: SharedPartition[], count: number): void {
  while (partitions.length < count) partitions.push({ target: undefined, owner: undefined });
  partitions.length = count;
}
