/**
 * A question to the person at the terminal, before something that cannot be taken back.
 *
 * @module
 */

import { CommandError } from "../shell/failure.ts";
import type { Terminal } from "../shell/terminal.ts";

/** Longest answer that is read, in bytes. */
const MAX_ANSWER_BYTES = 256;

/**
 * Shows what is going to happen and waits for an answer. Returns whether it is `yes`.
 *
 * @throws {CommandError} When there is nobody to ask.
 */
export async function confirm(terminal: Terminal, question: string): Promise<boolean> {
  await terminal.err(question);
  if (!Deno.stdin.isTerminal()) {
    throw new CommandError("Standard input is no terminal, so nobody can be asked: -yes goes on");
  }
  await terminal.err("Type 'yes' to go on:");
  const bytes = new Uint8Array(MAX_ANSWER_BYTES);
  const count = await Deno.stdin.read(bytes) ?? 0;
  return new TextDecoder().decode(bytes.subarray(0, count)).trim() === "yes";
}
