/**
 * Command lines whose arguments and variables have any bytes. The runtime cannot start a program with those, so a shell
 * does.
 *
 * @module
 */

import { decodeUtf8, encodeUtf8 } from "../../protocol/text.ts";
import type { CliResult, Program } from "./agents.ts";

/** Makes each argument of what it reads, as {@linkcode spelt} wrote it, and runs that. */
const SHELL = "n=$#; while [ $n -gt 0 ]; do " +
  'a=$(printf "%b." "$1"); shift; set -- "$@" "${a%.}"; n=$((n-1)); done; exec "$@"';

/** A program that takes its arguments as {@linkcode spelt} writes them. */
export function throughShell({ label, command, startLimitMs }: Program): Program {
  return { label, command: ["/bin/sh", "-c", SHELL, "sh", ...command], startLimitMs };
}

/** A text in ASCII, for {@linkcode throughShell}. */
export function spelt(text: string): string {
  const bytes = Array.from(encodeUtf8(text));
  return bytes.map((byte) =>
    byte < 0x80 && byte !== 0x5c ? String.fromCharCode(byte) : `\\0${byte.toString(8)}`
  ).join("");
}

/** Runs a command line to its end; what it printed is text that has all its bytes. */
export async function runBytes(
  { command }: Program,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const variables = Object.entries({ SERF_RPC_ADDR: "", SERF_RPC_AUTH: "", ...env })
    .map(([name, value]) => `${name}=${value}`);
  const words = ["env", ...variables, ...command, ...args].map(spelt);
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", SHELL, "sh", ...words],
    stdin: "null",
  }).output();
  return { code, stdout: decodeUtf8(stdout), stderr: decodeUtf8(stderr) };
}
