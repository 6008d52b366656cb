/**
 * The first of several agents that answers, without waiting long for one that says nothing.
 *
 * @module
 */

import { pause } from "./deadline.ts";
import { reportFault } from "./portable.ts";

/** When an agent has said nothing for so long, the next one is tried beside it, in milliseconds. */
export const NEXT_AFTER_MS = 500;

/** What came of one of them. */
type Outcome<T> = { readonly opened: T } | { readonly error: unknown };

/** What can be closed. */
interface Closable {
  close(): Promise<void>;
}

/**
 * Opens something at the first of some addresses where that works, and gives up the others. The next address has its turn when one
 * has failed, or after {@linkcode NEXT_AFTER_MS}.
 *
 * Rejects with the last failure when none works, or with the first one that `isFinal`.
 */
export async function openFirst<T extends Closable>(
  addresses: readonly string[],
  open: (address: string, signal: AbortSignal) => Promise<T>,
  isFinal: (error: unknown) => boolean,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  const ending = new AbortController();
  const onAbort = (): void => ending.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const attempts = new Set<Promise<void>>();
  const ended: Outcome<T>[] = [];
  const begin = (address: string): void => {
    const attempt = open(address, ending.signal)
      .then((opened) => void ended.push({ opened }), (error) => void ended.push({ error }))
      .finally(() => attempts.delete(attempt));
    attempts.add(attempt);
  };
  const waiting = [...addresses];
  let failure: unknown;
  try {
    while (waiting.length > 0 || attempts.size > 0) {
      const address = waiting.shift();
      if (address !== undefined) begin(address);
      await firstOf(attempts, waiting.length > 0);
      // One at a time: of those that ended in the same turn, what was opened beside the first one is closed below.
      for (let outcome = ended.shift(); outcome !== undefined; outcome = ended.shift()) {
        if ("opened" in outcome) return outcome.opened;
        failure = outcome.error;
        if (ending.signal.aborted || isFinal(failure)) throw failure;
      }
    }
    throw failure;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    ending.abort();
    Promise.all(attempts).then(() => closeAll(ended)).catch(reportFault);
  }
}

/** Resolves when one of them has ended or, where somebody else may begin, it has taken long. */
async function firstOf(attempts: Iterable<Promise<void>>, mayBegin: boolean): Promise<void> {
  const waiting = new AbortController();
  const late = mayBegin ? [pause(NEXT_AFTER_MS, waiting.signal)] : [];
  await Promise.race([...attempts, ...late]);
  waiting.abort();
}

async function closeAll<T extends Closable>(outcomes: readonly Outcome<T>[]): Promise<void> {
  for (const outcome of outcomes) if ("opened" in outcome) await outcome.opened.close();
}
