/**
 * Groups with members in memory, as plain as can be: what a server is to do, without a log and without time, so that members end
 * only when they leave or a test says so.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  CODE,
  type CommittedOffset,
  type Partition,
  type Replies,
  type Requests,
  TopicError,
} from "../../../../protocol/topics/mod.ts";

/** A member. */
export interface PlainMember {
  readonly name: string;
  readonly client: string;
  readonly topics: readonly string[];
  /** That of its last sync, or of its join. */
  generation: number;
  /** All generations that it has been told of. */
  readonly told: Set<number>;
  /** What is to be its. */
  target: ReadonlySet<string>;
  /** What it may be reading. */
  owned: Set<string>;
}

/** A group. */
export class PlainGroup {
  readonly members = new Map<string, PlainMember>();
  readonly committed = new Map<string, CommittedOffset>();
  generation = 0;
}

/** The groups. */
export class PlainGroups {
  readonly groups = new Map<string, PlainGroup>();
  readonly #partitionsOf: (topic: string) => number;
  #last = 0;

  /** A topic that is not there has 0 partitions. */
  constructor(partitionsOf: (topic: string) => number) {
    this.#partitionsOf = partitionsOf;
  }

  /** A group, which may be none yet. */
  group(name: string): PlainGroup {
    const group = this.groups.get(name) ?? new PlainGroup();
    this.groups.set(name, group);
    return group;
  }

  /** Makes a member, or knows one again. */
  join({ group: name, member, client, topics }: Requests["joinGroup"]): Replies["joinGroup"] {
    const group = this.group(name);
    if (member !== "") {
      const { generation } = this.#member(group, member);
      return { member, generation };
    }
    const made: PlainMember = {
      name: `member-${++this.#last}`,
      client,
      topics,
      generation: 0,
      told: new Set(),
      target: new Set(),
      owned: new Set(),
    };
    group.members.set(made.name, made);
    this.retarget(name);
    made.generation = group.generation;
    made.told.add(group.generation);
    return { member: made.name, generation: group.generation };
  }

  /** Notes what a member holds, and says what it is to hold. */
  sync({ group: name, member, generation, held }: Requests["syncGroup"]): Replies["syncGroup"] {
    const group = this.group(name);
    const own = this.#member(group, member);
    if (!own.told.has(generation)) throw new TopicError(CODE.INVALID_GENERATION, "");
    const holds = new Set(held.map(keyOf));
    const kept = [...own.owned].filter((key) => holds.has(key));
    own.owned = new Set(kept);
    const assigned = [...own.target].filter((key) =>
      own.owned.has(key) || this.#isFree(group, key)
    );
    own.owned = new Set([...kept, ...assigned]);
    own.generation = group.generation;
    own.told.add(group.generation);
    const all = [...group.members.values()].flatMap(({ owned }) => [...owned]);
    assert.equal(new Set(all).size, all.length, "a partition has two owners");
    return {
      generation: group.generation,
      assigned: assigned.map(partitionOf),
      more: own.target.size > assigned.length,
    };
  }

  /** Refuses when a member has something to do. */
  beat({ group: name, member, generation }: Requests["heartbeat"]): Replies["heartbeat"] {
    const group = this.group(name);
    const own = this.#member(group, member);
    if (!own.told.has(generation)) throw new TopicError(CODE.INVALID_GENERATION, "");
    const waits = [...own.target].some((key) => this.#isFree(group, key));
    if (generation !== group.generation || waits) {
      throw new TopicError(CODE.REBALANCE_IN_PROGRESS, "");
    }
    return {};
  }

  /** Removes a member, as does its silence. */
  leave({ group: name, member }: Requests["leaveGroup"]): Replies["leaveGroup"] {
    const group = this.group(name);
    this.#member(group, member);
    group.members.delete(member);
    this.retarget(name);
    return {};
  }

  /** Keeps offsets of those who may say so. */
  commit(
    { group: name, member, generation, offsets }: Requests["commitOffsets"],
  ): Replies["commitOffsets"] {
    const group = this.group(name);
    const own = member === "" ? undefined : this.#member(group, member);
    if (own === undefined && group.members.size > 0) throw new TopicError(CODE.UNKNOWN_MEMBER, "");
    if (own !== undefined && own.generation !== generation) {
      throw new TopicError(CODE.INVALID_GENERATION, "");
    }
    const codes = offsets.map((one) => {
      const key = keyOf(one);
      if (own !== undefined && !own.owned.has(key)) return CODE.REBALANCE_IN_PROGRESS;
      group.committed.set(key, one);
      return 0;
    });
    return { codes };
  }

  /** Tells all about a group. */
  describe({ group: name }: Requests["describeGroup"]): Replies["describeGroup"] {
    const { generation, members } = this.group(name);
    return {
      generation,
      members: [...members.values()].map(({ name, client, generation, owned }) => {
        return { member: name, client, generation, owned: [...owned].map(partitionOf) };
      }),
    };
  }

  /** Shares the partitions anew: one after the other, those that are shared already where they are while that is fair. */
  retarget(name: string): void {
    const group = this.group(name);
    group.generation++;
    const members = [...group.members.values()];
    const topics = [...new Set(members.flatMap(({ topics }) => topics))].sort();
    const all = topics.flatMap((topic) =>
      Array.from(
        { length: this.#partitionsOf(topic) },
        (_, partition) => keyOf({ topic, partition }),
      )
    );
    const shares = new Map(members.map((member) => [member, new Set<string>()]));
    const fair = Math.ceil(all.length / Math.max(1, members.length));
    for (const [member, share] of shares) {
      for (const key of member.target) {
        if (share.size < fair && all.includes(key)) share.add(key);
      }
    }
    const taken = new Set([...shares.values()].flatMap((share) => [...share]));
    for (const key of all) {
      if (taken.has(key)) continue;
      const smallest = [...shares.values()].sort((a, b) => a.size - b.size)[0];
      smallest?.add(key);
    }
    for (const [member, share] of shares) member.target = share;
  }

  #member(group: PlainGroup, name: string): PlainMember {
    const member = group.members.get(name);
    if (member === undefined) throw new TopicError(CODE.UNKNOWN_MEMBER, `no member ${name}`);
    return member;
  }

  #isFree(group: PlainGroup, key: string): boolean {
    return [...group.members.values()].every(({ owned }) => !owned.has(key));
  }
}

function keyOf({ topic, partition }: Partition): string {
  return `${topic} ${partition}`;
}

function partitionOf(key: string): Partition {
  const [topic = "", partition] = key.split(" ");
  return { topic, partition: Number(partition) };
}
