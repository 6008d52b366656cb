/**
 * Errors that nobody expected: which ones these are, and how the log shows them.
 *
 * @module
 */

import { escapeControls } from "./line.ts";

/** Errors that are shown of one: itself, its causes and the errors that it gathers. */
const MAX_ERRORS = 8;

/** Lines of one stack that are shown. */
const MAX_FRAMES = 24;

/**
 * Whether the language itself threw this, or it is no error at all: a fault of the program. What goes wrong around the
 * program has a class of its own.
 */
export function isProgramFault(thrown: unknown): boolean {
  return !(thrown instanceof Error) || thrown instanceof TypeError ||
    thrown instanceof RangeError || thrown instanceof ReferenceError ||
    thrown instanceof SyntaxError;
}

/** What was thrown, as an error. */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(textOf(thrown), { cause: thrown });
}

/**
 * An error with its stack, its causes and the errors that it gathers, several lines. Nothing that others may have put into
 * the texts can forge a line.
 */
export function stackOf(thrown: unknown): string {
  const lines: string[] = [];
  const waiting: { error: unknown; relation: string }[] = [{ error: thrown, relation: "" }];
  for (let shown = 0; shown < MAX_ERRORS; shown++) {
    const next = waiting.shift();
    if (next === undefined) break;
    const { error, relation } = next;
    lines.push(relation + titleOf(error), ...framesOf(error));
    if (!(error instanceof Error)) continue;
    if (error.cause !== undefined) waiting.push({ error: error.cause, relation: "Caused by " });
    if (!(error instanceof AggregateError)) continue;
    for (const one of error.errors) waiting.push({ error: one, relation: "One of them: " });
  }
  return lines.join("\n");
}

function titleOf(error: unknown): string {
  if (!(error instanceof Error)) return escapeControls(textOf(error));
  return escapeControls(`${error.name}: ${error.message}`);
}

function framesOf(error: unknown): string[] {
  if (!(error instanceof Error) || typeof error.stack !== "string") return [];
  const frames = error.stack.split("\n").filter((line) => /^\s+at /.test(line));
  return frames.slice(0, MAX_FRAMES).map((line) => `    ${escapeControls(line.trim())}`);
}

/** Also an object that cannot be made a text must not end the way of an error into the log. */
function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    // It has no `toString`, or one that throws, whatever that is.
    return "A value without a text was thrown";
  }
}
