/**
 * `skein kv get`.
 *
 * @module
 */

import { type Command, defineCommand } from "../shell/command.ts";
import type { GoJson } from "../shell/format/gojson.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { inSession, NONE, sessionFlags, textOf, wantsSession } from "./session.ts";
import { ask, consistencyFlag, missing, namespaceOf, storeFlags } from "./store.ts";

/** The flags. */
export const getFlags = { consistency: consistencyFlag, ...sessionFlags, ...storeFlags } as const;

/** Prints the value of a key: a text as it is, anything else as JSON. */
export const command: Command = defineCommand({
  usage: "kv get [options] KEY",
  description: [
    "Prints the value of KEY: a text as it is, any other value as JSON. With -session it prints " +
    `'KEY = value', or 'KEY = ${NONE}', which is no failure then.`,
  ],
  flags: getFlags,
  arguments: { least: 1, most: 1, few: "One key must be specified" },
  async run({ values, args: [key = ""], terminal }) {
    checkFormat(values.format);
    const options = { ...namespaceOf(values), consistency: values.consistency };
    const isSession = wantsSession(values);
    const isJson = values.format === "json";
    const entry = isSession
      ? await inSession(values, ({ kv }) => kv.get(key, options))
      : await ask(values, (client) => client.get(key, options));
    if (isSession && !isJson) {
      await terminal.out(`${key} = ${entry === undefined ? NONE : textOf(entry.value)}`);
      return 0;
    }
    if (entry === undefined) throw missing(key);
    const { value, rev, ttlMs } = entry;
    // A text goes out whole, blanks at its ends too.
    if (!isJson) {
      await terminal.out(textOf(value));
      return 0;
    }
    const json = () => ({
      key,
      value: value as GoJson,
      rev,
      ...ttlMs !== undefined && { ttl_ms: ttlMs },
    });
    await printResult(terminal, values.format, () => "", json);
    return 0;
  },
});
