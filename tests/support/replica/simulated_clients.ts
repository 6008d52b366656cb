/**
 * Clients of simulated servers, and what they must never see.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  getQuestion,
  incrementCommand,
  resolvePath,
  setCommand,
} from "../../../cluster/machine/kv/mod.ts";
import type { Result } from "../../../cluster/machine/mod.ts";
import type { SeededRandom } from "../simulation/random.ts";
import type { SimulatedServer } from "./simulated_server.ts";

const TIMEOUT_MS = 3_000;
const COUNTERS = ["n1", "n2"];

/** One counter as clients have seen it. */
interface Counter {
  /** Sums that were told. */
  readonly told: Set<number>;
  /** The greatest of them. */
  greatest: number;
  /** Increments that were done, or may have been. */
  started: number;
  /** Increments that were certainly not done. */
  refused: number;
}

/** Clients that ask one thing after the other, each of any server that runs. */
export class SimulatedClients {
  /** Writes that were acknowledged. */
  acknowledged = 0;
  /** Reads that were answered. */
  read = 0;
  /** Requests whose outcome nobody knows. */
  unknown = 0;
  readonly #random: SeededRandom;
  readonly #servers: readonly SimulatedServer[];
  readonly #busy: (number | undefined)[];
  readonly #counters = new Map<string, Counter>(
    COUNTERS.map((key) => [key, { told: new Set(), greatest: 0, started: 0, refused: 0 }]),
  );
  /** What became of keys that are set once: `undefined`: nobody knows. */
  readonly #keys = new Map<string, boolean | undefined>();
  readonly #problems: string[] = [];

  constructor(count: number, servers: readonly SimulatedServer[], random: SeededRandom) {
    this.#busy = Array.from({ length: count }, () => undefined);
    this.#servers = servers;
    this.#random = random;
  }

  /** Lets each client that has its answer ask the next thing. */
  ask(): void {
    assert.deepEqual(this.#problems, []);
    const up = this.#servers.filter(({ isUp }) => isUp);
    for (const [client, life] of this.#busy.entries()) {
      if (life !== undefined || up.length === 0 || this.#random.float() < 0.3) continue;
      this.#begin(client, up[Math.floor(this.#random.float() * up.length)] as SimulatedServer);
    }
  }

  /** A server has ended: its clients learn nothing of what they have asked. */
  serverEnded(server: SimulatedServer): void {
    const index = this.#servers.indexOf(server);
    for (const [client, at] of this.#busy.entries()) {
      if (at !== index) continue;
      this.#busy[client] = undefined;
      this.unknown++;
    }
  }

  /** Looks whether the state has all that was acknowledged, nothing that was refused, and each change once. */
  check(get: (key: string) => string | undefined): void {
    assert.deepEqual(this.#problems, []);
    for (const [key, isDone] of this.#keys) {
      const value = get(key);
      if (isDone === true) assert.equal(value, `"${key}"`, `${key} was acknowledged`);
      if (isDone === false) assert.equal(value, undefined, `${key} was refused`);
    }
    for (const [key, counter] of this.#counters) {
      const sum = Number(get(key) ?? 0);
      assert.ok(sum >= counter.greatest && sum >= counter.told.size, `${key} is ${sum}`);
      assert.ok(sum <= counter.started - counter.refused, `${key} is ${sum}, too much`);
    }
  }

  #begin(client: number, server: SimulatedServer): void {
    this.#busy[client] = this.#servers.indexOf(server);
    const choice = this.#random.float();
    if (choice < 0.4) this.#set(client, server);
    else if (choice < 0.7) this.#increment(client, server, this.#counter());
    else this.#get(client, server, this.#counter());
  }

  #counter(): string {
    return COUNTERS[Math.floor(this.#random.float() * COUNTERS.length)] as string;
  }

  #set(client: number, server: SimulatedServer): void {
    const key = `k${this.#keys.size}`;
    this.#keys.set(key, undefined);
    const command = setCommand(pathOf(key), new TextEncoder().encode(`"${key}"`));
    this.#propose(client, server, command, (result) => {
      if (result.ok) this.#keys.set(key, true);
      else if (result.code !== 504) this.#keys.set(key, false);
    });
  }

  #increment(client: number, server: SimulatedServer, key: string): void {
    const counter = this.#counters.get(key) as Counter;
    const before = counter.greatest;
    counter.started++;
    this.#propose(client, server, incrementCommand(pathOf(key), 1), (result) => {
      if (!result.ok) {
        if (result.code !== 504) counter.refused++;
        return;
      }
      const sum = Number(new TextDecoder().decode(result.body));
      if (sum <= before) this.#problems.push(`${key}: ${sum} after ${before}`);
      if (counter.told.has(sum)) this.#problems.push(`${key}: ${sum} twice`);
      counter.told.add(sum);
      counter.greatest = Math.max(counter.greatest, sum);
    });
  }

  #get(client: number, server: SimulatedServer, key: string): void {
    const counter = this.#counters.get(key) as Counter;
    const before = counter.greatest;
    const life = server.life;
    server.replica?.query(getQuestion(pathOf(key)), "linearizable", TIMEOUT_MS, ({ result }) => {
      if (server.life !== life) return;
      this.#busy[client] = undefined;
      if (!result.ok && result.code !== 404) return;
      this.read++;
      const sum = result.ok ? Number(new TextDecoder().decode(result.body)) : 0;
      if (sum < before) this.#problems.push(`${key}: read ${sum} after ${before} was told`);
      // What was read once is never taken back.
      counter.greatest = Math.max(counter.greatest, sum);
    });
  }

  #propose(
    client: number,
    server: SimulatedServer,
    command: Uint8Array,
    done: (result: Result) => void,
  ): void {
    const life = server.life;
    server.replica?.propose(command, TIMEOUT_MS, (result) => {
      // The process that would tell it is gone.
      if (server.life !== life) return;
      this.#busy[client] = undefined;
      if (result.ok) this.acknowledged++;
      else if (result.code === 504) this.unknown++;
      done(result);
    });
  }
}

function pathOf(key: string): Uint8Array {
  return resolvePath(key) as Uint8Array;
}
