/**
 * Which watches a change is for, found in as many steps as its path has segments, however many watches there are.
 *
 * @module
 */

/** What is watched: one node, or all from it on. */
export interface Place {
  /** The text of the path; "" is above all others. */
  readonly path: string;
  /** All below the node, too. */
  readonly tree: boolean;
}

/** Watches by what they watch. */
export class WatchIndex<W extends Place> {
  readonly #nodes = new Map<string, Set<W>>();
  readonly #trees = new Map<string, Set<W>>();

  /** Adds one. */
  add(watch: W): void {
    const sets = watch.tree ? this.#trees : this.#nodes;
    const set = sets.get(watch.path);
    if (set === undefined) sets.set(watch.path, new Set([watch]));
    else set.add(watch);
  }

  /** Takes one away. */
  remove(watch: W): void {
    const sets = watch.tree ? this.#trees : this.#nodes;
    const set = sets.get(watch.path);
    if (set?.delete(watch) && set.size === 0) sets.delete(watch.path);
  }

  /** Shows all that a change of the node at `path` is for. They may be taken away meanwhile. */
  visit(path: string, visit: (watch: W) => void): void {
    this.#nodes.get(path)?.forEach(visit);
    if (this.#trees.size === 0) return;
    for (let node = path; node !== ""; node = node.slice(0, Math.max(0, node.lastIndexOf("^")))) {
      this.#trees.get(node)?.forEach(visit);
    }
    this.#trees.get("")?.forEach(visit);
  }

  /** What is watched, each place once. */
  places(): Place[] {
    return [
      ...Array.from(this.#nodes.keys(), (path) => ({ path, tree: false })),
      ...Array.from(this.#trees.keys(), (path) => ({ path, tree: true })),
    ];
  }
}
