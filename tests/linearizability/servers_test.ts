/**
 * Histories of real servers whose processes are killed and stopped, whose files are damaged, and whose membership changes.
 *
 * `SKEIN_LIN_SECONDS=n` makes all campaigns together that long, `SKEIN_KILLS=n` makes the first one as long as n kills take,
 * `SKEIN_SEED=n` repeats what chance decided. A failure names the folder of the history, of what happened when, and of what the
 * servers said.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Judge, judgedTest } from "../support/linearizability/judge.ts";
import { durationOf, runCampaign } from "../support/linearizability/real/campaign.ts";
import { cutFile, flipBit } from "../support/linearizability/real/disks.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { replaceLeader } from "../support/linearizability/real/leaders.ts";
import { demote, remove, snapshot, transfer } from "../support/linearizability/real/members.ts";
import type { Nemesis } from "../support/linearizability/real/nemesis.ts";
import {
  killAll,
  killAnyone,
  killLeader,
  killWhileStopped,
  stopAnyone,
  stopLeader,
  stopLeaderKillOthers,
} from "../support/linearizability/real/processes.ts";
import { loopback } from "../support/loopback.ts";

const hosts = [loopback(), loopback(), loopback()];

const gateways = [loopback(), loopback()];

/** How long a leader may be missing when one is killed, mostly, in milliseconds. */
const REPLACED_MS = 3_000;

/** What happens, and for how many seconds in CI. */
const CAMPAIGNS: readonly (readonly [name: string, seconds: number, nemeses: Nemesis[]])[] = [
  ["are killed", 6, [killAnyone, killLeader, killAll]],
  ["are stopped", 8, [stopAnyone, stopLeader, stopLeaderKillOthers, killWhileStopped]],
  ["find files damaged", 6, [flipBit, cutFile]],
  ["come and go", 6, [transfer, snapshot, demote, remove, killLeader]],
];

const KILLS = Deno.env.get("SKEIN_KILLS");

for (const [what, seconds, nemeses] of CAMPAIGNS) {
  const name = `what clients see of servers that ${what} is linearizable`;
  judgedTest(name, async () => {
    await using judge = await Judge.build();
    const ground = (folder: string) => loopbackGround(hosts, folder);
    const durationMs = durationOf(seconds);
    const kills = what === "are killed" && KILLS !== undefined ? Number(KILLS) : undefined;
    await runCampaign({ name: what, judge, ground, nemeses, durationMs, kills });
  });
}

judgedTest("what clients see through gateways is linearizable, too", async () => {
  await using judge = await Judge.build();
  await runCampaign({
    name: "gateways",
    judge,
    ground: (folder) => loopbackGround(hosts, folder),
    gateways,
    nemeses: [killAnyone, killLeader, stopLeader, transfer],
    durationMs: durationOf(8),
  });
});

judgedTest(
  "a killed leader is replaced within 3 s, and clients write again within 5 s",
  async () => {
    await using judge = await Judge.build();
    const times: number[] = [];
    await runCampaign({
      name: "leaders are killed",
      judge,
      ground: (folder) => loopbackGround(hosts, folder),
      nemeses: [replaceLeader(times)],
      durationMs: 0,
      kills: 3,
    });
    times.sort((a, b) => a - b);
    console.log(`  replaced after ${times.map(Math.round)} ms`);
    // A vote that is split takes one more round.
    assert.ok(times[1] as number < REPLACED_MS, `${times}`);
  },
);
