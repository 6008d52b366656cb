/**
 * What `kv` must do, in the plainest way: a map from canonical path to value.
 *
 * @module
 */

import {
  type Condition,
  deleteCommand,
  type DeleteOptions,
  existsQuestion,
  expireCommand,
  getManyQuestion,
  getQuestion,
  incrementCommand,
  persistCommand,
  setCommand,
  setManyCommand,
  type SetOptions,
  type Step,
  sweepCommand,
  transactionCommand,
  ttlQuestion,
} from "../../../cluster/machine/kv/mod.ts";
import type { Machine } from "../../../cluster/machine/machine.ts";
import { written } from "../../../protocol/msgpack/mod.ts";
import { below } from "../random_value.ts";
import type { SeededRandom } from "../simulation/random.ts";
import { json, path, shown, START_TIME } from "./fixture.ts";

/** One command with its result by the model. */
export interface Expected {
  readonly command: Uint8Array;
  /** As {@linkcode shown} shows it. */
  readonly result: string;
}

/** What a value is, when it was set, and when it goes. */
interface Node {
  readonly rev: number;
  readonly value: unknown;
  readonly due: number | undefined;
}

/** The text of a result, or a failure as it is shown. */
type Outcome = { readonly body: string } | { readonly failure: string; readonly rest?: string };

/** Something to do, and the doing of the model, which may come later. */
interface Deed {
  readonly bytes: Uint8Array;
  readonly kind: Step["kind"];
  readonly perform: () => Outcome;
}

/** Values that commands are about. */
const VALUES = [0, 7, -3, Number.MAX_SAFE_INTEGER, 1.5, "", "bar", "é", null, true, [1], { a: 1 }];

const MISSING: Outcome = { failure: "404 KEY_NOT_FOUND" };

/** The naive `kv`. */
export class KvModel {
  #nodes = new Map<string, Node>();
  #rev = 0;
  #hasChanged = false;
  /** Entries are a millisecond apart, as those of the fixture are. */
  #time = START_TIME;
  readonly #random: SeededRandom;
  readonly #paths: readonly string[];

  /** Commands are about these paths. */
  constructor(random: SeededRandom, paths: readonly string[]) {
    this.#random = random;
    this.#paths = paths;
  }

  /** A random command for the next entry, and what comes of it. */
  next(): Expected {
    this.#time++;
    const { bytes, perform } = this.#anyDeed();
    this.#hasChanged = false;
    const outcome = perform();
    const result = "body" in outcome
      ? `${outcome.body} rev ${this.#rev}`
      : outcome.failure + (outcome.rest ?? "");
    return { command: bytes, result };
  }

  /** What a machine answers otherwise than the model, as lines. */
  differences(machine: Machine): string[] {
    const all = shown(machine.query(getManyQuestion(this.#paths.map((at) => path(`^${at}`)))));
    const values = this.#paths.map((at) => this.#nodes.get(at)?.value ?? null);
    const wrong = all === `${JSON.stringify(values)} rev ${this.#rev}`
      ? []
      : [`All of it is ${all}`];
    return wrong.concat(this.#paths.flatMap((at) => {
      const node = this.#nodes.get(at);
      const children = this.#below(at).length > 0;
      const wanted = [
        node ? `${JSON.stringify(node.value)} rev ${node.rev}` : "404 KEY_NOT_FOUND",
        `${JSON.stringify({ value: node !== undefined, children })} rev 0`,
        node ? `${this.#left(node)} rev 0` : "404 KEY_NOT_FOUND",
        node?.due === undefined ? undefined : this.#left(node),
      ];
      const got = machine.query(getQuestion(path(`^${at}`)));
      const answers = [
        shown(got),
        shown(machine.query(existsQuestion(path(`^${at}`)))),
        shown(machine.query(ttlQuestion(path(`^${at}`)))),
        got.ok ? got.ttlMs : undefined,
      ];
      return wanted.join() === answers.join() ? [] : [`${at}: wanted ${wanted}, got ${answers}`];
    }));
  }

  /** When values go, the first ones first. */
  get dues(): number[] {
    return [...this.#nodes.values()].flatMap(({ due }) => due ?? []).sort((a, b) => a - b);
  }

  #anyDeed(): Deed {
    const kind = this.#random.float();
    if (kind < 0.08) {
      const from = this.#chance(0.8) ? 0 : this.#time - below(this.#random, 40);
      return { bytes: sweepCommand(from), kind: "command", perform: () => this.#sweep(from) };
    }
    if (kind < 0.15) return this.#anySetMany();
    if (kind < 0.27) return this.#anyTransaction();
    return this.#anyStep(true);
  }

  /** A change of one node; of all below it as well if that may be. */
  #anyStep(mayBeTree: boolean): Deed {
    const at = this.#anyPath();
    const key = path(`^${at}`);
    const kind = this.#random.float();
    const command = (bytes: Uint8Array, perform: () => Outcome): Deed => {
      return { bytes, kind: "command", perform };
    };
    if (kind < 0.5) return this.#anySet(at, key);
    if (kind < 0.7) {
      const options = {
        tree: mayBeTree && this.#chance(0.3),
        ifExists: this.#chance(0.3),
        ...this.#anyIfRev(at),
      };
      return command(deleteCommand(key, options), () => this.#del(at, options));
    }
    if (kind < 0.85) {
      const by = this.#chance(0.1) ? -Number.MAX_SAFE_INTEGER : below(this.#random, 9) - 4;
      const ttl = this.#chance(0.3) ? this.#anyTtl() : undefined;
      return command(incrementCommand(key, by, ttl), () => this.#increment(at, by, ttl));
    }
    if (kind < 0.95) {
      const ttl = this.#anyTtl();
      return command(expireCommand(key, ttl), () => this.#expire(at, ttl));
    }
    return command(persistCommand(key), () => this.#persist(at));
  }

  #anySet(at: string, key: Uint8Array): Deed {
    const ttlMs = this.#chance(0.4) ? this.#anyTtl() : undefined;
    const options = {
      nx: this.#chance(0.1),
      xx: this.#chance(0.1),
      get: this.#chance(0.2),
      keepTtl: this.#chance(ttlMs === undefined ? 0.3 : 0.05),
      ...ttlMs !== undefined && { ttlMs },
      ...this.#anyIfRev(at),
    };
    const value = this.#anyValue();
    const bytes = setCommand(key, json(value), options);
    return { bytes, kind: "command", perform: () => this.#set(at, value, options) };
  }

  #anySetMany(): Deed {
    const items = Array.from({ length: 1 + below(this.#random, 5) }, () => ({
      at: this.#anyPath(),
      value: this.#anyValue(),
      ttlMs: this.#chance(0.4) ? this.#anyTtl() : undefined,
    }));
    const bytes = setManyCommand(
      items.map(({ at, value, ttlMs }) => ({ path: path(`^${at}`), text: json(value), ttlMs })),
    );
    const perform = (): Outcome => {
      for (const { at, value, ttlMs } of items) this.#put(at, value, this.#after(ttlMs));
      return { body: '"OK"' };
    };
    return { bytes, kind: "command", perform };
  }

  #anyTransaction(): Deed {
    const tests = Array.from({ length: below(this.#random, 3) }, () => this.#anyCondition());
    const deeds = () => Array.from({ length: below(this.#random, 4) }, () => this.#anyDeedOfOne());
    const [then, otherwise] = [deeds(), deeds()];
    const bytes = transactionCommand({
      conditions: tests.map(({ condition }) => condition),
      then,
      otherwise,
    });
    const perform = (): Outcome => {
      const succeeded = tests.every(({ holds }) => holds());
      const [nodes, rev] = [new Map(this.#nodes), this.#rev];
      const results: string[] = [];
      for (const deed of succeeded ? then : otherwise) {
        const outcome = deed.perform();
        if ("failure" in outcome && outcome !== MISSING) {
          [this.#nodes, this.#rev] = [nodes, rev];
          const failure = outcome.failure.replace(/ \(\w+\)$/, "");
          const isUndone = Number(outcome.rest?.replace(" rev ", "")) > rev;
          return {
            failure: `${failure} (${succeeded ? "then" : "else"})`,
            ...!isUndone && outcome.rest !== undefined && { rest: outcome.rest },
          };
        }
        results.push("body" in outcome ? outcome.body : "null");
      }
      return { body: `{"succeeded":${succeeded},"results":[${results.join()}]}` };
    };
    return { bytes, kind: "command", perform };
  }

  #anyDeedOfOne(): Deed {
    if (this.#chance(0.7)) return this.#anyStep(false);
    const at = this.#anyPath();
    const key = path(`^${at}`);
    const asked = (bytes: Uint8Array, tell: (node: Node) => string): Deed => {
      const perform = (): Outcome => {
        const node = this.#nodes.get(at);
        return node === undefined ? MISSING : { body: tell(node) };
      };
      return { bytes, kind: "question", perform };
    };
    return this.#chance(0.7)
      ? asked(getQuestion(key), ({ value }) => JSON.stringify(value))
      : asked(ttlQuestion(key), (node) => String(this.#left(node)));
  }

  #anyCondition(): { condition: Condition; holds: () => boolean } {
    const at = this.#anyPath();
    const key = path(`^${at}`);
    const kind = this.#random.float();
    if (kind < 0.3) {
      const exists = this.#chance(0.6);
      return { condition: { path: key, exists }, holds: () => this.#nodes.has(at) === exists };
    }
    if (kind < 0.7) {
      const rev = this.#chance(0.8) ? this.#nodes.get(at)?.rev ?? 0 : below(this.#random, 50);
      const holds = () => (this.#nodes.get(at)?.rev ?? 0) === rev;
      return { condition: { path: key, rev }, holds };
    }
    const value = this.#chance(0.8) ? this.#nodes.get(at)?.value ?? null : this.#anyValue();
    const holds = () => {
      const node = this.#nodes.get(at);
      return node !== undefined && JSON.stringify(node.value) === JSON.stringify(value);
    };
    return { condition: { path: key, text: json(value) }, holds };
  }

  #set(
    at: string,
    value: unknown,
    { nx, xx, ifRev, get, ttlMs, keepTtl }: SetOptions,
  ): Outcome {
    const node = this.#nodes.get(at);
    if (nx && xx) return { failure: "422 INVALID (nx)" };
    if (ttlMs !== undefined && keepTtl) return { failure: "422 INVALID (keep_ttl)" };
    const rev = node?.rev ?? 0;
    if ((nx && node) || (xx && !node) || (ifRev !== undefined && ifRev !== rev)) {
      return { failure: "409 CONDITION_FAILED", rest: ` rev ${rev}` };
    }
    this.#put(at, value, keepTtl ? node?.due : this.#after(ttlMs));
    return { body: get ? JSON.stringify(node?.value ?? null) : '"OK"' };
  }

  #del(at: string, { tree, ifExists, ifRev }: DeleteOptions): Outcome {
    const node = this.#nodes.get(at);
    const gone = [...node ? [at] : [], ...tree ? this.#below(at) : []];
    if (gone.length === 0) return ifExists ? { body: "0" } : MISSING;
    const rev = node?.rev ?? 0;
    if (ifRev !== undefined && ifRev !== rev) {
      return { failure: "409 CONDITION_FAILED", rest: ` rev ${rev}` };
    }
    for (const each of gone) this.#nodes.delete(each);
    this.#revise();
    return { body: `${gone.length}` };
  }

  #increment(at: string, by: number, ttl: number | undefined): Outcome {
    const node = this.#nodes.get(at);
    const value = node === undefined ? 0 : node.value;
    if (!Number.isSafeInteger(value)) return { failure: "409 NOT_INTEGER" };
    const sum = BigInt(value as number) + BigInt(by);
    if (sum !== BigInt.asIntN(54, sum) || !Number.isSafeInteger(Number(sum))) {
      return { failure: "409 OVERFLOW" };
    }
    this.#put(at, Number(sum), this.#after(ttl) ?? node?.due);
    return { body: `${sum}` };
  }

  #expire(at: string, ttl: number): Outcome {
    const node = this.#nodes.get(at);
    if (node === undefined) return MISSING;
    this.#revise();
    this.#nodes.set(at, { ...node, due: this.#after(ttl) });
    return { body: '"OK"' };
  }

  #persist(at: string): Outcome {
    const node = this.#nodes.get(at);
    if (node?.due === undefined) return node === undefined ? MISSING : { body: "false" };
    this.#revise();
    this.#nodes.set(at, { ...node, due: undefined });
    return { body: "true" };
  }

  #sweep(from: number): Outcome {
    const due = [...this.#nodes].filter(([, { due = -1 }]) => due >= from && due <= this.#time);
    if (due.length > 0) this.#revise();
    for (const [at] of due) this.#nodes.delete(at);
    const body = written("rpc", (writer) => {
      writer.uint(due.length);
      writer.uint(this.#time);
    });
    return { body: new TextDecoder().decode(body) };
  }

  #put(at: string, value: unknown, due: number | undefined): void {
    this.#nodes.set(at, { rev: this.#revise(), value, due });
  }

  /** All that one command changes has one revision. */
  #revise(): number {
    if (!this.#hasChanged) this.#rev++;
    this.#hasChanged = true;
    return this.#rev;
  }

  #after(ttl: number | undefined): number | undefined {
    return ttl === undefined ? undefined : this.#time + ttl;
  }

  #left({ due }: Node): number {
    return due === undefined ? -1 : Math.max(0, due - this.#time);
  }

  #below(at: string): string[] {
    return [...this.#nodes.keys()].filter((each) => each.startsWith(`${at}^`));
  }

  #anyPath(): string {
    return this.#paths[below(this.#random, this.#paths.length)] as string;
  }

  #anyValue(): unknown {
    return VALUES[below(this.#random, VALUES.length)];
  }

  #anyTtl(): number {
    return this.#chance(0.1) ? 300_000_000_000 : 1 + below(this.#random, 60);
  }

  #anyIfRev(at: string): { ifRev?: number } {
    if (!this.#chance(0.2)) return {};
    return { ifRev: this.#chance(0.7) ? this.#nodes.get(at)?.rev ?? 0 : below(this.#random, 50) };
  }

  #chance(odds: number): boolean {
    return this.#random.float() < odds;
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
