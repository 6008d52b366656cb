/**
 * Clients beside servers that follow the rules, over connections that break at any moment and lose what is on them, and with
 * processes that die: every command is executed at most once, in order, and has its own answer; every server request comes to each
 * process once, in order, and none is missing.
 *
 * SKEIN_SEED repeats a run.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Call, Effect } from "../../../client/sessions/core/inputs.ts";
import { wakeAt } from "../../../client/sessions/core/step.ts";
import {
  clientFrame,
  type ClientMessage,
  readClientMessage,
  readServerMessage,
  serverFrame,
  type ServerMessage,
} from "../../../protocol/sessions/mod.ts";
import { below } from "../../support/random_value.ts";
import { Core } from "../../support/sessions/core.ts";
import { Model, type ModelConnection } from "../../support/sessions/model.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const RUNS = 500;
const STEPS = 600;

const bodyOf = (frame: Uint8Array): Uint8Array => frame.subarray(4);

/** A client, and the connection that it has. */
class World {
  readonly model = new Model();
  readonly #random: SeededRandom;
  #core: Core;
  #connection: ModelConnection | undefined;
  #isOpened = false;
  /** What is on its way, in order. */
  #toServer: ClientMessage[] = [];
  #toClient: ServerMessage[] = [];
  /** The numbers of the commands that wait. */
  #open = new Map<Call, number>();
  #made = 0;
  /** Answers by the numbers of commands, and the numbers of those that will never have one. */
  readonly results = new Map<number, string>();
  readonly unknown: number[] = [];
  /** Server requests of each process. */
  readonly delivered: number[][] = [];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#core = this.#begin(undefined);
  }

  /** One thing happens. */
  step(): void {
    const random = this.#random;
    switch (below(random, 12)) {
      case 0:
        return this.#submit();
      case 1:
      case 2:
      case 3:
        return this.#arriveAtServer(1);
      case 4:
      case 5:
      case 6:
        return this.#arriveAtClient(1);
      case 7:
      case 8:
        return this.#arrive();
      case 9:
        for (const session of this.model.sessions.values()) {
          if (random.float() < 0.3) this.model.request(session, new Uint8Array(0));
        }
        return random.float() < 0.1 ? this.model.requestAgain() : undefined;
      case 10:
        return this.#perform(this.#core.pass(below(random, 400)));
      default:
        if (random.float() < 0.3) this.#break();
    }
  }

  /** Everything goes well from here on. */
  settle(): void {
    for (let round = 0; round < 5_000; round++) {
      this.#arrive();
      this.#arriveAtServer(Infinity);
      this.#arriveAtClient(Infinity);
      const isQuiet = this.#open.size + this.#toServer.length + this.#toClient.length === 0;
      if (isQuiet && this.#core.state.phase === "connected") return;
      const wake = wakeAt(this.#core.state, this.#core.now) - this.#core.now;
      this.#perform(this.#core.pass(Math.min(Math.max(1, wake), 100)));
    }
    assert.fail("It does not come to rest");
  }

  #begin(resume: string | undefined): Core {
    const random = this.#random;
    const chance = { float: () => random.float(), nonce: () => BigInt(random.uint32()) + 1n };
    this.#core = new Core({ resume, keepAliveMs: 1_000 }, chance);
    this.delivered.push([]);
    this.#perform(this.#core.take({ type: "connect" }));
    return this.#core;
  }

  #submit(): void {
    const number = ++this.#made;
    const payload = new TextEncoder().encode(String(number));
    const { call, effects } = this.#core.submit("command", payload, 2_000);
    this.#open.set(call, number);
    this.#perform(effects);
  }

  #arrive(): void {
    if (this.#connection === undefined || this.#isOpened) return;
    this.#isOpened = true;
    this.#perform(this.#core.take({ type: "opened" }));
  }

  #arriveAtServer(count: number): void {
    for (const message of this.#toServer.splice(0, count)) {
      if (this.#connection) this.model.receive(this.#connection, message);
    }
  }

  #arriveAtClient(count: number): void {
    for (const message of this.#toClient.splice(0, count)) {
      this.#perform(this.#core.receive(message));
    }
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "dial":
          this.#cut();
          this.#dial();
          break;
        case "hang-up":
          this.#cut();
          break;
        case "send":
          if (this.#connection) {
            this.#toServer.push(readClientMessage(bodyOf(clientFrame(effect.message))));
          }
          break;
        case "resolve":
          this.results.set(this.#settled(effect.call), new TextDecoder().decode(effect.result));
          break;
        case "reject":
          // One that was never sent was not done.
          if (effect.error.name === "TimeoutError") {
            this.results.set(this.#settled(effect.call), "0");
          } else this.unknown.push(this.#settled(effect.call));
          break;
        case "deliver":
          this.delivered.at(-1)?.push(effect.request.requestId);
          this.#perform(this.#core.take({ type: "taken", count: 1 }));
      }
    }
  }

  #settled(call: Call): number {
    const number = this.#open.get(call);
    assert.ok(number !== undefined, "settled twice");
    this.#open.delete(call);
    return number;
  }

  #dial(): void {
    this.#isOpened = false;
    const connection: ModelConnection = {
      session: undefined,
      send: (message) => {
        if (this.#connection !== connection) return;
        this.#toClient.push(readServerMessage(bodyOf(serverFrame(message))));
      },
      close() {},
    };
    this.#connection = connection;
  }

  #break(): void {
    // What has arrived is known to the servers, and the client hears nothing of it.
    this.#arriveAtServer(below(this.#random, 4));
    this.#cut();
    const { sessionId } = this.#core.state;
    if (sessionId === undefined || this.#random.float() < 0.8) {
      return this.#perform(this.#core.take({ type: "lost", error: new Error("cut") }));
    }
    this.unknown.push(...this.#open.values());
    this.#open.clear();
    this.#begin(sessionId);
  }

  #cut(): void {
    if (this.#connection !== undefined) this.model.forget(this.#connection);
    this.#connection = undefined;
    this.#toServer = [];
    this.#toClient = [];
  }
}

function check({ model, results, unknown, delivered }: World): void {
  const executed = model.executed.map((line) => Number(line.split(" ")[1]));
  assert.deepEqual(executed, [...new Set(executed)].toSorted((a, b) => a - b), "once and in order");
  for (const [number, result] of results) {
    assert.equal(result, String(executed.indexOf(number) + 1), "the answer of another command");
  }
  const isKnown = (number: number): boolean => results.has(number) || unknown.includes(number);
  assert.ok(executed.every(isKnown), "nobody has made it");
  let last = 0;
  for (const ids of delivered) {
    const [first = last + 1] = ids;
    assert.ok(first <= last + 1, `server request ${first} after ${last}`);
    assert.deepEqual(ids, ids.map((_, i) => first + i), "once and in order");
    last = Math.max(last, ids.at(-1) ?? 0);
  }
  assert.equal(model.sessions.size, 1, "one client, one session");
  for (const session of model.sessions.values()) assert.equal(last, session.lastServerRequest);
}

Deno.test("clients keep their promises however connections break and processes die", () => {
  const seen = { executed: 0, unknown: 0, processes: 0 };
  for (let run = 0; run < RUNS; run++) {
    const seed = (SEED + run) >>> 0;
    const world = new World(seed);
    try {
      for (let i = 0; i < STEPS; i++) world.step();
      world.settle();
      check(world);
    } catch (error) {
      throw new Error(`SKEIN_SEED=${seed}`, { cause: error });
    }
    seen.executed += world.model.executed.length;
    seen.unknown += world.unknown.length;
    seen.processes += world.delivered.length;
  }
  assert.ok(
    seen.executed > RUNS * 10 && seen.unknown > RUNS && seen.processes > RUNS * 2,
    JSON.stringify(seen),
  );
});
