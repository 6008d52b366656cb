/**
 * The joins that the settings ask for: at the start, and in the background until an address answers (docs/spec/agent.md
 * 6.4).
 *
 * @module
 */

import { formatDuration } from "../../../protocol/duration.ts";
import type { AgentConfig } from "../../config/settings.ts";
import { background } from "../../logging/background.ts";
import { pause } from "../../net/deadline.ts";
import type { AgentHost } from "../host.ts";
import { blockOf } from "../log_text.ts";

/** What joins, and where it tells of it. */
type Joiner = Pick<AgentHost, "log" | "join" | "serf">;

/**
 * Joins the `startJoin` addresses of the settings, and goes on to try the `retryJoin` addresses in the background; when
 * no more tries are allowed, it shuts the agent down. Rejects when none of the first ones answers.
 *
 * @param signal Ends the tries.
 */
export async function joinAtStart(
  agent: Joiner & { shutdown(): Promise<void> },
  config: AgentConfig,
  signal: AbortSignal,
): Promise<void> {
  const { startJoin, replayOnJoin: replay } = config;
  if (startJoin.length > 0) await agent.join(startJoin, { replay, signal });
  const retrying = retryJoin(agent, config, signal).then(async (gaveUp) => {
    if (gaveUp) await agent.shutdown();
  });
  background(retrying, agent.log);
}

/**
 * Tries the `retryJoin` addresses of the settings, at a fixed interval, as often as `retryMaxAttempts` allows
 * after the first time. Later, those of them that are no members are looked for from time to time.
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
  agent.serf.lookFor(addresses);
  if (addresses.length === 0) return false;
  const { log } = agent;
  for (let failures = 1; !signal.aborted; failures++) {
    log.write("INFO", "agent", `Joining cluster...(replay: ${replayOnJoin})`);
    try {
      const joined = await agent.join(addresses, { replay: replayOnJoin, signal });
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
