/**
 * A machine in memory and what tests do with it.
 *
 * @module
 */

import { dump, type DumpSummary } from "../../../cluster/machine/dump.ts";
import { resolvePath, textOfValue } from "../../../cluster/machine/kv/mod.ts";
import { Loader } from "../../../cluster/machine/load.ts";
import type { LogEntry, Machine } from "../../../cluster/machine/machine.ts";
import type { Result } from "../../../cluster/machine/result.ts";
import type { Store } from "../../../cluster/machine/store/store.ts";

/** The leader's clock at the first entry of {@linkcode entriesOf}. */
export const START_TIME = 1_700_000_000_000;

/** Entries with these commands from `index` on, a millisecond apart. */
export function entriesOf(commands: readonly Uint8Array[], index = 1): LogEntry[] {
  return commands.map((data, i) => ({
    index: index + i,
    type: "command",
    time: START_TIME + index + i,
    data,
  }));
}

/** Applies commands after what a machine has applied, as one batch, and shows their results. */
export function applied(machine: Machine, ...commands: Uint8Array[]): string[] {
  return machine.apply(entriesOf(commands, machine.context.index + 1)).map(shown);
}

/** The path of a key in the default namespace, which must be right. */
export function path(key: string): Uint8Array {
  const found = resolvePath(key);
  if (found instanceof Uint8Array) return found;
  throw new Error(`Expected a right key, got '${key}': ${found.reason}`);
}

/** The text of a value, which must be right. */
export function json(value: unknown): Uint8Array {
  const text = textOfValue(value);
  if (text instanceof Uint8Array) return text;
  throw new Error(`Expected a right value: ${text.reason}`);
}

/** A result on one line: `"OK" rev 3` or `409 CONDITION_FAILED rev 2`. */
export function shown(result: Result | undefined): string {
  if (result === undefined) return "nothing";
  const rev = result.rev === undefined ? "" : ` rev ${result.rev}`;
  if (result.ok) return new TextDecoder().decode(result.body) + rev;
  return `${result.code} ${result.reason}${result.field ? ` (${result.field})` : ""}${rev}`;
}

/** The dump of a store, whole, with what is known of it. */
export function dumped(store: Store): { bytes: Uint8Array; summary: DumpSummary } {
  const view = store.view();
  const blocks: Uint8Array[] = [];
  const steps = dump(view);
  let step = steps.next();
  for (; !step.done; step = steps.next()) blocks.push(step.value);
  view.close();
  const bytes = new Uint8Array(step.value.size);
  let at = 0;
  for (const block of blocks) {
    bytes.set(block, at);
    at += block.length;
  }
  return { bytes, summary: step.value };
}

/** Loads a dump into a store in pieces of `pieceBytes`. */
export function load(
  store: Store,
  { bytes, summary }: { bytes: Uint8Array; summary: DumpSummary },
  pieceBytes = bytes.length,
): void {
  const loader = new Loader(store, summary);
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      loader.push(bytes.subarray(at, at + pieceBytes));
    }
    loader.finish();
  } catch (error) {
    loader.abort();
    throw error;
  }
}
