/**
 * Tells in the log what slow clients have lost.
 *
 * @module
 */

import { hiddenNote, LogLimiter } from "../../cluster/log_limiter.ts";
import type { AgentLog, Monitor } from "../logging/log.ts";
import { Losses } from "../net/losses.ts";

/**
 * Losses of one kind of record, none yet. Of the cause, which is the monitor that lost a line, the log keeps the line
 * about it away: it would be the next to be lost.
 *
 * A line is written at most once a second for a client, as in the Go agent but for the limit (docs/spec/agent.md 1.7),
 * and one more with the sum.
 *
 * @param during What the Go agent says is dropped, `event` or `logs`.
 * @param noun What was lost in the end, for a number of them.
 */
export function loggedLosses(
  log: AgentLog,
  during: string,
  noun: string,
): Losses<Monitor | undefined> {
  const limiter = new LogLimiter(performance);
  return new Losses({
    dropping: (client, except) => {
      const hidden = limiter.admit(client);
      if (hidden === undefined) return;
      const text = `Dropping ${during} to ipc.client: ${client}`;
      log.write("WARN", "agent.ipc", text + hiddenNote(hidden), { except });
    },
    dropped: (client, lost) => {
      const text = `Dropped ${lost} ${noun} to ipc.client: ${client}, which read too slowly`;
      log.write("WARN", "agent.ipc", text);
    },
    onUnexpected: (error) => log.unexpected(error),
  });
}
