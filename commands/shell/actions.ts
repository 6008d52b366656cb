/**
 * Commands that are several: `skein kv get`, `skein raft status`.
 *
 * @module
 */

import { suggest } from "../../server/config/suggest.ts";
import { type Command, CommandError, defineCommand } from "./command.ts";
import type { FlagTable } from "./flags.ts";
import { type HelpText, helpText } from "./help.ts";

/** A command whose first argument says which one is meant. */
export interface ActionsDefinition extends HelpText {
  /** The flags of all actions. */
  readonly flags: FlagTable;
  /** The actions by name. */
  readonly actions: Readonly<Record<string, Command>>;
  /** What similar programs call an action, for who tries that: the action by that name. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Whether it is told on standard error that no such action is there. Default false: on standard output, as in Serf. */
  readonly onStderr?: boolean;
}

/** Makes a command of its actions. Flags may stand on both sides of the action, and the action has help of its own. */
export function defineActions(definition: ActionsDefinition): Command {
  const { usage, flags, actions, elsewhere = {}, onStderr = false } = definition;
  const names = Object.keys(actions);
  const known = names.join(", ");
  const find = (name: string) => Object.hasOwn(actions, name) ? actions[name] : undefined;
  const meant = (name: string): string | undefined => {
    const lower = name.toLowerCase();
    if (Object.hasOwn(elsewhere, lower)) return elsewhere[lower];
    return find(lower) === undefined ? suggest(name, names) : lower;
  };
  /** Stands for the actions when none of them was named: it reads the flags as they do. */
  const none = defineCommand({
    usage,
    description: [],
    flags,
    arguments: { least: 1, few: `An action must be specified: ${known}` },
    run({ args: [action = ""] }) {
      const suggestion = meant(action);
      const hint = suggestion === undefined
        ? `expected one of ${known}`
        : `did you mean '${suggestion}'?`;
      throw new CommandError(`Unknown action '${action}', ${hint}`, { onStderr });
    },
  });
  return {
    get help(): string {
      return helpText(definition);
    },
    helpFor: (args) => find(divide(args, flags).action)?.help,
    flags,
    operands: names,
    run(argv, terminal) {
      const { action, rest } = divide(argv, flags);
      return find(action)?.run(rest, terminal) ?? none.run(argv, terminal);
    },
  };
}

/** The flags of one action, said to be so, without those of `common`, which all have. */
export function flagsOf(action: string, flags: FlagTable, common: FlagTable): FlagTable {
  return Object.fromEntries(
    Object.entries(flags).filter(([name]) => !Object.hasOwn(common, name))
      .map(([name, flag]) => [name, { ...flag, help: `${action}: ${flag.help}` }]),
  );
}

/** Tells the action, the first argument that is no flag, from the rest. */
function divide(
  argv: readonly string[],
  flags: FlagTable,
): { action: string; rest: readonly string[] } {
  const at = argv.findIndex((arg, at) =>
    !arg.startsWith("-") && !takesNext(argv[at - 1] ?? "", flags)
  );
  if (at < 0) return { action: "", rest: argv };
  return { action: argv[at] ?? "", rest: argv.toSpliced(at, 1) };
}

/** Whether an argument is a flag whose value is the argument after it. */
function takesNext(arg: string, flags: FlagTable): boolean {
  const name = /^--?([^-=][^=]*)$/.exec(arg)?.[1] ?? "";
  return Object.hasOwn(flags, name) && flags[name]?.kind !== "bool";
}
