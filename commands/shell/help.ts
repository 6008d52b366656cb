/**
 * Help that fits a screen.
 *
 * @module
 */

import type { Flag, FlagTable } from "./flags.ts";

/** Columns of the classic terminal; no line of help is longer. */
const WIDTH = 80;

/** Where the explanations of the flags start. */
const EXPLANATION_COLUMN = 26;

/** What the help of a command says. */
export interface HelpText {
  /** The command line after the program's name, such as `members [options]`. */
  readonly usage: string;
  /** Paragraphs that say what the command does. */
  readonly description: readonly string[];
  /** The flags, in the order in which they are listed. */
  readonly flags?: FlagTable;
}

/** Lays out the help of a command. There is no newline at the end. */
export function helpText({ usage, description, flags = {} }: HelpText): string {
  const blocks = [`Usage: skein ${usage}`, ...description.map((text) => fill(text, 2).join("\n"))];
  const options = Object.entries(flags);
  if (options.length > 0) {
    blocks.push("Options:", options.flatMap(([name, flag]) => option(name, flag)).join("\n"));
  }
  return blocks.join("\n\n");
}

function option(name: string, flag: Flag<unknown>): string[] {
  const label = `  -${name}${flag.placeholder === "" ? "" : "=" + flag.placeholder}`;
  const text = fill(flag.help, EXPLANATION_COLUMN);
  if (label.length + 2 > EXPLANATION_COLUMN) return [label, ...text];
  const [first = "", ...rest] = text;
  return [label + first.slice(label.length), ...rest];
}

/** Breaks a text into lines that start at column `indent`. A word that is longer than a line gets one of its own. */
function fill(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : " " + word;
  }
  return [...lines, line].map((content) => " ".repeat(indent) + content);
}
