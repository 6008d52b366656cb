/**
 * Topics of real servers that are killed and stopped, that are cut off, and whose disks are damaged or full: what was acknowledged is there once, at its
 * offset, on all of them, batches are there as a whole or not at all, and nobody reads what is another message later.
 *
 * `SKEIN_LIN_SECONDS=n` makes each of these as long as it makes the others, `SKEIN_TOPIC_KILLS=n` makes the first one as long as n
 * kills take, `SKEIN_SEED=n` repeats what chance decided. A failure names the folder of the history, of what happened when, and of
 * what the servers said.
 *
 * @module
 */

import { hasGo } from "../support/interop/raft_oracle.ts";
import { Judge, judgedTest } from "../support/linearizability/judge.ts";
import { durationOf, runCampaign } from "../support/linearizability/real/campaign.ts";
import { cutMessages, flipMessage } from "../support/linearizability/real/disks.ts";
import { loopbackGround, SEPARATE_SETUP } from "../support/linearizability/real/ground.ts";
import { snapshot } from "../support/linearizability/real/members.ts";
import type { Nemesis } from "../support/linearizability/real/nemesis.ts";
import {
  killAll,
  killAnyone,
  killLeader,
  killWhileStopped,
  stopAnyone,
  stopLeader,
} from "../support/linearizability/real/processes.ts";
import { runTopicTrial } from "../support/linearizability/topics/trial.ts";
import { loopback } from "../support/loopback.ts";
import { namespaceTest } from "../support/namespace.ts";

const hosts = [loopback(), loopback(), loopback()];

/** What happens, and for how many seconds in CI. */
const CAMPAIGNS: readonly (readonly [name: string, seconds: number, nemeses: Nemesis[]])[] = [
  ["whatever is killed", 6, [killAll, killLeader, killAnyone, snapshot]],
  ["whatever is stopped", 6, [stopAnyone, stopLeader, killWhileStopped]],
  ["whatever is damaged", 5, [flipMessage, cutMessages, snapshot]],
];

const KILLS = Deno.env.get("SKEIN_TOPIC_KILLS");

for (const [what, seconds, nemeses] of CAMPAIGNS) {
  const name = `what was acknowledged of topics is there once, in order, on all servers, ${what}`;
  judgedTest(name, async () => {
    await using judge = await Judge.build();
    await runCampaign({
      name: `topics: ${what}`,
      judge,
      ground: (folder) => loopbackGround(hosts, folder),
      nemeses,
      trial: runTopicTrial,
      durationMs: durationOf(seconds),
      kills: what === "whatever is killed" && KILLS !== undefined ? Number(KILLS) : undefined,
    });
  });
}

const SEPARATE =
  "what was acknowledged of topics is there once, in order, whoever is cut off or without room";

if (hasGo()) {
  await Judge.prepare();
  namespaceTest(SEPARATE, {
    setup: SEPARATE_SETUP,
    file: "linearizability/real/topics_in_namespace.ts",
  });
} else {
  judgedTest(SEPARATE, () => Promise.resolve());
}
