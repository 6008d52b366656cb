/**
 * How far a long command is, for a person who waits at a terminal.
 *
 * @module
 */

import type { RpcClient } from "../../client/mod.ts";
import type { Terminal } from "./terminal.ts";

/** A status that is kept up to date until it is disposed of. */
export interface Progress extends Disposable {
  /** Shows `text` from now on, followed by the time since the start. */
  update(text: string): void;
}

/** How often the time is shown anew, in milliseconds. */
const TICK_MS = 500;

/** The wait, in milliseconds, before anything is shown: what is quick needs no progress. */
const DELAY_MS = 200;

/**
 * Shows `text` and the time since now below the output of a command. Does nothing when nobody sees it or when `quiet`,
 * as for JSON.
 */
export function showProgress(terminal: Terminal, text: string, quiet: boolean): Progress {
  if (quiet || !terminal.interactive) return { update() {}, [Symbol.dispose]() {} };
  const start = performance.now();
  let shown = text;
  const draw = () => {
    const elapsed = performance.now() - start;
    if (elapsed >= DELAY_MS) terminal.status(`${shown} (${(elapsed / 1000).toFixed(1)} s)`);
  };
  const timers = [setTimeout(draw, DELAY_MS), setInterval(draw, TICK_MS)];
  return {
    update(next) {
      shown = next;
      draw();
    },
    [Symbol.dispose]() {
      timers.forEach(clearTimeout);
      terminal.status(undefined);
    },
  };
}

/**
 * The names of the members that are alive, to count against; asked for only when somebody sees the progress.
 *
 * @returns `undefined` when nobody does or the agent cannot tell.
 */
export async function aliveMembers(
  client: RpcClient,
  terminal: Terminal,
  quiet: boolean,
): Promise<ReadonlySet<string> | undefined> {
  if (quiet || !terminal.interactive) return undefined;
  try {
    const members = await client.members();
    return new Set(members.filter(({ status }) => status === "alive").map(({ name }) => name));
  } catch {
    // Whatever keeps the agent from telling, the command itself will meet it and say so.
    return undefined;
  }
}
