/**
 * Values that expire in a run, watched at every server by the stamps of the entries that it applies.
 *
 * @module
 */

import {
  expireCommand,
  getQuestion,
  persistCommand,
  resolvePath,
  setCommand,
  sweepCommand,
} from "../../../../cluster/machine/kv/mod.ts";
import type { LogEntry, Machine, Result } from "../../../../cluster/machine/mod.ts";
import { equalBytes } from "../../../../protocol/bytes.ts";
import { Reader } from "../../../../protocol/msgpack/mod.ts";
import type { SeededRandom } from "../../simulation/random.ts";
import type { Checker } from "./checker.ts";

/** Keys that are set again and again, so that a new life meets the end of the last one. */
const KEYS = 6;

/** Longest life, in milliseconds. */
const LONGEST_MS = 4_000;

/** What a sweep begins with: version, module and number. */
const SWEEP_HEAD = sweepCommand().subarray(0, 3);
const VALUE = new TextEncoder().encode("1");

/** What a command does to a life: it begins one, or gives one that there is another time, or none. */
interface Life {
  readonly key: number;
  readonly begins: boolean;
  readonly ttlMs: number;
}

/** What must be there after an entry, by the stamps alone. */
interface Moment {
  readonly time: number;
  /** When each key is due, infinity for one that stays; `undefined` for one that is not there. */
  readonly dues: readonly (number | undefined)[];
}

/** Knows of every entry what is there after it. */
export class Expiries {
  /** Values that were removed when they were due. */
  expired = 0;
  readonly #checker: Checker;
  readonly #lives = new Map<string, Life>();
  /** The moments after the entries, of which all servers have the same. */
  readonly #moments: Moment[] = [{ time: 0, dues: [] }];

  /** Nothing was set. */
  constructor(checker: Checker) {
    this.#checker = checker;
  }

  /** How many values are there that are to go, after the last entry that a server has applied. */
  get living(): number {
    return this.#moments.at(-1)?.dues.filter((due) => Number.isFinite(due)).length ?? 0;
  }

  /** A command that sets a value for a while, or has one that may be there go at another time, or stay. */
  next(random: SeededRandom): Uint8Array {
    const key = Math.floor(random.float() * KEYS);
    const ttlMs = 1 + Math.floor(random.float() ** 2 * LONGEST_MS);
    const choice = random.float();
    const begins = choice < 0.7;
    const stays = choice > 0.9;
    const command = begins
      ? setCommand(pathOf(key), VALUE, { ttlMs })
      : stays
      ? persistCommand(pathOf(key))
      : expireCommand(pathOf(key), ttlMs);
    this.#lives.set(command.toHex(), { key, begins, ttlMs: stays ? Infinity : ttlMs });
    return command;
  }

  /** Looks at the machine of a server after all that it applies. */
  watched(id: string, machine: Machine): void {
    const apply = machine.apply.bind(machine);
    machine.apply = (entries): (Result | undefined)[] => {
      const results = apply(entries);
      for (const entry of entries) this.#follow(entry);
      this.#look(id, machine);
      return results;
    };
  }

  #follow({ index, time: stamp, type, data }: LogEntry): void {
    if (this.#moments[index] !== undefined) return;
    const before = this.#moments[index - 1];
    // A snapshot has brought what is before it.
    if (before === undefined) return;
    const time = Math.max(before.time, stamp);
    const dues = [...before.dues];
    const life = type === "command" ? this.#lives.get(data.toHex()) : undefined;
    if (life !== undefined && (life.begins || dues[life.key] !== undefined)) {
      dues[life.key] = time + life.ttlMs;
    }
    if (type === "command" && equalBytes(data.subarray(0, SWEEP_HEAD.length), SWEEP_HEAD)) {
      const from = new Reader(data.subarray(SWEEP_HEAD.length)).int(0, Number.MAX_SAFE_INTEGER);
      for (const [key, due] of dues.entries()) {
        if (due === undefined || due > time) continue;
        if (due < from) this.#checker.note(`Sweep ${index} passes over e${key}, due at ${due}`);
        dues[key] = undefined;
        this.expired++;
      }
    }
    this.#moments[index] = { time, dues };
  }

  #look(id: string, machine: Machine): void {
    const { index } = machine.context;
    const moment = this.#moments[index];
    if (moment === undefined) return;
    for (let key = 0; key < KEYS; key++) {
      const due = moment.dues[key];
      const isThere = machine.query(getQuestion(pathOf(key))).ok;
      if (isThere === (due !== undefined)) continue;
      const what = isThere ? "is there and was swept" : `is gone and due at ${due}`;
      this.#checker.note(`e${key} of ${id} after entry ${index} at ${moment.time} ${what}`);
    }
  }
}

function pathOf(key: number): Uint8Array {
  return resolvePath(`e${key}`) as Uint8Array;
}
