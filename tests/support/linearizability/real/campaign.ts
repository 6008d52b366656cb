/**
 * A trial of real servers under nemeses, with a folder that is left behind only when something is wrong.
 *
 * @module
 */

import { join } from "node:path";
import { SeededRandom } from "../../simulation/random.ts";
import type { Judge } from "../judge.ts";
import { runTrial, type Trial } from "../trial.ts";
import { Cluster } from "./cluster.ts";
import { startGateway } from "./gateways.ts";
import type { Ground } from "./ground.ts";
import { letLoose, type Nemesis } from "./nemesis.ts";

/** In the end all servers have to answer within this time, in milliseconds. */
const RECOVERY_LIMIT_MS = 30_000;

/** What is tried. */
export interface Campaign {
  /** For messages. */
  readonly name: string;
  readonly judge: Judge;
  /** Makes the ground, below a folder. */
  readonly ground: (folder: string) => Ground;
  readonly nemeses: readonly Nemesis[];
  /** What clients do meanwhile, and what is looked at. Default {@linkcode runTrial}. */
  readonly trial?: (trial: Trial) => Promise<unknown>;
  /** An address for each agent that keeps nothing and asks the servers; clients then ask those alone. Default: none. */
  readonly gateways?: readonly string[];
  /** How long, in milliseconds, without the recovery from the last one. */
  readonly durationMs: number;
  /** It is over when so many processes were killed, whatever time that takes. Default: it has its time. */
  readonly kills?: number | undefined;
}

/** How many campaigns there are, which share the time of a run by hand. */
const CAMPAIGNS = 14;

/** How long a campaign is that takes `seconds` in CI, in milliseconds; `SKEIN_LIN_SECONDS` is how long all are together. */
export function durationOf(seconds: number): number {
  const all = Deno.env.get("SKEIN_LIN_SECONDS");
  return 1_000 * (all === undefined ? seconds : Number(all) / CAMPAIGNS);
}

/** Runs a campaign. Throws with the folder of history and logs when anything is wrong. */
export async function runCampaign(campaign: Campaign): Promise<void> {
  const { name, judge, nemeses, trial = runTrial, gateways = [], durationMs, kills } = campaign;
  const seed = Number(Deno.env.get("SKEIN_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const folder = await Deno.makeTempDir({ prefix: "skein_trial_" });
  const story: string[] = [];
  const begin = performance.now();
  const tell = (line: string): void => {
    story.push(`${((performance.now() - begin) / 1_000).toFixed(3)} s  ${line.trim()}`);
  };
  let cluster: Cluster | undefined;
  try {
    cluster = await Cluster.start(campaign.ground(folder), folder);
    const { servers } = cluster;
    await using opened = new AsyncDisposableStack();
    const asked = gateways.length === 0
      ? servers.map(({ place }) => place)
      : await Promise.all(gateways.map((host) => startGateway(host, servers, opened)));
    const scene = { cluster, random: new SeededRandom(seed), tell };
    const counts = await trial({
      places: asked,
      judge,
      seed,
      folder,
      recoveryLimitMs: RECOVERY_LIMIT_MS,
      disturb: async (clients) => {
        const over = new AbortController();
        const timer = kills === undefined ? setTimeout(() => over.abort(), durationMs) : undefined;
        const signal = AbortSignal.any([clients, over.signal]);
        await letLoose(nemeses, { ...scene, signal }, kills ?? Infinity)
          .finally(() => clearTimeout(timer));
      },
    });
    console.log(`  ${name}: seed ${seed}, ${cluster.kills} kills, ${JSON.stringify(counts)}`);
  } catch (error) {
    await Deno.writeTextFile(join(folder, "story.txt"), story.join("\n") + "\n");
    for (const [server, text] of Object.entries(cluster?.logs ?? {})) {
      await Deno.writeTextFile(join(folder, `${server}.log`), text);
    }
    throw new Error(`${name}, seed ${seed}: ${(error as Error).message}\nSee ${folder}`, {
      cause: error,
    });
  } finally {
    await cluster?.[Symbol.asyncDispose]();
  }
  await Deno.remove(folder, { recursive: true });
}
