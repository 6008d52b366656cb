/**
 * How much is simulated of a cluster of some size: less, the larger it is, as a message to all costs as many steps as
 * there are nodes, and losses and slow nodes make the more of them.
 *
 * @module
 */

import type { Hardship } from "./false_deaths.ts";
import type { Layer } from "./layers.ts";

/** What to measure. Times are virtual seconds. */
export interface Plan {
  /** What runs on the nodes: of whole Serfs about 7,000 fit into 16 GB. */
  readonly layer: Layer;
  /** Events, one after the other. */
  readonly events: number;
  /** Nodes to kill at the same moment. */
  readonly deaths: number;
  /** How long nothing happens, to count what that takes. */
  readonly idleSeconds: number;
  /** Under what false deaths are counted, and how long. */
  readonly hardships: readonly (Hardship & { readonly seconds: number })[];
}

/** Largest cluster of whole Serfs. */
const MOST_SERFS = 7_000;

/** The plan for `nodes` nodes. */
export function planFor(nodes: number): Plan {
  const layer = nodes <= MOST_SERFS ? "serf" : "memberlist";
  if (nodes <= 300) {
    const hardships = [loss(0.01, 1_800), loss(0.05, 1_800), loss(0.2, 600), slow(600)];
    return { layer, events: 20, deaths: 5, idleSeconds: 1_800, hardships };
  }
  if (nodes <= 2_000) {
    const hardships = [loss(0.01, 100), loss(0.05, 100), loss(0.2, 20), slow(40)];
    return { layer, events: 10, deaths: 5, idleSeconds: 60, hardships };
  }
  if (nodes <= MOST_SERFS) {
    return { layer, events: 5, deaths: 3, idleSeconds: 10, hardships: [loss(0.05, 20)] };
  }
  return { layer, events: 3, deaths: 3, idleSeconds: 5, hardships: [loss(0.05, 10)] };
}

function loss(chance: number, seconds: number) {
  return { loss: chance, slow: false, seconds };
}

function slow(seconds: number) {
  return { loss: 0, slow: true, seconds };
}
