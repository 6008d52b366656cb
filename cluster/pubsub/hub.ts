/**
 * Publishing and subscribing at one agent, and with the others: whoever is interested gets a message once, and nobody waits.
 *
 * At most once: what a subscriber or another agent does not take in time is dropped, and counted for those who miss it. What one
 * publisher publishes comes in its order.
 *
 * @module
 */

import { concatBytes } from "../../protocol/bytes.ts";
import { messageLine, withPattern } from "../../protocol/kv/message.ts";
import type { Clock, Timer } from "../runtime.ts";
import { Announcement } from "./announcement.ts";
import type { Interest } from "./channel.ts";
import { type NewsSender, PeerInterests } from "./peer_interests.ts";
import { Sequences } from "./sequences.ts";
import { eachOnce, type Group, Subscriptions } from "./subscriptions.ts";
import { decodeNews, encodeNewsMessage } from "./wire.ts";

/** The way to the other agents. */
export interface PubSubNet extends NewsSender {
  /** Sends to an agent what it must not miss, unless the connection breaks. */
  sendSurely(to: string, news: Uint8Array): void;
  /** Sends to all agents with a connection what they must not miss, and connects with the others. */
  tell(news: Uint8Array): void;
}

/** Takes the messages of one subscriber, whom nobody waits for. */
export interface Listener {
  /** So many messages: the lines of their pushes, one after the other. They are shared, and not to be changed. */
  messages(lines: Uint8Array, count: number): void;
  /** So many messages got lost on their way to this agent that it has, or may have, subscribed to. */
  dropped(count: number): void;
}

/** Figures of an agent. */
export interface PubSubFigures {
  /** Those who have subscribed to something. */
  readonly subscribers: number;
  /** What they have subscribed to. */
  readonly subscriptions: number;
  /** Messages that were published here. */
  readonly published: number;
  /** Messages that were handed to subscribers here. */
  readonly delivered: number;
  /** Messages that another agent did not get. */
  readonly dropped: number;
}

/** Lines for one group, which all of its members get at once. */
interface Gathered {
  readonly group: Group<Subscriber>;
  readonly lines: Uint8Array[];
  bytes: number;
  /** Hands them out, unless the end of the turn does. */
  readonly timer: Timer | undefined;
}

/** What is handed out costs a write for each member: to a group of so many more is waited for when several came in one turn, ... */
const LARGE_GROUP = 32;
/** ... to one of so many always, since the writes take longer than that, ... */
const HUGE_GROUP = 256;
/** ... so long, in milliseconds. */
const GATHER_MS = 1;

/** Bytes of lines that are gathered before they are handed out. */
const MAX_GATHERED_BYTES = 256 * 1024;

/** Most subscriptions at one agent. */
export const MAX_AGENT_SUBSCRIPTIONS = 1_000_000;

/** One who may subscribe. */
export interface Subscriber {
  readonly listener: Listener;
  /** What it has subscribed to, by the text, in that order. */
  readonly interests: Map<string, Interest>;
  /** How often it has subscribed. */
  count: number;
}

/** The channels of one agent. */
export class PubSub {
  /** Name of the agent. */
  readonly node: string;
  readonly #net: () => PubSubNet;
  readonly #clock: Pick<Clock, "setTimer"> | undefined;
  readonly #subscriptions = new Subscriptions<Subscriber>();
  readonly #subscribers = new Set<Subscriber>();
  readonly #announcement = new Announcement();
  readonly #peers: PeerInterests;
  readonly #sequences = new Sequences();
  readonly #figures = { subscriptions: 0, published: 0, delivered: 0 };
  #isTelling = false;
  #gathered: Gathered | undefined;
  /** The group to which several messages were handed out last. */
  #busy: Group<Subscriber> | undefined;

  /** The channels of an agent that is called `node`. Without a clock everything is handed out at the end of its turn. */
  constructor(node: string, net: () => PubSubNet, clock?: Pick<Clock, "setTimer">) {
    this.node = node;
    this.#net = net;
    this.#clock = clock;
    this.#peers = new PeerInterests(net);
  }

  /** Whether somebody has subscribed, so that the other agents have to know. */
  get isListening(): boolean {
    return !this.#announcement.isEmpty;
  }

  /** What happened so far. */
  get figures(): PubSubFigures {
    return {
      ...this.#figures,
      subscribers: this.#subscribers.size,
      dropped: this.#peers.dropped,
    };
  }

  /** One who has subscribed to nothing yet. */
  subscriber(listener: Listener): Subscriber {
    return { listener, interests: new Map(), count: 0 };
  }

  /** Whether there is room for so many more subscriptions. */
  hasRoom(count: number): boolean {
    return this.#figures.subscriptions + count <= MAX_AGENT_SUBSCRIPTIONS;
  }

  /** Subscribes, unless it has before. */
  subscribe(subscriber: Subscriber, interest: Interest): void {
    const { text } = interest;
    if (subscriber.interests.has(text)) return;
    this.#handOut();
    subscriber.interests.set(text, interest);
    this.#subscribers.add(subscriber);
    this.#figures.subscriptions++;
    if (!this.#subscriptions.add(interest, subscriber, subscriber.count++)) return;
    this.#announcement.add(text);
    this.#tellSoon();
  }

  /** Ends a subscription, if there is one. */
  unsubscribe(subscriber: Subscriber, text: string): void {
    const interest = subscriber.interests.get(text);
    if (interest === undefined) return;
    this.#handOut();
    subscriber.interests.delete(text);
    if (subscriber.interests.size === 0) this.#subscribers.delete(subscriber);
    this.#figures.subscriptions--;
    if (!this.#subscriptions.remove(interest, subscriber)) return;
    this.#announcement.remove(text);
    this.#tellSoon();
  }

  /** Ends all of its subscriptions. */
  leave(subscriber: Subscriber): void {
    for (const text of subscriber.interests.keys()) this.unsubscribe(subscriber, text);
  }

  /**
   * Publishes the JSON text of a message to a channel. Returns how many subscribers of this agent and how many other agents it went
   * to; how many subscribers those have is not known.
   */
  publish(channel: string, text: Uint8Array, from: string): number {
    this.#figures.published++;
    const seq = this.#sequences.next(channel);
    const groups = this.#subscriptions.matching(channel);
    const peers = this.#peers.matching(channel);
    if (groups.length === 0 && peers.length === 0) return 0;
    const line = messageLine({ channel, text, from, node: this.node, seq });
    const delivered = this.#deliver(groups, line);
    if (peers.length === 0) return delivered;
    return delivered + this.#peers.send(peers, channel, encodeNewsMessage(channel, line));
  }

  /** Another agent says something, on a connection that it has made. Throws `NewsError`. */
  receive(peer: string, bytes: Uint8Array): void {
    const news = decodeNews(bytes);
    switch (news.kind) {
      case "message":
        this.#deliver(this.#subscriptions.matching(news.channel), news.line);
        return;
      case "dropped":
        for (const [channel, count] of news.dropped) this.#tellDropped(channel, count);
        return;
      case "interests":
        return this.#peers.replace(peer, news.interests);
      case "changes":
        return this.#peers.change(peer, news.changes);
    }
  }

  /** There is a new connection to another agent: it knows nothing of what is wanted here. */
  connected(peer: string): void {
    if (this.isListening) this.#net().sendSurely(peer, this.#announcement.all());
  }

  /** The connection that another agent had made is gone, or a new one takes its place: nothing is known of what it wants. */
  forget(peer: string): void {
    this.#peers.forget(peer);
  }

  /** Tells other agents what they have missed, when they can take it. To be called now and then. */
  tick(): void {
    this.#peers.tellDropped();
  }

  #deliver(groups: readonly Group<Subscriber>[], line: Uint8Array): number {
    const [only] = groups;
    if (only !== undefined && groups.length === 1) return this.#gather(only, line);
    this.#handOut();
    let count = 0;
    let last: Interest | undefined;
    let shown = line;
    eachOnce(groups, ({ listener }, interest) => {
      // Those of one interest come one after the other, or nearly.
      if (interest !== last) {
        last = interest;
        shown = shownFor(interest, line);
      }
      listener.messages(shown, 1);
      count++;
    });
    this.#figures.delivered += count;
    return count;
  }

  /** What comes to one group in one turn, or shortly, is put together once, and handed out in order with what comes to others. */
  #gather(group: Group<Subscriber>, line: Uint8Array): number {
    const shown = shownFor(group.interest, line);
    let gathered = this.#gathered;
    if (gathered?.group !== group || gathered.bytes > MAX_GATHERED_BYTES) {
      this.#handOut();
      const handOut = (): void => this.#handOut();
      const { size } = group.members;
      const waits = size >= (group === this.#busy ? LARGE_GROUP : HUGE_GROUP);
      const timer = waits ? this.#clock?.setTimer(GATHER_MS, handOut) : undefined;
      if (timer === undefined) queueMicrotask(handOut);
      this.#gathered = gathered = { group, lines: [], bytes: 0, timer };
    }
    gathered.lines.push(shown);
    gathered.bytes += shown.length;
    this.#figures.delivered += group.members.size;
    return group.members.size;
  }

  #handOut(): void {
    const gathered = this.#gathered;
    if (gathered === undefined) return;
    this.#gathered = undefined;
    const { group: { members }, lines, timer } = gathered;
    timer?.cancel();
    this.#busy = lines.length > 1 ? gathered.group : undefined;
    const bytes = concatBytes(lines);
    for (const { listener } of members.keys()) listener.messages(bytes, lines.length);
  }

  #tellDropped(channel: string, count: number): void {
    this.#handOut();
    if (channel === "") {
      for (const { listener } of this.#subscribers) listener.dropped(count);
      return;
    }
    const groups = this.#subscriptions.matching(channel);
    eachOnce(groups, ({ listener }) => listener.dropped(count));
  }

  /** What changes in one turn is told at once. */
  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      const news = this.#announcement.news();
      if (news !== undefined) this.#net().tell(news);
    });
  }
}

function shownFor({ kind, text }: Interest, line: Uint8Array): Uint8Array {
  return kind === "channel" ? line : withPattern(line, text);
}
