/**
 * Nemeses of processes: they are killed, and stopped for a while.
 *
 * @module
 */

import type { Server } from "./cluster.ts";
import { anyone, dice, leaderOf, type Nemesis, pause, type Scene, shuffled } from "./nemesis.ts";

/** How long processes are gone, and how long stopped, at most, in milliseconds. */
const GONE_MS = 1_500;
const STOPPED_MS = { least: 1_000, most: 10_000 } as const;

/** Kills one. */
export const killAnyone: Nemesis = (scene) => kill(scene, [anyone(scene)]);

/** Kills the leader. */
export const killLeader: Nemesis = async (scene) => await kill(scene, [await leaderOf(scene)]);

/** Kills all at once. */
export const killAll: Nemesis = (scene) => kill(scene, scene.cluster.servers);

/** Stops one. */
export const stopAnyone: Nemesis = (scene) => stop(scene, anyone(scene));

/** Stops the leader: the others elect one, and it does not know. */
export const stopLeader: Nemesis = async (scene) => await stop(scene, await leaderOf(scene));

/** Stops the leader, and kills all the others when they have one of their own. */
export const stopLeaderKillOthers: Nemesis = async (scene) => {
  const leader = await leaderOf(scene);
  const others = scene.cluster.servers.filter((server) => server !== leader);
  await whileStopped(scene, leader, async () => {
    await pause(3_000, scene.signal);
    await kill(scene, others);
  });
};

/** Stops one, kills another in the meantime, and goes on with the first before the other is back. */
export const killWhileStopped: Nemesis = async (scene) => {
  const { cluster: { servers }, random, signal } = scene;
  const [first, second] = shuffled(servers, random) as [Server, Server];
  await whileStopped(scene, first, () => pause(random.float() * STOPPED_MS.least, signal), second);
};

async function kill(scene: Scene, victims: readonly Server[]): Promise<void> {
  const { cluster, random, signal, tell } = scene;
  tell(`kill ${victims.map(({ name }) => name)}`);
  await Promise.all(victims.map((server) => cluster.kill(server)));
  await pause(random.float() * GONE_MS, signal);
  await Promise.all(victims.map((server) => cluster.start(server)));
}

async function stop(scene: Scene, victim: Server): Promise<void> {
  const { random, signal } = scene;
  const { least, most } = STOPPED_MS;
  await whileStopped(scene, victim, () => pause(least + dice(random, most - least), signal));
}

async function whileStopped(
  scene: Scene,
  victim: Server,
  action: () => Promise<void>,
  killed?: Server,
): Promise<void> {
  const { cluster, tell } = scene;
  tell(`stop ${victim.name}`);
  victim.agent?.kill("SIGSTOP");
  try {
    if (killed !== undefined) await cluster.kill(killed);
    await action();
  } finally {
    victim.agent?.kill("SIGCONT");
    tell(`continue ${victim.name}`);
  }
  if (killed !== undefined) await cluster.start(killed);
}
