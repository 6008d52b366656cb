/**
 * `skein kv`: reads and changes the key-value store.
 *
 * @module
 */

import { suggest } from "../../server/config/suggest.ts";
import { type Command, CommandError, defineCommand } from "../shell/command.ts";
import type { FlagTable } from "../shell/flags.ts";
import { helpText } from "../shell/help.ts";
import { command as del, delFlags } from "./del.ts";
import { command as get, getFlags } from "./get.ts";
import { command as incr } from "./incr.ts";
import { command as set, setFlags } from "./set.ts";
import { storeFlags } from "./store.ts";

/** The actions by name. */
const ACTIONS: Readonly<Record<string, Command>> = { get, set, del, incr };

/** The flags of all actions, each with those that have it. */
const FLAGS: FlagTable = {
  ...only("get", getFlags),
  ...only("set", setFlags),
  ...only("del", delFlags),
  "if-rev": { ...setFlags["if-rev"], help: `set, del: ${setFlags["if-rev"].help}` },
  ...storeFlags,
};

const USAGE = "kv get|set|del|incr [options] KEY [VALUE]";

/** What is said without an action. */
const FEW = `An action must be specified: ${Object.keys(ACTIONS).join(", ")}`;

/** Stands for the actions when none of them was named: it reads the flags as they do. */
const none = defineCommand({
  usage: USAGE,
  description: [],
  flags: FLAGS,
  arguments: { least: 1, few: FEW },
  run({ args: [action = ""] }) {
    const suggestion = suggest(action, Object.keys(ACTIONS));
    const hint = suggestion === undefined
      ? `, expected one of ${Object.keys(ACTIONS).join(", ")}`
      : `, did you mean '${suggestion}'?`;
    throw new CommandError(`Unknown action '${action}'${hint}`, { onStderr: true });
  },
});

/** Reads and changes the key-value store of the agents that keep state. */
export const command: Command = {
  get help(): string {
    return helpText({
      usage: USAGE,
      description: [
        "Reads and changes the key-value store. Any agent that keeps state answers, one that was " +
        "started with -server or -dev.",
        "get KEY prints a value; set KEY VALUE sets one, with '-' for VALUE to what comes from " +
        "standard input; del KEY deletes one; incr KEY [NUMBER] adds to a whole number. 'skein kv " +
        "ACTION -h' tells more.",
        "A KEY is a path whose segments stand between '^'. A plain one is in the namespace " +
        "global; '^a^b' is b in the namespace a.",
        "Failures are told on standard error, and by the exit code.",
      ],
      flags: FLAGS,
    });
  },
  helpFor(args) {
    const { action } = divide(args);
    return Object.hasOwn(ACTIONS, action) ? ACTIONS[action]?.help : undefined;
  },
  flags: FLAGS,
  operands: Object.keys(ACTIONS),
  run(argv, terminal) {
    const { action, rest } = divide(argv);
    const found = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    return (found ?? none).run(found === undefined ? argv : rest, terminal);
  },
};

/** Tells the action, the first argument that is no flag, from the rest; flags may stand on both sides of it. */
function divide(argv: readonly string[]): { action: string; rest: readonly string[] } {
  const at = argv.findIndex((arg, at) => !arg.startsWith("-") && !takesNext(argv[at - 1] ?? ""));
  if (at < 0) return { action: "", rest: argv };
  return { action: argv[at] ?? "", rest: [...argv.slice(0, at), ...argv.slice(at + 1)] };
}

/** Whether an argument is a flag whose value is the argument after it. */
function takesNext(arg: string): boolean {
  const name = /^--?([^-=][^=]*)$/.exec(arg)?.[1] ?? "";
  return Object.hasOwn(FLAGS, name) && FLAGS[name]?.kind !== "bool";
}

/** The flags of one action, said to be so, without those that all have. */
function only(action: string, flags: FlagTable): FlagTable {
  return Object.fromEntries(
    Object.entries(flags).filter(([name]) => !Object.hasOwn(storeFlags, name))
      .map(([name, flag]) => [name, { ...flag, help: `${action}: ${flag.help}` }]),
  );
}
