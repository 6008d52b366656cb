/**
 * `skein kv token`.
 *
 * @module
 */

import { type Command, CommandError, defineCommand } from "../../shell/command.ts";
import { boolFlag, listFlag, stringFlag } from "../../shell/flags.ts";
import type { GoJson } from "../../shell/format/gojson.ts";
import { checkFormat, formatFlag, printResult } from "../../shell/output.ts";
import { input } from "../input.ts";

const prefixFlag = (deed: string) =>
  listFlag(
    "PATH",
    `May ${deed} PATH and all below it, '^' for everything. May be given many times.`,
  );

/** The flags. */
export const tokenFlags = {
  read: prefixFlag("read"),
  write: prefixFlag("write"),
  publish: prefixFlag("publish to"),
  subscribe: prefixFlag("subscribe to"),
  patterns: boolFlag("May subscribe to patterns."),
  admin: boolFlag("May see the figures of the agent."),
  password: boolFlag(
    "Makes an entry for a password, which comes from standard input, and no token. NAME is the user.",
  ),
  "tokens-file": stringFlag(
    "PATH",
    "Adds the entry to this tokens file, and prints the token alone. The file is made when it is " +
      "not there.",
    "files",
  ),
  format: formatFlag,
} as const;

/** Makes a token, and the entry of a tokens file that lets it in. */
export const command: Command = defineCommand({
  usage: "kv token [options] NAME",
  description: [
    "Makes a token for the key-value port, and its entry for the kv.tokens_file of agents, which " +
    "holds a hash of it alone. Both are printed: keep the token where its program finds it.",
    "No agent is asked. One that runs reads its file again on 'skein reload'.",
  ],
  flags: tokenFlags,
  arguments: { least: 1, most: 1, few: "One name must be specified" },
  async run({ values, args: [name = ""], terminal }) {
    checkFormat(values.format);
    const { read, write, publish, subscribe, patterns, admin } = values;
    const { addEntry, ConfigError, issue } = await loadIssue();
    const password = values.password ? (await input("password")).replace(/\r?\n$/, "") : undefined;
    if (password === "") throw new CommandError("The password is empty", { onStderr: true });
    const path = values["tokens-file"];
    try {
      const rights = {
        ...read.length > 0 && { read },
        ...write.length > 0 && { write },
        ...publish.length > 0 && { publish },
        ...subscribe.length > 0 && { subscribe },
        ...patterns && { patterns },
        ...admin && { admin },
      };
      const { token, entry } = await issue({ name, ...rights }, password);
      if (path !== undefined) await addEntry(path, entry);
      const lines = [
        ...token === undefined ? [] : [token],
        ...path === undefined ? [JSON.stringify(entry)] : [],
      ];
      const json = (): GoJson => ({
        ...token !== undefined && { token },
        entry: entry as unknown as GoJson,
      });
      if (lines.length > 0 || values.format === "json") {
        await printResult(terminal, values.format, () => lines.join("\n"), json);
      }
      return 0;
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      throw new CommandError(cause.message, { cause, onStderr: true });
    }
  },
});

/** The path is put together, so that other commands do not read this code. */
function loadIssue(): Promise<typeof import("../../../server/kv/access/issue.ts")> {
  const name = "issue";
  return import(`../../../server/kv/access/${name}.ts`);
}
