/**
 * Reading all that a server keeps, to see whether it is what was written; in slices that leave room for everything else.
 *
 * @module
 */

import { dump, type DumpSummary, type StoreReader } from "../../../cluster/machine/mod.ts";

/** Blocks of a dump, of 64 KiB, that are made in one turn: about 2 ms when their rows come from the disk. */
const BLOCKS = 2;

/** Something whose files can be read again. */
export interface Checkable {
  /** Reads them, or until `isOver`; resolves with what is wrong with each that is damaged. */
  check(isOver: () => boolean): Promise<readonly string[]>;
}

/**
 * Hashes the dump of a view. Resolves with `undefined` when `isOver` before the end.
 *
 * @param pause ends the turn, and resolves in a later one
 * @param progress is told of the bytes so far
 */
export async function hashOf(
  view: StoreReader,
  pause: () => Promise<void>,
  isOver: () => boolean,
  progress: (bytes: number) => void = () => {},
): Promise<DumpSummary | undefined> {
  const blocks = dump(view);
  let bytes = 0;
  for (let count = 1; !isOver(); count++) {
    const step = blocks.next();
    if (step.done) return step.value;
    bytes += step.value.length;
    progress(bytes);
    if (count % BLOCKS === 0) await pause();
  }
  return undefined;
}

/** What is wrong with files, one after the other. What cannot be read for another reason is told as well. */
export async function problemsOf(
  parts: readonly Checkable[],
  isOver: () => boolean,
): Promise<string[]> {
  const problems: string[] = [];
  for (const part of parts) {
    try {
      problems.push(...await part.check(isOver));
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return problems;
}
