/**
 * `skein kv set`.
 *
 * @module
 */

import { type Command, CommandError, defineCommand } from "../shell/command.ts";
import { switchFlag } from "../shell/flags.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { input, parsed } from "./input.ts";
import { inSession, sessionFlags, wantsSession } from "./session.ts";
import { ask, ifRevFlag, namespaceOf, storeFlags, ttlFlag } from "./store.ts";

/** The flags. */
export const setFlags = {
  json: switchFlag("VALUE is JSON. Without it, VALUE is a text."),
  nx: switchFlag("Only if the key has no value."),
  xx: switchFlag("Only if the key has a value."),
  "if-rev": ifRevFlag,
  ttl: ttlFlag,
  "keep-ttl": switchFlag("It goes when the value before was to go."),
  ...sessionFlags,
  ...storeFlags,
} as const;

/** Sets the value of a key. */
export const command: Command = defineCommand({
  usage: "kv set [options] KEY VALUE",
  description: [
    "Sets the value of KEY. With '-' for VALUE it is what comes from standard input, all of it. " +
    "Prints the revision, or with -session 'OK'.",
  ],
  flags: setFlags,
  arguments: { least: 2, most: 2, few: "A key and a value must be specified" },
  async run({ values, args: [key = "", given = ""], terminal }) {
    checkFormat(values.format);
    const { nx, xx, ttl } = values;
    const keepTtl = values["keep-ttl"];
    if (ttl !== undefined && keepTtl) {
      throw new CommandError("-ttl and -keep-ttl exclude each other", { onStderr: true });
    }
    const read = given === "-" ? await input("value") : given;
    const value = values.json ? parsed("value", read) : read;
    const ifRev = values["if-rev"];
    const options = {
      ...namespaceOf(values),
      nx,
      xx,
      keepTtl,
      ...ifRev !== undefined && { ifRev },
      ...ttl !== undefined && { ttlMs: ttl },
    };
    const isSession = wantsSession(values);
    const { rev } = isSession
      ? await inSession(values, ({ kv }) => kv.set(key, value, options))
      : await ask(values, (client) => client.set(key, value, options));
    const text = (): string => isSession ? "OK" : `Revision ${rev}`;
    await printResult(terminal, values.format, text, () => ({ key, rev }));
    return 0;
  },
});
