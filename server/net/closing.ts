/**
 * Closing many things, all of them, also when one fails.
 *
 * @module
 */

/**
 * Takes each step after the one before, also after one that failed.
 *
 * Rejects with the error of the step that failed; with an `AggregateError` when several did.
 */
export async function closeInOrder(steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  throwGathered(errors);
}

/** Takes all steps at once and waits for the last one. Rejects as {@linkcode closeInOrder}. */
export async function closeTogether(steps: readonly (() => unknown)[]): Promise<void> {
  const ends = await Promise.allSettled(steps.map(async (step) => void await step()));
  throwGathered(ends.flatMap((end) => end.status === "rejected" ? [end.reason] : []));
}

function throwGathered(errors: readonly unknown[]): void {
  if (errors.length === 0) return;
  if (errors.length === 1) throw errors[0];
  throw new AggregateError(errors, `${errors.length} things could not be closed`);
}
