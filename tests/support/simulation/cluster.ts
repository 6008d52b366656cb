/**
 * A cluster of simulated nodes, and what each of them believes about the others.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Address, Runtime } from "../../../cluster/runtime.ts";
import { Noted } from "./invariants/invariant.ts";
import { DEFAULT_PORT, type Simulation } from "./simulation.ts";

/**
 * What gossip missed comes with a push/pull: every 30 s up to 32 nodes, 60 s up to 64, 90 s up to 128
 * (docs/spec/memberlist.md 9.4, LAN profile). Whoever is missed twice needs a second one.
 */
export const CATCH_UP_MS = 2 * 90_000;

/** The joins of 100 nodes fill the gossip for some ten seconds; what is measured comes after that. */
const QUIET_MS = 30_000;

/** How a node that is not alive is seen; a dead and a failed node are the same. */
export type Absence = "failed" | "left";

/** What one node believes, kept from its events so that 1,000 nodes can be compared at any time. */
export class View {
  /** Names of nodes that are known and not alive. */
  readonly absent = new Map<string, Absence>();
  /** How often each node was declared failed. Only nodes that ever were. */
  readonly failures = new Map<string, number>();
  /** Nodes that are known, alive or not. */
  known = 0;
  /** Virtual time of the last change. */
  changedAt = 0;
  /** The world that the node lives in. */
  readonly simulation: Simulation;
  /** Broken when a node is declared failed that `mustLive` names. */
  readonly falseDeath: Noted = new Noted("No live node is declared failed");
  readonly #mustLive: (name: string) => boolean;

  constructor(simulation: Simulation, mustLive: (name: string) => boolean) {
    this.simulation = simulation;
    this.#mustLive = mustLive;
  }

  /** Nodes that are alive. */
  get alive(): number {
    return this.known - this.absent.size;
  }

  /** `name` joined, or came back. */
  join(name: string): void {
    if (!this.absent.delete(name)) this.known++;
    this.changedAt = this.simulation.now;
  }

  /** `name` failed or left. */
  lose(name: string, how: Absence): void {
    this.absent.set(name, how);
    if (how === "failed") {
      this.failures.set(name, (this.failures.get(name) ?? 0) + 1);
      if (this.#mustLive(name)) this.falseDeath.note(name);
    }
    this.changedAt = this.simulation.now;
  }
}

/** What runs on a node. */
export interface NodeApp {
  /** Joins through the given addresses; resolves with how many could be reached. */
  join(addresses: string[]): Promise<number>;
  /** Leaves gracefully. */
  leave(): Promise<void>;
  /** Stops everything. */
  shutdown(): Promise<void>;
  /** What the node says about every node it knows. */
  statuses(): Map<string, string>;
}

/** Who a node is. */
export interface Identity {
  /** Its name. */
  readonly name: string;
  /** Its address in text. */
  readonly address: Address;
  /** Its IP address as 4 bytes. */
  readonly ip: Uint8Array;
}

/** Starts what runs on a node; it reports what it sees to `view`. */
export type StartApp<App extends NodeApp> = (
  runtime: Runtime,
  identity: Identity,
  view: View,
) => App;

/** One node. */
export interface SimNode<App extends NodeApp> extends Identity {
  /** What runs on it. */
  readonly app: App;
  /** What it believes. */
  readonly view: View;
}

/** Nodes `node-0`, `node-1`, ... on 10.0.0.0/8. */
export class Cluster<App extends NodeApp> {
  /** The world they live in. */
  readonly simulation: Simulation;
  /** Nodes that run and have not left. */
  readonly live: SimNode<App>[] = [];
  /** How the live nodes should see those that are gone. */
  readonly gone = new Map<string, Absence>();
  /** Whether {@linkcode Cluster.forbidFalseDeaths} was called. */
  #falseDeathsForbidden = false;
  readonly #start: StartApp<App>;

  constructor(simulation: Simulation, start: StartApp<App>) {
    this.simulation = simulation;
    this.#start = start;
  }

  /** Starts `count` more nodes, each alone. */
  grow(count: number): SimNode<App>[] {
    const first = this.live.length + this.gone.size;
    return Array.from({ length: count }, (_, i) => this.#run(identity(first + i)));
  }

  /** Starts `count` nodes that all join the first at once, waits until they agree and the news is old. */
  async form(count: number): Promise<void> {
    const [first, ...others] = this.grow(count);
    assert.ok(first !== undefined);
    // On a bad network a dial may find no way through in its time; whoever joins tries again.
    const join = ({ app }: SimNode<App>) => app.join([joinText(first)]);
    const joins = others.map((node) => join(node).catch(() => join(node)));
    await this.simulation.settle(Promise.all(joins));
    await this.agree(CATCH_UP_MS);
    await this.simulation.runFor(QUIET_MS);
  }

  /** Waits until {@linkcode Cluster.agreed}, and checks every node's own word for it. */
  async agree(limitMs: number): Promise<void> {
    const { simulation } = this;
    const begun = simulation.now;
    if (!await simulation.runUntil(() => this.agreed(), limitMs)) {
      assert.fail(`No agreement after ${limitMs} ms: ${this.#disagreements().join("; ")}`);
    }
    assert.deepEqual(this.#disagreements(), [], `Agreement after ${simulation.now - begun} ms`);
  }

  /**
   * Every live node sees every other live one alive, and those that are gone as they should be; one that
   * it never heard of does not count.
   */
  agreed(): boolean {
    const { live, gone } = this;
    return live.every(({ view }) =>
      view.alive === live.length && [...view.absent].every(([name, how]) => gone.get(name) === how)
    );
  }

  /** Ends a node's process at once. */
  kill(node: SimNode<App>): void {
    this.simulation.kill(node.address.host);
    this.#remove(node, "failed");
  }

  /** Starts a killed node or one that left again, as a new process with the same name and address. */
  restart(node: SimNode<App>): SimNode<App> {
    this.gone.delete(node.name);
    return this.#run(node);
  }

  /** Lets nodes leave at once, and stop when all have left. */
  async leave(...nodes: readonly SimNode<App>[]): Promise<void> {
    for (const node of nodes) this.#remove(node, "left");
    await this.simulation.settle(Promise.all(nodes.map(({ app }) => app.leave())));
    for (const { app } of nodes) await this.simulation.settle(app.shutdown());
  }

  /** From here on the run ends when a live node declares a live node failed. */
  forbidFalseDeaths(): void {
    this.#falseDeathsForbidden = true;
  }

  /** Packets and bytes that a live node sends in a second, over the next `ms` virtual milliseconds. */
  async rates(ms: number): Promise<Record<string, string>> {
    const { stats } = this.simulation;
    const [packets, bytes] = [stats.sent, stats.bytes + stats.streamBytes];
    await this.simulation.runFor(ms);
    const per = (more: number) => (more / this.live.length / (ms / 1_000)).toFixed(1);
    return {
      "packets/node/s": per(stats.sent - packets),
      "bytes/node/s": per(stats.bytes + stats.streamBytes - bytes),
    };
  }

  #run(who: Identity): SimNode<App> {
    const mustLive = (name: string): boolean =>
      this.#falseDeathsForbidden && this.live.some((node) => node.name === name);
    const view = new View(this.simulation, mustLive);
    const { name, address, ip } = who;
    const app = this.#start(this.simulation.addHost(address.host, address.port), who, view);
    this.simulation.watch(address.host, [view.falseDeath]);
    const node = { name, address, ip, app, view };
    this.live.push(node);
    return node;
  }

  #remove(node: SimNode<App>, how: Absence): void {
    this.live.splice(this.live.indexOf(node), 1);
    this.gone.set(node.name, how);
  }

  /** What is wrong in the nodes' own words; the first few. */
  #disagreements(): string[] {
    const wrong: string[] = [];
    for (const { name, app } of this.live) {
      const statuses = app.statuses();
      for (const other of this.live) {
        const status = statuses.get(other.name);
        if (status !== "alive") wrong.push(`${name} sees ${other.name} ${status ?? "not at all"}`);
      }
      for (const [other, how] of this.gone) {
        const status = statuses.get(other);
        if (status !== how && status !== undefined) wrong.push(`${name} sees ${other} ${status}`);
      }
      if (wrong.length > 10) return [...wrong.slice(0, 10), "..."];
    }
    return wrong;
  }
}

/** A node's address as `join` takes it. */
export function joinText({ address: { host, port } }: Identity): string {
  return `${host}:${port}`;
}

/** The middle and the largest of some numbers. */
export function spread(numbers: readonly number[]): { median: number; last: number } {
  const sorted = numbers.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >> 1] ?? NaN, last: sorted.at(-1) ?? NaN };
}

/** The node of that number. */
export function identity(index: number): Identity {
  const ip = Uint8Array.of(10, (index >> 16) & 255, (index >> 8) & 255, index & 255);
  return { name: `node-${index}`, address: { host: ip.join("."), port: DEFAULT_PORT }, ip };
}
