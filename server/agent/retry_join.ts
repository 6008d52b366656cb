/**
 * Joins in the background until an address answers (agent.md 6.4).
 *
 * @module
 */

import type { AgentConfig } from "../config.ts";
import { formatDuration } from "../config/duration.ts";
import type { AgentLog } from "../logging.ts";
import { blockOf } from "./log_text.ts";

/** The longest wait that `setTimeout` takes; a longer one would end at once. */
const LONGEST_PAUSE_MS = 2 ** 31 - 1;

/** What joins, and where it tells of it. */
export interface Joiner {
  /** The log. */
  readonly log: AgentLog;
  /** Joins through some addresses; resolves with how many answered, rejects when none did. */
  join(addresses: readonly string[], options: { replay: boolean }): Promise<number>;
}

/**
 * Tries the `retryJoin` addresses of the settings, at a fixed interval, as often as `retryMaxAttempts` allows
 * after the first time.
 *
 * @param signal Ends it.
 * @returns Whether it gave up. `false` after a success, without addresses, and when it was ended.
 */
export async function retryJoin(
  agent: Joiner,
  config: AgentConfig,
  signal: AbortSignal,
): Promise<boolean> {
  const { retryJoin: addresses, retryMaxAttempts, retryIntervalMs, replayOnJoin } = config;
  if (addresses.length === 0) return false;
  const { log } = agent;
  for (let failures = 1; !signal.aborted; failures++) {
    log.write("INFO", "agent", `Joining cluster...(replay: ${replayOnJoin})`);
    try {
      const joined = await agent.join(addresses, { replay: replayOnJoin });
      log.write("INFO", "agent", `Join completed. Synced with ${joined} initial agents`);
      return false;
    } catch (error) {
      if (signal.aborted) return false;
      if (retryMaxAttempts > 0 && failures > retryMaxAttempts) {
        log.write("ERR", "agent", "maximum retry join attempts made, exiting");
        return true;
      }
      const text = `Join failed: ${blockOf(error)}, retrying in ${formatDuration(retryIntervalMs)}`;
      log.write("WARN", "agent", text, { multiline: true });
    }
    await pause(retryIntervalMs, signal);
  }
  return false;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, LONGEST_PAUSE_MS));
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
