/**
 * The way of an event from the core to the application: internal queries are taken out, then user events and
 * member events are coalesced (docs/spec/serf.md 10).
 *
 * @module
 */

import type { Timers } from "../../memberlist/core/timers.ts";
import type { Logger } from "../../runtime.ts";
import type { QueryEvent, SerfEvent } from "../model/event.ts";
import { INTERNAL_PREFIX } from "../model/query_names.ts";
import {
  type CoalescePeriods,
  Coalescer,
  type CoalesceRule,
  memberRule,
  userRule,
} from "./coalesce.ts";

/** Where events go, and how they are held back. */
export interface PipelineOptions {
  /** Gets every event that is for the application. What it throws is logged. */
  readonly onEvent: (event: SerfEvent) => void;
  /** Gets the queries that are not. */
  readonly onInternalQuery: (query: QueryEvent) => void;
  /** Periods for user events; off when one of them is 0. */
  readonly userPeriods: CoalescePeriods;
  /** Periods for member events; off when one of them is 0. */
  readonly memberPeriods: CoalescePeriods;
  /** Timers of the coalescers. */
  readonly timers: Timers;
  /** Where errors of the application go. */
  readonly log: Logger;
}

/** The stages, in order. */
export class EventPipeline {
  readonly #options: PipelineOptions;
  readonly #first: (event: SerfEvent) => void;
  readonly #coalescers: Coalescer[] = [];

  /** A pipeline. */
  constructor(options: PipelineOptions) {
    this.#options = options;
    const members = this.#stage(memberRule(), options.memberPeriods, (e) => this.#deliver(e));
    this.#first = this.#stage(userRule(), options.userPeriods, members);
  }

  /** Takes an event from the core. */
  push(event: SerfEvent): void {
    if (event.type === "query" && event.name.startsWith(INTERNAL_PREFIX)) {
      this.#options.onInternalQuery(event);
    } else {
      this.#first(event);
    }
  }

  /** Hands out what the coalescers hold. */
  flush(): void {
    for (const coalescer of this.#coalescers) coalescer.flush();
  }

  #stage(
    rule: CoalesceRule,
    periods: CoalescePeriods,
    next: (event: SerfEvent) => void,
  ): (event: SerfEvent) => void {
    if (periods.periodMs <= 0 || periods.quietMs <= 0) return next;
    const coalescer = new Coalescer(rule, periods, this.#options.timers, next);
    this.#coalescers.push(coalescer);
    return (event) => coalescer.push(event);
  }

  #deliver(event: SerfEvent): void {
    try {
      this.#options.onEvent(event);
    } catch (error) {
      this.#options.log.error(`Event handler failed on ${event.type}: ${error}`, { error });
    }
  }
}
