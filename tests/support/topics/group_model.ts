/**
 * What groups with members must do, in the plainest way: who owns what, as far as members were told, and nothing of targets.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Machine } from "../../../cluster/machine/machine.ts";
import {
  commitOffsetsCommand,
  COMMITTED,
  createTopicCommand,
  decodeGroup,
  decodeGroups,
  decodeJoined,
  decodeRemoved,
  decodeSynced,
  deleteTopicCommand,
  describeGroupQuestion,
  heartbeatCall,
  joinCommand,
  leaveCommand,
  listGroupsQuestion,
  removeMembersCommand,
  syncCommand,
  type TopicPartitions,
} from "../../../cluster/machine/topics/mod.ts";
import { decodeUtf8 } from "../../../protocol/text.ts";
import { below } from "../random_value.ts";
import type { SeededRandom } from "../simulation/random.ts";
import { bodyOf, refused, totalsOf, utf8 } from "./answers.ts";
import { type TopicStep } from "./model.ts";

interface TestMember {
  readonly number: number;
  generation: number;
  topics: string[];
  /** What it was told last. */
  assigned: string[];
}

interface TestGroup {
  generation: number;
  readonly members: Map<number, TestMember>;
  /** Who owns a partition, by `topic/number`. */
  readonly owners: Map<string, number>;
  /** The ids of topics that members subscribe to, when it was settled last who is to read what. */
  readonly seen: Map<string, number>;
}

const NAMES = ["a", "b", "c"];
const GROUPS = ["g", "é"];
/** Rounds after which members that say the truth have what they are to have: it is settled, they hear, they hand over, they take. */
const CALM_ROUNDS = 4;

/** The naive groups. */
export class GroupModel {
  readonly topics = new Map<string, { readonly id: number; readonly partitions: number }>();
  readonly groups = new Map<string, TestGroup>();
  readonly #random: SeededRandom;
  #lastTopic = 0;
  #lastMember = 0;
  /** Members that are still to sync until nobody is to do anything. */
  #calm: { readonly group: string; readonly member: number }[] = [];
  /** Groups that have committed, and so are there without members. */
  readonly #committed = new Set<string>();

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Something at random. `isCalm` is called when all members of all groups have synced until nothing is left to be done. */
  next(isCalm: () => void): TopicStep {
    const next = this.#calm.shift();
    if (next !== undefined) {
      const member = this.groups.get(next.group)?.members.get(next.member);
      const step = this.#sync(next.group, next.member, member?.assigned ?? [], member?.generation);
      if (this.#calm.length > 0) return step;
      return { command: step.command, check: (...told) => (step.check(...told), isCalm()) };
    }
    const kind = below(this.#random, 60);
    if (kind < 3) return this.#create();
    if (kind < 5) return this.#delete();
    if (kind < 13) return this.#join();
    if (kind < 17) return this.#leave();
    if (kind < 21) return this.#remove();
    if (kind < 30) return this.#commit();
    if (kind < 32) this.#calmDown();
    return this.#randomSync();
  }

  /** Fails unless a machine tells of each group what this one has. */
  compare(machine: Machine): void {
    const listed = decodeGroups(bodyOf(machine.query(listGroupsQuestion())));
    assert.equal(listed.more, false);
    const names = [...new Set([...this.groups.keys(), ...this.#committed])].sort();
    assert.deepEqual(listed.groups.map(({ group }) => decodeUtf8(group)), names);
    let members = 0;
    for (const { group, generation, members: count } of listed.groups) {
      const { generation: expected = 0, members: { size } = new Map() } =
        this.groups.get(decodeUtf8(group)) ?? {};
      assert.deepEqual([generation, count], [expected, size]);
      members += count;
    }
    assert.equal(totalsOf(machine).members, members);
    for (const [name, group] of this.groups) this.#compareGroup(machine, name, group);
  }

  /** Fails unless each partition has an owner who subscribes to it, as even as may be, and nobody is to do anything. */
  checkSettled(machine: Machine): void {
    for (const [name, { members, owners }] of this.groups) {
      const all = [...members.values()];
      for (const { number, generation } of all) {
        const call = heartbeatCall({ group: utf8(name), member: number, generation });
        bodyOf(machine.query(call));
      }
      for (const topic of new Set(all.flatMap(({ topics }) => topics))) {
        for (let i = 0; i < (this.topics.get(topic)?.partitions ?? 0); i++) {
          const owner = members.get(owners.get(`${topic}/${i}`) ?? 0);
          assert.ok(owner?.topics.includes(topic), `${topic}/${i} is nobody's`);
        }
      }
      if (new Set(all.map(({ topics }) => topics.join())).size > 1) continue;
      const counts = all.map(({ number }) => [...owners.values()].filter((one) => one === number));
      const sizes = counts.map(({ length }) => length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `${sizes}`);
    }
  }

  #compareGroup(machine: Machine, name: string, { members, owners, generation }: TestGroup): void {
    const told = decodeGroup(bodyOf(machine.query(describeGroupQuestion(utf8(name)))));
    assert.equal(told.generation, generation);
    assert.deepEqual(told.members.map(({ member }) => member), [...members.keys()]);
    const owned = told.members.flatMap(({ member, owned }) => {
      return flat(owned).map((partition) => [partition, member] as const);
    });
    assert.deepEqual(new Map(owned), owners);
    assert.equal(owned.length, owners.size, "nothing has two owners");
    for (const { member, generation } of told.members) {
      assert.equal(generation, members.get(member)?.generation);
      const call = { group: utf8(name), member, generation: generation + 1 };
      refused(machine.query(heartbeatCall(call)), "REBALANCE_IN_PROGRESS");
      const stranger = { ...call, member: member + 1_000 };
      refused(machine.query(heartbeatCall(stranger)), "UNKNOWN_MEMBER");
    }
  }

  #create(): TopicStep {
    const name = this.#pick(NAMES);
    const partitions = 1 + below(this.#random, 6);
    const found = this.topics.get(name);
    return {
      command: createTopicCommand({ topic: utf8(name), partitions, replicas: 0 }),
      check: (result) => {
        if (found?.partitions === partitions) return void bodyOf(result);
        if (found !== undefined) return refused(result, "TOPIC_EXISTS");
        bodyOf(result);
        this.topics.set(name, { id: ++this.#lastTopic, partitions });
      },
    };
  }

  #delete(): TopicStep {
    const name = this.#pick(NAMES);
    return {
      command: deleteTopicCommand(utf8(name)),
      check: (result) => {
        if (this.topics.delete(name)) bodyOf(result);
        else refused(result, "TOPIC_NOT_FOUND");
      },
    };
  }

  #join(): TopicStep {
    const name = this.#pick(GROUPS);
    const isNew = below(this.#random, 3) > 0;
    const number = isNew ? 0 : this.#anyMember(name);
    const some = NAMES.filter(() => below(this.#random, 3) > 0);
    const topics = some.length === 0 ? ["a"] : some;
    return {
      command: joinCommand({
        group: utf8(name),
        member: number,
        client: utf8("c"),
        sessionTimeoutMs: 1_000 + below(this.#random, 9),
        rebalanceTimeoutMs: 1_000,
        // In whatever order.
        topics: (isNew ? topics : topics.toReversed()).map(utf8),
      }),
      check: (result) => {
        const group = this.groups.get(name) ?? newGroup();
        const found = group.members.get(number);
        if (!isNew && found === undefined) return refused(result, "UNKNOWN_MEMBER");
        const member = found ??
          { number: ++this.#lastMember, generation: 0, topics: [], assigned: [] };
        this.groups.set(name, group);
        group.members.set(member.number, member);
        if (member.topics.join() !== topics.join()) {
          member.topics = topics;
          this.#settle(group);
          member.generation = group.generation;
        }
        const { generation } = member;
        assert.deepEqual(decodeJoined(bodyOf(result)), { member: member.number, generation });
      },
    };
  }

  /** What a member says at random: of what it owns, of what it does not, and of an answer that may be an old one. */
  #randomSync(): TopicStep {
    const name = this.#pick(GROUPS);
    const number = this.#anyMember(name);
    const group = this.groups.get(name);
    const member = group?.members.get(number);
    const mine = [...group?.owners ?? []].filter(([, owner]) => owner === number);
    const held = mine.map(([partition]) => partition).filter(() => below(this.#random, 4) > 0);
    if (below(this.#random, 3) === 0) held.push(`${this.#pick(NAMES)}/${below(this.#random, 9)}`);
    const isLate = below(this.#random, 4) === 0;
    const generation = (member?.generation ?? 5) - (isLate ? 1 + below(this.#random, 2) : 0);
    return this.#sync(name, number, held, Math.max(0, generation));
  }

  #sync(name: string, number: number, held: readonly string[], generation = 0): TopicStep {
    const told = [...Map.groupBy(held, (partition) => partition.split("/")[0] ?? "")];
    return {
      command: syncCommand({
        group: utf8(name),
        member: number,
        generation,
        held: told.map(([topic, some]) => ({
          topic: utf8(topic),
          partitions: some.map((partition) => Number(partition.split("/")[1])),
        })),
      }),
      check: (result) => {
        const group = this.groups.get(name);
        const member = group?.members.get(number);
        if (group === undefined || member === undefined) return refused(result, "UNKNOWN_MEMBER");
        const isOther = member.topics.some((topic) => {
          return group.seen.get(topic) !== (this.topics.get(topic)?.id ?? 0);
        });
        if (isOther) this.#settle(group);
        for (const [partition, owner] of group.owners) {
          const isFreed = owner === number && !held.includes(partition);
          if (!isFreed || generation !== member.generation) continue;
          group.owners.delete(partition);
        }
        const synced = decodeSynced(bodyOf(result));
        member.assigned = flat(synced.assigned);
        assert.equal(new Set(member.assigned).size, member.assigned.length);
        let isGiven = false;
        for (const partition of member.assigned) {
          const owner = group.owners.get(partition);
          assert.ok(owner === undefined || owner === number, `${partition} has two owners`);
          if (owner === undefined) isGiven = true;
          group.owners.set(partition, number);
          const [topic = "", index] = partition.split("/");
          assert.ok(member.topics.includes(topic), `${topic} is not subscribed to`);
          assert.ok(Number(index) < (this.topics.get(topic)?.partitions ?? 0), partition);
        }
        if (isGiven) member.generation = ++group.generation;
        assert.equal(synced.generation, member.generation);
        if (!synced.more) return;
        const others = [...group.owners].filter(([, owner]) => owner !== number);
        assert.ok(others.some(([partition]) => member.topics.includes(partition.split("/")[0]!)));
      },
    };
  }

  #leave(): TopicStep {
    const name = this.#pick(GROUPS);
    const number = this.#anyMember(name);
    return {
      command: leaveCommand(utf8(name), number),
      check: (result) => {
        if (!this.groups.get(name)?.members.has(number)) return refused(result, "UNKNOWN_MEMBER");
        bodyOf(result);
        this.#takeOut(name, [number]);
      },
    };
  }

  #remove(): TopicStep {
    const name = this.#pick(GROUPS);
    const silent = [this.#anyMember(name), this.#anyMember(name)].map((member) => {
      const generation = this.groups.get(name)?.members.get(member)?.generation ?? 1;
      return { member, generation: generation - below(this.#random, 2) };
    });
    return {
      command: removeMembersCommand(utf8(name), silent),
      check: (result) => {
        // Of one that is named twice the last one counts.
        const seen = new Map(silent.map(({ member, generation }) => [member, generation]));
        const members = [...this.groups.get(name)?.members.values() ?? []];
        const gone = members.filter((one) => seen.get(one.number) === one.generation);
        assert.equal(decodeRemoved(bodyOf(result)), gone.length);
        if (gone.length > 0) this.#takeOut(name, gone.map(({ number }) => number));
      },
    };
  }

  #commit(): TopicStep {
    const name = this.#pick(GROUPS);
    const topic = this.#pick(NAMES);
    const partition = below(this.#random, 6);
    const number = below(this.#random, 3) === 0 ? 0 : this.#anyMember(name);
    const last = this.groups.get(name)?.members.get(number)?.generation ?? 0;
    const generation = last + (below(this.#random, 4) === 0 ? 1 : 0);
    const one = { topic: utf8(topic), partition, offset: 1, metadata: new Uint8Array() };
    return {
      command: commitOffsetsCommand(utf8(name), [one], { member: number, generation }),
      check: (result) => {
        const group = this.groups.get(name);
        const member = group?.members.get(number);
        const isStranger = number === 0 && generation === 0 && group === undefined;
        if (member === undefined && !isStranger) return refused(result, "UNKNOWN_MEMBER");
        if (member !== undefined && member.generation !== generation) {
          return refused(result, "INVALID_GENERATION");
        }
        const isOwner = isStranger || group?.owners.get(`${topic}/${partition}`) === number;
        const found = this.topics.get(topic);
        const expected = !isOwner
          ? COMMITTED.notOwned
          : found === undefined
          ? COMMITTED.topicNotFound
          : partition >= found.partitions
          ? COMMITTED.partitionNotFound
          : COMMITTED.done;
        assert.deepEqual([...bodyOf(result)], [expected]);
        if (expected === COMMITTED.done) this.#committed.add(name);
      },
    };
  }

  #calmDown(): void {
    const all = [...this.groups].flatMap(([group, { members }]) => {
      return [...members.keys()].map((member) => ({ group, member }));
    });
    for (let i = 0; i < CALM_ROUNDS; i++) this.#calm.push(...all);
  }

  #takeOut(name: string, numbers: readonly number[]): void {
    const group = this.groups.get(name) ?? newGroup();
    for (const number of numbers) group.members.delete(number);
    for (const [partition, owner] of group.owners) {
      if (numbers.includes(owner)) group.owners.delete(partition);
    }
    if (group.members.size === 0) this.groups.delete(name);
    else this.#settle(group);
  }

  #settle(group: TestGroup): void {
    group.generation++;
    for (const { topics } of group.members.values()) {
      for (const topic of topics) group.seen.set(topic, this.topics.get(topic)?.id ?? 0);
    }
  }

  /** A member of a group, or now and then of another one, or of none. */
  #anyMember(name: string): number {
    const numbers = [...this.groups.get(name)?.members.keys() ?? []];
    if (numbers.length === 0 || below(this.#random, 12) === 0) {
      return 1 + below(this.#random, this.#lastMember + 2);
    }
    return numbers[below(this.#random, numbers.length)] as number;
  }

  #pick<T>(all: readonly T[]): T {
    return all[below(this.#random, all.length)] as T;
  }
}

function newGroup(): TestGroup {
  return { generation: 0, members: new Map(), owners: new Map(), seen: new Map() };
}

function flat(topics: readonly TopicPartitions[]): string[] {
  return topics.flatMap(({ topic, partitions }) => {
    return partitions.map((partition) => `${decodeUtf8(topic)}/${partition}`);
  });
}
