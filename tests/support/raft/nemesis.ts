/**
 * What goes wrong in a simulated run, by its mood.
 *
 * @module
 */

import type { MemberRole } from "../../../cluster/raft/mod.ts";
import type { Harm, Mood } from "./mood.ts";
import type { SimulatedServer, World } from "./server.ts";

/** A cluster that grows to at most so many servers. */
const MAX_SERVERS = 6;

/** Who leads in the newest term in which somebody does. */
export function newestLeader(servers: Iterable<SimulatedServer>): SimulatedServer | undefined {
  let newest: SimulatedServer | undefined;
  for (const server of servers) {
    if (!server.running || server.raft.role.name !== "leader") continue;
    if (newest === undefined || server.raft.term > newest.raft.term) newest = server;
  }
  return newest;
}

/** Does harm now and then, until it is told to end. */
export class Nemesis {
  /** Servers that ended without a word. */
  crashes = 0;
  readonly #world: World;
  readonly #mood: Mood;
  readonly #servers: ReadonlyMap<string, SimulatedServer>;
  readonly #add: (id: string) => SimulatedServer;
  #ended = false;

  constructor(
    world: World,
    mood: Mood,
    servers: ReadonlyMap<string, SimulatedServer>,
    add: (id: string) => SimulatedServer,
  ) {
    this.#world = world;
    this.#mood = mood;
    this.#servers = servers;
    this.#add = add;
  }

  /** Begins. */
  start(): void {
    const { queue, random, options } = this.#world;
    queue.after(random.float() * 4 * options.electionTimeoutMs, () => {
      if (this.#ended) return;
      this.#doHarm();
      this.start();
    });
  }

  /** No more. */
  end(): void {
    this.#ended = true;
  }

  #doHarm(): void {
    const { network, options } = this.#world;
    const ids = [...this.#servers.keys()];
    const anybody = this.#servers.get(ids[this.#dice(ids.length)] as string) as SimulatedServer;
    const victim = this.#dice(2) === 0 ? newestLeader(this.#servers.values()) ?? anybody : anybody;
    const { harm } = this.#mood;
    switch (harm[this.#dice(harm.length)] as Harm) {
      case "crash":
        return this.#dice(2) === 0 ? victim.crash() : victim.crashAfter(this.#dice(30));
      case "crash-all":
        for (const server of this.#servers.values()) server.crash();
        return;
      case "pause":
        return victim.pause(this.#dice(10) * options.electionTimeoutMs / 2);
      case "partition":
        return this.#partition(victim);
      case "change":
        return this.#changeMembers(newestLeader(this.#servers.values()));
      case "transfer": {
        const target = this.#dice(2) === 0 ? undefined : ids[this.#dice(ids.length)];
        newestLeader(this.#servers.values())?.take({
          type: "transfer",
          ...(target !== undefined && { target }),
        });
        return;
      }
      case "heal":
        network.heal();
    }
  }

  #partition(victim: SimulatedServer): void {
    const { network } = this.#world;
    const ids = [...this.#servers.keys()];
    const side = new Set(ids.filter(() => this.#dice(2) === 0));
    const oneWay = this.#dice(2) === 0;
    // Or between two servers that both hear the others.
    const link = this.#dice(3) === 0 ? [victim.id, ids[this.#dice(ids.length)]] : ids;
    for (const a of ids) {
      for (const b of ids) {
        if (!link.includes(a) || !link.includes(b)) continue;
        if (side.has(a) !== side.has(b) && (!oneWay || side.has(a))) network.block(a, b);
      }
    }
  }

  /** A server has crashed. */
  restartLater(server: SimulatedServer): void {
    this.crashes++;
    const { queue, random, options } = this.#world;
    const most = this.#dice(3) === 0 ? 0.1 : 4;
    queue.after(random.float() * most * options.electionTimeoutMs, () => {
      if (!server.running) server.start();
    });
  }

  /** A leader adds or removes a voter, and only one other server hears of it: the next leader may not know. */
  #changeApart(leader: SimulatedServer): void {
    const { network } = this.#world;
    const { voters } = leader.raft.members;
    const adds = this.#dice(2) === 0;
    if (adds) this.#maybeAdd();
    const ids = [...this.#servers.keys()];
    const chosen = adds ? ids.filter((id) => !voters.includes(id)) : voters;
    const id = chosen[this.#dice(chosen.length)];
    if (id === undefined) return;
    const change = adds
      ? { kind: "add", id, role: "voter" } as const
      : { kind: "remove", id } as const;
    leader.take({ type: "change", change, time: 0 });
    const apart = [leader.id, adds ? id : ids[this.#dice(ids.length)] as string];
    network.heal();
    for (const other of ids.filter((it) => !apart.includes(it))) {
      for (const one of apart) {
        network.block(one, other);
        network.block(other, one);
      }
    }
  }

  #maybeAdd(): void {
    const count = this.#servers.size;
    if (count < MAX_SERVERS) this.#add(String.fromCharCode(97 + count)).start();
  }

  /** Just elected, a leader is at its most vulnerable. */
  troubleLeader(server: SimulatedServer): void {
    const { toLeaders } = this.#mood;
    if (this.#ended || toLeaders === "nothing" || this.#dice(3) === 0) return;
    if (toLeaders === "crash") return server.crashAfter(this.#dice(40));
    if (toLeaders === "change") return this.#changeApart(server);
    for (const other of this.#servers.values()) {
      if (other !== server && other.running && other.raft.role.name === "leader") {
        other.pause(2 * this.#world.options.electionTimeoutMs);
      }
    }
  }

  #changeMembers(leader: SimulatedServer | undefined): void {
    if (leader === undefined) return;
    if (this.#dice(2) === 0) this.#maybeAdd();
    const ids = [...this.#servers.keys()];
    const id = ids[this.#dice(ids.length)] as string;
    const roles: readonly MemberRole[] = ["voter", "voter", "staging", "learner"];
    // Twice, as two operators would.
    for (let i = 0; i < 2; i++) {
      const remove = this.#dice(3) === 0;
      const other = i === 0 ? id : ids[this.#dice(ids.length)] as string;
      const change = remove
        ? { kind: "remove" as const, id: other }
        : { kind: "add" as const, id: other, role: roles[this.#dice(4)] as MemberRole };
      if (leader.running) leader.take({ type: "change", change, time: 0 });
    }
  }

  /** A whole number below `limit`. */
  #dice(limit: number): number {
    return Math.floor(this.#world.random.float() * limit);
  }
}
