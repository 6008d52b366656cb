/**
 * A server has itself taken out of the members of the log.
 *
 * @module
 */

import { canLose } from "./autopilot.ts";
import type { ReplicaHost } from "../replica_host.ts";

/** Pause between two tries, in milliseconds. */
const AGAIN_MS = 100;

/** Resolves with nothing once this server is no member any more, else with why it still is after `limitMs`, or when `isOver`. */
export async function takeOut(
  host: Pick<ReplicaHost, "id" | "replica" | "operate">,
  limitMs: number,
  isOver: () => boolean,
): Promise<string | undefined> {
  const end = performance.now() + limitMs;
  const { replica, id } = host;
  if (replica.leaderId === id) {
    if (!canLose(replica.status, id)) return "Too few servers would remain to go on";
    await replica.transfer();
  }
  while (performance.now() < end && !isOver()) {
    if (!replica.configuration.some((member) => member.id === id)) return undefined;
    if (replica.leaderId !== undefined && replica.leaderId !== id) {
      const change = { kind: "change", change: { kind: "remove", id } } as const;
      const outcome = await host.operate(change, end - performance.now());
      if (outcome === undefined) return undefined;
      if (outcome.reason === "invalid-change") return outcome.problem;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
  return "The others did not answer in time";
}
