/**
 * `skein completion`: scripts that teach a shell the commands and flags, and the names of members for these scripts.
 *
 * @module
 */

import { byteOrder } from "../../protocol/byte_order.ts";
import {
  type Catalogue,
  type Command,
  CommandError,
  defineCommand,
  explain,
  wrongArguments,
} from "../shell/command.ts";
import type { CommandWords } from "../shell/completion/words.ts";
import { connect, connectionFlags } from "../shell/connection.ts";
import { boolFlag } from "../shell/flags.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";
import type { Terminal } from "../shell/terminal.ts";

/** How to write the script for each shell. Scripts of shells that are not asked for are not loaded. */
const SHELLS: Readonly<Record<string, () => Promise<(commands: CommandWords[]) => string>>> = {
  bash: async () => (await import("../shell/completion/bash.ts")).bashScript,
  zsh: async () => (await import("../shell/completion/zsh.ts")).zshScript,
  fish: async () => (await import("../shell/completion/fish.ts")).fishScript,
};

const USAGE = "completion [options] bash|zsh|fish";

const ONE_SHELL = "One shell must be specified: bash, zsh or fish";

/** How long a key press may wait for the names of the members, in milliseconds. */
const MEMBERS_LIMIT_MS = 1000;

/** Makes the command that completes the commands of `catalogue`. */
export function completionCommand(catalogue: Catalogue): Command {
  return defineCommand({
    usage: USAGE,
    description: [
      "Prints a script that lets a shell complete commands, flags, their values and the names of " +
      "members.",
      "bash: put this line into ~/.bashrc:",
      "  source <(skein completion bash)",
      "zsh: put this line into ~/.zshrc, after compinit:",
      "  source <(skein completion zsh)",
      "fish: run this once:",
      "  skein completion fish > ~/.config/fish/completions/skein.fish",
    ],
    flags: {
      members: boolFlag(
        "Prints the names of the members instead, for the scripts; nothing when no agent answers " +
          "within a second.",
      ),
      format: formatFlag,
      ...connectionFlags,
    },
    operands: Object.keys(SHELLS),
    arguments: { least: 0, most: 1, few: ONE_SHELL },
    async run({ values, args: [shell], terminal }) {
      checkFormat(values.format);
      if (values.members) return await printMembers(values, terminal);
      if (shell === undefined) throw wrongArguments(USAGE, ONE_SHELL);
      const load = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
      if (load === undefined) {
        throw new CommandError(`Unknown shell '${shell}': it must be bash, zsh or fish`);
      }
      const { commandWords } = await import("../shell/completion/words.ts");
      const script = (await load())(await commandWords(catalogue));
      await printResult(terminal, values.format, () => script, () => ({ shell, script }));
      return 0;
    },
  });
}

async function printMembers(
  values: Parameters<typeof connect>[0] & { readonly format: string | undefined },
  terminal: Terminal,
): Promise<number> {
  const signal = AbortSignal.timeout(MEMBERS_LIMIT_MS);
  try {
    await using client = await connect(values, { signal });
    const members = await explain("Error retrieving members", client.members({ signal }));
    const names = members.map(({ name }) => name).sort(byteOrder);
    await printResult(terminal, values.format, () => names.join("\n"), () => names);
    return 0;
  } catch (error) {
    if (!(error instanceof CommandError) || values.format === "json") throw error;
    return 1;
  }
}
