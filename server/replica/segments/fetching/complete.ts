/**
 * Gets what the rows of another server's snapshot tell of, before that counts as received: so what this server says it has, it has.
 *
 * Proof obligation: a segment has the same bytes everywhere, up to any length that some state has told of. So what is there already
 * stays, and only what is missing comes; and what is too much, since a later snapshot needs it, does no harm.
 *
 * @module
 */

import type { SegmentRow } from "../../../../cluster/machine/topics/segment.ts";
import { SegmentGoneError } from "../errors.ts";
import type { SegmentFiles } from "../segment_files.ts";
import type { StateOfMessages } from "../state.ts";
import { fetchBatches, type PieceNet, type Wanted } from "./fetch.ts";

/** Segments that come at the same time. */
const AT_ONCE = 4;

/** What it is done with. */
export interface CompleteParts {
  readonly files: SegmentFiles;
  readonly net: PieceNet;
  /** The state here, which may come past that one by entries meanwhile. */
  readonly state: Pick<StateOfMessages, "row" | "applied">;
}

/** Which state it is of, and who the members are in it. */
export type After = Required<Pick<Wanted, "index" | "members">>;

/**
 * Gets all that `rows` tell of, and makes it last. What no state needs any more is left out: the
 * entries that drop it are still to come. Rejects with the reason of the signal, and as `Disk` does.
 */
export async function complete(
  parts: CompleteParts,
  rows: AsyncIterator<SegmentRow>,
  after: After,
  signal: AbortSignal,
): Promise<void> {
  const ending = new AbortController();
  const any = AbortSignal.any([signal, ending.signal]);
  const one = async (): Promise<void> => {
    while (!any.aborted) {
      const next = await rows.next();
      if (next.done) return;
      await completeOne(parts, next.value, after, any);
    }
  };
  const all = Array.from({ length: AT_ONCE }, one);
  try {
    await Promise.all(all);
  } catch (error) {
    // None goes on writing when the whole has failed.
    ending.abort(error);
    await Promise.allSettled(all);
    throw error;
  }
  signal.throwIfAborted();
  await parts.files.sync();
}

async function completeOne(
  { files, net, state }: CompleteParts,
  { segment, bytes: to }: SegmentRow,
  after: After,
  signal: AbortSignal,
): Promise<void> {
  const have = files.have(segment);
  const isDropped = (): boolean =>
    state.applied() >= after.index && state.row(segment) === undefined;
  if (have >= to || isDropped()) return;
  try {
    if (files.isDamaged(segment)) {
      const batches = fetchBatches(net, { ...after, segment, from: 0, to }, signal);
      return await files.replace(segment, to, batches);
    }
    let at = have;
    for await (const batches of fetchBatches(net, { ...after, segment, from: at, to }, signal)) {
      if (isDropped()) return;
      // Entries that were applied meanwhile may have brought some of it.
      const known = Math.min(batches.length, Math.max(0, files.have(segment) - at));
      files.add(segment, at + known, batches.subarray(known));
      at += batches.length;
      if (files.mustWait) await files.flush();
    }
  } catch (error) {
    if (!(error instanceof SegmentGoneError)) throw error;
  }
}
