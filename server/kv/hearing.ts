/**
 * What a client hears without asking: messages of channels, and changes of what it watches.
 *
 * @module
 */

import type { Subscriber } from "../../cluster/pubsub/mod.ts";
import type { Watcher } from "../../cluster/watch/mod.ts";
import { type LineWriter, type Problem, SLOW_CONSUMER } from "../../protocol/kv/mod.ts";
import type { Outbox } from "../net/outbox.ts";
import { Pushes } from "./pushes.ts";
import type { Services } from "./services.ts";
import { ClientSession } from "./session/session.ts";
import { watcherOf } from "./watching.ts";

/** The subscriptions, watches and session of one client. */
export class Hearing {
  /** What the client has subscribed to. */
  readonly subscriber: Subscriber;
  readonly #outbox: Outbox<LineWriter>;
  readonly #services: Services;
  readonly #onSlow: (problem: Problem) => void;
  readonly #pushes: Pushes;
  #watcher: Watcher | undefined;
  #session: ClientSession | undefined;

  /** @param onSlow Called when the client does not read what it watches, and is to go. */
  constructor(
    outbox: Outbox<LineWriter>,
    services: Services,
    onSlow: (problem: Problem) => void,
  ) {
    this.#outbox = outbox;
    this.#services = services;
    this.#onSlow = onSlow;
    this.#pushes = new Pushes(outbox, services.pushed, (error) => void services.incident(error));
    this.subscriber = services.pubsub.subscriber({
      messages: (lines, count) => this.#pushes.add(lines, count),
      dropped: (count) => this.#pushes.miss(count),
    });
  }

  /** Whether there is something to hear, so that the client need not ask for anything. */
  get listens(): boolean {
    return this.subscriber.interests.size > 0 || (this.#watcher?.size ?? 0) > 0;
  }

  /** The watches. */
  get watcher(): Watcher {
    const { watches } = this.#services.state;
    this.#watcher ??= watcherOf(watches, this.#outbox, () => this.#onSlow(SLOW_CONSUMER));
    return this.#watcher;
  }

  /** Its session, if there is one, was one, or is to be one. */
  get session(): ClientSession {
    return this.#session ??= new ClientSession(this.#outbox, this.#services);
  }

  /** Whether it has a session now. */
  get hasSession(): boolean {
    return this.#session?.isThere ?? false;
  }

  /** The client has sent a line. */
  heard(): void {
    this.#session?.heard();
  }

  /** Hears no more. */
  close(): void {
    this.#services.pubsub.leave(this.subscriber);
    this.#pushes.close();
    this.#watcher?.close();
    this.#session?.close();
  }
}
