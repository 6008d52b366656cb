/**
 * Values that expire at real servers whose processes are killed and stopped, and the judge of what clients see of them.
 *
 * `SKEIN_LIN_SECONDS=n` makes it longer, as all campaigns.
 *
 * @module
 */

import assert from "node:assert/strict";
import { judgeLives, type Life, type Look } from "../support/linearizability/expiry.ts";
import { type ExpiryCounts, runExpiryTrial } from "../support/linearizability/expiry_trial.ts";
import { Judge, judgedTest } from "../support/linearizability/judge.ts";
import { durationOf, runCampaign } from "../support/linearizability/real/campaign.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { transfer } from "../support/linearizability/real/members.ts";
import { killAll, killLeader, stopLeader } from "../support/linearizability/real/processes.ts";
import { loopback } from "../support/loopback.ts";

const hosts = [loopback(), loopback(), loopback()];

const there = (at: number, leftMs?: number): Look => ({
  start: at,
  end: at + 10,
  isThere: true,
  leftMs,
});
const gone = (at: number): Look => ({ start: at, end: at + 10, isThere: false });
const SET = { start: 0, end: 100, ttlMs: 1_000, isKnown: true };
const LONGER = { start: 500, end: 600, ttlMs: 1_000, isKnown: true };
const STAY = { ...LONGER, ttlMs: undefined };
const perhaps = { isKnown: false } as const;

/** Sets, other times, and what is seen. */
type Seen = readonly [renewals: Life["renewals"], ...looks: Look[]];

const RIGHT: Readonly<Record<string, Seen>> = {
  "there until its time, and then gone": [[SET], there(200), there(980), gone(1_000), gone(2_000)],
  "still there a little later": [[SET], there(1_340), gone(1_400)],
  "another time": [[SET, LONGER], there(1_400), gone(1_500)],
  "another time that nobody knows of": [[SET, { ...LONGER, ...perhaps }], there(400), gone(1_000)],
  "a time that nobody knows of, and that was given": [
    [SET, { ...LONGER, ...perhaps }],
    there(4_000),
  ],
  "it stays": [[SET, STAY], there(9_000)],
  "it was set later than anybody knows": [[{ ...SET, ...perhaps }], gone(200), there(5_000)],
  "it tells its time": [[SET], there(200, 890), there(300, 690)],
};

const WRONG: Readonly<Record<string, Seen>> = {
  "gone early": [[SET], there(200), gone(980)],
  "gone at the time that it had before": [[SET, LONGER], there(400), gone(1_100)],
  "gone though it is to stay": [[SET, STAY], there(400), gone(1_100)],
  "there too long": [[SET], there(1_351)],
  "back again": [[SET], gone(1_000), there(1_020)],
  "perhaps set, and back again": [[{ ...SET, ...perhaps }], there(200), gone(1_000), there(1_020)],
  "a time that is too short": [[SET], there(200, 780)],
  "a time that is too long": [[SET], there(200, 901)],
};

/** A write that takes so long that nobody may have led. */
const ROUGH = { start: 1_050, end: 1_900 };

Deno.test("what clients see of values that expire is judged by the times that they know", () => {
  const judged = (seen: Seen, writes = [{ start: 0, end: 100 }]): string[] => {
    const [renewals, ...looks] = seen;
    return judgeLives([{ key: "k", renewals, looks }], writes).problems;
  };
  for (const [name, seen] of Object.entries(RIGHT)) assert.deepEqual(judged(seen), [], name);
  for (const [name, seen] of Object.entries(WRONG)) assert.equal(judged(seen).length, 1, name);
  assert.deepEqual(judged([[SET], there(2_150), gone(2_200)], [ROUGH]), []);
  assert.equal(judged([[SET], there(2_151)], [ROUGH]).length, 1);
  assert.equal(judged([[SET], there(1_351)], [{ ...ROUGH, start: 1_400 }]).length, 1);
});

judgedTest(
  "values go at their time, and never early, while leaders are killed and stopped",
  async () => {
    await using judge = await Judge.build();
    const seen: ExpiryCounts[] = [];
    await runCampaign({
      name: "values expire",
      judge,
      ground: (folder) => loopbackGround(hosts, folder),
      nemeses: [killLeader, stopLeader, killAll, transfer],
      trial: async (trial) => {
        const counts = await runExpiryTrial(trial);
        seen.push(counts);
        return counts;
      },
      durationMs: durationOf(10),
    });
    const [{ gone, looks } = { gone: 0, looks: 0 }] = seen;
    assert.ok(gone > 20 && looks > 200, JSON.stringify(seen));
  },
);
