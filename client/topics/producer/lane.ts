/**
 * The way of batches to one partition, in order: some of them are under way at once, and when one fails, no other one is sent
 * until it is known what became of all.
 *
 * A batch that failed is sent again where it stood. Without an identity, by which the server knows what it has had, that is done
 * only with what was certainly not done, and with nothing that others have overtaken.
 *
 * @module
 */

import { MAX_IDS } from "../../../protocol/topics/message_set.ts";
import type { FrameWriter, Produced } from "../../../protocol/topics/mod.ts";
import type { Settle } from "../../net/deadline.ts";
import { reportFault } from "../../net/portable.ts";
import type { TopicPosition } from "../../../protocol/topics/program/messages.ts";
import type { LaneSettings } from "../settings.ts";
import type { Tries } from "../wire/retry.ts";
import { Batch } from "./batch.ts";
import { fateOf, notInTime } from "./fate.ts";

/** Sequences are numbers of 31 bits. */
const LAST_SEQUENCE = 0x7fff_ffff;

/** By what a server knows a batch that comes again. */
export interface Identity {
  readonly id: number;
  readonly epoch: number;
}

/** A message on its way. */
export interface LaneMessage {
  /** Appends it. */
  readonly write: (writer: FrameWriter) => void;
  /** Bytes that it takes. */
  readonly size: number;
  readonly hasId: boolean;
  readonly settle: Settle<TopicPosition>;
}

/** What lanes need of their producer. */
export interface LaneWorld {
  readonly options: LaneSettings;
  /** Whether batches have an identity. */
  readonly idempotent: boolean;
  /** Whether nothing more can be sent. */
  readonly isOver: boolean;
  /** An identity; another one than before when it is `renewed`. */
  identify(renewed: boolean): Promise<Identity>;
  /** Sends a batch once. */
  send(batch: Batch, identity: Identity | undefined): Promise<Produced>;
  /** Whether it is known who leads. */
  leads(): boolean;
  /** The tries of a batch. */
  tries(): Tries;
  /** Waits before batches are sent again. */
  rest(ms: number): Promise<void>;
  /** A batch is settled, with this error if it failed. */
  settled(batch: Batch, error?: unknown): void;
}

/** The batches of one partition. */
export class Lane {
  readonly #partition: number;
  readonly #world: LaneWorld;
  /** How many batches there have been. */
  #count = 0;
  #open: Batch | undefined;
  /** Runs while there is an open batch that has a time to wait. */
  #linger: ReturnType<typeof setTimeout> | undefined;
  /** Whether the open batch has waited for long enough. */
  #isDue = false;
  readonly #queue: Batch[] = [];
  /** Those under way, in order; with those that are done already while it is waited for others. */
  #sent: Batch[] = [];
  /** Whether nothing is sent now. */
  #isHeld = false;
  #identity: Identity | undefined;
  #wasIdentified = false;
  #sequence = 0;

  /** Sends nothing yet. */
  constructor(partition: number, world: LaneWorld) {
    this.#partition = partition;
    this.#world = world;
  }

  /** Whether there is a batch that takes more messages. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Adds a message. */
  add({ write, size, hasId, settle }: LaneMessage): void {
    const { maxMessages, maxBytes, lingerMs } = this.#world.options;
    if (this.#open !== undefined && this.#open.bytes + size > maxBytes) this.#seal();
    if (this.#open === undefined) {
      this.#open = new Batch(this.#partition, this.#count++, this.#world.tries());
      this.#wait(this.#open, lingerMs);
    }
    this.#open.add(write, hasId, settle);
    const { count, ids, bytes } = this.#open;
    if (count >= maxMessages || ids >= MAX_IDS || bytes >= maxBytes) this.#seal();
  }

  /** Sends what is there without waiting for more. Resolves when it is settled. */
  async flush(): Promise<void> {
    if (this.#open !== undefined) this.#seal();
    await Promise.all([...this.#sent, ...this.#queue].map((batch) => batch.finished()));
  }

  /** Lets a batch that is open be sent after a time: without any once this turn is over, while a timer would take a millisecond or two. */
  #wait(batch: Batch, lingerMs: number): void {
    const due = (): void => {
      if (this.#open !== batch) return;
      this.#isDue = true;
      this.#pump();
    };
    if (lingerMs > 0) this.#linger = setTimeout(due, lingerMs);
    else queueMicrotask(due);
  }

  #seal(): void {
    clearTimeout(this.#linger);
    this.#isDue = false;
    this.#queue.push(this.#open as Batch);
    this.#open = undefined;
    this.#pump();
  }

  #pump(): void {
    while (!this.#isHeld) {
      const [next = this.#open] = this.#queue;
      if (next === undefined) return;
      // What is between them and done counts as well: a server knows only the last ones when they come again.
      const { number: oldest } = this.#sent[0] ?? next;
      if (next.number - oldest >= this.#world.options.maxInFlight) return;
      if (next === this.#open) return this.#isDue ? this.#seal() : undefined;
      if (this.#world.idempotent && !this.#isIdentified(next)) return;
      this.#queue.shift();
      if (!next.wasSent && next.tries.left() === 0) this.#fail(next, notInTime(next.tries));
      else this.#send(next);
    }
  }

  /** Whether a batch has, or can have, a sequence of the identity; sees to it that there is one. */
  #isIdentified(batch: Batch): boolean {
    const hasRoom = batch.sequence !== undefined || this.#sequence <= LAST_SEQUENCE - batch.count;
    if (this.#identity !== undefined && hasRoom) return true;
    // Those under way have the numbers before.
    if (this.#sent.length === 0) this.#identify().catch(reportFault);
    return false;
  }

  async #identify(): Promise<void> {
    this.#isHeld = true;
    try {
      this.#identity = await this.#world.identify(this.#wasIdentified);
      this.#wasIdentified = true;
      this.#sequence = 0;
    } catch (error) {
      for (const batch of this.#queue.splice(0)) this.#fail(batch, error);
    }
    this.#isHeld = false;
    this.#pump();
  }

  #send(batch: Batch): void {
    if (this.#identity !== undefined && batch.sequence === undefined) {
      batch.sequence = this.#sequence;
      this.#sequence += batch.count;
    }
    this.#sent.push(batch);
    this.#world.send(batch, this.#identity).then(
      (produced) => this.#ended(batch, produced),
      (error) => this.#ended(batch, { error }),
    ).catch(reportFault);
  }

  #ended(batch: Batch, outcome: Produced | { readonly error: unknown }): void {
    batch.outcome = outcome;
    if ("error" in outcome) {
      this.#isHeld = true;
    } else {
      batch.resolve(outcome);
      this.#world.settled(batch);
    }
    if (!this.#isHeld) {
      this.#sent.splice(this.#sent.indexOf(batch), 1);
      this.#pump();
    } else if (this.#sent.every(({ outcome }) => outcome !== undefined)) {
      this.#recover().catch(reportFault);
    }
  }

  /** Decides what becomes of those that failed, now that nothing is under way. */
  async #recover(): Promise<void> {
    const { idempotent, isOver } = this.#world;
    const fate = fateOf(this.#sent, { idempotent, isOver, leads: this.#world.leads() });
    this.#sent = [];
    for (const [batch, error] of fate.failed) this.#fail(batch, error);
    for (const batch of fate.again) {
      batch.outcome = undefined;
      if (fate.renew) batch.sequence = undefined;
    }
    this.#queue.unshift(...fate.again);
    if (fate.renew) this.#identity = undefined;
    if (fate.again.length > 0) await this.#world.rest(fate.delayMs);
    this.#isHeld = false;
    this.#pump();
  }

  #fail(batch: Batch, error: unknown): void {
    batch.reject(error);
    this.#world.settled(batch, error);
  }
}
