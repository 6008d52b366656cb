/**
 * Nemeses of membership: who votes and who leads changes, by command line.
 *
 * @module
 */

import { type CliResult, eventually, runSkeinCli } from "../../agents.ts";
import type { Server } from "./cluster.ts";
import { anyone, leaderOf, type Nemesis, pause, type Scene } from "./nemesis.ts";
import { around, cut } from "./networks.ts";

/** A server that is added votes when it has kept up for a while; in milliseconds. */
const RETURN_LIMIT_MS = 60_000;
/** Pause before its role is looked at again, in milliseconds. */
const LOOK_MS = 500;

/** Hands the leadership over. */
export const transfer: Nemesis = async (scene) => {
  const heir = anyone(scene);
  await raft(scene, "transfer", heir.name);
};

/** Makes a snapshot. */
export const snapshot: Nemesis = async (scene) => {
  await raft(scene, "snapshot");
};

/** Takes the vote of one, and waits until it has it back. */
export const demote: Nemesis = async (scene) => {
  const victim = anyone(scene);
  await raft(scene, "demote", victim.name);
  await returned(scene, victim);
};

/** Takes one out, and waits until it votes again. */
export const remove: Nemesis = async (scene) => {
  const { signal } = scene;
  const victim = anyone(scene);
  await raft(scene, "remove", victim.name);
  await pause(500, signal);
  await returned(scene, victim);
};

/** Takes the vote of one while the leader, or anyone, is cut off; the change may come about in the end, or not. */
export const demoteWhileCut: Nemesis = async (scene) => {
  const victim = anyone(scene);
  const cutOff = anyone(scene) === victim ? await leaderOf(scene) : anyone(scene);
  await cut(scene, around(scene, cutOff), async () => {
    await raft(scene, "demote", victim.name);
    await pause(1_000, scene.signal);
  });
  await scene.cluster.settle();
  await returned(scene, victim);
};

/** Runs a command at a server by chance. It may fail: nobody may lead just then. */
async function raft(scene: Scene, ...args: string[]): Promise<CliResult> {
  const { rpc } = anyone(scene);
  const result = await runSkeinCli(["raft", ...args], rpc);
  scene.tell(`raft ${args.join(" ")} at ${rpc}: ${result.code} ${result.stdout}${result.stderr}`);
  return result;
}

/** Waits until a server votes; as long as it is no member, or one without a vote, it is added again. */
async function returned(scene: Scene, { name }: Server): Promise<void> {
  await eventually(`${name} votes again`, async () => {
    const { rpc } = anyone(scene);
    const { stdout } = await runSkeinCli(["raft", "-format=json", "status"], rpc);
    const peer = JSON.parse(stdout).peers.find((one: { name: string }) => one.name === name);
    if (peer?.role === "voter") return true;
    if (peer?.role !== "staging") await raft(scene, "add", name);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    return false;
  }, RETURN_LIMIT_MS);
}
