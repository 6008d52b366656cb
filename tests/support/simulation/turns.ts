/**
 * Turns of the real event loop: between two of them every promise that can go on does, however long its chain.
 *
 * @module
 */

/** Most turns that are asked for at once; so often at least test time limits and signals get through. */
const MOST_AT_ONCE = 256;

/**
 * Calls `turn` again and again until it returns something, and resolves to that. Every microtask that one call leaves
 * behind, and every one that those leave, is done before the next call. Rejects with what `turn` throws.
 *
 * A turn that is asked for together with others costs a third of sixteen `await null`, which were not enough for long
 * chains; asked for alone it costs more than twice as much as those.
 */
export function turns<T>(turn: () => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    let settle: (() => void) | undefined;
    let asked = 0;
    let left = 0;
    const next = (): void => {
      if (settle === undefined) {
        try {
          const result = turn();
          if (result !== undefined) settle = () => resolve(result);
        } catch (error) {
          settle = () => reject(error);
        }
      }
      if (--left > 0) return;
      if (settle === undefined) ask();
      else settle();
    };
    const ask = (): void => {
      asked = left = Math.min(2 * asked || 1, MOST_AT_ONCE);
      for (let i = 0; i < asked; i++) setImmediate(next);
    };
    ask();
  });
}
