/**
 * Which events a stream wants (agent.md 3, `stream`).
 *
 * @module
 */

import type { SerfEvent } from "../../cluster/serf/mod.ts";

/** Whether a stream wants an event. */
export type EventFilter = (event: SerfEvent) => boolean;

const MEMBER_EVENTS: readonly string[] = [
  "member-join",
  "member-leave",
  "member-failed",
  "member-update",
  "member-reap",
];

/** The filter that a comma-separated text describes, `undefined` when it describes none. Empty stands for `*`. */
export function parseEventFilter(text: string): EventFilter | undefined {
  const types = new Set<string>();
  const names = new Set<string>();
  for (const part of text === "" ? ["*"] : text.split(",")) {
    const colon = part.indexOf(":");
    const type = colon < 0 ? part : part.slice(0, colon);
    const named = type === "user" || type === "query";
    if (colon >= 0 && !named) return undefined;
    if (!named && type !== "*" && !MEMBER_EVENTS.includes(type)) return undefined;
    if (colon < 0 || colon === part.length - 1) types.add(type);
    else names.add(part);
  }
  if (types.has("*")) return () => true;
  return (event) =>
    types.has(event.type) || ("name" in event && names.has(`${event.type}:${event.name}`));
}
