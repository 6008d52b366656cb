/**
 * Coalescing: what happens within a short period reaches the application as few events (docs/spec/serf.md 10).
 *
 * @module
 */

import type { Timers } from "../../memberlist/core/timers.ts";
import type { Timer } from "../../runtime.ts";
import type { MemberEvent, SerfEvent, UserEventNotice } from "../model/event.ts";
import type { Member } from "../model/member.ts";

/** What a coalescer does with the events that it handles. */
export interface CoalesceRule {
  /** Whether the event is kept for the next flush; others go on at once. */
  handles(event: SerfEvent): boolean;
  /** Keeps an event; `true` asks for a flush at once because enough is kept. */
  keep(event: SerfEvent): boolean;
  /** Gives out what was kept, and forgets it. */
  flush(): SerfEvent[];
}

/** How long events are kept, in milliseconds. */
export interface CoalescePeriods {
  /** Longest wait, from the first event of a batch. */
  readonly periodMs: number;
  /** Wait after the last event of a batch. */
  readonly quietMs: number;
}

/** Keeps events of one sort until a pause or the end of a period. */
export class Coalescer {
  readonly #rule: CoalesceRule;
  readonly #periods: CoalescePeriods;
  readonly #timers: Timers;
  readonly #next: (event: SerfEvent) => void;
  #periodTimer: Timer | undefined;
  #quietTimer: Timer | undefined;

  /** A stage that hands its events to `next`. */
  constructor(
    rule: CoalesceRule,
    periods: CoalescePeriods,
    timers: Timers,
    next: (event: SerfEvent) => void,
  ) {
    this.#rule = rule;
    this.#periods = periods;
    this.#timers = timers;
    this.#next = next;
  }

  /** Takes an event. One that the rule does not handle overtakes those that are kept. */
  push(event: SerfEvent): void {
    if (!this.#rule.handles(event)) return this.#next(event);
    if (this.#rule.keep(event)) return this.flush();
    this.#periodTimer ??= this.#timers.set(this.#periods.periodMs, () => this.flush());
    this.#quietTimer?.cancel();
    this.#quietTimer = this.#timers.set(this.#periods.quietMs, () => this.flush());
  }

  /** Hands out what is kept, now. */
  flush(): void {
    this.#periodTimer?.cancel();
    this.#quietTimer?.cancel();
    this.#periodTimer = undefined;
    this.#quietTimer = undefined;
    for (const event of this.#rule.flush()) this.#next(event);
  }
}

/**
 * Members: of each the last event counts, and only when it differs from the one handed out before, except that
 * an update always counts. Unlike Go, nothing is handed out twice (docs/spec/serf.md 10.3).
 */
export function memberRule(): CoalesceRule {
  const latest = new Map<string, { type: MemberEvent["type"]; member: Member }>();
  const sent = new Map<string, MemberEvent["type"]>();
  return {
    handles: isMemberEvent,
    keep(event) {
      if (!isMemberEvent(event)) return false;
      for (const member of event.members) latest.set(member.name, { type: event.type, member });
      return false;
    },
    flush() {
      const groups = new Map<MemberEvent["type"], Member[]>();
      for (const [name, { type, member }] of latest) {
        if (sent.get(name) === type && type !== "member-update") continue;
        if (type === "member-reap") sent.delete(name);
        else sent.set(name, type);
        const group = groups.get(type);
        if (group === undefined) groups.set(type, [member]);
        else group.push(member);
      }
      latest.clear();
      return Array.from(groups, ([type, members]) => ({ type, members }));
    },
  };
}

/** Most user events kept for a flush; Serf itself has no bound. */
const MAX_KEPT_EVENTS = 4_096;

/** User events that may be coalesced: of each name those of the greatest Lamport time count. */
export function userRule(): CoalesceRule {
  const latest = new Map<string, UserEventNotice[]>();
  let kept = 0;
  return {
    handles: isCoalescable,
    keep(event) {
      if (!isCoalescable(event)) return false;
      const known = latest.get(event.name);
      const ltime = known?.[0]?.ltime;
      if (known === undefined || ltime === undefined || event.ltime > ltime) {
        kept += 1 - (known?.length ?? 0);
        latest.set(event.name, [event]);
      } else if (event.ltime === ltime) {
        kept++;
        known.push(event);
      }
      return kept >= MAX_KEPT_EVENTS;
    },
    flush() {
      const events = [...latest.values()].flat();
      latest.clear();
      kept = 0;
      return events;
    },
  };
}

function isMemberEvent(event: SerfEvent): event is MemberEvent {
  return event.type !== "user" && event.type !== "query";
}

function isCoalescable(event: SerfEvent): event is UserEventNotice {
  return event.type === "user" && event.coalesce;
}
