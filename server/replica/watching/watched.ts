/**
 * The machine of a server, with those who watch what it changes.
 *
 * @module
 */

import { Machine, type Store } from "../../../cluster/machine/mod.ts";
import { storeSource, WatchHub } from "../../../cluster/watch/mod.ts";
import { background } from "../../logging/background.ts";
import type { AgentLog } from "../../logging/log.ts";
import { nextTurn } from "../../runtime.ts";
import type { Messages } from "../segments/messages.ts";
import type { Groups } from "../groups/groups.ts";
import type { Sessions } from "../sessions/mod.ts";

/** Watches that have nothing to look at yet. */
export function newWatches(log: Pick<AgentLog, "unexpected">): WatchHub {
  return new WatchHub({
    pause: nextTurn,
    background: (work) => background(work, log),
  });
}

/** Who besides watches hears of what a machine does. */
export interface Hearers {
  readonly sessions?: Pick<Sessions, "changed">;
  readonly groups?: Pick<Groups, "changed">;
  readonly messages?: Pick<Messages, "take">;
}

/**
 * A machine on a store as it is. Watches go on with what it changes, sessions and groups hear what becomes of them, and messages go
 * where they are kept.
 */
export function watchedMachine(
  store: Store,
  watches: WatchHub,
  { sessions, groups, messages }: Hearers = {},
): Machine {
  const machine = new Machine(store, undefined, {
    changes: (changes) => watches.take(changes),
    ...sessions && { sessions: (changes) => sessions.changed(changes) },
    ...groups && { groups: (changes) => groups.changed(changes) },
    ...messages && { messages: (changes) => messages.take(changes) },
  });
  watches.begin(storeSource(store, watches.ring));
  return machine;
}
