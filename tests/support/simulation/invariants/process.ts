/**
 * What must hold of a running Memberlist and Serf at any time.
 *
 * @module
 */

import type { MemberNode } from "../../../../cluster/memberlist/mod.ts";
import type { Invariant } from "./invariant.ts";

/** What of a Memberlist is looked at. */
interface Table {
  /** How many nodes it remembers. */
  readonly numNodes: number;
  /** Those. */
  nodes(): readonly MemberNode[];
}

/**
 * No name stands twice in the table. To look takes as long as the table is long, so it is done after as many steps as it has
 * nodes: a thousandth of a thousand nodes' steps, and after each step of a single one.
 */
export function namesAreUnique(table: Table): Invariant {
  let steps = 0;
  return {
    sentence: "No name stands twice in the table of a node",
    broken: () => {
      if (++steps < table.numNodes) return undefined;
      steps = 0;
      const names = new Set<string>();
      for (const { name } of table.nodes()) {
        if (names.has(name)) return name;
        names.add(name);
      }
      return undefined;
    },
  };
}

/** What of a Serf is looked at. */
interface Figures {
  /** Figures by name. */
  stats(): Readonly<Record<string, string>>;
}

/** The clocks of intents, user events and queries. */
const CLOCKS = ["member_time", "event_time", "query_time"] as const;

/** The Lamport clocks never go back. */
export function clocksGoOn(serf: Figures): Invariant {
  const last = CLOCKS.map(() => "0");
  return {
    sentence: "The Lamport clocks of a process never go back",
    broken: () => {
      const stats = serf.stats();
      for (let i = 0; i < CLOCKS.length; i++) {
        const name = CLOCKS[i]!;
        const [before, now] = [last[i]!, stats[name]!];
        if (before === now) continue;
        if (BigInt(now) < BigInt(before)) return `${name} was ${before} and is ${now}`;
        last[i] = now;
      }
      return undefined;
    },
  };
}
