/**
 * What `kv` must do, in the plainest way: a map from canonical path to value.
 *
 * @module
 */

import {
  deleteCommand,
  type DeleteOptions,
  existsQuestion,
  getQuestion,
  incrementCommand,
  setCommand,
  type SetOptions,
} from "../../../cluster/machine/kv/mod.ts";
import type { Machine } from "../../../cluster/machine/machine.ts";
import { below } from "../random_value.ts";
import type { SeededRandom } from "../simulation/random.ts";
import { json, path, shown } from "./fixture.ts";

/** One command with its result by the model. */
export interface Expected {
  readonly command: Uint8Array;
  /** As {@linkcode shown} shows it. */
  readonly result: string;
}

/** Values that commands are about. */
const VALUES = [0, 7, -3, Number.MAX_SAFE_INTEGER, 1.5, "", "bar", "é", null, true, [1], { a: 1 }];

/** The naive `kv`. */
export class KvModel {
  readonly #nodes = new Map<string, { rev: number; value: unknown }>();
  #rev = 0;

  /** A random command, and what comes of it. */
  next(random: SeededRandom, paths: readonly string[]): Expected {
    const at = paths[below(random, paths.length)] as string;
    const rev = this.#nodes.get(at)?.rev ?? 0;
    const ifRev = random.float() < 0.2
      ? { ifRev: random.float() < 0.7 ? rev : below(random, 50) }
      : {};
    const chance = (odds: number) => random.float() < odds;
    const kind = random.float();
    if (kind < 0.5) {
      const options = { nx: chance(0.1), xx: chance(0.1), get: chance(0.2), ...ifRev };
      const value = VALUES[below(random, VALUES.length)];
      return {
        command: setCommand(path(`^${at}`), json(value), options),
        result: this.#set(at, value, options),
      };
    }
    if (kind < 0.75) {
      const options = { tree: chance(0.3), ifExists: chance(0.3), ...ifRev };
      return { command: deleteCommand(path(`^${at}`), options), result: this.#del(at, options) };
    }
    const by = chance(0.1) ? -Number.MAX_SAFE_INTEGER : below(random, 9) - 4;
    return { command: incrementCommand(path(`^${at}`), by), result: this.#increment(at, by) };
  }

  /** What a machine answers otherwise than the model, as lines. */
  differences(machine: Machine, paths: readonly string[]): string[] {
    return paths.flatMap((at) => {
      const node = this.#nodes.get(at);
      const children = this.#below(at).length > 0;
      const wanted = [
        node ? `${JSON.stringify(node.value)} rev ${node.rev}` : "404 KEY_NOT_FOUND",
        `${JSON.stringify({ value: node !== undefined, children })} rev 0`,
      ];
      const got = [
        shown(machine.query(getQuestion(path(`^${at}`)))),
        shown(machine.query(existsQuestion(path(`^${at}`)))),
      ];
      return wanted.join() === got.join() ? [] : [`${at}: wanted ${wanted}, got ${got}`];
    });
  }

  #set(at: string, value: unknown, { nx, xx, ifRev, get }: SetOptions): string {
    const node = this.#nodes.get(at);
    if (nx && xx) return "422 INVALID (nx)";
    const rev = node?.rev ?? 0;
    if ((nx && node) || (xx && !node) || (ifRev !== undefined && ifRev !== rev)) {
      return `409 CONDITION_FAILED rev ${rev}`;
    }
    const result = get ? JSON.stringify(node?.value ?? null) : '"OK"';
    return `${result} rev ${this.#put(at, value)}`;
  }

  #del(at: string, { tree, ifExists, ifRev }: DeleteOptions): string {
    const node = this.#nodes.get(at);
    const gone = [...node ? [at] : [], ...tree ? this.#below(at) : []];
    if (gone.length === 0) return ifExists ? `0 rev ${this.#rev}` : "404 KEY_NOT_FOUND";
    const rev = node?.rev ?? 0;
    if (ifRev !== undefined && ifRev !== rev) return `409 CONDITION_FAILED rev ${rev}`;
    for (const each of gone) this.#nodes.delete(each);
    return `${gone.length} rev ${++this.#rev}`;
  }

  #increment(at: string, by: number): string {
    const value = this.#nodes.has(at) ? this.#nodes.get(at)?.value : 0;
    if (!Number.isSafeInteger(value)) return "409 NOT_INTEGER";
    const sum = BigInt(value as number) + BigInt(by);
    if (sum !== BigInt.asIntN(54, sum) || !Number.isSafeInteger(Number(sum))) return "409 OVERFLOW";
    return `${sum} rev ${this.#put(at, Number(sum))}`;
  }

  #put(at: string, value: unknown): number {
    this.#nodes.set(at, { rev: ++this.#rev, value });
    return this.#rev;
  }

  #below(at: string): string[] {
    return [...this.#nodes.keys()].filter((each) => each.startsWith(`${at}^`));
  }
}

/** Paths of which some are above, below and beside each other. */
export function randomPaths(random: SeededRandom): string[] {
  const names = ["a", "ab", "b", "é", "a b"];
  return Array.from(
    { length: 5 + below(random, 40) },
    () => Array.from({ length: 1 + below(random, 4) }, () => names[below(random, 5)]).join("^"),
  );
}
