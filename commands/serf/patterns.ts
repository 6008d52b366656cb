/**
 * Filters that can match nothing, found before they look like success. Patterns are read as agents read them (RE2); the
 * reader is loaded when one has more than letters and digits.
 *
 * @module
 */

import { suggest } from "../../server/config/suggest.ts";
import { CommandError } from "../shell/command.ts";

/** What a member's status may be; `none` is never listed. */
export const STATUSES = ["alive", "leaving", "left", "failed"] as const;

/** A text that is a pattern of itself alone. */
const PLAIN = /^[\w-]*$/;

/**
 * Refuses a status filter that matches no status. One that cannot be read is left to the agent.
 *
 * @throws {CommandError} For standard error: Serf lists no members and is content.
 */
export async function requireStatus(filter: string): Promise<void> {
  if (filter === "" || (STATUSES as readonly string[]).includes(filter)) return;
  if (!PLAIN.test(filter)) {
    const { RE2JS } = await import("re2js");
    try {
      // As the agent does (docs/spec/agent.md 3): the alternatives of 'a|b' are anchored on one side each.
      const pattern = RE2JS.compile(`^${filter}$`);
      if (STATUSES.some((status) => pattern.matcher(status).find())) return;
    } catch {
      // It is no pattern, which the agent tells.
      return;
    }
  }
  const suggestion = suggest(filter, STATUSES);
  const hint = suggestion === undefined ? "" : `, did you mean '${suggestion}'?`;
  throw new CommandError(
    `No status matches '${filter}': a member is alive, leaving, left or failed${hint}`,
    { onStderr: true },
  );
}

/**
 * Refuses a pattern for the value of a tag that no member can read.
 *
 * @throws {CommandError} For standard error: no member answers such a query, and Serf is content.
 */
export async function requirePatterns(tags: Readonly<Record<string, string>>): Promise<void> {
  for (const [tag, text] of Object.entries(tags)) {
    if (PLAIN.test(text)) continue;
    const { RE2JS } = await import("re2js");
    try {
      RE2JS.compile(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CommandError(
        `Invalid regular expression '${text}' for the tag '${tag}': ${reason}`,
        {
          onStderr: true,
        },
      );
    }
  }
}
