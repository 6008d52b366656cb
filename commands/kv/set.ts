/**
 * `skein kv set`.
 *
 * @module
 */

import type { KvValue } from "../../client/mod.ts";
import { type Command, CommandError, defineCommand } from "../shell/command.ts";
import { switchFlag } from "../shell/flags.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { ask, ifRevFlag, namespaceOf, storeFlags } from "./store.ts";

/** What is read of standard input at most, in bytes: more than an agent takes. */
const MAX_INPUT_BYTES = 1024 * 1024;

/** The flags. */
export const setFlags = {
  json: switchFlag("VALUE is JSON. Without it, VALUE is a text."),
  nx: switchFlag("Only if the key has no value."),
  xx: switchFlag("Only if the key has a value."),
  "if-rev": ifRevFlag,
  ...storeFlags,
} as const;

/** Sets the value of a key. */
export const command: Command = defineCommand({
  usage: "kv set [options] KEY VALUE",
  description: [
    "Sets the value of KEY. With '-' for VALUE it is what comes from standard input, all of it.",
  ],
  flags: setFlags,
  arguments: { least: 2, most: 2, few: "A key and a value must be specified" },
  async run({ values, args: [key = "", given = ""], terminal }) {
    checkFormat(values.format);
    const text = given === "-" ? await input() : given;
    const value = values.json ? parsed(text) : text;
    const { nx, xx } = values;
    const ifRev = values["if-rev"];
    const options = { ...namespaceOf(values), nx, xx, ...ifRev !== undefined && { ifRev } };
    const { rev } = await ask(values, (client) => client.set(key, value, options));
    await printResult(terminal, values.format, () => `Revision ${rev}`, () => ({ key, rev }));
    return 0;
  },
});

function parsed(text: string): KvValue {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandError("The value is not JSON", { cause, onStderr: true });
  }
}

async function input(): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  let bytes = 0;
  for await (const chunk of Deno.stdin.readable) {
    bytes += chunk.length;
    if (bytes > MAX_INPUT_BYTES) {
      const message = `The value takes more than ${MAX_INPUT_BYTES} bytes`;
      throw new CommandError(message, { onStderr: true });
    }
    text += decoded(() => decoder.decode(chunk, { stream: true }));
  }
  return text + decoded(() => decoder.decode());
}

function decoded(decode: () => string): string {
  try {
    return decode();
  } catch (cause) {
    throw new CommandError("The value is not UTF-8", { cause, onStderr: true });
  }
}
