/**
 * Serf instances in one simulated network.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  hostToAddr,
  type MemberlistConfig,
  memberlistConfig,
} from "../../../cluster/memberlist/mod.ts";
import { Serf, type SerfConfig, serfConfig, type SerfEvent } from "../../../cluster/serf/mod.ts";
import { Simulation } from "../simulation/mod.ts";

/** One instance. */
export interface Agent {
  serf: Serf;
  /** Its name. */
  name: string;
  /** Its IP address. */
  host: string;
  /** Everything it told. */
  events: SerfEvent[];
}

/** A network whose agents are shut down at the end of a test. */
export class Network implements AsyncDisposable {
  readonly simulation: Simulation = new Simulation(7);
  readonly #agents: Agent[] = [];

  /** Starts an agent alone; its host is 10.0.0.n unless given. */
  start(
    name: string,
    config: Partial<SerfConfig> = {},
    { host, memberlist = {} }: { host?: string; memberlist?: Partial<MemberlistConfig> } = {},
  ): Agent {
    const at = host ?? `10.0.0.${this.#agents.length + 1}`;
    const runtime = this.simulation.addHost(at);
    const events: SerfEvent[] = [];
    const advertise = { addr: hostToAddr(at), port: 7_946 };
    const serf = new Serf(
      serfConfig({
        nodeName: name,
        memberlist: memberlistConfig(name, advertise, "local", memberlist),
        onEvent: (event) => void events.push(event),
      }, config),
      runtime,
    );
    serf.start();
    const agent = { serf, name, host: at, events };
    this.#agents.push(agent);
    return agent;
  }

  /** A cluster of agents with these names, whose events so far are forgotten. */
  async cluster(names: string[], config: Partial<SerfConfig> = {}): Promise<Agent[]> {
    const agents = names.map((name) => this.start(name, config));
    const [first, ...others] = agents;
    for (const agent of others) {
      assert.equal(await this.join(agent, first as Agent), 1);
    }
    await this.until(() => agents.every(({ serf }) => alive(serf).length === names.length));
    // Join intents still travel; a forced leave that crosses one of the same Lamport time would be lost.
    await this.simulation.runFor(2_000);
    for (const { events } of agents) events.length = 0;
    return agents;
  }

  /** Lets `agent` join through `other`. */
  join(agent: Agent, other: Agent, ignoreOld = false): Promise<number> {
    return this.simulation.settle(agent.serf.join([other.host], { ignoreOld }));
  }

  /** Lets time pass until `condition` holds. */
  async until(condition: () => boolean, limitMs = 60_000): Promise<void> {
    assert.ok(await this.simulation.runUntil(condition, limitMs, 0), `Not within ${limitMs} ms`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.simulation.settle(Promise.all(this.#agents.map(({ serf }) => serf.shutdown())));
  }
}

/** Names of the members that an instance sees alive, sorted. */
export function alive(serf: Serf): string[] {
  return serf.members().filter((m) => m.status === "alive").map((m) => m.name).sort();
}

/** How an instance sees a member. */
export function statusOf({ serf }: Agent, name: string): string {
  return serf.members().find((member) => member.name === name)?.status ?? "unknown";
}
