/**
 * A trial of servers: clients are busy while something happens to the servers, and at the end all that was seen is judged.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../agents.ts";
import { SeededRandom } from "../simulation/random.ts";
import { Connection, type Place } from "./connection.ts";
import { History } from "./history.ts";
import type { Judge } from "./judge.ts";
import { operate, peek } from "./operations.ts";
import { beBusy, type UsedKey, Workload } from "./workload.ts";

const CLIENTS = 8;

/** The first of the processes that look at the end. */
const LAST = CLIENTS;

/** What is tried, and how. */
export interface Trial {
  /** Where the servers answer clients. */
  readonly places: readonly Place[];
  readonly judge: Judge;
  readonly seed: number;
  /** An empty folder for the history. */
  readonly folder: string;
  /** What happens meanwhile; the clients stop when it resolves. All servers have to run then. */
  readonly disturb: (signal: AbortSignal) => Promise<void>;
  /** In the end all servers have to answer, and to have the same, within this time, in milliseconds. */
  readonly recoveryLimitMs: number;
}

/**
 * Runs a trial. Returns how many operations had which outcome; throws when a client got an answer that no server may give, when
 * the history is not linearizable, or when the servers do not have the same in the end.
 */
export async function runTrial(trial: Trial): Promise<History["counts"]> {
  const { places, judge, seed, folder, recoveryLimitMs } = trial;
  const path = join(folder, "history.jsonl");
  using history = new History(path);
  const workload = new Workload(new SeededRandom(seed, 1));
  await whileDisturbed(trial.disturb, (signal) =>
    Array.from({ length: CLIENTS }, (_, process) => {
      const random = new SeededRandom(seed, 2 + process);
      return beBusy({ process, places, workload, history, random, signal });
    }));
  await readAll(places, workload.keys, recoveryLimitMs, history);
  history.flush();
  const { word, text } = await judge.judge(path);
  assert.equal(word, "ok", text);
  await compareAll(places, workload.keys.map(({ key }) => key), recoveryLimitMs);
  return history.counts;
}

/** Clients and disturbance beside each other; the end of either ends the other. */
export async function whileDisturbed(
  disturb: Trial["disturb"],
  begin: (signal: AbortSignal) => readonly Promise<void>[],
): Promise<void> {
  const end = new AbortController();
  const work = [disturb(end.signal), ...begin(end.signal)];
  const results = await Promise.allSettled(work.map((one) => one.finally(() => end.abort())));
  const failures = results.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("; "));
}

/** Reads every key once more, so that the judge knows whether what was acknowledged is there. */
async function readAll(
  places: readonly Place[],
  keys: readonly UsedKey[],
  limitMs: number,
  history: History,
): Promise<void> {
  for (const [i, place] of places.entries()) {
    using connection = new Connection();
    for (const key of keys) {
      await eventually(`${place.hostname} answers`, async () => {
        if (!connection.isOpen && !await connection.open(place)) return false;
        const { outcome } = await operate(connection, LAST + i, { action: "GET", ...key }, history);
        return outcome === "done" || outcome === "missing";
      }, limitMs);
    }
  }
}

/** Waits until every server has the same by itself, without asking the others. */
async function compareAll(
  places: readonly Place[],
  keys: readonly string[],
  limitMs: number,
): Promise<void> {
  const [first, ...others] = places as [Place, ...Place[]];
  await eventually("all servers have the same", async () => {
    const wanted = await dump(first, keys);
    for (const place of others) assert.deepEqual(await dump(place, keys), wanted);
    return true;
  }, limitMs);
}

/** What a server has by itself. */
async function dump(place: Place, keys: readonly string[]): Promise<Record<string, string>> {
  using connection = new Connection();
  assert.ok(await connection.open(place));
  const found: Record<string, string> = {};
  for (const key of keys) {
    const value = await peek(connection, key);
    assert.ok(value !== undefined, `${place.hostname} does not tell what it has`);
    found[key] = value;
  }
  return found;
}
