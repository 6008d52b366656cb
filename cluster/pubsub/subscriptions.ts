/**
 * Who is interested in what, found by a channel in as many steps as it has segments, however many there are.
 *
 * @module
 */

import type { Interest, InterestKind } from "./channel.ts";

/** Who has one interest: each with the number that orders its interests. */
export interface Group<T> {
  readonly interest: Interest;
  readonly members: ReadonlyMap<T, number>;
}

/** A group while it changes. */
interface Growing<T> extends Group<T> {
  readonly members: Map<T, number>;
}

/** The interests of many. */
export class Subscriptions<T> {
  readonly #groups: Readonly<Record<InterestKind, Map<string, Growing<T>>>> = {
    channel: new Map(),
    level: new Map(),
    tree: new Map(),
  };

  /** Adds one; of a member's interests the one with the least number counts. Returns whether it is the first of this interest. */
  add(interest: Interest, member: T, order: number): boolean {
    const { kind, base } = interest;
    const group = this.#groups[kind].get(base);
    if (group !== undefined) {
      group.members.set(member, order);
      return false;
    }
    this.#groups[kind].set(base, { interest, members: new Map([[member, order]]) });
    return true;
  }

  /** Takes one away. Returns whether it was the last of this interest. */
  remove({ kind, base }: Interest, member: T): boolean {
    const groups = this.#groups[kind];
    const group = groups.get(base);
    if (group === undefined || !group.members.delete(member) || group.members.size > 0) {
      return false;
    }
    return groups.delete(base);
  }

  /** The groups that hear of what is published to a channel. */
  matching(channel: string): Group<T>[] {
    const { channel: channels, level, tree } = this.#groups;
    const found: Group<T>[] = [];
    const add = (group: Group<T> | undefined): void => {
      if (group !== undefined) found.push(group);
    };
    add(channels.get(channel));
    if (level.size > 0) add(level.get(parentOf(channel)));
    if (tree.size > 0) {
      for (let node = channel; node !== "";) {
        node = parentOf(node);
        add(tree.get(node));
      }
    }
    return found;
  }
}

/**
 * Each member of the groups once, with the interest that it has had longest of those that match.
 */
export function eachOnce<T>(
  groups: readonly Group<T>[],
  visit: (member: T, interest: Interest) => void,
): void {
  const [only] = groups;
  if (only === undefined) return;
  if (groups.length === 1) {
    for (const member of only.members.keys()) visit(member, only.interest);
    return;
  }
  const first = new Map<T, { order: number; interest: Interest }>();
  for (const { interest, members } of groups) {
    for (const [member, order] of members) {
      const known = first.get(member);
      if (known === undefined || order < known.order) first.set(member, { order, interest });
    }
  }
  for (const [member, { interest }] of first) visit(member, interest);
}

function parentOf(channel: string): string {
  return channel.slice(0, Math.max(0, channel.lastIndexOf("^")));
}
