/**
 * Tells all members where the part of an agent is that other agents look for.
 *
 * @module
 */

import { LeftError, ShutdownError, UpdateTimeoutError } from "../../../cluster/memberlist/mod.ts";
import { TagsTooLargeError } from "../../../cluster/serf/mod.ts";
import { STATE_TAG } from "../../replica/gossip_tag.ts";
import type { AgentHost } from "../host.ts";

/**
 * Sets the tag. Whoever does not hear of it in time hears of it later; who has left or ended tells nothing any more. `failed` hears
 * when there is no room for the tag.
 */
export async function tell(
  { serf }: AgentHost,
  tag: string,
  failed: (error: Error) => void,
): Promise<void> {
  try {
    await serf.setTags({ ...serf.tags(), [STATE_TAG]: tag });
  } catch (error) {
    if (error instanceof TagsTooLargeError) return failed(error);
    const isNoMatter = error instanceof UpdateTimeoutError || error instanceof LeftError ||
      error instanceof ShutdownError;
    if (!isNoMatter) throw error;
  }
}
