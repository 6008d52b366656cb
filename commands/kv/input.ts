/**
 * What actions of `skein kv` read from standard input.
 *
 * @module
 */

import type { KvValue } from "../../client/mod.ts";
import { CommandError } from "../shell/command.ts";

/** What is read of standard input at most, in bytes: more than an agent takes. */
const MAX_INPUT_BYTES = 1024 * 1024;

/**
 * All of standard input.
 *
 * @param what What it is, for messages.
 * @throws {CommandError} When it is too long, or no UTF-8.
 */
export async function standardInput(what: string): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const decoded = (decode: () => string): string => {
    try {
      return decode();
    } catch (cause) {
      throw new CommandError(`The ${what} is not UTF-8`, { cause, onStderr: true });
    }
  };
  let text = "";
  let bytes = 0;
  for await (const chunk of Deno.stdin.readable) {
    bytes += chunk.length;
    if (bytes > MAX_INPUT_BYTES) {
      const message = `The ${what} takes more than ${MAX_INPUT_BYTES} bytes`;
      throw new CommandError(message, { onStderr: true });
    }
    text += decoded(() => decoder.decode(chunk, { stream: true }));
  }
  return text + decoded(() => decoder.decode());
}

/**
 * The value of JSON in a text.
 *
 * @param what What it is, for messages.
 * @throws {CommandError} When it is none.
 */
export function parsed(what: string, text: string): KvValue {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandError(`The ${what} is not JSON`, { cause, onStderr: true });
  }
}
