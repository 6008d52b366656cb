/**
 * Clients with sessions at whole servers, all of them simulated: the real core of the client, over streams, at the real sessions and
 * conversations of servers with their real driver, log and snapshots. Processes of clients are killed, stand still, go on in others
 * and fall silent, and their messages come twice and late, while servers lose power, stand still, run out of room, are cut off and
 * have wrong clocks, and members come and go.
 *
 * Each request is executed at most once and answered alike each time, those of one session in their order; each server request comes
 * once to a process, and none is passed over by the next; nobody expires who has spoken in time, and who has not expires in time;
 * and in the end all is done that clients want.
 *
 * `SKEIN_SEED=n` replays one run (with `SKEIN_LOG=1` it tells what the servers log), `SKEIN_SESSION_RUNS=n` makes that many with
 * new seeds (default 100, in CI 500).
 *
 * @module
 */

import assert from "node:assert/strict";
import { type SessionReport, SimulatedSessionRun } from "../support/sessions/simulation/run.ts";

async function run(seed: number): Promise<SessionReport> {
  const log = Deno.env.has("SKEIN_LOG") ? (line: string) => console.log(line) : undefined;
  try {
    return await new SimulatedSessionRun(seed, log).run();
  } catch (cause) {
    throw new Error(
      `Seed ${seed}: ${cause}\n` +
        `Replay: SKEIN_SEED=${seed} deno test -A tests/simulation/sessions_test.ts`,
      { cause },
    );
  }
}

Deno.test("one seed gives one run of clients with sessions", async () => {
  const outcome = async (): Promise<unknown> => {
    const one = new SimulatedSessionRun(5);
    return [await one.run(), one.traceHash];
  };
  assert.deepEqual(await outcome(), await outcome());
});

Deno.test("what clients with sessions ask for is done once and told once, whatever dies, under new seeds", async () => {
  const replayed = Deno.env.get("SKEIN_SEED");
  const runs = Number(Deno.env.get("SKEIN_SESSION_RUNS") ?? (Deno.env.has("CI") ? 500 : 100));
  const first = replayed === undefined
    ? crypto.getRandomValues(new Uint32Array(1))[0] as number
    : Number(replayed);
  const count = replayed === undefined ? runs : 1;
  console.log(`session simulation: seeds ${first} to ${first + count - 1}`);
  const total: Record<string, number> = {};
  for (let seed = first; seed < first + count; seed++) {
    for (const [name, value] of Object.entries(await run(seed))) {
      total[name] = (total[name] ?? 0) + value;
    }
  }
  console.log(`  ${JSON.stringify(total)}`);
  const least = { executed: 100, repeated: 5, delivered: 100, processes: 6, ended: 1, compared: 5 };
  for (const [name, each] of Object.entries(least)) {
    assert.ok((total[name] ?? 0) > each * count || count < 20, `hardly anything was ${name}`);
  }
});
