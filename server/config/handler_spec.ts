/**
 * How the configuration names an event handler: `[FILTERS=]SCRIPT` (docs/spec/agent.md 6.9).
 *
 * @module
 */

import {
  EVENT_TYPES,
  type EventSelector,
  isValidSelector,
  splitEventFilter,
} from "../../cluster/serf/model/event_filter.ts";
import { ConfigError } from "./error.ts";
import { suggest } from "./suggest.ts";

/** A script and the events it is for. */
export interface HandlerSpec {
  /** The script runs once for each of these that an event matches. */
  readonly selectors: readonly EventSelector[];
  /** What the shell runs. */
  readonly script: string;
}

/**
 * The handler that `[FILTERS=]SCRIPT` describes. Without an `=` the script gets all events; a script that contains one
 * needs filters in front of it.
 *
 * @throws {ConfigError} when a filter is no event.
 */
export function parseHandler(text: string): HandlerSpec {
  const equals = text.indexOf("=");
  const script = text.slice(equals + 1);
  const selectors = splitEventFilter(equals < 0 ? "" : text.slice(0, equals));
  const wrong = selectors.find((selector) => !isValidSelector(selector));
  if (wrong === undefined) return { selectors, script };
  const meant = suggest(wrong.type.split(":")[0] ?? "", EVENT_TYPES);
  const hint = meant === undefined ? "." : `, did you mean '${meant}'?`;
  throw new ConfigError(
    `Invalid event script: Event '${wrong.type}' invoking '${script}'${hint} ` +
      `Valid events are: ${EVENT_TYPES.join(" ")}, with names as in user:NAME`,
  );
}

/**
 * What `stats` tells about handlers: the script of each `EVENT:NAME`. Of several under one key the last one is shown
 * (docs/spec/agent.md 3, stats).
 */
export function handlerStats(specs: readonly HandlerSpec[]): Record<string, string> {
  return Object.fromEntries(
    specs.flatMap(({ selectors, script }) =>
      selectors.map(({ type, name }) => [`${type}:${name}`, script])
    ),
  );
}
