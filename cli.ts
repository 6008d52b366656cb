/**
 * The command line of skein.
 *
 * @module
 */

import { dispatch } from "./commands/dispatch.ts";
import { processTerminal } from "./commands/shell/terminal.ts";

/**
 * Runs the command that the arguments name.
 *
 * @param args The arguments after the program's name.
 * @returns The exit code.
 */
export async function main(args: string[]): Promise<number> {
  const terminal = processTerminal();
  const code = await dispatch(args, terminal);
  await terminal.flush(EXIT_FLUSH_MS);
  return code;
}

/** How long the last lines may take when nobody seems to read them. */
const EXIT_FLUSH_MS = 1000;

if (import.meta.main) Deno.exit(await main(Deno.args));
