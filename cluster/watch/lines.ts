/**
 * Lines of changes, put together once for all watches that tell them.
 *
 * @module
 */

import { changeRest, changesRest } from "../../protocol/kv/change.ts";
import type { NodeChange } from "../machine/mod.ts";
import { tellable } from "./watch.ts";

/** What a watch tells of a change. */
export interface Form {
  readonly old: boolean;
  readonly coalesce: boolean;
}

/** Bytes of lines that are kept for the next watch. */
const MAX_KEPT_BYTES = 1024 * 1024;

/** The lines of the last changes. */
export class Lines {
  readonly #kept = new Map<string, Uint8Array>();
  #bytes = 0;

  /** What is told of a change that `place` names; `more` of its revision follow. */
  of(place: number, change: NodeChange, { old, coalesce }: Form, more: boolean): Uint8Array {
    const name = `${place} ${old ? 1 : 0}${coalesce ? 1 : 0}${more ? 1 : 0}`;
    const known = this.#kept.get(name);
    if (known !== undefined) return known;
    const told = tellable(change);
    const line = coalesce ? changesRest([told], old) : changeRest(told, { old, more });
    if (this.#bytes + line.length > MAX_KEPT_BYTES) this.clear();
    this.#kept.set(name, line);
    this.#bytes += line.length;
    return line;
  }

  /** Forgets all: places name other changes from now on. */
  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }
}
