/**
 * Looking for members that were lost: those that failed so long ago that they were forgotten, and the addresses that
 * this node was told to join. Go agents see an ordinary join; they themselves never look again (docs/spec/serf.md 8.2).
 *
 * @module
 */

import { joinHostPort } from "../../protocol/host_port.ts";
import { type Address, randomInt } from "../runtime.ts";
import type { Core } from "./core/core.ts";

/** Where a lost member may be. */
interface Place {
  readonly address: Address;
  /** Who was there; nobody in particular when the address was given. */
  readonly name: string | undefined;
}

/** Looks for lost members, a little at a time. */
export class Healer {
  /** Addresses that this node was told to join, as they were given. */
  seeds: readonly string[] = [];
  readonly #core: Core;
  #isLooking = false;

  /** A healer that knows no addresses. */
  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Tries one place, the likelier the more there are: in a large cluster all agents together try about each place once
   * in a round.
   */
  async look(): Promise<void> {
    const core = this.#core;
    if (core.state !== "alive" || core.lost.size + this.seeds.length === 0) return;
    const places = [...this.#lostPlaces(), ...await this.#seedPlaces()];
    if (places.length > 0 !== this.#isLooking) this.#tell(places);
    const { members, random } = core;
    const others = members.size - members.failed.size - members.left.size;
    const place = places[randomInt(random, places.length)];
    if (place === undefined || random.float() > places.length / Math.max(1, others)) return;
    await this.#try(place);
  }

  #lostPlaces(): Place[] {
    return this.#core.lost.list(this.#core.timers.now());
  }

  /** Where the given addresses lead, but for those of members. */
  async #seedPlaces(): Promise<Place[]> {
    const { cluster, log, members } = this.#core;
    const found: Place[] = [];
    for (const seed of this.seeds) {
      try {
        for (const address of await cluster.resolve(seed)) found.push({ address, name: undefined });
      } catch (error) {
        log.debug(`Cannot look for ${seed}: ${(error as Error).message}`);
      }
    }
    const known = new Set<string>();
    for (const { node } of members.records()) known.add(joinHostPort(node.host, node.port));
    return found.filter(({ address: { host, port } }) => !known.has(joinHostPort(host, port)));
  }

  #tell(places: readonly Place[]): void {
    this.#isLooking = places.length > 0;
    if (!this.#isLooking) return;
    const shown = places.slice(0, 3).map(({ address, name }) => {
      const place = joinHostPort(address.host, address.port);
      return name === undefined ? place : `${name} ${place}`;
    });
    const more = places.length > shown.length ? ` and ${places.length - shown.length} more` : "";
    this.#core.log.info(`Looking for lost members from time to time: ${shown.join(", ")}${more}`);
  }

  async #try({ address, name }: Place): Promise<void> {
    const { cluster, log } = this.#core;
    const place = joinHostPort(address.host, address.port);
    try {
      // Somebody else may have the address now, of another cluster even.
      if (name !== undefined) await cluster.ping(name, address);
      await cluster.join([place], { chosen: name === undefined });
      log.info(`Found ${name ?? "a lost member"} at ${place}`);
    } catch (error) {
      log.debug(`Nobody at ${place}: ${(error as Error).message}`);
    }
  }
}
