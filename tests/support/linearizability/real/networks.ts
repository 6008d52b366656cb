/**
 * Nemeses of networks: what some servers send to others gets lost. Clients reach all of them.
 *
 * @module
 */

import type { Server } from "./cluster.ts";
import { anyone, dice, leaderOf, type Nemesis, pause, type Scene } from "./nemesis.ts";

/** How long networks are cut, in milliseconds. */
const CUT_MS = { least: 1_500, most: 8_000 } as const;

/** Which servers do not get what which others send. */
type Links = readonly (readonly [from: Server, to: Server])[];

/** Cuts one off. */
export const cutOffAnyone: Nemesis = (scene) => cut(scene, around(scene, anyone(scene)));

/** Cuts the leader off: the others elect one, and it does not know. */
export const cutOffLeader: Nemesis = async (scene) =>
  await cut(scene, around(scene, await leaderOf(scene)));

/** The leader hears the others, and they do not hear it, or the other way round. */
export const halfCutOffLeader: Nemesis = async (scene) => {
  const leader = await leaderOf(scene);
  const hears = dice(scene.random, 2) === 0;
  await cut(scene, around(scene, leader).filter(([from]) => (from === leader) === hears));
};

/** Two followers do not reach each other, and both reach the leader. */
export const cutFollowers: Nemesis = async (scene) => {
  const leader = await leaderOf(scene);
  await cut(scene, all(scene).filter((link) => !link.includes(leader)));
};

/** Nobody reaches anybody. */
export const cutAll: Nemesis = (scene) => cut(scene, all(scene));

/** Cuts the leader off and kills one of the others, so that nobody can lead. */
export const killWhileCut: Nemesis = async (scene) => {
  const { cluster } = scene;
  const leader = await leaderOf(scene);
  const victim = cluster.servers.find((server) => server !== leader) as Server;
  await cut(scene, around(scene, leader), async () => {
    await cluster.kill(victim);
    await pause(CUT_MS.least, scene.signal);
    await cluster.start(victim);
  });
};

function all({ cluster: { servers } }: Scene): Links {
  return servers.flatMap((from) =>
    servers.filter((to) => to !== from).map((to) => [from, to] as const)
  );
}

/** All links of a server. */
export function around(scene: Scene, server: Server): Links {
  return all(scene).filter((link) => link.includes(server));
}

/** Loses what is sent on links until `action` is over; by default that is a pause. */
export async function cut(
  scene: Scene,
  links: Links,
  action: () => Promise<void> = () =>
    pause(CUT_MS.least + dice(scene.random, CUT_MS.most - CUT_MS.least), scene.signal),
): Promise<void> {
  const { cluster: { ground }, tell } = scene;
  tell(`cut ${links.map(([from, to]) => `${from.name}>${to.name}`)}`);
  for (const [from, to] of links) await ground.cut?.(from.number, to.number);
  try {
    await action();
  } finally {
    for (const [from, to] of links) await ground.join?.(from.number, to.number);
  }
}
