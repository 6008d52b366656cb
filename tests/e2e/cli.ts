/**
 * Runs skein's command line as a person does.
 *
 * @module
 */

import { type CliResult, skein } from "../agents.ts";

/** How to run one command line. */
export interface RunOptions {
  /** Variables of the environment. `SERF_RPC_ADDR` and `SERF_RPC_AUTH` are empty unless given. */
  readonly env?: Readonly<Record<string, string>>;
  /** What stands instead of `-A` between `deno run` and the file. */
  readonly permissions?: readonly string[];
  /** After this many milliseconds it gets SIGKILL. Default 20,000. */
  readonly limitMs?: number;
}

/** Runs a command line to its end. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<CliResult> {
  const decoder = new TextDecoder();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...launchArguments(options.permissions), ...args],
    stdin: "null",
    env: { NO_COLOR: "1", SERF_RPC_ADDR: "", SERF_RPC_AUTH: "", ...options.env },
    signal: AbortSignal.timeout(options.limitMs ?? 20_000),
  }).output();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The arguments of `deno` that start skein. */
export function launchArguments(permissions: readonly string[] = ["-A"]): string[] {
  return skein.command.slice(1).flatMap((part) => part === "-A" ? [...permissions] : [part]);
}
