/**
 * What may happen to servers, and that it happens again and again.
 *
 * @module
 */

import type { SeededRandom } from "../../simulation/random.ts";
import type { Cluster, Server } from "./cluster.ts";

/** Everything a nemesis needs. */
export interface Scene {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  /** Ends pauses early. */
  readonly signal: AbortSignal;
  /** Writes a line about what happens. */
  readonly tell: (line: string) => void;
}

/** Does something to servers. All of them run when it resolves, though they may have to recover. */
export type Nemesis = (scene: Scene) => Promise<void>;

/** Time between two nemeses, in milliseconds, at most. */
const QUIET_MS = 1_500;

/** Lets nemeses loose until `signal`, or until so many processes were killed: one after the other, in rounds, each round in an order by chance. */
export async function letLoose(
  nemeses: readonly Nemesis[],
  scene: Scene,
  kills: number,
): Promise<void> {
  const { cluster, random, signal, tell } = scene;
  for (let round: Nemesis[] = []; !signal.aborted && cluster.kills < kills;) {
    if (round.length === 0) round = shuffled(nemeses, random);
    await pause(random.float() * QUIET_MS, signal);
    const nemesis = round.pop() as Nemesis;
    tell(`* ${nemesis.name}`);
    await nemesis(scene);
    await cluster.settle();
    tell("settled");
  }
}

/** The same in an order by chance. */
export function shuffled<T>(list: readonly T[], random: SeededRandom): T[] {
  return list.map((value) => ({ value, place: random.float() }))
    .sort((a, b) => a.place - b.place).map(({ value }) => value);
}

/** A whole number from 0 up to `limit`, without that. */
export function dice(random: SeededRandom, limit: number): number {
  return Math.floor(random.float() * limit);
}

/** A server by chance. */
export function anyone({ cluster: { servers }, random }: Scene): Server {
  return servers[dice(random, servers.length)] as Server;
}

/** The leader, or anyone when nobody knows it. */
export async function leaderOf(scene: Scene): Promise<Server> {
  return await scene.cluster.leader() ?? anyone(scene);
}

/** Waits, at most until `signal`. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
  });
}
