/**
 * A cluster of one size that is whole from the start on, and what its nodes see.
 *
 * @module
 */

import { type MemberNode, NodeState } from "../../cluster/memberlist/mod.ts";
import type { Runtime } from "../../cluster/runtime.ts";
import { type Identity, identity, Simulation } from "../../tests/support/simulation/mod.ts";
import { SharedNodes } from "../../tests/support/simulation/shared_nodes.ts";
import { type Layer, type ScaleNode, startedNode, startNode, type Witness } from "./layers.ts";
import { behindGate, Gate } from "./slow.ts";

/** The nodes gossip that they are alive when they start; after this time, in ms, that is over. */
const SETTLE_MS = 10_000;

/** A node and who it is. */
export interface WorldNode extends Identity {
  readonly app: ScaleNode;
}

/** How a world differs from a plain one. */
export interface WorldOptions {
  /** What runs on the nodes. */
  readonly layer: Layer;
  /** Part of the nodes that can become slow, in [0, 1]. */
  readonly slowPart: number;
}

/** How many nodes saw something, and when. */
export interface Sighting {
  /** Virtual milliseconds at which each node saw it, in order. */
  readonly times: number[];
}

/** A simulated cluster. */
export class World {
  /** Time and network. */
  readonly simulation: Simulation;
  /** The nodes, killed ones too. */
  readonly nodes: WorldNode[] = [];
  /** Sightings of events, joins and failures that are watched, under their names. */
  readonly watched = new Map<string, Sighting>();
  /** Nodes that were killed. */
  readonly killed = new Set<string>();
  /** What makes nodes slow, by the names of those that can become slow. */
  readonly gates = new Map<string, Gate>();
  /** For each death of a living node that some node declared: who it was. One for each life that was refuted later. */
  readonly falseDeaths: string[] = [];
  /** How often some node saw a living node fail. */
  falseViews = 0;
  /** Suspicions of living nodes, each counted once for each life. */
  falseSuspicions = 0;
  readonly #options: WorldOptions;
  readonly #shared = new SharedNodes((fact) => this.#learned(fact));
  readonly #witness: Witness;

  private constructor(seed: number, options: WorldOptions) {
    this.simulation = new Simulation(seed);
    this.#options = options;
    const see = (name: string): void => {
      this.watched.get(name)?.times.push(this.simulation.now);
    };
    this.#witness = {
      joined: see,
      event: see,
      failed: (name) => {
        see(name);
        if (!this.killed.has(name)) this.falseViews++;
      },
    };
  }

  /** `count` nodes that have known each other for long. */
  static async whole(seed: number, count: number, options: WorldOptions): Promise<World> {
    const world = new World(seed, options);
    const identities = Array.from({ length: count }, (_, index) => identity(index));
    const known = identities.map((who) => world.#shared.intern(startedNode(options.layer, who)));
    for (const who of identities) world.#start(who, known);
    await world.simulation.runFor(SETTLE_MS);
    return world;
  }

  /** Nodes that live. */
  get live(): WorldNode[] {
    return this.nodes.filter(({ name }) => !this.killed.has(name));
  }

  /** Starts `count` more nodes, which know nobody. */
  grow(count: number): WorldNode[] {
    const first = this.nodes.length;
    return Array.from({ length: count }, (_, i) => this.#start(identity(first + i), []));
  }

  /** Counts who sees `name` from now on. */
  watch(name: string): Sighting {
    const sighting: Sighting = { times: [] };
    this.watched.set(name, sighting);
    return sighting;
  }

  /** Ends the process of a node. */
  kill(node: WorldNode): void {
    this.killed.add(node.name);
    this.simulation.kill(node.address.host);
  }

  #start(who: Identity, known: readonly MemberNode[]): WorldNode {
    const { layer, slowPart } = this.#options;
    let runtime: Runtime = this.simulation.addHost(who.address.host, who.address.port);
    if (slowPart > 0 && this.nodes.length % Math.round(1 / slowPart) === 0) {
      const gate = new Gate(runtime);
      this.gates.set(who.name, gate);
      runtime = behindGate(runtime, gate);
    }
    const shared = this.#shared.knowledge(known);
    const app = startNode(layer, { runtime, identity: who, shared, witness: this.#witness });
    const node = { ...who, app };
    this.nodes.push(node);
    return node;
  }

  #learned({ name, state }: MemberNode): void {
    if (this.killed.has(name)) return;
    if (state === NodeState.dead) this.falseDeaths.push(name);
    if (state === NodeState.suspect) this.falseSuspicions++;
  }
}
