/**
 * The disk of a server that is written to for ever, and a server that comes late.
 *
 * `SKEIN_WRITES=n` makes that many writes, default 12,000; the fewer, the larger, so that the log in all is as long.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Agent } from "../../../server/agent/agent.ts";
import { eventually } from "../../support/agents.ts";
import { addressOf, startServer } from "../../support/replica/agents.ts";

const WRITES = Number(Deno.env.get("SKEIN_WRITES") ?? 12_000);
const AT_A_TIME = Math.ceil(WRITES / 800);
const KEYS = 50;
const MIB = 1024 * 1024;

/** All that is written, at least, ... */
const WRITTEN_BYTES = 1_200 * MIB;
/**
 * ... and what the directory may take at any time: what is written while a snapshot and a sync are made, in files of 64 MiB. A fast
 * disk takes 300 MiB in that second. Without a bound it would be most of what is written.
 */
const MOST_BYTES = 480 * MIB;
/** What the state may take then: its rows, and a WAL that is emptied between two snapshots. */
const MOST_STATE_BYTES = 64 * MIB;

const VALUE = "v".repeat(Math.ceil(WRITTEN_BYTES / WRITES));

/** Bytes of all files below a folder. */
function bytesBelow(folder: string): number {
  let bytes = 0;
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    try {
      bytes += isDirectory ? bytesBelow(path) : Deno.statSync(path).size;
    } catch (error) {
      // A file that has just been done away with.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return bytes;
}

/** Snapshots come at the same share of all writes, however many there are. */
const RAFT = { snapshotEntries: Math.ceil(WRITES / 80), trailing: Math.ceil(WRITES / 160) };

/** Writes values one after the other, some at a time. */
async function write(agent: Agent, from: number, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, i) => from + i);
  await Promise.all(numbers.map((i) => agent.kv.set(`k${i % KEYS}`, VALUE)));
}

Deno.test("snapshots bound the disk, and a new server catches up by one while writes go on", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_bound_" });
  try {
    await using first = await startServer("a", folder, { bootstrapExpect: 1, raft: RAFT });
    let [most, mostState] = [0, 0];
    for (let i = 0; i < WRITES; i += AT_A_TIME) {
      await write(first, i, AT_A_TIME);
      most = Math.max(most, bytesBelow(`${folder}/a`));
      mostState = Math.max(mostState, bytesBelow(`${folder}/a/state`));
    }
    console.log(
      `${WRITES} writes, ${WRITTEN_BYTES / MIB} MiB, at most ${Math.round(most / MIB)} MiB, ${
        Math.round(mostState / MIB)
      } of them the state`,
    );
    assert.ok(most < MOST_BYTES, `${most} bytes`);
    assert.ok(mostState < MOST_STATE_BYTES, `${mostState} bytes of state`);
    await using late = await startServer("b", folder, {
      bootstrapExpect: 0,
      startJoin: [addressOf(first)],
      raft: RAFT,
    });
    let more = 0;
    await eventually("it has what was written while it came", async () => {
      await write(first, more, 1);
      const marker = await first.kv.set("marker", ++more);
      assert.ok(marker.rev > 0);
      const { value } = await late.kv.get("marker", { consistency: "stale" }) ?? {};
      return typeof value === "number" && value > 1;
    });
    const lines = late.log.lines("INFO").join("\n");
    assert.match(lines, /Takes over a snapshot/);
    assert.ok(bytesBelow(`${folder}/b`) < MOST_BYTES);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
