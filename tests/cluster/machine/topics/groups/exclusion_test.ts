/**
 * Members that lose answers, ask again, and whose requests come late, twice or in another order: no two read one partition.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Machine } from "../../../../../cluster/machine/machine.ts";
import { MemoryStore } from "../../../../../cluster/machine/store/memory_store.ts";
import {
  createTopicCommand,
  decodeJoined,
  decodeSynced,
  deleteTopicCommand,
  joinCommand,
  leaveCommand,
  removeMembersCommand,
  syncCommand,
} from "../../../../../cluster/machine/topics/mod.ts";
import { START_TIME } from "../../../../support/machine/fixture.ts";
import { below } from "../../../../support/random_value.ts";
import { SeededRandom } from "../../../../support/simulation/random.ts";
import { bodyOf, utf8 } from "../../../../support/topics/answers.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const SEEDS = 30;
const EVENTS = 1_500;

const G = utf8("g");
const T = utf8("t");

/** A program that consumes. */
interface Consumer {
  readonly member: number;
  generation: number;
  /** What its last answer gave it. */
  assigned: ReadonlySet<number>;
  /** What it reads, or has read and is not done with. */
  held: ReadonlySet<number>;
  /** The request whose answer it waits for. */
  waitsFor: number | undefined;
}

/** Something on its way. */
type Letter =
  | {
    readonly to: "server";
    readonly id: number;
    readonly from: Consumer;
    readonly command: Uint8Array;
  }
  | { readonly to: Consumer; readonly id: number; readonly body: Uint8Array };

/** A machine, programs, and what is on its way between them. */
class World {
  readonly consumers = new Set<Consumer>();
  /** Partitions that have come to a program from another one. */
  moves = 0;
  readonly #random: SeededRandom;
  readonly #machine = new Machine(new MemoryStore());
  readonly #letters: Letter[] = [];
  readonly #lastReader = new Map<number, Consumer>();
  #lastId = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#create();
  }

  /** Lets something happen. */
  step(): void {
    const [consumer] = this.#shuffled([...this.consumers]);
    const kind = below(this.#random, 40);
    if (kind < 3 && this.consumers.size < 4) return this.#join();
    if (kind < 22) return this.#deliver();
    if (kind === 22) return this.#remake();
    if (consumer === undefined) return;
    if (kind === 23 && below(this.#random, 3) === 0) return this.#end(consumer);
    if (kind < 28) consumer.held = consumer.assigned;
    else if (kind < 30) consumer.waitsFor = undefined;
    else if (consumer.waitsFor === undefined) this.#sync(consumer);
  }

  /** Fails when two programs read one partition. */
  check(): void {
    const readers = new Map<number, Consumer>();
    for (const consumer of this.consumers) {
      for (const partition of consumer.held) {
        const other = readers.get(partition);
        const names = `member ${consumer.member} and member ${other?.member}`;
        assert.equal(other, undefined, `${names} read partition ${partition}`);
        readers.set(partition, consumer);
      }
    }
  }

  #join(): void {
    const joined = this.#apply(joinCommand({
      group: G,
      member: 0,
      client: utf8("c"),
      sessionTimeoutMs: 1_000,
      rebalanceTimeoutMs: 1_000,
      topics: [T],
    }));
    const nothing = { assigned: new Set<number>(), held: new Set<number>(), waitsFor: undefined };
    this.consumers.add({ ...decodeJoined(bodyOf(joined)), ...nothing });
  }

  /** A program ends, by its wish or not. What it has sent may still come. */
  #end(consumer: Consumer): void {
    this.consumers.delete(consumer);
    const { member, generation } = consumer;
    const isWish = below(this.#random, 2) === 0;
    const isRemoved = this.#apply(
      isWish ? leaveCommand(G, member) : removeMembersCommand(G, [{ member, generation }]),
    );
    // One whose last answer is still on its way is not removed by what it was told before that.
    if (isRemoved.ok && !isWish && isRemoved.body[0] === 0) this.#apply(leaveCommand(G, member));
  }

  #sync(consumer: Consumer): void {
    const { member, generation, held } = consumer;
    const id = ++this.#lastId;
    consumer.waitsFor = id;
    const said = { topic: T, partitions: [...held] };
    const command = syncCommand({ group: G, member, generation, held: [said] });
    this.#letters.push({ to: "server", id, from: consumer, command });
  }

  #deliver(): void {
    // Mostly a late one, and now and then any that there was.
    const { length } = this.#letters;
    const isAny = below(this.#random, 5) === 0;
    const at = isAny ? below(this.#random, length) : length - 1 - below(this.#random, 4);
    const letter = this.#letters[at];
    if (letter === undefined) return;
    // Some come again.
    if (below(this.#random, 4) > 0) this.#letters.splice(at, 1);
    if (letter.to === "server") {
      const result = this.#apply(letter.command);
      if (!result.ok || below(this.#random, 4) === 0) return;
      this.#letters.push({ to: letter.from, id: letter.id, body: result.body.slice() });
      return;
    }
    const { to: consumer, id, body } = letter;
    if (consumer.waitsFor !== id) return;
    const { generation, assigned } = decodeSynced(body);
    const numbers = assigned.flatMap(({ partitions }) => partitions);
    for (const partition of numbers) {
      const before = this.#lastReader.get(partition);
      if (before !== undefined && before !== consumer && this.consumers.has(before)) this.moves++;
      this.#lastReader.set(partition, consumer);
    }
    consumer.waitsFor = undefined;
    consumer.generation = generation;
    consumer.assigned = new Set(numbers);
    consumer.held = new Set([...consumer.held, ...numbers]);
  }

  #remake(): void {
    this.#apply(deleteTopicCommand(T));
    this.#create();
  }

  #create(): void {
    this.#apply(
      createTopicCommand({ topic: T, partitions: 2 + below(this.#random, 4), replicas: 0 }),
    );
  }

  #apply(data: Uint8Array) {
    const { index } = this.#machine.context;
    const entry = { index: index + 1, type: "command", time: START_TIME, data };
    return this.#machine.apply([entry])[0] ?? assert.fail("no result");
  }

  #shuffled<T>(all: T[]): T[] {
    return all.map((one) => [this.#random.float(), one] as const)
      .sort(([a], [b]) => a - b).map(([, one]) => one);
  }
}

Deno.test("no two members read one partition, whatever is lost, comes late, twice or in another order", () => {
  let moves = 0;
  for (let seed = SEED; seed < SEED + SEEDS; seed++) {
    const world = new World(new SeededRandom(seed));
    for (let i = 0; i < EVENTS; i++) {
      try {
        world.step();
        world.check();
      } catch (error) {
        throw new Error(`seed ${seed}, event ${i}`, { cause: error });
      }
    }
    moves += world.moves;
  }
  assert.ok(moves > SEEDS, `${moves} partitions came from one who lived on`);
});
