/**
 * What operators ask of a leader: changes of the members, barriers, handing over.
 *
 * @module
 */

import type {
  ConfigurationChange,
  Effects,
  Entry,
  Input,
  Refusal,
} from "../../../cluster/raft/mod.ts";

/** What came of an entry that operators ask for: nothing when it is done, or why it is not. */
export type ChangeOutcome = Refusal | { readonly reason: "lost" } | undefined;

/** What came of handing over: nothing when it is done, or why it is not. */
export type TransferOutcome = Refusal | { readonly reason: "no-takeover" } | undefined;

interface Appended {
  readonly index: number;
  readonly term: number;
  readonly done: (outcome: ChangeOutcome) => void;
}

/** The operations that are under way at one server. */
export class Operations {
  readonly #take: (input: Input, before: (effects: Effects) => void) => void;
  #appended: Appended[] = [];
  #transfer: ((outcome: TransferOutcome) => void) | undefined;

  /** `take` gives the core an input and lets `before` see what comes of it. */
  constructor(take: (input: Input, before: (effects: Effects) => void) => void) {
    this.#take = take;
  }

  /** Makes a change of the members; resolves when it is applied, or with why it is not. */
  change(
    change: ConfigurationChange,
    expectedIndex: number | undefined,
    time: number,
  ): Promise<ChangeOutcome> {
    const expected = expectedIndex === undefined ? {} : { expectedIndex };
    return this.#append({ type: "change", change, time, ...expected });
  }

  /** Appends a barrier; resolves as {@linkcode Operations.change} does. */
  mark(token: Uint8Array, time: number): Promise<ChangeOutcome> {
    return this.#append({ type: "propose", proposals: [{ type: "barrier", data: token }], time });
  }

  /** Hands over; resolves when this server leads no more, or with why it still does. */
  transfer(target: string | undefined): Promise<TransferOutcome> {
    const { promise, resolve } = Promise.withResolvers<TransferOutcome>();
    const input: Input = { type: "transfer", ...(target !== undefined && { target }) };
    this.#take(input, ({ refused }) => {
      if (refused === undefined) this.#transfer = resolve;
      else resolve(refused);
    });
    return promise;
  }

  /** Handing over is over. */
  transferred(isDone: boolean): void {
    this.#transfer?.(isDone ? undefined : { reason: "no-takeover" });
    this.#transfer = undefined;
  }

  /** An entry was applied. */
  applied({ index, term }: Entry): void {
    this.#end(index, (one) => one.index === index && one.term === term);
  }

  /** The machine has come to this entry; what a snapshot has skipped is not known to have been done. */
  reached(index: number): void {
    this.#end(index, () => false);
  }

  /** Nobody learns any more what becomes of them. */
  close(): void {
    this.transferred(false);
    this.#end(Infinity, () => false);
  }

  #append(input: Input): Promise<ChangeOutcome> {
    const { promise, resolve } = Promise.withResolvers<ChangeOutcome>();
    this.#take(input, ({ accepted, refused }) => {
      if (accepted === undefined) resolve(refused ?? { reason: "lost" });
      else this.#appended.push({ index: accepted.last, term: accepted.term, done: resolve });
    });
    return promise;
  }

  #end(index: number, isDone: (one: Appended) => boolean): void {
    if (index < (this.#appended[0]?.index ?? Infinity)) return;
    const over = this.#appended.filter((one) => one.index <= index);
    this.#appended = this.#appended.filter((one) => one.index > index);
    for (const one of over) one.done(isDone(one) ? undefined : { reason: "lost" });
  }
}
