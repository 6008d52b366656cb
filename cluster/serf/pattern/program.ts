/**
 * Runs a regular expression in time proportional to pattern times text, whatever the pattern.
 *
 * A peer chooses the patterns of tag filters. JavaScript's `RegExp` backtracks, so that `(a+)+$` from the network
 * could stop the agent; a simulated automaton that follows all threads at once cannot be stopped that way.
 *
 * @module
 */

import { PERL_CLASSES } from "./char_set.ts";
import { type CharSet, type Expression, PatternError, type Place } from "./syntax.ts";

/** Most visits to parts of the expression while it is unrolled, as `{0}` yields no instruction to count. */
const MAX_VISITS = 65_536;

/** Where a thread that reached this instruction ends. */
const MATCH = 0;

type Instruction =
  | { readonly op: "match" }
  | { readonly op: "char"; readonly set: CharSet; readonly next: number }
  | { readonly op: "place"; readonly place: Place; readonly next: number }
  | { readonly op: "split"; first: number; second: number };

/** A compiled pattern. */
export class Program {
  readonly #code: Instruction[] = [{ op: "match" }];
  readonly #maxSize: number;
  readonly #start: number;
  #visits = 0;

  /**
   * Compiles an expression.
   *
   * @throws {PatternError} when it unrolls to more than `maxSize` instructions
   */
  constructor(expression: Expression, maxSize: number) {
    this.#maxSize = maxSize;
    this.#start = this.#emit(expression, MATCH);
  }

  /** Instructions of the program. */
  get size(): number {
    return this.#code.length;
  }

  /** Whether the pattern is found anywhere in `text`. */
  test(text: string): boolean {
    const chars = Array.from(text, (char) => char.codePointAt(0) ?? 0);
    const seenAt = new Int32Array(this.#code.length).fill(-1);
    let threads: number[] = [];
    for (let position = 0; position <= chars.length; position++) {
      const before = chars[position - 1];
      const after = chars[position];
      const stack = [this.#start, ...threads.reverse()];
      threads = [];
      for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
        if (seenAt[at] === position) continue;
        seenAt[at] = position;
        const instruction = this.#code[at] as Instruction;
        if (instruction.op === "match") return true;
        if (instruction.op === "split") stack.push(instruction.second, instruction.first);
        else if (instruction.op === "place") {
          if (holds(instruction.place, before, after)) stack.push(instruction.next);
        } else if (after !== undefined && instruction.set(after)) threads.push(instruction.next);
      }
    }
    return false;
  }

  /** Appends the code of `expression` that goes on at `next`, and returns where it starts. */
  #emit(expression: Expression, next: number): number {
    if (++this.#visits > MAX_VISITS) this.#tooLarge();
    switch (expression.kind) {
      case "char":
        return this.#push({ op: "char", set: expression.set, next });
      case "place":
        return this.#push({ op: "place", place: expression.place, next });
      case "sequence":
        return expression.parts.reduceRight((after, part) => this.#emit(part, after), next);
      case "either":
        return expression.options.map((option) => this.#emit(option, next))
          .reduceRight((second, first) => this.#push({ op: "split", first, second }));
      case "repeat":
        return this.#emitRepeat(expression.item, expression.min, expression.max, next);
    }
  }

  #emitRepeat(item: Expression, min: number, max: number, next: number): number {
    let start = next;
    if (max === Infinity) {
      const loop = { op: "split" as const, first: MATCH, second: next };
      start = this.#push(loop);
      loop.first = this.#emit(item, start);
    } else {
      for (let i = min; i < max; i++) {
        start = this.#push({ op: "split", first: this.#emit(item, start), second: next });
      }
    }
    for (let i = 0; i < min; i++) start = this.#emit(item, start);
    return start;
  }

  #push(instruction: Instruction): number {
    if (this.#code.length >= this.#maxSize) this.#tooLarge();
    return this.#code.push(instruction) - 1;
  }

  #tooLarge(): never {
    throw new PatternError(`Pattern needs more than ${this.#maxSize} instructions`);
  }
}

/** Whether `place` is between the characters `before` and `after`; `undefined` is the edge of the text. */
function holds(place: Place, before: number | undefined, after: number | undefined): boolean {
  switch (place) {
    case "text-start":
      return before === undefined;
    case "text-end":
      return after === undefined;
    case "line-start":
      return before === undefined || before === 0x0a;
    case "line-end":
      return after === undefined || after === 0x0a;
    case "word-boundary":
      return isWord(before) !== isWord(after);
    case "no-word-boundary":
      return isWord(before) === isWord(after);
  }
}

function isWord(char: number | undefined): boolean {
  return char !== undefined && (PERL_CLASSES.w?.(char) ?? false);
}
