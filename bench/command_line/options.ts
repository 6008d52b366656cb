/**
 * The command lines of benchmarks.
 *
 * @module
 */

import { parseArgs, type ParseArgsConfig } from "node:util";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O }>
>["values"];

/**
 * Reads the options of a benchmark. With `--help` it prints `usage` and ends the program; with an option that there is not, or
 * one without its value, it says so in a line, and the exit code is 1.
 */
export function readOptions<const O extends Options>(usage: string, options: O): Values<O> {
  if (Deno.args.some((arg) => arg === "--help" || arg === "-h")) {
    console.log(`Usage: ${usage}`);
    Deno.exit(0);
  }
  try {
    return parseArgs({ args: Deno.args, options }).values as Values<O>;
  } catch (error) {
    const [problem] = (error as Error).message.split(/\.? To specify|\n/);
    console.error(`${problem}\nUsage: ${usage}`);
    Deno.exit(1);
  }
}
