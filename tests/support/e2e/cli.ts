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
  /** Called with all of standard output whenever there is more of it, until it returns true. */
  readonly watch?: (stdout: string, kill: (signal: Deno.Signal) => void) => boolean;
}

/** Runs a command line to its end. Death by a signal is 128 + its number. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<CliResult> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...launchArguments(options.permissions), ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", SERF_RPC_ADDR: "", SERF_RPC_AUTH: "", ...options.env },
  }).spawn();
  const limit = setTimeout(() => child.kill("SIGKILL"), options.limitMs ?? 20_000);
  let stdout = "";
  let watched = options.watch === undefined;
  const reading = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      stdout += text;
      watched ||= options.watch?.(stdout, (signal) => child.kill(signal)) ?? true;
    }
  })();
  const stderr = await new Response(child.stderr).text();
  await reading;
  const { code } = await child.status;
  clearTimeout(limit);
  return { code, stdout, stderr };
}

/** The arguments of `deno` that start skein. */
export function launchArguments(permissions: readonly string[] = ["-A"]): string[] {
  return skein.command.slice(1).flatMap((part) => part === "-A" ? [...permissions] : [part]);
}
