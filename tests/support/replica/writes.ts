/**
 * Writes of a log, and what the log is after them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { entryBytes } from "../../../cluster/raft/log/entry.ts";
import { lastIndexOf, type RestoredEntries } from "../../../cluster/raft/log/restored.ts";
import { LogFiles } from "../../../server/replica/log/log_files.ts";
import type { Entry, SnapshotMeta } from "../../../cluster/raft/mod.ts";
import type { LogWrite } from "../../../cluster/raft/state/effects.ts";
import type { RestoredLog } from "../../../server/replica/log/opening.ts";
import { applyLog } from "../raft/disk.ts";
import { below } from "../random_value.ts";
import type { SeededRandom } from "../simulation/random.ts";

/** A log as a list. */
export type LogState = Parameters<typeof applyLog>[0];

/** An entry whose data say which one it is, `bytes` long. */
export function entry(index: number, term = 1, bytes = 12): Entry {
  const data = new TextEncoder().encode(`${index}/${term} `.padEnd(bytes, "x"));
  return { index, term, type: "command", time: 1_000 + index, data };
}

/** Entries from one index to another. */
export function entriesBetween(first: number, last: number, term = 1): Entry[] {
  return Array.from({ length: last + 1 - first }, (_, i) => entry(first + i, term));
}

/** A write that appends. */
export function appended(...entries: readonly Entry[]): LogWrite {
  return { seq: 0, entries };
}

/** A snapshot as far as the log is concerned. */
export function snapshot(index: number, term: number): SnapshotMeta {
  return { index, term, configuration: [], configurationIndex: 0, size: 0, hash: "" };
}

/** A log as a start finds it, with all its entries. */
export interface WholeLog {
  readonly log: LogFiles;
  readonly restored: Omit<RestoredLog, "entries"> & { readonly entries: readonly Entry[] };
}

/** Opens a log as a start does, and reads its entries: what the start knows of them is what they say. */
export async function openWhole(...opening: Parameters<typeof LogFiles.open>): Promise<WholeLog> {
  const { log, restored } = await LogFiles.open(...opening);
  const from = restored.beforeIndex + 1;
  const entries = await log.load({ from, maxEntries: Infinity, maxBytes: Infinity });
  const { terms, sizes, configurations } = restored.onDisk;
  assert.equal(entries.length, lastIndexOf(restored) - restored.beforeIndex);
  for (const { index, term } of entries) assert.equal(terms.at(index), term);
  assert.deepEqual(configurations, entries.filter(({ type }) => type === "configuration"));
  const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
  const about = sizes.between(restored.beforeIndex, lastIndexOf(restored));
  assert.equal(about > 0, bytes > 0);
  assert.equal(sizes.beforeNewest(Infinity, lastIndexOf(restored)), restored.beforeIndex);
  assert.ok(Math.abs(about - bytes) < 64 * 1024, `${about} of ${bytes} bytes`);
  return { log, restored: { ...restored, entries } };
}

/** What a log is, so that equal logs are equal texts. */
export function tell(
  { beforeIndex, beforeTerm, entries }: Omit<RestoredEntries, "onDisk">,
): string {
  const text = new TextDecoder();
  const list = entries.map((it) => `${it.index}/${it.term}/${it.type}/${text.decode(it.data)}`);
  return `after ${beforeIndex}/${beforeTerm}: ${list.join(", ")}`;
}

/** Draws writes, each of which follows those before. */
export class Writes {
  /** After the writes that were drawn. */
  state: LogState;
  /** Nothing up to here is cut off: it is committed. */
  committed = 0;
  readonly #random: SeededRandom;
  readonly #maxBytes: number;
  #term: number;

  /** Writes that follow a state, with entries of less than `maxBytes` each. */
  constructor(random: SeededRandom, state: LogState, maxBytes = 48) {
    this.#random = random;
    this.#maxBytes = maxBytes;
    this.state = { ...state, entries: [...state.entries] };
    this.#term = Math.max(1, this.state.entries.at(-1)?.term ?? state.beforeTerm);
  }

  /** The next one. */
  next(): LogWrite {
    const { beforeIndex, entries } = this.state;
    const last = beforeIndex + entries.length;
    const chance = this.#random.float();
    const least = Math.max(beforeIndex, this.committed);
    const kept = least + below(this.#random, last - least + 1);
    if (this.#random.float() < 0.3) this.#term++;
    let change: Omit<LogWrite, "seq" | "entries"> = {};
    let end = last;
    if (chance < 0.2) {
      change = { truncateFrom: kept + 1 };
      end = kept;
      this.#term++;
    } else if (chance < 0.25 && kept > beforeIndex) {
      const { term } = entries[kept - beforeIndex - 1] as Entry;
      change = { reset: { snapshot: snapshot(kept, term), keepSuffix: true } };
    } else if (chance < 0.3) {
      end = last + below(this.#random, 5) + 1;
      change = { reset: { snapshot: snapshot(end, ++this.#term), keepSuffix: false } };
    }
    const count = below(this.#random, change.reset === undefined ? 4 : 2);
    const write = {
      seq: 0,
      ...change,
      entries: Array.from(
        { length: count },
        (_, i) => entry(end + 1 + i, this.#term, 8 + below(this.#random, this.#maxBytes - 8)),
      ),
    };
    this.state = { ...this.state, entries: [...entries] };
    applyLog(this.state, write, count);
    return write;
  }
}
