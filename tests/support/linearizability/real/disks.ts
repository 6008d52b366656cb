/**
 * Nemeses of disks: there is no room, and bits change or go missing while a server is down.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { SeededRandom } from "../../simulation/random.ts";
import type { Server } from "./cluster.ts";
import { anyone, dice, leaderOf, type Nemesis, pause, type Scene } from "./nemesis.ts";
import { writtenLength } from "../../replica/written.ts";

/** How long a disk is full, in milliseconds. */
const FULL_MS = { least: 1_500, most: 6_000 } as const;

/** Where the messages of topics are. */
const TOPICS = "topics";

/** Fills the disk of one. */
export const fillAnyone: Nemesis = (scene) => fill(scene, anyone(scene));

/** Fills the disk of the leader. */
export const fillLeader: Nemesis = async (scene) => await fill(scene, await leaderOf(scene));

/** Kills one and changes a bit of one of its files. */
export const flipBit: Nemesis = (scene) => damage(scene, flipped);

/** Kills one and cuts one of its files. */
export const cutFile: Nemesis = (scene) => damage(scene, shortened);

/** Kills one and changes a bit of its messages. */
export const flipMessage: Nemesis = (scene) => damage(scene, flipped, TOPICS);

/** Kills one and cuts some of its messages off. */
export const cutMessages: Nemesis = (scene) => damage(scene, shortened, TOPICS);

async function fill({ cluster, random, signal, tell }: Scene, victim: Server): Promise<void> {
  tell(`fill the disk of ${victim.name}`);
  const path = join(cluster.ground.disks[victim.number] as string, "filler");
  try {
    writeUntilFull(path);
    await pause(FULL_MS.least + dice(random, FULL_MS.most - FULL_MS.least), signal);
  } finally {
    await Deno.remove(path);
  }
}

/** Fills a disk by a file at `path`, so that not even the smallest write has room. */
export function writeUntilFull(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  for (const block of [new Uint8Array(1024 * 1024), new Uint8Array(4_096)]) {
    try {
      while (true) file.writeSync(block);
    } catch (error) {
      // This is what it is for.
      if (!/no space/i.test(String(error))) throw error;
    }
  }
}

/** Changes what is in a file; returns what it did. */
type Bend = (path: string, random: SeededRandom) => string;

const flipped: Bend = (path, random) => {
  const bytes = Deno.readFileSync(path);
  const bit = dice(random, writtenLength(bytes) * 8);
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  Deno.writeFileSync(path, bytes);
  return `bit ${bit & 7} of byte ${bit >> 3} of ${writtenLength(bytes)}`;
};

const shortened: Bend = (path, random) => {
  const size = writtenLength(Deno.readFileSync(path));
  const left = dice(random, size);
  Deno.truncateSync(path, left);
  return `cut from ${size} to ${left} bytes`;
};

/**
 * A server whose files are damaged may refuse to start, in one line that names a file; then it gets its files back. Whatever it
 * does instead has to be right.
 */
async function damage(
  { cluster, random, tell }: Scene,
  bend: Bend,
  folder = ".",
): Promise<void> {
  const victim = cluster.servers[dice(random, cluster.servers.length)] as Server;
  await cluster.kill(victim);
  const files = filesBelow(join(victim.dataDir, folder));
  const path = files[dice(random, files.length)];
  if (path === undefined) return await cluster.start(victim);
  const before = Deno.readFileSync(path);
  tell(`damage ${victim.name}: ${path}: ${bend(path, random)}`);
  let refusal: string;
  try {
    await cluster.start(victim);
    return tell("it starts");
  } catch (error) {
    refusal = (error as Error).message;
  }
  tell(`it refuses: ${refusal}`);
  assertClear(refusal);
  Deno.writeFileSync(path, before);
  await cluster.start(victim);
}

/** The second line that the agent says is the last one, and names a file or a folder. */
function assertClear(refusal: string): void {
  assert.match(
    refusal,
    /exited with 1:\n==> Starting Serf agent\.\.\.\n==> Failed to start [^\n]*'[^'\n]*'[^\n]*\n+$/,
  );
}

/** Files that are not empty. */
function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return filesBelow(path);
    return Deno.statSync(path).size > 0 ? [path] : [];
  }).sort();
}
