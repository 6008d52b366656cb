/**
 * `skein help`: the commands, or what one of them does.
 *
 * @module
 */

import { suggest } from "../../server/config/suggest.ts";
import { type Catalogue, type Command, CommandError, defineCommand } from "../shell/command.ts";

/** Makes the command that explains the commands of `catalogue`. */
export function helpCommand(catalogue: Catalogue): Command {
  return defineCommand({
    usage: "help [command]",
    description: [
      "Lists the commands, or shows what a command does and which flags it has, as its flag -h " +
      "does, but on standard output.",
    ],
    flags: {},
    operands: Object.keys(catalogue),
    arguments: { least: 0, most: 1, few: "", many: "One command can be explained at a time" },
    async run({ args: [name], terminal }) {
      if (name === undefined) {
        await terminal.out(commandList(catalogue));
        return 0;
      }
      const entry = Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
      if (entry === undefined) throw new CommandError(unknownCommand(name, catalogue));
      await terminal.out((await entry.load()).command.help);
      return 0;
    },
  });
}

/** How to call skein, and what each command does. */
export function commandList(catalogue: Catalogue): string {
  const lines = Object.entries(catalogue).map(([name, { synopsis }]) =>
    `    ${name.padEnd(15)} ${synopsis}`
  );
  return "Usage: skein [--version] [--help] <command> [<args>]\n\n" +
    `Available commands are:\n${lines.join("\n")}\n`;
}

/** What is said of a command that there is not. */
export function unknownCommand(name: string, catalogue: Catalogue): string {
  const suggestion = suggest(name, Object.keys(catalogue));
  const hint = suggestion === undefined
    ? "; 'skein help' lists the commands"
    : `, did you mean '${suggestion}'?`;
  return `Unknown command '${name}'${hint}`;
}
