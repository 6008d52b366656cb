/**
 * A machine with groups, whose clock and members a test sets.
 *
 * @module
 */

import { Machine } from "../../../cluster/machine/machine.ts";
import type { GroupChange, Result } from "../../../cluster/machine/mod.ts";
import { MemoryStore } from "../../../cluster/machine/store/memory_store.ts";
import {
  createTopicCommand,
  decodeJoined,
  decodeSynced,
  heartbeatCall,
  type Join,
  joinCommand,
  syncCommand,
  type TopicPartitions,
} from "../../../cluster/machine/topics/mod.ts";
import { decodeUtf8 } from "../../../protocol/text.ts";
import { START_TIME } from "../machine/fixture.ts";
import { bodyOf, utf8 } from "./answers.ts";

/** What a test says of a member that joins. */
export interface Joining extends Partial<Omit<Join, "group" | "topics" | "client">> {
  readonly group?: string;
  readonly client?: string;
  readonly topics?: readonly string[];
}

/** A member, as its program knows it. */
export interface TestMember {
  readonly group: string;
  readonly member: number;
  generation: number;
  held: readonly TopicPartitions[];
}

/** A machine. */
export class GroupStage {
  readonly store = new MemoryStore();
  /** What was told of the last command. */
  changes: readonly GroupChange[] = [];
  readonly machine = new Machine(this.store, undefined, {
    groups: (changes) => {
      this.changes = changes;
      this.told?.(changes);
    },
  });
  time = START_TIME;
  /** Who else is told. */
  told: ((changes: readonly GroupChange[]) => void) | undefined;
  /** Called when a command was applied. */
  applied: (() => void) | undefined;

  /** Does a command: `done`, or the reason and the member. */
  do(data: Uint8Array): string {
    const result = this.apply(data);
    if (result.ok) return "done";
    return result.field === undefined ? result.reason : `${result.reason} ${result.field}`;
  }

  /** Applies a command. */
  apply(data: Uint8Array): Result {
    this.changes = [];
    const { index } = this.machine.context;
    const entry = { index: index + 1, type: "command", time: this.time, data };
    const [result] = this.machine.apply([entry]);
    this.applied?.();
    return result as Result;
  }

  /** Makes a topic. */
  create(topic: string, partitions: number): void {
    bodyOf(this.apply(createTopicCommand({ topic: utf8(topic), partitions, replicas: 0 })));
  }

  /** A member that has joined. */
  join(joining: Joining = {}): TestMember {
    const { group = "g" } = joining;
    return { group, held: [], ...decodeJoined(bodyOf(this.apply(joinOf(joining)))) };
  }

  /** A member says what it reads, and takes what it is told: whether more will come. */
  sync(member: TestMember): boolean {
    const { generation, assigned, more } = decodeSynced(
      bodyOf(this.apply(syncCommand({ ...member, group: utf8(member.group) }))),
    );
    member.generation = generation;
    // The body is a view of the state.
    member.held = assigned.map(({ topic, partitions }) => ({ topic: topic.slice(), partitions }));
    return more;
  }

  /** All of them sync until each has what it is to have. */
  settle(...members: TestMember[]): void {
    for (let i = 0; i < 3; i++) for (const member of members) this.sync(member);
  }

  /** What a heartbeat says. */
  beat({ group, member, generation }: TestMember): string {
    const call = heartbeatCall({ group: utf8(group), member, generation });
    const result = this.machine.query(call);
    return result.ok ? "done" : result.reason;
  }
}

/** The command by which a member joins. */
export function joinOf({ group = "g", client = "c", topics = ["t"], ...rest }: Joining) {
  return joinCommand({
    group: utf8(group),
    member: 0,
    client: utf8(client),
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 60_000,
    topics: topics.map(utf8),
    ...rest,
  });
}

/** Partitions as texts. */
export function textOf(topics: readonly TopicPartitions[]): string {
  return topics.map(({ topic, partitions }) => `${decodeUtf8(topic)} ${partitions}`).join("; ");
}
