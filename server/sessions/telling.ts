/**
 * What a client is told of what its session watches: as much as the token of its connection may read now. The watch may have begun
 * under another one.
 *
 * @module
 */

import { MISSED } from "../../protocol/kv/change.ts";
import type { Asker } from "./work.ts";

/** What is read of a push: the nodes that it is about. */
interface Told {
  readonly key?: string;
  readonly changes?: readonly { readonly key: string }[];
}

const decoder = new TextDecoder();

/** A push, or one that says nothing in its place when it is about a node that may not be read. */
export function tellable(push: Uint8Array, { access, entry }: Asker): Uint8Array {
  if (access === undefined || entry?.rights.read.some(({ length }) => length === 0)) return push;
  const { key, changes = [] }: Told = JSON.parse(decoder.decode(push));
  const keys = key === undefined ? changes.map((change) => change.key) : [key];
  const client = { use: "", ...entry && { entry } };
  const isRefused = (key: string): boolean => {
    return access.refusal("GET", { action: "GET", key: `^${key}` }, client) !== undefined;
  };
  return keys.some(isRefused) ? MISSED : push;
}
