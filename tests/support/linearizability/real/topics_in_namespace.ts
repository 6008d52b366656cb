/**
 * What `topics_test.ts` runs where each server has a network and a disk of its own.
 *
 * @module
 */

import { Judge, judgedTest } from "../judge.ts";
import { runTopicTrial } from "../topics/trial.ts";
import { durationOf, runCampaign } from "./campaign.ts";
import { cutMessages, fillAnyone, fillLeader, flipMessage } from "./disks.ts";
import { emptyDisks, separateGround } from "./ground.ts";
import { demote, remove, snapshot, transfer } from "./members.ts";
import type { Nemesis } from "./nemesis.ts";
import { cutAll, cutFollowers, cutOffAnyone, cutOffLeader, halfCutOffLeader } from "./networks.ts";
import { killAll, killLeader, stopLeader } from "./processes.ts";

const CUTS = [cutOffAnyone, cutOffLeader, halfCutOffLeader, cutFollowers, cutAll];

/** What happens, and for how many seconds in CI; what takes none is for a run by hand. */
const CAMPAIGNS: readonly (readonly [name: string, seconds: number, nemeses: Nemesis[]])[] = [
  ["topics: cuts", 6, CUTS],
  ["topics: no room", 5, [fillAnyone, fillLeader]],
  [
    "topics: everything",
    0,
    [
      ...CUTS,
      fillAnyone,
      fillLeader,
      flipMessage,
      cutMessages,
      killAll,
      killLeader,
      stopLeader,
      transfer,
      snapshot,
      demote,
      remove,
    ],
  ],
];

for (const [name, seconds, nemeses] of CAMPAIGNS) {
  const durationMs = durationOf(seconds);
  if (durationMs === 0) continue;
  judgedTest(name, async () => {
    await using judge = await Judge.build();
    await emptyDisks();
    const ground = () => separateGround;
    await runCampaign({ name, judge, ground, nemeses, trial: runTopicTrial, durationMs });
  });
}
