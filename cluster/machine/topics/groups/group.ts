/**
 * Groups whose members share partitions.
 *
 * Each partition of a topic that somebody subscribes to has a *target*, the member that is to read it, and at most one *owner*, the
 * member that may be reading it. Targets change at once, when members come and go; an owner stays until it has said that it does
 * not read the partition any more, or is removed, and only then the target becomes the owner. So nobody stops for partitions that
 * it keeps, and no two members read one partition.
 *
 * That a partition has one owner is how it is kept: there is room for one. That a member reads nothing but what it owns, as long as
 * it is not removed, is shown by its *generation*, which tells answers to it apart:
 *
 * - An answer that gives a member a partition that it did not own has a generation that none had before.
 * - A member begins to read what an answer to it gives it, and nothing else. It waits for one answer at a time, and says in each
 *   request all that it reads, and the generation of the last answer.
 * - What it says takes a partition from it only if it says the generation that it was told last. So nothing counts that it has said
 *   before an answer with another generation, however late it comes.
 *
 * Suppose that a statement takes a partition from a member that reads it. Then the member began to do so by an answer that came
 * after it had made that statement. The two have one generation, or the statement would not count. So the answer gave nothing new,
 * and the partition was the member's; but the request for it was made after the statement, and did not name the partition either.
 * It took the partition from the member, so that the answer gave it anew, with a new generation: there is no such statement.
 *
 * Who was removed without knowing it may read on for a while. What it commits is refused (`fence.ts`).
 *
 * @module
 */

/** A group. */
export interface Group {
  readonly name: Uint8Array;
  /** How often it was settled anew who is to read what, or a partition was given to an owner. */
  generation: number;
  /** In the order in which they have come. */
  members: Member[];
  /** By name: those that somebody subscribes to, whether or not they are there, and those that somebody owns a part of. */
  topics: SharedTopic[];
}

/** A member of a group. */
export interface Member {
  /** No other member of any group ever has it. */
  readonly number: number;
  /** What people know it by. */
  client: Uint8Array;
  /** It is removed when it is silent for so many milliseconds ... */
  sessionTimeoutMs: number;
  /** ... or owns for so many milliseconds what another one is to read. */
  rebalanceTimeoutMs: number;
  /** That of its last answer. */
  generation: number;
  /** What it subscribes to. */
  topics: readonly SharedTopic[];
}

/** A topic whose partitions are shared. */
export interface SharedTopic {
  readonly name: string;
  /** The id of the topic when targets were settled, {@linkcode NO_TOPIC} when there was none: another one is another topic. */
  id: number;
  /** Its partitions, as far as they have a target or an owner. */
  partitions: SharedPartition[];
}

/** A partition that is shared. */
export interface SharedPartition {
  /** Who is to read it. */
  target: Member | undefined;
  /** Who may be reading it. */
  owner: Member | undefined;
}

/** The id of no topic. */
export const NO_TOPIC = 0;

/** Generations go from 1 to this, and then on from 1: they are told apart, and not compared. */
const LAST_GENERATION = 0xffff_ffff;

/** A group without members. */
export function newGroup(name: Uint8Array): Group {
  return { name, generation: 0, members: [], topics: [] };
}

/** The member with a number. */
export function memberOf(group: Group | undefined, number: number): Member | undefined {
  return group?.members.find((member) => member.number === number);
}

/** It is settled anew who is to read what, or a partition is given to an owner. */
export function nextGeneration(group: Group): number {
  group.generation = group.generation % LAST_GENERATION + 1;
  return group.generation;
}
