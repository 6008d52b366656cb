/**
 * What other nodes wrote, in the output of a command: names, tags, payloads, answers, log messages. A pipe or a file gets
 * it as it is. On a terminal it can neither steer the terminal nor pass for a line, or a column, of ours.
 *
 * @module
 */

import { printable } from "../../../protocol/quote.ts";
import { showBytes } from "../../../protocol/text.ts";

/** How the texts of others are shown. */
export interface Foreign {
  /** A text within a line: line breaks are escaped. */
  readonly word: (text: string) => string;
  /** A text that fills a cell of a table: two blanks, which end a column, are escaped too. */
  readonly cell: (text: string) => string;
  /** A text that may have many lines: tabs and line breaks stay, and every line but the first is indented. */
  readonly block: (text: string) => string;
  /** Whether columns are as wide as they look, and `|` is a character like others. */
  readonly onScreen: boolean;
}

/** How the texts of others are shown on standard output, which is a screen or is none. */
export function foreignOn({ screen }: { readonly screen: object | undefined }): Foreign {
  return screen === undefined ? UNCHANGED : HARMLESS;
}

const same = (text: string): string => text;

const UNCHANGED: Foreign = { word: same, cell: same, block: same, onScreen: false };

const HARMLESS: Foreign = {
  word: printable,
  cell: (text) =>
    printable(text).replace(/^ | $| {2,}/g, (blanks) => "\\x20".repeat(blanks.length)),
  block: (text) =>
    text.split(/\r?\n/).map((line) => line.split("\t").map(printable).join("\t")).join("\n  "),
  onScreen: true,
};

// Everything that a terminal obeys, but for line breaks, tabs and the colours that commands set themselves.
// deno-lint-ignore no-control-regex
const CONTROLS = /(?!\x1b\[\d*m)[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** The last guard before a terminal, for texts that came another way than through {@linkcode foreignOn}. */
export function withoutControls(text: string): string {
  return showBytes(text).replace(CONTROLS, printable);
}
