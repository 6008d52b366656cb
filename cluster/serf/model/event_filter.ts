/**
 * Which events someone wants: the filters of RPC streams (docs/spec/agent.md 3, `stream`) and of event handlers
 * (docs/spec/agent.md 6.9).
 *
 * @module
 */

import type { SerfEvent } from "./event.ts";

/** Whether an event is wanted. */
export type EventFilter = (event: SerfEvent) => boolean;

/** One of the comma-separated parts of a filter. */
export interface EventSelector {
  /** `*`, or the type of the wanted events. What a user wrote is not checked. */
  readonly type: string;
  /** Name of the wanted user events or queries; "" for all. */
  readonly name: string;
}

/** What a filter may name; after `user` and `query`, a colon and a name may follow. */
export const EVENT_TYPES: readonly string[] = [
  "*",
  "member-join",
  "member-leave",
  "member-failed",
  "member-update",
  "member-reap",
  "user",
  "query",
];

/** The parts of a comma-separated filter, unchecked. Empty stands for `*`. */
export function splitEventFilter(text: string): EventSelector[] {
  return (text === "" ? "*" : text).split(",").map((part) => {
    const named = /^(user|query):(.*)$/s.exec(part);
    return named === null
      ? { type: part, name: "" }
      : { type: named[1] ?? "", name: named[2] ?? "" };
  });
}

/** Whether there are such events. */
export function isValidSelector({ type }: EventSelector): boolean {
  return EVENT_TYPES.includes(type);
}

/** Whether one part of a filter wants an event. */
export function selects({ type, name }: EventSelector, event: SerfEvent): boolean {
  if (type === "*") return true;
  return event.type === type && (name === "" || ("name" in event && event.name === name));
}

/** The filter that a comma-separated text describes, `undefined` when it describes none. Empty stands for `*`. */
export function parseEventFilter(text: string): EventFilter | undefined {
  const selectors = splitEventFilter(text);
  if (!selectors.every(isValidSelector)) return undefined;
  return (event) => selectors.some((selector) => selects(selector, event));
}
