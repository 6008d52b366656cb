/**
 * What the other agents want, and what they missed.
 *
 * @module
 */

import { EVERYTHING, type Interest } from "./channel.ts";
import { MAX_TOLD_INTERESTS } from "./announcement.ts";
import { eachOnce, type Group, Subscriptions } from "./subscriptions.ts";
import { encodeDropped } from "./wire.ts";

/** Channels whose dropped messages are counted for themselves, of one agent. */
export const MAX_DROPPED_CHANNELS = 256;

/** The channel under which messages of all others are counted. */
const OTHERS = "";

/** The way to the other agents. */
export interface NewsSender {
  /** Sends to these agents what they can miss. Returns those that do not take it. */
  sendNews(to: readonly string[], news: Uint8Array): readonly string[];
}

/** Another agent. */
interface Peer {
  readonly id: string;
  readonly interests: Map<string, Interest>;
  /** How many messages of which channels it has not got, and does not know of. */
  readonly dropped: Map<string, number>;
}

/** The other agents that want something. */
export class PeerInterests {
  /** Messages that an agent did not get, so far. */
  dropped = 0;
  readonly #net: () => NewsSender;
  readonly #most: number;
  readonly #peers = new Map<string, Peer>();
  readonly #subscriptions = new Subscriptions<Peer>();
  /** Those that have missed something. */
  readonly #behind = new Set<Peer>();

  /** Keeps up to `most` interests of each; who has more gets everything. */
  constructor(net: () => NewsSender, most = MAX_TOLD_INTERESTS) {
    this.#net = net;
    this.#most = most;
  }

  /** An agent wants this, and nothing else. */
  replace(id: string, interests: readonly Interest[]): void {
    const peer = this.#at(id);
    const wanted = new Map(interests.map((interest) => [interest.text, interest]));
    for (const interest of peer.interests.values()) {
      if (!wanted.has(interest.text)) this.#remove(peer, interest);
    }
    for (const interest of wanted.values()) this.#add(peer, interest);
  }

  /** An agent wants more, or less. */
  change(id: string, changes: readonly (readonly [Interest, boolean])[]): void {
    const peer = this.#at(id);
    for (const [interest, isAdded] of changes) {
      if (isAdded) this.#add(peer, interest);
      else this.#remove(peer, interest);
    }
  }

  /** Nothing is known of an agent any more. */
  forget(id: string): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    for (const interest of peer.interests.values()) this.#remove(peer, interest);
    this.#behind.delete(peer);
    this.#peers.delete(id);
  }

  /** The groups of agents that want what is published to a channel. */
  matching(channel: string): Group<Peer>[] {
    return this.#subscriptions.matching(channel);
  }

  /** Sends a message to agents that want it, once to each. Returns to how many. */
  send(groups: readonly Group<Peer>[], channel: string, news: Uint8Array): number {
    const peers: Peer[] = [];
    eachOnce(groups, (peer) => {
      // In the order of what happened, or its count would come when nobody looks for it any more.
      if (peer.dropped.size === 0 || this.#tellOne(peer)) peers.push(peer);
      else this.#drop(peer, channel);
    });
    const refused = this.#net().sendNews(peers.map(({ id }) => id), news);
    for (const id of refused) this.#drop(this.#at(id), channel);
    return peers.length - refused.length;
  }

  /** Tells agents what they have missed, those that take it. */
  tellDropped(): void {
    for (const peer of this.#behind) this.#tellOne(peer);
  }

  #tellOne(peer: Peer): boolean {
    const refused = this.#net().sendNews([peer.id], encodeDropped(peer.dropped));
    if (refused.length > 0) return false;
    peer.dropped.clear();
    this.#behind.delete(peer);
    return true;
  }

  #drop(peer: Peer, channel: string): void {
    const { dropped } = peer;
    const isCounted = dropped.has(channel) || dropped.size < MAX_DROPPED_CHANNELS;
    const counted = isCounted ? channel : OTHERS;
    dropped.set(counted, (dropped.get(counted) ?? 0) + 1);
    this.#behind.add(peer);
    this.dropped++;
  }

  #at(id: string): Peer {
    const known = this.#peers.get(id);
    if (known !== undefined) return known;
    const peer: Peer = { id, interests: new Map(), dropped: new Map() };
    this.#peers.set(id, peer);
    return peer;
  }

  #add(peer: Peer, interest: Interest): void {
    const { interests } = peer;
    const counted = interests.size < this.#most ? interest : EVERYTHING;
    if (interests.has(counted.text)) return;
    interests.set(counted.text, counted);
    this.#subscriptions.add(counted, peer, 0);
  }

  #remove(peer: Peer, interest: Interest): void {
    if (peer.interests.delete(interest.text)) this.#subscriptions.remove(interest, peer);
  }
}
