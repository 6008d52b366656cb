/**
 * Writes a layer of changes into a file in short transactions, which leave the loop free in between, and yet as a whole: the
 * changes are noted in the file before the first one is made. Who opens the file after a crash finds either no whole note, and
 * nothing done, or a whole one, and does the rest.
 *
 * One large transaction would do as well, were it not for the checkpoint after it, which cannot be cut (measured with 50,000
 * rows at random among 1,000,000: 90 ms).
 *
 * @module
 */

import { keyAfter } from "../../../cluster/machine/store/tuple.ts";
import type { Row } from "../../../cluster/machine/mod.ts";
import type { Database } from "./database.ts";
import { nextTurn } from "../../runtime.ts";
import type { Generation } from "./generation.ts";
import type { Layer } from "./layer.ts";
import { encodeChunks } from "./redo.ts";

/** Most rows of a transaction. */
const MOST_ROWS = 512;

/** Fewest, however slow the disk is. */
const FEWEST_ROWS = 16;

/** Bytes of a transaction, less what its last row takes. */
const SLICE_BYTES = 256 * 1024;

/** How long a transaction may block the loop, in milliseconds. */
const SLICE_MS = 3;

/** How far a layer has come. */
export interface FlushState {
  /** Whether all of it is noted in the file. */
  noted: boolean;
}

/**
 * Writes the changes of a layer, which must not change any more. Ends early when `isWanted` says so.
 *
 * Rejects as {@linkcode Database.write} throws and {@linkcode Generation.checkpoint} rejects. It may be called again with the
 * same `state` then; nothing else may be written before.
 */
export async function flushLayer(
  generation: Generation,
  layer: Layer,
  state: FlushState,
  isWanted: () => boolean,
): Promise<void> {
  const { database } = generation;
  if (!state.noted && layer.count <= FEWEST_ROWS && layer.bytes <= SLICE_BYTES) {
    await forget(database, isWanted);
    if (isWanted()) database.write(layer.range(new Uint8Array(), undefined, FEWEST_ROWS));
    return isWanted() ? generation.checkpoint() : undefined;
  }
  if (!state.noted) {
    await forget(database, isWanted);
    if (!await note(database, layer, isWanted)) return;
    state.noted = true;
  }
  const pace = new Pace();
  for (let from: Uint8Array | undefined = new Uint8Array(); from !== undefined;) {
    const slice = sliceOf(layer, from, pace.rows);
    pace.run(() => database.write(slice.rows));
    from = slice.next;
    await generation.checkpoint();
    await nextTurn();
    if (!isWanted()) return;
  }
  await forget(database, isWanted);
}

/** Does what was noted before a crash, and forgets what was not noted as a whole. Rejects as {@linkcode flushLayer} does. */
export async function finishFlush(generation: Generation): Promise<void> {
  const { database } = generation;
  const chunks = database.notes();
  for (let seq = 0; seq < chunks; seq++) {
    const changes = database.noted(seq);
    for (let at = 0; at < changes.length; at += MOST_ROWS) {
      database.write(changes.slice(at, at + MOST_ROWS));
      await generation.checkpoint();
      await nextTurn();
    }
  }
  await forget(database, () => true);
}

/** How many rows a transaction may have. */
class Pace {
  rows = 4 * FEWEST_ROWS;

  /** Runs a transaction and learns from it. */
  run(work: () => void): void {
    const begun = performance.now();
    work();
    const took = performance.now() - begun;
    if (took > SLICE_MS) this.rows = Math.max(FEWEST_ROWS, this.rows >> 1);
    else if (took < SLICE_MS / 3) this.rows = Math.min(MOST_ROWS, this.rows << 1);
  }
}

/** The next changes of a layer, and where those after them begin. */
function sliceOf(
  layer: Layer,
  from: Uint8Array,
  most: number,
): { rows: Row[]; next: Uint8Array | undefined } {
  const found = layer.range(from, undefined, most);
  let bytes = 0;
  let count = 0;
  while (count < found.length && bytes < SLICE_BYTES) {
    const { key, value } = found[count++] as Row;
    bytes += key.length + value.length;
  }
  const last = found[count - 1];
  const isLast = last === undefined || (count === found.length && count < most);
  return { rows: found.slice(0, count), next: isLast ? undefined : keyAfter(last.key) };
}

/** Returns whether all is noted. */
async function note(
  database: Database,
  layer: Layer,
  isWanted: () => boolean,
): Promise<boolean> {
  let seq = 0;
  let pending: Uint8Array | undefined;
  for (const chunk of encodeChunks(changesOf(layer))) {
    if (pending !== undefined) {
      database.note(seq++, false, pending);
      await nextTurn();
      if (!isWanted()) return false;
    }
    pending = chunk;
  }
  if (pending !== undefined) database.note(seq, true, pending);
  return true;
}

function* changesOf(layer: Layer): Generator<Row> {
  for (let from: Uint8Array | undefined = new Uint8Array(); from !== undefined;) {
    const { rows, next } = sliceOf(layer, from, MOST_ROWS);
    yield* rows;
    from = next;
  }
}

async function forget(database: Database, isWanted: () => boolean): Promise<void> {
  while (isWanted() && database.forgetNote()) await nextTurn();
}
