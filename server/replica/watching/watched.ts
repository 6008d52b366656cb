/**
 * The machine of a server, with those who watch what it changes.
 *
 * @module
 */

import { Machine, type Store } from "../../../cluster/machine/mod.ts";
import type { Clock } from "../../../cluster/runtime.ts";
import { WatchHub } from "../../../cluster/watch/mod.ts";
import { background } from "../../logging/background.ts";
import type { AgentLog } from "../../logging/log.ts";
import { nextTurn } from "../../runtime.ts";
import type { Sessions } from "../sessions/mod.ts";

/** Watches of a server that has no machine yet. */
export function newWatches(clock: Clock, log: Pick<AgentLog, "unexpected">): WatchHub {
  return new WatchHub({
    now: () => clock.now(),
    pause: nextTurn,
    background: (work) => background(work, log),
  });
}

/** A machine on a store as it is. Watches go on with what it changes, and sessions hear what becomes of them. */
export function watchedMachine(
  store: Store,
  watches: WatchHub,
  sessions?: Pick<Sessions, "changed">,
): Machine {
  const machine = new Machine(store, undefined, {
    changes: (changes) => watches.take(changes),
    ...sessions && { sessions: (changes) => sessions.changed(changes) },
  });
  watches.begin(store);
  return machine;
}
