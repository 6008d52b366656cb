/**
 * What this process was started with, byte for byte: the runtime changes arguments, and refuses variables, that are not
 * UTF-8. Linux tells them as they are; where nothing does, they are refused.
 *
 * @module
 */

import { decodeUtf8, encodeUtf8 } from "../../protocol/text.ts";

/** An argument or a variable that is not UTF-8, of a process that cannot learn its bytes. */
export class ProcessBytesError extends Error {
  /** "ProcessBytesError". */
  override readonly name = "ProcessBytesError";
}

/**
 * The arguments that the runtime shows as `args`, with the bytes that it took for U+FFFD.
 *
 * @throws {ProcessBytesError} when they cannot be learned.
 */
export function wholeArguments(args: readonly string[]): string[] {
  const whole = textsOf("cmdline").slice(-args.length);
  if (whole.map(asRuntimeSays).join("\0") === args.join("\0")) return whole;
  const at = args.findIndex((arg) => arg.includes("\ufffd")) + 1;
  throw new ProcessBytesError(`Argument ${at} is not UTF-8, and its bytes cannot be read here`);
}

/**
 * The variable `name`, which the runtime refuses to show.
 *
 * @throws {ProcessBytesError} when it cannot be learned.
 */
export function wholeVariable(name: string): string {
  const found = textsOf("environ").find((text) => text.startsWith(`${name}=`));
  if (found !== undefined) return found.slice(name.length + 1);
  throw new ProcessBytesError(
    `The variable ${name} is not UTF-8, and its bytes cannot be read here`,
  );
}

/** Texts that each end in a zero; none where the system, or a permission, does not show them. */
function textsOf(file: "cmdline" | "environ"): string[] {
  try {
    return decodeUtf8(Deno.readFileSync(`/proc/self/${file}`)).split("\0").slice(0, -1);
  } catch {
    // There is no such file, or it may not be read.
    return [];
  }
}

function asRuntimeSays(text: string): string {
  return text.isWellFormed()
    ? text
    : new TextDecoder("utf-8", { ignoreBOM: true }).decode(encodeUtf8(text));
}
