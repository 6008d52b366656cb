/**
 * What a gateway asks servers to tell it, for all that its clients watch.
 *
 * @module
 */

import type { Place } from "../../../cluster/watch/mod.ts";
import { MAX_PLACES } from "../watching/fetch_codec.ts";

/** Characters of all paths in one question; each fetch has them. */
export const MAX_CHARACTERS = 8 * 1024;

const ALL: readonly Place[] = [{ path: "", tree: true }];

/** As many places as are watched or, when those are too many, the namespaces that they are in, or all there is. */
export function placesToAsk(watched: readonly Place[]): readonly Place[] {
  return few(watched) ?? few(namespacesOf(watched)) ?? ALL;
}

/** Whether all changes of a place are among those of others. */
export function covers(places: readonly Place[], { path, tree }: Place): boolean {
  return places.some((other) =>
    other.path === path
      ? other.tree || !tree
      : other.tree && (other.path === "" || path.startsWith(`${other.path}^`))
  );
}

function namespacesOf(watched: readonly Place[]): readonly Place[] {
  return watched.map(({ path }) => ({ path: path.split("^", 1)[0] as string, tree: true }));
}

/** The different places among some, `undefined` when they are too many. */
function few(watched: readonly Place[]): readonly Place[] | undefined {
  const places = new Map<string, Place>();
  let characters = 0;
  for (const { path, tree } of watched) {
    const name = `${tree} ${path}`;
    if (places.has(name)) continue;
    characters += path.length;
    if (places.size === MAX_PLACES || characters > MAX_CHARACTERS) return undefined;
    places.set(name, { path, tree });
  }
  return [...places.values()];
}
