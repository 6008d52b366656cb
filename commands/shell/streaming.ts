/**
 * Commands that run until Ctrl-C, or until the agent goes away.
 *
 * @module
 */

import { ConnectionClosedError, type RecordStream } from "../../client/mod.ts";
import type { Terminal } from "./terminal.ts";

/** A wait for Ctrl-C that can be given up. */
export interface Interruption extends Disposable {
  /** Resolves at the first signal ... */
  readonly promise: Promise<"interrupted">;
  /** ... and this fires. */
  readonly signal: AbortSignal;
}

/** What ends a command that has to finish something first: Ctrl-C, and what ends services. */
export const ENDING: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** Waits for one of the signals. From the first on, and when it is disposed of, they end the process as usual. */
export function interruption(signals: readonly Deno.Signal[] = ["SIGINT"]): Interruption {
  const { promise, resolve } = Promise.withResolvers<"interrupted">();
  const over = new AbortController();
  const dispose = () => signals.forEach((signal) => Deno.removeSignalListener(signal, onSignal));
  const onSignal = () => {
    dispose();
    over.abort();
    resolve("interrupted");
  };
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
  return { promise, signal: over.signal, [Symbol.dispose]: dispose };
}

/** Why a stream gives no more: its connection ended, it was stopped, or nobody reads the output. */
export type StreamEnd = "lost" | "stopped" | "unread";

/** A note, for standard error, beside results that Serf prints as if they were all. */
export const GONE = "The agent went away before the end, so there may be more";

/** Handles one record after the other until the stream ends or nobody reads the output. */
export async function consume<T>(
  records: AsyncIterable<T>,
  handle: (record: T) => Promise<void>,
  terminal: Terminal,
): Promise<StreamEnd> {
  try {
    for await (const record of records) {
      await handle(record);
      if (terminal.broken) return "unread";
    }
    return "stopped";
  } catch (error) {
    if (error instanceof ConnectionClosedError) return "lost";
    throw error;
  }
}

/** How long Ctrl-C waits for an agent that does not answer, for each stream. */
const STOP_TIMEOUT_MS = 1000;

/** Stops a stream of a process that is about to end. */
export async function stopQuietly(records: RecordStream<unknown>): Promise<void> {
  try {
    await records.stop({ timeoutMs: STOP_TIMEOUT_MS });
  } catch {
    // The process ends anyway, and the connection with it.
  }
}
