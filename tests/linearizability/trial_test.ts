/**
 * Trials of servers that are wrong on purpose: a trial that passes means something only if it does not pass these.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeServers, type Fault } from "../support/linearizability/fake_servers.ts";
import { Judge, judgedTest } from "../support/linearizability/judge.ts";
import { runTrial } from "../support/linearizability/trial.ts";
import { loopback } from "../support/loopback.ts";

const host = loopback();

/** Each trial takes so long, in milliseconds. */
const TRIAL_MS = 500;

/** Faults, and what a trial says about them. */
const CAUGHT: Readonly<Partial<Record<Fault, RegExp>>> = {
  "stale reads": /Illegal/,
  "lost writes": /Illegal/,
  "doubled increments": /Illegal/,
  "refused and done": /Illegal/,
  "forgotten conditions": /Illegal/,
  "torn transactions": /Illegal/,
  "doubled transactions": /Illegal/,
  "torn reads": /Illegal/,
  "two minds": /all servers have the same/,
};

judgedTest("a trial lets servers pass that are right", async () => {
  const counts = await tried("none");
  assert.ok(counts.done > 100 && counts.refused > 0 && counts.missing > 0);
  assert.equal(counts.unknown + counts.never, 0);
});

judgedTest("a trial takes a lost answer for neither done nor not done", async () => {
  assert.ok((await tried("lost answers")).unknown > 0);
});

for (const [fault, words] of Object.entries(CAUGHT)) {
  judgedTest(`a trial catches ${fault}`, async () => {
    await assert.rejects(tried(fault as Fault), words);
  });
}

async function tried(fault: Fault): ReturnType<typeof runTrial> {
  const folder = await Deno.makeTempDir({ prefix: "trial_" });
  try {
    await using judge = await Judge.build();
    await using servers = new FakeServers(host, fault);
    const disturb = () => new Promise<void>((resolve) => setTimeout(resolve, TRIAL_MS));
    return await runTrial({
      places: servers.places,
      judge,
      seed: 1,
      folder,
      disturb,
      recoveryLimitMs: 1_000,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
