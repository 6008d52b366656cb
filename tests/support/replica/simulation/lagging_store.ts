/**
 * A store in memory whose copy on the disk is behind it, as that of a server is: what a crash leaves is a state of earlier, whole.
 *
 * @module
 */

import {
  dump,
  type DumpSummary,
  Loader,
  MemoryStore,
  type Replacement,
  type StoreReader,
  type StoreView,
  type Transaction,
} from "../../../../cluster/machine/mod.ts";
import { readContext } from "../../../../cluster/machine/sys/context.ts";
import { type Clock, DiskFullError } from "../../../../cluster/runtime.ts";
import { concatBytes } from "../../../../protocol/bytes.ts";
import type { StateStore } from "../../../../server/replica/driver/parts.ts";
import type { Companion } from "../../../../server/replica/store/sqlite_store.ts";
import type { SeededRandom } from "../../simulation/random.ts";

/** Chance that a change begins to go to the disk without anybody asking for it. */
const BEHIND_CHANCE = 0.02;

/** How long it takes at most to write a state, in virtual milliseconds: for most processes near the least, for some up to the most. */
const WRITE_MS = { least: 40, most: 4_000 } as const;

/** So many changes may wait for the disk. */
const MOST_WAITING = 400;

/** The state on the disk of a machine, which outlives its processes. */
export class KeptState {
  #rows: StoreView | undefined;
  #order = 0;
  /** States whose writing is under way, in the order in which it began. */
  readonly #underWay = new Map<number, StoreView>();
  #begun = 0;

  /** The last entry of the state that a crash would leave; 0 without one. */
  get index(): number {
    return this.#rows === undefined ? 0 : readContext(this.#rows).index;
  }

  /** Begins to write a state; to be told to {@linkcode KeptState.end}. */
  begin(rows: StoreView): number {
    this.#underWay.set(++this.#begun, rows);
    return this.#begun;
  }

  /** A state is written, and counts if it is newer. */
  end(order: number): void {
    const rows = this.#underWay.get(order);
    this.#underWay.delete(order);
    if (rows === undefined || order < this.#order) return;
    this.#rows = rows;
    this.#order = order;
  }

  /** Ends the process: of what was under way some is written all the same. */
  kill(random: SeededRandom): void {
    for (const order of [...this.#underWay.keys()]) if (random.float() < 0.5) this.end(order);
    this.#underWay.clear();
  }

  /** It is taken away. */
  lose(): void {
    this.#rows = undefined;
  }

  /** Puts what is on the disk into a new store. */
  loadInto(store: MemoryStore): void {
    if (this.#rows === undefined) return;
    const { bytes, summary } = dumpOf(this.#rows);
    const loader = new Loader(store, summary);
    loader.push(bytes);
    loader.finish();
  }
}

/** What a {@linkcode LaggingStore} is made with. */
export interface LaggingStoreOptions {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly kept: KeptState;
  /** Whether the disk has no room for a state. */
  readonly isFull: () => boolean;
  /** What is kept beside the rows, if something is. */
  readonly companion?: Companion | undefined;
  /** How long changes take to reach the disk, in milliseconds. Default: chance decides. */
  readonly writeMs?: number | undefined;
}

/** The store of one process. */
export class LaggingStore extends MemoryStore implements StateStore {
  readonly #options: LaggingStoreOptions;
  /** Changes that the disk does not have; the loading of what it has is none. */
  #waiting = 0;
  readonly #writeMs: number;
  #isLoaded = false;

  constructor(options: LaggingStoreOptions) {
    super();
    this.#options = options;
    this.#writeMs = options.writeMs ??
      WRITE_MS.least + WRITE_MS.most * options.random.float() ** 8;
    options.kept.loadInto(this);
    this.#isLoaded = true;
  }

  get mustWait(): boolean {
    return this.#waiting >= MOST_WAITING;
  }

  flush(): Promise<void> {
    return this.sync();
  }

  sync(): Promise<void> {
    const { kept, clock, random, isFull, companion } = this.#options;
    if (isFull()) return Promise.reject(new DiskFullError("state"));
    if (companion !== undefined) return this.#syncBeside(companion);
    const [order, count] = [kept.begin(this.view()), this.#waiting];
    return new Promise((resolve) => {
      clock.setTimer(this.#writeMs * random.float(), () => {
        kept.end(order);
        this.#waiting -= Math.min(count, this.#waiting);
        resolve();
      });
    });
  }

  /** In the order of a server's store: what the rows tell of goes first, and what they tell of no more goes last. */
  #syncBeside(companion: Companion): Promise<void> {
    const { kept, clock, random } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const work = async (): Promise<void> => {
      // All changes up to now have told what is beside them by the next turn.
      await Promise.resolve();
      const [rows, count, forget] = [this.view(), this.#waiting, companion.forgettable()];
      await companion.sync();
      const order = kept.begin(rows);
      await new Promise<void>((done) => clock.setTimer(this.#writeMs * random.float(), done));
      kept.end(order);
      this.#waiting -= Math.min(count, this.#waiting);
      await forget?.();
    };
    this.#work = this.#work.then(work).then(resolve, reject);
    return promise;
  }

  #work: Promise<void> = Promise.resolve();

  override transaction<T>(change: (state: Transaction) => T): T {
    const result = super.transaction(change);
    this.#changed();
    return result;
  }

  override replacement(): Replacement {
    const replacement = super.replacement();
    const commit = (): void => {
      replacement.commit();
      this.#changed();
    };
    return {
      put: (key, value) => replacement.put(key, value),
      commit,
      abort: () => replacement.abort(),
    };
  }

  #changed(): void {
    if (!this.#isLoaded) return;
    const { kept, clock, random, isFull, companion } = this.#options;
    this.#waiting++;
    if (random.float() >= BEHIND_CHANCE || isFull()) return;
    if (companion !== undefined) {
      // Without room it is tried again with later changes.
      this.#syncBeside(companion).catch(() => {});
      return;
    }
    const order = kept.begin(this.view());
    clock.setTimer(this.#writeMs * random.float(), () => kept.end(order));
  }
}

/** The dump of rows. */
export function dumpOf(
  rows: StoreReader,
): { readonly bytes: Uint8Array; readonly summary: DumpSummary } {
  const blocks = dump(rows);
  const bytes: Uint8Array[] = [];
  let next = blocks.next();
  for (; !next.done; next = blocks.next()) bytes.push(next.value);
  return { bytes: concatBytes(bytes), summary: next.value };
}
