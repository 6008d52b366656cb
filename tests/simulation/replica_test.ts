/**
 * Whole servers of the replicated state, with their real driver, log, vote file and snapshots, on machines that lose power, stand
 * still and are cut off: what was acknowledged is there once, what was refused is not, reads are fresh, and all states are equal.
 *
 * `SKEIN_SEED=n` replays one run, `SKEIN_REPLICA_RUNS=n` makes that many with new seeds (default 10, in CI 40).
 *
 * @module
 */

import assert from "node:assert/strict";
import { getQuestion, resolvePath } from "../../cluster/machine/kv/mod.ts";
import { SimulatedClients } from "../support/replica/simulated_clients.ts";
import { dumpOf, SimulatedServer } from "../support/replica/simulated_server.ts";
import { SeededRandom } from "../support/simulation/random.ts";
import { Simulation } from "../support/simulation/simulation.ts";

const ROUNDS = 2_000;
const CLIENTS = 6;
const LIVE_MS = 30_000;

interface Report {
  readonly acknowledged: number;
  readonly read: number;
  readonly unknown: number;
  readonly crashes: number;
  readonly trace: string;
}

class Run {
  readonly simulation: Simulation;
  readonly random: SeededRandom;
  readonly servers: SimulatedServer[] = [];
  readonly clients: SimulatedClients;
  readonly #leaders = new Map<number, string>();
  readonly #paused = new Set<SimulatedServer>();
  crashes = 0;

  constructor(seed: number) {
    this.simulation = new Simulation(seed, { latencyMs: [0.1, 3] });
    this.random = new SeededRandom(seed, 77);
    for (const n of [1, 2, 3]) this.#add(n);
    this.clients = new SimulatedClients(CLIENTS, this.servers, this.random);
  }

  async run(): Promise<Report> {
    const ids = this.servers.map(({ id }) => id);
    await this.#settled(this.servers.map((server, i) => server.start(i === 0 ? ids : undefined)));
    for (let round = 0; round < ROUNDS; round++) {
      await this.simulation.runFor(1 + this.random.float() * 60);
      if (this.random.float() < 0.02) await this.#disturb();
      this.clients.ask();
      this.#checkLeaders();
    }
    await this.#heal();
    const { acknowledged, read, unknown } = this.clients;
    return { acknowledged, read, unknown, crashes: this.crashes, trace: this.simulation.traceHash };
  }

  #add(n: number): void {
    const host = `10.0.0.${n}`;
    const hostOf = (id: string): string => `10.0.0.${id.slice(1)}`;
    this.servers.push(new SimulatedServer(`s${n}`, host, this.simulation, this.random, hostOf));
  }

  async #disturb(): Promise<void> {
    const server = this.#any();
    const choice = this.random.float();
    if (choice < 0.15) this.#end(server, true);
    else if (choice < 0.25) await this.#crashInElection();
    else if (choice < 0.35) this.#end(server, false);
    else if (choice < 0.4) { for (const one of this.servers) this.#end(one, true); }
    else if (choice < 0.6) await this.#startAll();
    else if (choice < 0.7) this.#pause(server);
    else if (choice < 0.8) this.#cut(server);
    else if (choice < 0.9) this.#calm();
    else if (choice < 0.95) this.#operate(server.replica?.transfer());
    else this.#operate(server.replica?.snapshot());
    const noise = this.random.float() < 0.5;
    this.simulation.setNetwork(
      noise ? { loss: 0.1, duplicate: 0.1, reorder: 0.1 } : { loss: 0, duplicate: 0, reorder: 0 },
    );
  }

  /** The leader loses power, and then another server at any step of what follows, which is back at once. */
  async #crashInElection(): Promise<void> {
    const leader = this.servers.find(({ replica }) => replica?.status.role === "leader");
    if (leader !== undefined) this.#end(leader, true);
    await this.#startAll();
    const term = Math.max(...this.#leaders.keys(), 0);
    const others = this.servers.filter((server) => server !== leader);
    await this.simulation.runUntil(
      () => others.some(({ replica }) => (replica?.status.term ?? 0) > term),
      5_000,
      0,
    );
    let steps = Math.floor(this.random.float() * 25);
    await this.simulation.runUntil(() => steps-- <= 0, 100, 0);
    for (const server of others) if (this.random.float() < 0.7) this.#end(server, true);
    await this.#startAll();
  }

  #any(): SimulatedServer {
    return this.servers[Math.floor(this.random.float() * this.servers.length)] as SimulatedServer;
  }

  #end(server: SimulatedServer, isCrash: boolean): void {
    if (!server.isUp) return;
    this.crashes++;
    this.#paused.delete(server);
    server.end(isCrash);
    this.clients.serverEnded(server);
  }

  #pause(server: SimulatedServer): void {
    if (!server.isUp || this.#paused.has(server)) return;
    this.#paused.add(server);
    this.simulation.pause(server.host);
  }

  #cut(server: SimulatedServer): void {
    const others = this.servers.filter((one) => one !== server).map(({ host }) => host);
    this.simulation.partition([server.host], others, this.random.float() < 0.5);
  }

  #calm(): void {
    this.simulation.heal();
    for (const server of this.#paused) this.simulation.resume(server.host);
    this.#paused.clear();
  }

  #operate(promise: Promise<unknown> | undefined): void {
    promise?.catch((error: unknown) => assert.fail(String(error)));
  }

  async #startAll(): Promise<void> {
    const down = this.servers.filter(({ isUp }) => !isUp);
    await this.#settled(down.map((server) => server.start()));
    for (const { id, failure } of this.servers) {
      if (failure !== undefined) throw new Error(`${id}: ${failure.message}`, { cause: failure });
    }
  }

  async #settled(starts: readonly Promise<void>[]): Promise<void> {
    await this.simulation.settle(Promise.all(starts), 600_000);
  }

  #checkLeaders(): void {
    for (const { id, replica, failure } of this.servers) {
      if (failure !== undefined) throw new Error(`${id}: ${failure.message}`, { cause: failure });
      if (replica === undefined) continue;
      const { role, term } = replica.status;
      if (role !== "leader") continue;
      const known = this.#leaders.get(term) ?? id;
      assert.equal(id, known, `two leaders of term ${term}`);
      this.#leaders.set(term, id);
    }
  }

  /** All is well from here on: a majority goes on, all servers come to the same, and it is what clients were told. */
  async #heal(): Promise<void> {
    this.#calm();
    this.simulation.setNetwork({ loss: 0, duplicate: 0, reorder: 0 });
    await this.#startAll();
    const before = this.clients.acknowledged;
    const goesOn = await this.simulation.runUntil(() => {
      this.clients.ask();
      return this.clients.acknowledged > before + 5;
    }, LIVE_MS);
    assert.ok(goesOn, "no write within the time after all faults have ended");
    // The last answers.
    await this.simulation.runFor(4_000);
    const equal = await this.simulation.runUntil(() => {
      const applied = new Set(this.servers.map((it) => it.replica?.status.appliedIndex));
      return applied.size === 1 &&
        this.servers.every((it) =>
          it.replica?.status.lastIndex === it.replica?.status.appliedIndex
        );
    }, LIVE_MS);
    assert.ok(equal, "the servers do not come to the same entry");
    const hashes = this.servers.map(({ store }) => store && dumpOf(store).summary.hash);
    assert.equal(new Set(hashes).size, 1, "equal entries and unequal states");
    this.clients.check((key) => {
      const path = resolvePath(key) as Uint8Array;
      const result = this.servers[0]?.replica?.machine.query(getQuestion(path));
      return result?.ok ? new TextDecoder().decode(result.body) : undefined;
    });
    for (const server of this.servers) server.end(false);
  }
}

async function run(seed: number): Promise<Report> {
  try {
    return await new Run(seed).run();
  } catch (cause) {
    throw new Error(
      `Seed ${seed}: ${cause}\nReplay: SKEIN_SEED=${seed} deno test -A tests/simulation/replica_test.ts`,
      { cause },
    );
  }
}

Deno.test("one seed gives one run of whole servers", async () => {
  assert.deepEqual(await run(5), await run(5));
});

Deno.test("whole servers lose, double and invent nothing under new seeds", async () => {
  const replayed = Deno.env.get("SKEIN_SEED");
  const runs = Number(Deno.env.get("SKEIN_REPLICA_RUNS") ?? (Deno.env.has("CI") ? 40 : 10));
  const first = replayed === undefined
    ? crypto.getRandomValues(new Uint32Array(1))[0] as number
    : Number(replayed);
  const count = replayed === undefined ? runs : 1;
  console.log(`replica simulation: seeds ${first} to ${first + count - 1}`);
  const total = { acknowledged: 0, read: 0, unknown: 0, crashes: 0 };
  for (let seed = first; seed < first + count; seed++) {
    const report = await run(seed);
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += report[name];
  }
  console.log(`  ${JSON.stringify(total)}`);
  assert.ok(total.acknowledged > 20 * count, "hardly anything was done");
});
