/**
 * Which member of a group is to read which partition: plain arithmetic.
 *
 * Topics with the same subscribers are a *class*: their partitions are worth the same to each of them. First it is settled how
 * many partitions of each class each member gets, then which ones: as many of those that it has as it may keep, and others in turn.
 *
 * How many: the partitions of one class are poured over its subscribers like water, on top of what these have of other classes, so
 * that none of them could hand one over to another that has two less. Where all members subscribe to the same there is one class,
 * and nobody has more than one partition more than another; and since the partitions that are one too many stay with those who
 * have most, no other assignment as even as this one moves fewer. Several classes are poured in turn until nothing changes. Each
 * time lessens the sum of the squares of what members have, so that this ends; what could still be gained after so much work as one
 * entry may be is forgone.
 *
 * @module
 */

/** Whom nobody stands for. */
export const NOBODY = -1;

/** Subscribers of classes that are looked at before it is enough, each as often as its class is poured: some milliseconds of work. */
const MAX_POURED = 250_000;

/** A topic to be shared. */
export interface Claim {
  /** Those who subscribe to it, in ascending order, at least one: numbers from 0 to 65,535. */
  readonly subscribers: readonly number[];
  /** Who has each partition so far, or {@linkcode NOBODY}. Who does not subscribe loses it. */
  readonly before: readonly number[];
}

/** What a member has of all classes. */
interface Load {
  partitions: number;
}

/** What a subscriber has of a class. */
interface Share {
  readonly member: number;
  readonly load: Load;
  /** First how many partitions it may keep, then how many it gets, at last how many of these it still lacks. */
  count: number;
}

/** Topics with the same subscribers. */
interface Class {
  readonly subscribers: readonly Share[];
  /** The same by their numbers. */
  readonly shares: ReadonlyMap<number, Share>;
  readonly topics: Topic[];
  partitions: number;
}

/** A topic, and what becomes of it. */
interface Topic {
  readonly before: readonly number[];
  readonly after: number[];
}

/** Gives each partition of each topic to one of its subscribers. The same claims always give the same. */
export function assign(claims: readonly Claim[]): number[][] {
  const topics = claims.map(({ before }) => ({ before, after: [...before] }));
  const classes = classesOf(claims, topics);
  for (let poured = 0, changes = true; changes && poured < MAX_POURED;) {
    changes = false;
    for (const one of classes) {
      if (pour(one)) changes = true;
      poured += one.subscribers.length;
    }
  }
  for (const one of classes) handOut(one);
  return topics.map(({ after }) => after);
}

function classesOf(claims: readonly Claim[], topics: readonly Topic[]): Class[] {
  const classes = new Map<string, Class>();
  const loads = new Map<number, Load>();
  claims.forEach(({ subscribers, before }, i) => {
    const name = String.fromCharCode(...subscribers);
    const found = classes.get(name) ?? newClass(subscribers, loads);
    classes.set(name, found);
    found.topics.push(topics[i] as Topic);
    found.partitions += before.length;
    for (const member of before) {
      const share = found.shares.get(member);
      if (share === undefined) continue;
      share.count++;
      share.load.partitions++;
    }
  });
  return [...classes.values()];
}

function newClass(members: readonly number[], loads: Map<number, Load>): Class {
  const subscribers = members.map((member) => {
    const load = loads.get(member) ?? { partitions: 0 };
    loads.set(member, load);
    return { member, load, count: 0 };
  });
  const shares = new Map(subscribers.map((share) => [share.member, share]));
  return { subscribers, shares, topics: [], partitions: 0 };
}

/** Levels what the subscribers of a class have, by its partitions alone; whether anything changes. */
function pour({ subscribers, partitions }: Class): boolean {
  const level = levelOf(subscribers, partitions);
  let left = partitions;
  for (const share of subscribers) left -= Math.max(0, level - others(share));
  // Some get one more: first those who have more anyway, and lose one less by it.
  const lucky = new Set<Share>();
  for (const isMore of [true, false]) {
    for (const share of subscribers) {
      if (lucky.size === left) break;
      const hasMore = share.load.partitions > level;
      if (hasMore === isMore && others(share) <= level) lucky.add(share);
    }
  }
  let changes = false;
  for (const share of subscribers) {
    const count = Math.max(0, level - others(share)) + (lucky.has(share) ? 1 : 0);
    if (count === share.count) continue;
    share.load.partitions += count - share.count;
    share.count = count;
    changes = true;
  }
  return changes;
}

/** The highest level up to which all who have less can be filled. */
function levelOf(subscribers: readonly Share[], partitions: number): number {
  let dry = Infinity;
  for (let level = dry;; dry = level) {
    let [sum, count] = [partitions, 0];
    for (const share of subscribers) {
      if (others(share) > dry) continue;
      sum += others(share);
      count++;
    }
    level = Math.floor(sum / count);
    if (level === dry) return level;
  }
}

/** What a member has of other classes. */
function others({ load, count }: Share): number {
  return load.partitions - count;
}

/** Says which partitions of a class are whose, when it is settled how many each of its subscribers gets. */
function handOut({ subscribers, shares, topics }: Class): void {
  const open: [after: number[], partition: number][] = [];
  for (const { before, after } of topics) {
    before.forEach((member, partition) => {
      const share = shares.get(member);
      if (share !== undefined && share.count > 0) share.count--;
      else open.push([after, partition]);
    });
  }
  // In turn, so that partitions of one number of several topics come together, and busy topics are spread.
  let turn: Share[] = [];
  for (const [after, partition] of open) {
    if (turn.length === 0) turn = subscribers.filter(({ count }) => count > 0).reverse();
    const share = turn.pop() as Share;
    share.count--;
    after[partition] = share.member;
  }
}
