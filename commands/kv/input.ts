/**
 * Values that the command line reads: from standard input, and as JSON.
 *
 * @module
 */

import type { KvValue } from "../../client/mod.ts";
import { CommandError } from "../shell/command.ts";

/** What is read of standard input at most, in bytes: more than an agent takes. */
const MAX_INPUT_BYTES = 1024 * 1024;

/** The value that a text is; `what` names it. */
export function parsed(what: string, text: string): KvValue {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandError(`The ${what} is not JSON`, { cause, onStderr: true });
  }
}

/** All that comes from standard input; `what` names it. */
export async function input(what: string): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  let bytes = 0;
  for await (const chunk of Deno.stdin.readable) {
    bytes += chunk.length;
    if (bytes > MAX_INPUT_BYTES) {
      const message = `The ${what} takes more than ${MAX_INPUT_BYTES} bytes`;
      throw new CommandError(message, { onStderr: true });
    }
    text += decoded(what, () => decoder.decode(chunk, { stream: true }));
  }
  return text + decoded(what, () => decoder.decode());
}

function decoded(what: string, decode: () => string): string {
  try {
    return decode();
  } catch (cause) {
    throw new CommandError(`The ${what} is not UTF-8`, { cause, onStderr: true });
  }
}
