/**
 * How errors and events read in the log.
 *
 * @module
 */

import { JoinError } from "../../cluster/memberlist/mod.ts";
import type { SerfEvent } from "../../cluster/serf/mod.ts";
import { escapeControls } from "../logging/log.ts";

/**
 * The text of an error for a log line. The list of a failed join keeps its line breaks, but what others may have put
 * into it is escaped.
 */
export function blockOf(error: unknown): string {
  if (!(error instanceof JoinError)) return escapeControls((error as Error).message);
  const { errors } = error;
  const title = errors.length === 1 ? "1 error occurred:" : `${errors.length} errors occurred:`;
  return [title, ...errors.map(({ message }) => `\t* ${escapeControls(message)}`), "", ""].join(
    "\n",
  );
}

/** What an event is called in the log (docs/spec/agent.md 6.6). */
export function titleOf(event: SerfEvent): string {
  if (event.type === "user") return `user-event: ${event.name}`;
  return event.type === "query" ? `query: ${event.name}` : event.type;
}
