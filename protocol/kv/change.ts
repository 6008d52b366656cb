/**
 * The pushes of a watch.
 *
 *     {"push":"change","watch":3,"key":"a^b","kind":"set","created":false,"value":1,"old":0,"rev":8}
 *     {"push":"changes","watch":3,"changes":[{"key":"a^b","kind":"del"}],"rev":9}
 *     {"push":"synced","watch":3,"rev":8}
 *     {"push":"ended","watch":3,"code":410,"reason":"REVISION_GONE"}
 *     {"push":"missed"}
 *     {"push":"overflow"}
 *
 * What stands behind the number of the watch is put together once for all that get it.
 *
 * @module
 */

import { concatBytes } from "../bytes.ts";
import type { Problem } from "./problem.ts";

const encoder = new TextEncoder();
const END = encoder.encode("}\n");
const MORE = encoder.encode(',"more":true}\n');
const COMMA = encoder.encode(",");
const OPEN = encoder.encode(',"changes":[');

/** What a watch pushes. */
export type WatchPush = "change" | "changes" | "synced" | "ended";

/** What stands before the number of the watch. */
export const PUSH_HEADS: Readonly<Record<WatchPush, Uint8Array>> = {
  change: encoder.encode('{"push":"change","watch":'),
  changes: encoder.encode('{"push":"changes","watch":'),
  synced: encoder.encode('{"push":"synced","watch":'),
  ended: encoder.encode('{"push":"ended","watch":'),
};

/** The push that says that those of all watches of a session were too many to be kept ... */
export const OVERFLOW: Uint8Array = encoder.encode('{"push":"overflow"}');

/** ... and the one that stands in the place of each of them, before it. */
export const MISSED: Uint8Array = encoder.encode('{"push":"missed"}');

/** A push as one text without the end of its line; `rest` is what stands behind the number of the watch. */
export function pushText(push: WatchPush, watch: number, rest: Uint8Array): Uint8Array {
  return concatBytes([PUSH_HEADS[push], encoder.encode(String(watch)), rest.subarray(0, -1)]);
}

/** A change of one node. */
export interface TellableChange {
  /** The text of the path. */
  readonly path: string;
  /** What has become of the value. */
  readonly kind: "set" | "del" | "expire";
  /** The JSON text of the value; for `set`. */
  readonly text: Uint8Array;
  /** That of the value before, if there was one. */
  readonly before: Uint8Array | undefined;
  /** The revision. */
  readonly rev: number;
}

/** How a change is told. */
export interface ChangeForm {
  /** The value before, too. */
  readonly old: boolean;
  /** Another change of the same revision follows for the same watch. */
  readonly more: boolean;
}

/** What stands behind the number of the watch in a `change`. */
export function changeRest(change: TellableChange, { old, more }: ChangeForm): Uint8Array {
  const rev = encoder.encode(`,"rev":${change.rev}`);
  return concatBytes([COMMA, membersOf(change, old), rev, more ? MORE : END]);
}

/** The same in `changes`, which are all of one revision. */
export function changesRest(
  changes: readonly TellableChange[],
  old: boolean,
): Uint8Array {
  const parts: Uint8Array[] = [OPEN];
  for (const change of changes) {
    const start = parts.length === 1 ? "{" : ",{";
    parts.push(encoder.encode(start), membersOf(change, old), encoder.encode("}"));
  }
  parts.push(encoder.encode(`],"rev":${changes[0]?.rev}}\n`));
  return concatBytes(parts);
}

/** The same in a `change` that tells a value which is there when the watch begins. */
export function initialRest(path: string, text: Uint8Array, rev: number): Uint8Array {
  const head = `,"key":${JSON.stringify(path)},"kind":"set","initial":true,"value":`;
  return concatBytes([encoder.encode(head), text, encoder.encode(`,"rev":${rev}}\n`)]);
}

/** The same in `synced`: all that was there at this revision is told. */
export function syncedRest(rev: number): Uint8Array {
  return encoder.encode(`,"rev":${rev}}\n`);
}

/** The same in `ended`. */
export function endedRest({ code, reason }: Problem): Uint8Array {
  return encoder.encode(`,"code":${code},"reason":"${reason}"}\n`);
}

function membersOf({ path, kind, text, before }: TellableChange, old: boolean): Uint8Array {
  const key = `"key":${JSON.stringify(path)},"kind":"${kind}"`;
  const parts: Uint8Array[] = [];
  if (kind === "set") {
    parts.push(encoder.encode(`${key},"created":${before === undefined},"value":`), text);
  } else parts.push(encoder.encode(key));
  if (old && before !== undefined) parts.push(OLD, before);
  return concatBytes(parts);
}

const OLD = encoder.encode(',"old":');
