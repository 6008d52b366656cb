/**
 * The parts of a parsed regular expression.
 *
 * @module
 */

/** Says whether a character, given as its code point, belongs to a set. */
export type CharSet = (codePoint: number) => boolean;

/** A condition on the place between two characters. */
export type Place =
  | "text-start"
  | "text-end"
  | "line-start"
  | "line-end"
  | "word-boundary"
  | "no-word-boundary";

/** A regular expression. Groups capture nothing: only whether there is a match is ever asked. */
export type Expression =
  | { readonly kind: "char"; readonly set: CharSet }
  | { readonly kind: "place"; readonly place: Place }
  | { readonly kind: "sequence"; readonly parts: readonly Expression[] }
  | { readonly kind: "either"; readonly options: readonly Expression[] }
  | {
    readonly kind: "repeat";
    readonly item: Expression;
    readonly min: number;
    /** `Infinity` when there is no limit. */
    readonly max: number;
  };

/** A pattern that is not valid, or larger than a bound. The text says what and where. */
export class PatternError extends Error {
  /** Names the class in logs. */
  override readonly name = "PatternError";
}
