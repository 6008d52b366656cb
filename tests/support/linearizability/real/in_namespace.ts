/**
 * What `networks_test.ts` runs where each server has a network and a disk of its own.
 *
 * @module
 */

import { Judge, judgedTest } from "../judge.ts";
import { durationOf, runCampaign } from "./campaign.ts";
import { fillAnyone, fillLeader } from "./disks.ts";
import { emptyDisks, separateGround } from "./ground.ts";
import { demote, demoteWhileCut, remove, snapshot, transfer } from "./members.ts";
import type { Nemesis } from "./nemesis.ts";
import {
  cutAll,
  cutFollowers,
  cutOffAnyone,
  cutOffLeader,
  halfCutOffLeader,
  killWhileCut,
} from "./networks.ts";
import { killAll, killLeader, stopLeader } from "./processes.ts";

const CUTS = [
  cutOffAnyone,
  cutOffLeader,
  halfCutOffLeader,
  cutFollowers,
  cutAll,
  killWhileCut,
];

/** What happens, and for how many seconds in CI; what takes none is for a run by hand. */
const CAMPAIGNS: readonly (readonly [name: string, seconds: number, nemeses: Nemesis[]])[] = [
  ["cuts", 10, CUTS],
  ["no room", 6, [fillAnyone, fillLeader]],
  [
    "everything",
    0,
    [
      ...CUTS,
      fillAnyone,
      fillLeader,
      killAll,
      killLeader,
      stopLeader,
      transfer,
      snapshot,
      demote,
      demoteWhileCut,
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
    await runCampaign({ name, judge, ground: () => separateGround, nemeses, durationMs });
  });
}
