/**
 * Writes of the log in their order, with snapshots that take the place of the state between them.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { LogWrite } from "../../../../cluster/raft/state/effects.ts";
import { Writes } from "../../../../server/replica/driver/writes.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { appended, entry, snapshot } from "../../../support/replica/writes.ts";

function reset(seq: number, index: number): LogWrite {
  return { seq, entries: [], reset: { snapshot: snapshot(index, 1), keepSuffix: false } };
}

Deno.test("of snapshots that overtake each other only the newest is loaded", async () => {
  const clock = new ManualClock();
  const done: string[] = [];
  const failures: Error[] = [];
  const writes = new Writes({
    clock,
    log: {
      write: ({ seq }) => {
        done.push(`write ${seq}`);
        return new Promise((resolve) => clock.setTimer(10, resolve));
      },
      load: () => Promise.resolve([]),
      trim: () => Promise.resolve(),
      recover: () => {},
    },
    votes: { write: () => Promise.resolve() },
    install: async ({ index }) => {
      done.push(`load ${index}`);
      await null;
    },
    logWritten: (seq) => done.push(`written ${seq}`),
    voteWritten: () => {},
    full: () => {},
    failed: (error) => failures.push(error),
  });
  writes.write({ ...appended(entry(1)), seq: 1 });
  for (const seq of [2, 3, 4]) writes.write(reset(seq, 10 * seq));
  await clock.advance(100);
  assert.deepEqual(failures, []);
  assert.deepEqual(done.filter((it) => it.startsWith("load")), ["load 40"]);
  assert.deepEqual(
    done.filter((it) => !it.startsWith("written")),
    ["write 1", "write 2", "write 3", "load 40", "write 4"],
  );
  assert.deepEqual(
    done.filter((it) => it.startsWith("written")),
    [1, 2, 3, 4].map((seq) => `written ${seq}`),
  );
});
