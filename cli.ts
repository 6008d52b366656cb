/**
 * The command line of skein.
 *
 * @module
 */

import { dispatch } from "./commands/dispatch.ts";
import { processTerminal, type Terminal } from "./commands/shell/terminal.ts";

/**
 * Runs the command that the arguments name.
 *
 * @param args The arguments after the program's name.
 * @returns The exit code.
 */
export async function main(args: string[]): Promise<number> {
  const terminal = processTerminal();
  const code = await run(args, terminal);
  await terminal.flush(EXIT_FLUSH_MS);
  return code;
}

async function run(args: string[], terminal: Terminal): Promise<number> {
  if (!args.some((arg) => arg.includes("\ufffd"))) return await dispatch(args, terminal);
  const { ProcessBytesError, wholeArguments } = await import("./commands/shell/process_bytes.ts");
  try {
    return await dispatch(wholeArguments(args), terminal);
  } catch (error) {
    if (!(error instanceof ProcessBytesError)) throw error;
    await terminal.err(error.message);
    return 1;
  }
}

/** How long the last lines may take when nobody seems to read them. */
const EXIT_FLUSH_MS = 1000;

if (import.meta.main) Deno.exit(await main(Deno.args));
