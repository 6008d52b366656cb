/**
 * Work of an agent that nobody waits for. What goes wrong in it ends up in the agent's log, and never with the program that
 * the agent runs in.
 *
 * @module
 */

import type { AgentLog } from "./log.ts";

/** Where errors go that nobody expected. */
export type UnexpectedLog = Pick<AgentLog, "unexpected">;

/** Lets a task run that nobody waits for. */
export function background(task: Promise<unknown>, log: UnexpectedLog): void {
  task.catch((error: unknown) => log.unexpected(error));
}

/** `callback` as a timer, a socket or a process calls it. */
export function guarded<A extends readonly unknown[]>(
  callback: (...args: A) => void,
  log: UnexpectedLog,
): (...args: A) => void {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      log.unexpected(error);
    }
  };
}
