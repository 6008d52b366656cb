/**
 * What `networks_test.ts` runs where each server has a network and a disk of its own.
 *
 * @module
 */

import { Judge, judgedTest } from "../judge.ts";
import { durationOf, runCampaign } from "./campaign.ts";
import { fillAnyone, fillLeader } from "./disks.ts";
import { emptyDisks, separateGround } from "./ground.ts";
import type { Nemesis } from "./nemesis.ts";
import {
  cutAll,
  cutFollowers,
  cutOffAnyone,
  cutOffLeader,
  halfCutOffLeader,
  killWhileCut,
} from "./networks.ts";

/** What happens, and for how many seconds in CI. */
const CAMPAIGNS: readonly (readonly [name: string, seconds: number, nemeses: Nemesis[]])[] = [
  [
    "cuts",
    12,
    [cutOffAnyone, cutOffLeader, halfCutOffLeader, cutFollowers, cutAll, killWhileCut],
  ],
  ["no room", 8, [fillAnyone, fillLeader]],
];

for (const [name, seconds, nemeses] of CAMPAIGNS) {
  judgedTest(name, async () => {
    await using judge = await Judge.build();
    await emptyDisks();
    const ground = () => separateGround;
    await runCampaign({ name, judge, ground, nemeses, durationMs: durationOf(seconds) });
  });
}
