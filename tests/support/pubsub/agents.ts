/**
 * Agents that have nothing but their channels, and a network between them that a test may cut, or let take nothing.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Clock } from "../../../cluster/runtime.ts";
import {
  type Interest,
  interestOf,
  PubSub,
  type PubSubNet,
  type Subscriber,
} from "../../../cluster/pubsub/mod.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A subscriber and what it has got. */
export interface Hearer {
  readonly subscriber: Subscriber;
  /** Messages as `channel message`, with a pattern as `channel message by pattern`, and `dropped n`. */
  readonly heard: string[];
  /** The pushes. */
  readonly pushes: Record<string, unknown>[];
  /** The lines as they came. */
  readonly lines: Uint8Array[];
}

/** One agent. */
export class ChannelAgent {
  readonly pubsub: PubSub;
  /** Whom it is connected with. */
  readonly #others = new Map<string, ChannelAgent>();
  /** Whether others take nothing that can be missed. */
  isFull = false;
  /** Frames that it has sent. */
  sent = 0;

  constructor(readonly name: string, clock?: Pick<Clock, "setTimer">) {
    const net: PubSubNet = {
      sendNews: (to, news) => to.filter((id) => !this.#send(id, news)),
      sendSurely: (to, news) => void this.#hand(to, news),
      tell: (news) => {
        for (const id of this.#others.keys()) this.#hand(id, news);
      },
    };
    this.pubsub = new PubSub(name, () => net, clock);
  }

  /** Connects two agents with each other. */
  connect(other: ChannelAgent): void {
    this.#others.set(other.name, other);
    other.#others.set(this.name, this);
    this.pubsub.connected(other.name);
    other.pubsub.connected(this.name);
  }

  /** Cuts two agents off from each other. */
  cut(other: ChannelAgent): void {
    this.#others.delete(other.name);
    other.#others.delete(this.name);
    this.pubsub.forget(other.name);
    other.pubsub.forget(this.name);
  }

  /** One who subscribes to these. */
  hearer(...texts: string[]): Hearer {
    const heard: string[] = [];
    const pushes: Record<string, unknown>[] = [];
    const lines: Uint8Array[] = [];
    const subscriber = this.pubsub.subscriber({
      messages: (bytes, count) => {
        const texts = decoder.decode(bytes).trimEnd().split("\n");
        assert.equal(texts.length, count);
        lines.push(bytes);
        for (const push of texts.map((text) => JSON.parse(text))) {
          const by = push.pattern === undefined ? "" : ` by ${push.pattern}`;
          heard.push(`${push.channel} ${JSON.stringify(push.message)}${by}`);
          pushes.push(push);
        }
      },
      dropped: (count) => heard.push(`dropped ${count}`),
    });
    for (const text of texts) this.pubsub.subscribe(subscriber, interestOf(text) as Interest);
    return { subscriber, heard, pushes, lines };
  }

  /** Publishes a value. */
  publish(channel: string, message: unknown, from = "me"): number {
    return this.pubsub.publish(channel, encoder.encode(JSON.stringify(message)), from);
  }

  #send(to: string, news: Uint8Array): boolean {
    return !this.isFull && this.#hand(to, news);
  }

  #hand(to: string, news: Uint8Array): boolean {
    const other = this.#others.get(to);
    if (other === undefined) return false;
    this.sent++;
    other.pubsub.receive(this.name, news.slice());
    return true;
  }
}

/** Agents that are connected with each other. */
export function connectedAgents(...names: string[]): ChannelAgent[] {
  const agents = names.map((name) => new ChannelAgent(name));
  agents.forEach((one, i) => agents.slice(i + 1).forEach((other) => one.connect(other)));
  return agents;
}

/** Until what changed in this turn is told. */
export async function told(): Promise<void> {
  await Promise.resolve();
  await Promise.resolve();
}
