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
import { checkFormat, formatFlag, formatOutput } from "../shell/output.ts";
import type { Terminal } from "../shell/terminal.ts";

/** How to write the script for each shell. Scripts of shells that are not asked for are not loaded. */
const SHELLS: Readonly<Record<string, () => Promise<(commands: CommandWords[]) => string>>> = {
  bash: async () => (await import("../shell/completion/bash.ts")).bashScript,
  zsh: async () => (await import("../shell/completion/zsh.ts")).zshScript,
  fish: async () => (await import("../shell/completion/fish.ts")).fishScript,
};

/** How long a key press may wait for the names of the members, in milliseconds. */
const MEMBERS_LIMIT_MS = 1000;

/** Makes the command that completes the commands of `catalogue`. */
export function completionCommand(catalogue: Catalogue): Command {
  return defineCommand({
    usage: "completion [options] bash|zsh|fish",
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
    async run(invocation) {
      const { values, args: [shell, ...others], terminal } = invocation;
      checkFormat(values.format);
      if (values.members) return await printMembers(values, terminal);
      if (shell === undefined || others.length > 0) {
        return await wrongArguments(invocation, "One shell must be specified: bash, zsh or fish");
      }
      const load = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
      if (load === undefined) {
        throw new CommandError(`Unknown shell '${shell}': it must be bash, zsh or fish`);
      }
      const { commandWords } = await import("../shell/completion/words.ts");
      const script = (await load())(await commandWords(catalogue));
      await terminal.out(formatOutput(values.format, () => script, () => ({ shell, script })));
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
    await terminal.out(formatOutput(values.format, () => names.join("\n"), () => names));
    return 0;
  } catch (error) {
    if (!(error instanceof CommandError) || values.format === "json") throw error;
    return 1;
  }
}
