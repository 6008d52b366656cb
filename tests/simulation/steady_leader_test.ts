/**
 * Whole servers, with their real driver, log and vote file, whose leader stays although a disk is slow, or a network loses what
 * goes one way.
 *
 * @module
 */

import assert from "node:assert/strict";
import { incrementCommand, resolvePath } from "../../cluster/machine/kv/mod.ts";
import { Checker } from "../support/replica/simulation/checker.ts";
import { Parcels } from "../support/replica/simulation/links.ts";
import { newestLeader } from "../support/replica/simulation/nemesis.ts";
import { SimulatedServer, type World } from "../support/replica/simulation/server.ts";
import { SeededRandom } from "../support/simulation/random.ts";
import { Simulation } from "../support/simulation/simulation.ts";

const INCREMENT = incrementCommand(resolvePath("n") as Uint8Array, 1);

/** Disks of which one sync takes so long, in milliseconds. */
const FAST = { accessMs: [0.01, 0.2], syncMs: [1, 2] } as const;
const SLOW = { accessMs: [0.01, 0.2], syncMs: [200, 200] } as const;

/** Three servers. */
class Servers implements Disposable {
  readonly servers: readonly SimulatedServer[];
  readonly #world: World;

  constructor(seed: number) {
    this.#world = {
      simulation: new Simulation(seed, { latencyMs: [0.1, 3] }),
      random: new SeededRandom(seed, 77),
      checker: new Checker(),
      parcels: new Parcels(),
      snapshots: { every: 10_000, trailing: 100 },
      stateMs: 1,
    };
    this.servers = ["s1", "s2", "s3"].map((id) => new SimulatedServer(id, this.#world));
  }

  /** Starts them with fast disks; gives the leader once it has done something. */
  static async led(seed: number): Promise<{ servers: Servers; leader: SimulatedServer }> {
    const servers = new Servers(seed);
    const ids = servers.servers.map(({ id }) => id);
    servers.servers.forEach((server, i) => server.start(i === 0 ? ids : undefined));
    assert.ok(await servers.until(() => newestLeader(servers.servers) !== undefined));
    for (const { disk } of servers.servers) disk.times = FAST;
    const leader = newestLeader(servers.servers) as SimulatedServer;
    await servers.write(leader);
    return { servers, leader };
  }

  /** Terms that had a leader up to now. */
  get leaders(): number {
    return this.#world.checker.leaders;
  }

  get simulation(): Simulation {
    return this.#world.simulation;
  }

  until(holds: () => boolean): Promise<boolean> {
    return this.simulation.runUntil(holds, 10_000, 0);
  }

  /** Increments a counter at a server; gives the virtual milliseconds until the answer. */
  async write(server: SimulatedServer): Promise<number> {
    const begin = this.simulation.now;
    const answers = this.begin(server);
    assert.ok(await this.until(() => answers.length > 0), "no answer");
    return answers[0] as number - begin;
  }

  /** Begins to increment the counter; the time of the answer is in the list once it has come. */
  begin({ replica }: SimulatedServer): readonly number[] {
    const answers: number[] = [];
    replica?.propose(INCREMENT, 5_000, (result) => {
      assert.ok(result.ok, JSON.stringify(result));
      answers.push(this.simulation.now);
    });
    return answers;
  }

  [Symbol.dispose](): void {
    for (const server of this.servers) server.end("killed");
    assert.equal(this.#world.checker.problem, undefined);
  }
}

/** The slowest of writes one after the other for a while, in virtual milliseconds. */
async function slowest(servers: Servers, leader: SimulatedServer): Promise<number> {
  const end = servers.simulation.now + 20_000;
  let most = 0;
  while (servers.simulation.now < end) most = Math.max(most, await servers.write(leader));
  return most;
}

Deno.test("a follower whose syncs take 200 ms slows no write down, and the leader stays", async () => {
  const { servers, leader } = await Servers.led(1);
  using _ = servers;
  const { leaders } = servers;
  const follower = servers.servers.find((one) => one !== leader) as SimulatedServer;
  follower.disk.times = SLOW;
  // There and back, with two syncs beside each other.
  assert.ok(await slowest(servers, leader) < 20);
  assert.deepEqual([servers.leaders, leader.raft?.role.name], [leaders, "leader"]);
  assert.ok(await servers.until(() => follower.raft?.commit === leader.raft?.commit));
});

Deno.test("a leader whose syncs take 200 ms stays, and commits as fast as the others, but answers after its own", async () => {
  const { servers, leader } = await Servers.led(2);
  using _ = servers;
  const { leaders } = servers;
  leader.disk.times = SLOW;
  const commit = leader.raft?.commit as number;
  const begin = servers.simulation.now;
  const answers = servers.begin(leader);
  assert.ok(await servers.until(() => leader.raft?.commit as number > commit));
  assert.ok(servers.simulation.now - begin < 20);
  assert.ok(await servers.until(() => answers.length > 0));
  assert.ok(answers[0] as number - begin >= 200);
  // A new file of the log takes three syncs.
  assert.ok(await slowest(servers, leader) < 3 * 200 + 20);
  assert.deepEqual([servers.leaders, leader.raft?.role.name], [leaders, "leader"]);
});

/** Who does not reach whom: the leader `l`, the followers `f` and `g`. */
const ONE_WAY: readonly (readonly [from: string, to: string])[] = [
  ["l", "f"],
  ["f", "l"],
  ["l", "fg"],
  ["fg", "l"],
  ["f", "g"],
  ["f", "lg"],
  ["lg", "f"],
  ["lf", "g"],
];

Deno.test("a network that loses one direction for 30 s brings at most two elections", async () => {
  for (const [from, to] of ONE_WAY) {
    for (const seed of [1, 2, 3]) {
      const { servers, leader } = await Servers.led(seed);
      using _ = servers;
      const [f, g] = servers.servers.filter((one) => one !== leader);
      const places: Record<string, SimulatedServer | undefined> = { l: leader, f, g };
      const hosts = (names: string) => [...names].map((name) => places[name]?.host as string);
      const { leaders } = servers;
      servers.simulation.partition(hosts(from), hosts(to), true);
      await servers.simulation.runFor(30_000);
      const elections = servers.leaders - leaders;
      assert.ok(elections <= 2, `${elections} elections without ${from} > ${to}, seed ${seed}`);
      await servers.write(newestLeader(servers.servers) as SimulatedServer);
    }
  }
});
