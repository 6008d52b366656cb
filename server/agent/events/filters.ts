/**
 * Which events a feed wants.
 *
 * @module
 */

import type {
  MemberEvent,
  QueryEvent,
  SerfEvent,
  UserEventNotice,
} from "../../../cluster/serf/mod.ts";
import { parseEventFilter } from "../../../cluster/serf/model/event_filter.ts";
import { ConfigError } from "../../config/load.ts";

/** Events with a name, by type. */
interface NamedEvents {
  readonly user: UserEventNotice;
  readonly query: QueryEvent;
}

/**
 * The events that a text names, as the `stream` command takes it (docs/spec/agent.md 3, stream).
 *
 * @throws {ConfigError} when it names none
 */
export function filterOf(text: string): (event: SerfEvent) => event is SerfEvent {
  const wants = parseEventFilter(text);
  if (wants !== undefined) return (event): event is SerfEvent => wants(event);
  throw new ConfigError(`Invalid event filter '${text}': expected events, such as 'member-join'`);
}

/** Whether something happened to members. */
export function isMemberEvent(event: SerfEvent): event is MemberEvent {
  return event.type !== "user" && event.type !== "query";
}

/** Events of one type, those of one name or all. */
export function isNamed<T extends keyof NamedEvents>(
  type: T,
  name: string | undefined,
): (event: SerfEvent) => event is NamedEvents[T] {
  return (event): event is NamedEvents[T] =>
    event.type === type && (name === undefined || ("name" in event && event.name === name));
}
