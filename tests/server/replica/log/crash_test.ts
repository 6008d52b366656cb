/** What a log holds after crashes at any moment: all that was acknowledged, and nothing that was not written. */

import assert from "node:assert/strict";
import { LogFiles } from "../../../../server/replica/log/log_files.ts";
import { below } from "../../../support/random_value.ts";
import { HOST } from "../../../support/replica/disks.ts";
import { type LogState, openWhole, tell, Writes } from "../../../support/replica/writes.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";
import { Simulation } from "../../../support/simulation/simulation.ts";

/** How large files and entries are: most writes begin a new file, or most are in several sectors of zeros that were there before. */
const SIZES = [
  { segmentBytes: 300, maxBytes: 48 },
  { segmentBytes: 12_000, maxBytes: 1_500 },
] as const;

type Size = (typeof SIZES)[number];

const EMPTY: LogState = { beforeIndex: 0, beforeTerm: 0, entries: [], snapshot: undefined };

/** A log in the hands of a process that writes, and what may be found after its end. */
class Writer {
  /** After each write that was handed over; at first what was found. */
  readonly states: LogState[];
  /** How many of the writes were acknowledged. */
  acknowledged = 0;
  /** Up to where it may have been trimmed. */
  trimmed: number;
  readonly #random: SeededRandom;
  readonly #writes: Writes;

  constructor({ random, size }: World, state: LogState, trimmed: number) {
    this.#random = random;
    this.#writes = new Writes(random, state, size.maxBytes);
    this.#writes.committed = trimmed;
    this.states = [state];
    this.trimmed = trimmed;
  }

  async run(log: LogFiles, bursts: number): Promise<void> {
    for (let burst = 0; burst < bursts; burst++) {
      const tasks: Promise<void>[] = [];
      if (this.#random.float() < 0.3) {
        const { beforeIndex, entries } = this.states[this.acknowledged] as LogState;
        this.trimmed = Math.max(
          this.trimmed,
          beforeIndex + below(this.#random, entries.length + 1),
        );
        this.#writes.committed = this.trimmed;
        tasks.push(log.trim(this.trimmed));
      }
      for (let count = 1 + below(this.#random, 4); count > 0; count--) {
        const write = this.#writes.next();
        const number = this.states.push(this.#writes.state) - 1;
        tasks.push(
          log.write(write).then(() => {
            assert.equal(++this.acknowledged, number, "In the order of the calls");
          }),
        );
      }
      await Promise.all(tasks);
    }
  }

  /** The state that a start has found, if it is one that may be found. */
  found(restored: Omit<LogState, "snapshot">): LogState {
    const told = tell(restored);
    for (const state of this.states.slice(this.acknowledged)) {
      if (restored.beforeIndex === state.beforeIndex && told === tell(state)) return state;
      const cut = restored.beforeIndex - state.beforeIndex;
      if (cut <= 0 || restored.beforeIndex > this.trimmed) continue;
      const beforeTerm = state.entries[cut - 1]?.term ?? 0;
      const left = { ...state, ...restored, beforeTerm, entries: state.entries.slice(cut) };
      if (told === tell(left)) return left;
    }
    const possible = this.states.slice(this.acknowledged).map(tell).join("\n");
    assert.fail(`Found ${told}\nexpected one of\n${possible}`);
  }
}

interface World {
  readonly simulation: Simulation;
  readonly random: SeededRandom;
  readonly size: Size;
}

/** Has a process open the log and write, ends it after so many operations of the disk, and looks at what the next one finds. */
async function life(
  world: World,
  state: LogState,
  trimmed: number,
  { operations, bursts, end }: {
    readonly operations: number;
    readonly bursts: number;
    readonly end: "kill" | "crash";
  },
): Promise<{ state: LogState; trimmed: number; isOver: boolean; cutBytes: number }> {
  const { simulation, size } = world;
  const writer = new Writer(world, state, trimmed);
  const { disk } = simulation.addHost(HOST);
  const platter = simulation.disk(HOST);
  const begun = platter.operations;
  let isOver = false;
  let failure: unknown;
  const work = async (): Promise<void> => {
    const { log } = await openWhole(disk, "raft", size);
    await writer.run(log, bursts);
    isOver = true;
  };
  work().catch((error) => failure = error);
  const reached = (): boolean =>
    platter.operations - begun >= operations || isOver || failure !== undefined;
  await simulation.runUntil(reached, 60_000, 0);
  assert.equal(failure, undefined);
  simulation[end](HOST);
  const next = simulation.addHost(HOST).disk;
  const { log, restored } = await simulation.settle(openWhole(next, "raft", size));
  const found = writer.found({ ...restored, entries: [...restored.entries] });
  const { beforeIndex, entries } = found;
  const all = { from: beforeIndex + 1, maxEntries: Infinity, maxBytes: Infinity };
  const loaded = await simulation.settle(log.load(all));
  assert.equal(tell({ ...found, entries: loaded }), tell(found));
  for (let i = 0; i < entries.length; i++) {
    const request = { from: beforeIndex + 1 + i, maxEntries: 1, maxBytes: 0 };
    const [one] = await simulation.settle(log.load(request));
    assert.deepEqual(one, entries[i]);
  }
  simulation.kill(HOST);
  return { state: found, trimmed: writer.trimmed, isOver, cutBytes: restored.cutBytes };
}

Deno.test("a log that is written when the machine crashes, at each of its calls, keeps what was acknowledged", async () => {
  for (const size of SIZES) {
    let cuts = 0;
    for (let seed = 0; seed < 20; seed++) {
      for (let operations = 0, isOver = false; !isOver; operations++) {
        const simulation = new Simulation(seed);
        const world = { simulation, random: new SeededRandom(seed, 7), size };
        const last = await life(world, EMPTY, 0, { operations, bursts: 8, end: "crash" });
        isOver = last.isOver;
        if (last.cutBytes > 0) cuts++;
        assert.ok(operations < 1_000);
      }
    }
    assert.ok(cuts > 10, `Only ${cuts} torn groups`);
  }
});

Deno.test("a log outlives one end of its process after the other, at any moment", async () => {
  for (let seed = 0; seed < 300; seed++) {
    const size = SIZES[seed % SIZES.length] as Size;
    const world = { simulation: new Simulation(seed), random: new SeededRandom(seed, 8), size };
    let [state, trimmed] = [EMPTY, 0];
    for (let lives = 0; lives < 8; lives++) {
      const operations = below(world.random, 60);
      const end = world.random.float() < 0.5 ? "kill" : "crash";
      ({ state, trimmed } = await life(world, state, trimmed, { operations, bursts: 20, end }));
    }
  }
});
