/**
 * What sessions must do, in the plainest way: maps and lists, and pushes made by `JSON.stringify`.
 *
 * @module
 */

import {
  deleteCommand,
  incrementCommand,
  setCommand,
  setManyCommand,
  sweepCommand,
} from "../../../cluster/machine/kv/mod.ts";
import {
  ackCommand,
  createSessionCommand,
  type Deed,
  expireSessionsCommand,
} from "../../../cluster/machine/mod.ts";
import { below } from "../random_value.ts";
import type { SeededRandom } from "../simulation/random.ts";
import { json, path, START_TIME } from "./fixture.ts";
import { deeds, idOf, nonceOf, requestCommand, type SessionFixture } from "./sessions.ts";

/** A command for the next entry, and what comes of it, as `shownOf` of the test shows it. */
export interface Step {
  readonly bytes: Uint8Array;
  /** Of a request, which one it is. */
  readonly request?: { readonly session: number; readonly life: number; readonly id: number };
  /** The result; `undefined` when it does not matter. */
  readonly result: string | undefined;
}

interface Node {
  readonly value: unknown;
  readonly rev: number;
  readonly due: number | undefined;
}

interface Watching {
  readonly key: string;
  readonly tree: boolean;
  readonly old: boolean;
  readonly coalesce: boolean;
}

interface Session {
  readonly life: number;
  floor: number;
  highest: number;
  readonly answers: Map<number, string>;
  queue: { readonly id: number; readonly text: string }[];
  last: number;
  first: number;
  readonly watches: Map<number, Watching>;
  lastWatch: number;
}

interface Change {
  readonly key: string;
  readonly kind: string;
  readonly value?: unknown;
  readonly before: unknown;
}

/** A change of nodes, which may be a request or not. */
interface Action {
  readonly deed: Deed;
  /** Does it, and returns its result. */
  readonly perform: (session?: Session) => string;
}

const KEYS = ["a", "a^b", "a^b^c", "a^bc", "d"];

/** The naive sessions, with as much of `kv` as they need. */
export class SessionModel {
  readonly sessions = new Map<number, Session>();
  readonly #nodes = new Map<string, Node>();
  readonly #random: SeededRandom;
  /** By session, those that there were. */
  readonly #lives = new Map<number, number>();
  #rev = 0;
  /** Entries are a millisecond apart, as those of the fixture are. */
  #time = START_TIME;
  #changes: Change[] = [];

  /** Commands come by chance. */
  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** A random command, and what comes of it. */
  next(): Step {
    this.#time++;
    this.#changes = [];
    const step = this.#any();
    this.#tell();
    return step;
  }

  /** What a machine says otherwise, as lines. */
  differences(fixture: SessionFixture): string[] {
    const lines: string[] = [];
    const compare = (what: string, got: unknown, wanted: unknown): void => {
      const [one, other] = [JSON.stringify(got), JSON.stringify(wanted)];
      if (one !== other) lines.push(`${what}: wanted ${other}, got ${one}`);
    };
    compare("sessions", fixture.all, [...this.sessions.keys()].sort((a, b) => a - b));
    for (const [number, session] of this.sessions) {
      if (!fixture.has(number)) continue;
      const info = fixture.info(number);
      compare(`floor of ${number}`, info.floor, session.floor);
      compare(`highest of ${number}`, info.highest, session.highest);
      compare(`cached of ${number}`, info.cached, session.answers.size);
      compare(`last of ${number}`, info.lastRequest, session.last);
      compare(`first of ${number}`, info.firstPending, session.first);
      compare(`watches of ${number}`, info.watches, session.watches.size);
      compare(
        `queue of ${number}`,
        fixture.waiting(number),
        session.queue.map(({ id, text }) => `${id} ${text}`),
      );
    }
    const waiting = [...this.sessions.values()].reduce((sum, { queue }) => sum + queue.length, 0);
    const watches = [...this.sessions.values()].reduce((sum, one) => sum + one.watches.size, 0);
    compare("all pending", fixture.totals.pending, waiting);
    compare("all watches", fixture.totals.watches, watches);
    compare("leavings", fixture.totals.leavings, 0);
    return lines;
  }

  #any(): Step {
    const kind = this.#random.float();
    const number = 1 + below(this.#random, 4);
    if (kind < 0.06) return this.#create(number);
    if (kind < 0.09) return this.#expire(number);
    if (kind < 0.17) return this.#ack(number);
    if (kind < 0.3) {
      const { deed, perform } = this.#anyChange();
      return { bytes: deed.kind === "command" ? deed.bytes : empty, result: perform() };
    }
    return this.#request(number);
  }

  #create(number: number): Step {
    const bytes = createSessionCommand({
      session: idOf(number),
      nonce: nonceOf(1),
      capabilities: [["a", "b"]],
    });
    if (!this.sessions.has(number)) {
      const life = 1 + (this.#lives.get(number) ?? 0);
      this.#lives.set(number, life);
      this.sessions.set(number, {
        life,
        floor: 0,
        highest: 0,
        answers: new Map(),
        queue: [],
        last: 0,
        first: 1,
        watches: new Map(),
        lastWatch: 0,
      });
    }
    return { bytes, result: undefined };
  }

  #expire(number: number): Step {
    this.sessions.delete(number);
    return { bytes: expireSessionsCommand([idOf(number)]), result: undefined };
  }

  #ack(number: number): Step {
    const session = this.sessions.get(number);
    const upTo = Math.max(0, (session?.last ?? 9) - below(this.#random, 6));
    if (session) {
      session.queue = session.queue.filter(({ id }) => id > upTo);
      session.first = Math.max(session.first, upTo + 1);
    }
    return { bytes: ackCommand([{ session: idOf(number), upTo }]), result: undefined };
  }

  #request(number: number): Step {
    const session = this.sessions.get(number);
    const highest = session?.highest ?? 3;
    const id = this.#random.float() < 0.5
      ? highest + 1
      : Math.max(0, highest + 3 - below(this.#random, 10));
    const low = this.#random.float() < 0.02 ? id + 2_000 : Math.max(0, id - below(this.#random, 8));
    const asked = this.#random.float() < 0.02 ? id + 1_500 : id;
    const { deed, perform } = this.#anyDeed(number, session, asked);
    const bytes = requestCommand(number, { id: asked, low }, deed);
    if (session === undefined) return { bytes, result: "[410 SESSION_EXPIRED]" };
    const request = { session: number, life: session.life, id: asked };
    session.floor = Math.max(session.floor, low);
    for (const one of session.answers.keys()) {
      if (one < session.floor) session.answers.delete(one);
    }
    if (asked < session.floor) return { bytes, request, result: "[410 RESPONSE_EVICTED]" };
    const known = session.answers.get(asked);
    if (known !== undefined) return { bytes, request, result: known };
    if (asked >= session.floor + 1_024) {
      return { bytes, request, result: "[429 TOO_MANY_IN_FLIGHT]" };
    }
    const result = perform(session);
    session.answers.set(asked, result);
    session.highest = Math.max(session.highest, asked);
    return { bytes, request, result };
  }

  #anyDeed(number: number, session: Session | undefined, id: number): Action {
    const kind = this.#random.float();
    if (kind < 0.2) return this.#watch();
    if (kind < 0.27) return this.#unwatch();
    // One that nobody else counts on: how often it was executed.
    if (kind < 0.5) return this.#count(`x^${number}-${session?.life}-${id}`);
    return this.#anyChange();
  }

  #anyChange(): Action {
    const kind = this.#random.float();
    const key = this.#anyKey();
    const value = below(this.#random, 100);
    if (kind < 0.5) {
      const ttlMs = this.#random.float() < 0.3 ? 1 + below(this.#random, 40) : undefined;
      const bytes = setCommand(path(`^${key}`), json(value), ttlMs === undefined ? {} : { ttlMs });
      return changing(bytes, () => this.#sets([key], value, ttlMs));
    }
    if (kind < 0.7) {
      const keys = [key, this.#anyKey(), this.#anyKey()];
      const items = keys.map((one) => ({ path: path(`^${one}`), text: json(value) }));
      return changing(setManyCommand(items), () => this.#sets(keys, value, undefined));
    }
    if (kind < 0.85) {
      const bytes = deleteCommand(path(`^${key}`), { tree: true, ifExists: true });
      return changing(bytes, () => {
        const gone = [...this.#nodes.keys()]
          .filter((one) => one === key || one.startsWith(`${key}^`)).sort(byPath);
        for (const one of gone) this.#remove(one, "del");
        return `${gone.length} rev ${this.#revised()}`;
      });
    }
    return changing(sweepCommand(), () => {
      const due = [...this.#nodes].filter(([, { due = Infinity }]) => due <= this.#time);
      due.sort(([a, one], [b, other]) =>
        (one.due as number) - (other.due as number) || byPath(a, b)
      );
      for (const [one] of due) this.#remove(one, "expire");
      this.#revised();
      return "swept";
    });
  }

  #count(key: string): Action {
    return changing(incrementCommand(path(`^${key}`), 1), () => {
      const before = this.#nodes.get(key)?.value;
      const value = Number(before ?? 0) + 1;
      this.#changes.push({ key, kind: "set", value, before });
      this.#nodes.set(key, { value, rev: this.#revised(), due: undefined });
      return `${value} rev ${this.#rev}`;
    });
  }

  #sets(keys: readonly string[], value: unknown, ttlMs: number | undefined): string {
    const rev = this.#rev + 1;
    const due = ttlMs === undefined ? undefined : this.#time + ttlMs;
    for (const key of keys) {
      this.#changes.push({ key, kind: "set", value, before: this.#nodes.get(key)?.value });
      this.#nodes.set(key, { value, rev, due });
    }
    return `"OK" rev ${this.#revised()}`;
  }

  #remove(key: string, kind: string): void {
    this.#changes.push({ key, kind, before: this.#nodes.get(key)?.value });
    this.#nodes.delete(key);
  }

  #revised(): number {
    if (this.#changes.length > 0) this.#rev++;
    return this.#rev;
  }

  #watch(): Action {
    const [tree, initial, old, coalesce] = Array.from(
      { length: 4 },
      () => this.#random.float() < 0.4,
    ) as [boolean, boolean, boolean, boolean];
    const key = this.#anyKey();
    const wanted = { key, tree, old, coalesce };
    const perform = (session?: Session): string => {
      if (session === undefined) throw new Error("Expected a session");
      const known = [...session.watches].find(([, watching]) =>
        JSON.stringify(watching) === JSON.stringify(wanted)
      );
      const number = known?.[0] ?? ++session.lastWatch;
      session.watches.set(number, wanted);
      if (known === undefined && initial) {
        const there = [...this.#nodes].filter(([one]) => isFor(wanted, one));
        for (const [key, { value, rev }] of there.sort(([a], [b]) => byPath(a, b))) {
          const push = { push: "change", watch: number, key, kind: "set", initial, value, rev };
          this.#push(session, push);
        }
        this.#push(session, { push: "synced", watch: number, rev: this.#rev });
      }
      return `${JSON.stringify({ watch: number, rev: this.#rev })} rev 0`;
    };
    return { deed: deeds.watch(`^${key}`, { tree, initial, old, coalesce }), perform };
  }

  #unwatch(): Action {
    const number = 1 + below(this.#random, 12);
    const perform = (session?: Session): string =>
      session?.watches.delete(number) ? '"OK" rev 0' : "404 WATCH_NOT_FOUND";
    return { deed: deeds.unwatch(number), perform };
  }

  /** Tells all sessions what has changed. */
  #tell(): void {
    for (const session of this.sessions.values()) {
      const together = new Set<number>();
      this.#changes.forEach((change, at) => {
        const found = [...session.watches].filter(([, watching]) => isFor(watching, change.key));
        for (const [watch, watching] of found.sort(inOrder)) {
          const later = this.#changes.slice(at).filter(({ key }) => isFor(watching, key));
          if (!watching.coalesce) {
            const more = later.length > 1 ? { more: true } : {};
            const push = { ...toldOf(change, watching.old), rev: this.#rev, ...more };
            this.#push(session, { push: "change", watch, ...push });
          } else if (!together.has(watch)) {
            together.add(watch);
            const changes = later.map((one) => toldOf(one, watching.old));
            this.#push(session, { push: "changes", watch, changes, rev: this.#rev });
          }
        }
      });
    }
  }

  #push(session: Session, push: unknown): void {
    session.queue.push({ id: ++session.last, text: JSON.stringify(push) });
  }

  #anyKey(): string {
    return KEYS[below(this.#random, KEYS.length)] as string;
  }
}

const empty = new Uint8Array();

function changing(bytes: Uint8Array, perform: () => string): Action {
  return { deed: { kind: "command", bytes }, perform };
}

function isFor({ key, tree }: Watching, changed: string): boolean {
  return changed === key || (tree && changed.startsWith(`${key}^`));
}

function toldOf({ key, kind, value, before }: Change, old: boolean): unknown & object {
  return {
    key,
    kind,
    ...kind === "set" && { created: before === undefined, value },
    ...old && before !== undefined && { old: before },
  };
}

/** Those of the node itself come first, then those of trees from the root on; of one node, by how they tell. */
function inOrder([, one]: [number, Watching], [, other]: [number, Watching]): number {
  const rank = ({ tree, key, old, coalesce }: Watching): number =>
    (tree ? 1_000 : 0) + 10 * key.length + (old ? 1 : 0) + (coalesce ? 2 : 0);
  return rank(one) - rank(other);
}

/** By segments; of two paths of these names, the order of the texts of their segments. */
function byPath(a: string, b: string): number {
  const [one, other] = [a.split("^").join("\0"), b.split("^").join("\0")];
  return one < other ? -1 : one > other ? 1 : 0;
}
