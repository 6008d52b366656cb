/**
 * Removes members of groups of which nothing was heard for too long, and those that do not hand over what others are to read.
 *
 * Who was heard when, only this server knows, and only as long as it leads: the next leader waits for all of them anew. So a
 * member may stay longer than its time, and never shorter.
 *
 * @module
 */

import {
  decodeGroups,
  decodeMembers,
  groupMembersQuestion,
  listGroupsQuestion,
  removeMembersCommand,
  type Silent,
} from "../../../cluster/machine/topics/mod.ts";
import type { Clock, Timer } from "../../../cluster/runtime.ts";
import { decodeUtf8, encodeUtf8 } from "../../../protocol/text.ts";
import { Deadlines } from "../leading/deadlines.ts";
import type { Leadership } from "../leading/leadership.ts";
import { STALL_MS } from "../leading/limits.ts";

/** How long a removal is waited for before it is tried again, in milliseconds. */
const REMOVAL_LIMIT_MS = 5_000;

/** Pause between two pages of groups that were there before, in milliseconds. */
const SCAN_PAUSE_MS = 10;

/** A member as it was when its group was looked at. */
interface Known extends Silent {
  readonly group: string;
  readonly sessionTimeoutMs: number;
}

/** The members of all groups, during one leadership. */
export class MemberExpiry {
  readonly #clock: Clock;
  readonly #replica: Leadership;
  readonly #members = new Map<string, Known>();
  /** The members of each group that has some. */
  readonly #groups = new Map<string, ReadonlySet<string>>();
  /** Until when something has to be heard of a member ... */
  readonly #silent = new Deadlines();
  /** ... and until when one has to own nothing more that others are to read. */
  readonly #slow = new Deadlines();
  #timer: Timer | undefined;
  /** When it is to run out. */
  #wakeAt = Infinity;
  #scan: Timer | undefined;

  /** All members that there are get their full time. */
  constructor(clock: Clock, replica: Leadership) {
    this.#clock = clock;
    this.#replica = replica;
    this.#scanFrom(new Uint8Array());
  }

  /** Something was heard of a member, which may be none. */
  heard(member: number): void {
    const name = String(member);
    const known = this.#members.get(name);
    if (known !== undefined) this.#wait(this.#silent, name, known.sessionTimeoutMs);
  }

  /** A group may have other members, or these may own something else. */
  look(group: string): void {
    const answer = this.#replica.machine.query(groupMembersQuestion(encodeUtf8(group)));
    const members = answer.ok ? decodeMembers(answer.body) : [];
    const names = new Set(members.map(({ member }) => String(member)));
    for (const name of this.#groups.get(group) ?? []) if (!names.has(name)) this.#forget(name);
    if (names.size > 0) this.#groups.set(group, names);
    else this.#groups.delete(group);
    if (this.#groups.size === 0) this.#wakeBy(Infinity);
    for (const { member, generation, sessionTimeoutMs, rebalanceTimeoutMs, isSlow } of members) {
      const name = String(member);
      this.#members.set(name, { group, member, generation, sessionTimeoutMs });
      if (!this.#silent.has(name)) this.#wait(this.#silent, name, sessionTimeoutMs);
      if (!isSlow) this.#slow.delete(name);
      else if (!this.#slow.has(name)) this.#wait(this.#slow, name, rebalanceTimeoutMs);
    }
  }

  /** The leadership has ended. */
  close(): void {
    this.#timer?.cancel();
    this.#scan?.cancel();
  }

  #forget(name: string): void {
    this.#members.delete(name);
    this.#silent.delete(name);
    this.#slow.delete(name);
  }

  #wait(deadlines: Deadlines, name: string, ms: number): void {
    const deadline = this.#clock.now() + ms;
    deadlines.set(name, deadline);
    if (deadline < this.#wakeAt) this.#wakeBy(deadline);
  }

  #wakeBy(deadline: number): void {
    this.#timer?.cancel();
    this.#wakeAt = deadline;
    const ms = Math.max(0, deadline - this.#clock.now());
    this.#timer = deadline === Infinity ? undefined : this.#clock.setTimer(ms, () => this.#ring());
  }

  #ring(): void {
    const now = this.#clock.now();
    // Who stood still has heard nobody: what was sent meanwhile is read before the next look.
    if (now - this.#wakeAt > STALL_MS) return this.#wakeBy(now + STALL_MS);
    // One may be due twice.
    const due = new Map<string, Set<Known>>();
    for (const deadlines of [this.#silent, this.#slow]) {
      for (const name of deadlines.takeDue(now)) {
        const known = this.#members.get(name);
        if (known === undefined) continue;
        const members = due.get(known.group) ?? new Set();
        due.set(known.group, members.add(known));
        // What comes to nothing is tried again.
        deadlines.set(name, now + REMOVAL_LIMIT_MS);
      }
    }
    for (const [group, members] of due) {
      const command = removeMembersCommand(encodeUtf8(group), [...members]);
      this.#replica.askHere("command", command, REMOVAL_LIMIT_MS, () => {});
    }
    this.#wakeBy(Math.min(this.#silent.earliest, this.#slow.earliest));
  }

  /** Looks at the groups that follow one, some at a time. */
  #scanFrom(after: Uint8Array): void {
    this.#scan = undefined;
    const answer = this.#replica.machine.query(listGroupsQuestion(after));
    if (!answer.ok) return;
    const { groups, more } = decodeGroups(answer.body);
    for (const { group, members } of groups) if (members > 0) this.look(decodeUtf8(group));
    const last = groups.at(-1)?.group.slice();
    if (!more || last === undefined) return;
    this.#scan = this.#clock.setTimer(SCAN_PAUSE_MS, () => this.#scanFrom(last));
  }
}
