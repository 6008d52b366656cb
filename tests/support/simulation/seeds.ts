/**
 * Which seeds the scenarios run with.
 *
 * @module
 */

/** New seeds of a scenario on a CI machine: all scenarios but the costly one take some 25 s of CPU for each. */
const CI_SEEDS = 1;

/** Seeds of a scenario. */
export interface Seeds {
  /** Those of every run. */
  readonly fixed: readonly number[];
  /** Those of this run alone. */
  readonly fresh: readonly number[];
}

/**
 * Seed 1 and those with which the scenario failed before; besides them as many new ones as `SKEIN_NEW_SEEDS` says, by default
 * one on a CI machine (`CI` is set) and none elsewhere. `SKEIN_SEED` takes the place of all of them.
 *
 * @param env reads a variable of the environment
 * @throws {Error} when one of the variables is no whole number
 */
export function chosenSeeds(
  { seeds = [], costly = false }: { readonly seeds?: readonly number[]; readonly costly?: boolean },
  env: (name: string) => string | undefined,
): Seeds {
  const only = wholeNumber("SKEIN_SEED", env);
  if (only !== undefined) return { fixed: [only], fresh: [] };
  const usual = env("CI") && !costly ? CI_SEEDS : 0;
  const count = wholeNumber("SKEIN_NEW_SEEDS", env) ?? usual;
  return { fixed: [1, ...seeds], fresh: [...crypto.getRandomValues(new Uint32Array(count))] };
}

function wholeNumber(
  name: string,
  env: (name: string) => string | undefined,
): number | undefined {
  const text = env(name);
  if (!text) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) {
    throw new Error(`${name} is '${text}', not a whole number`);
  }
  return value;
}
