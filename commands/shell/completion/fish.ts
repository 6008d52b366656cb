/**
 * The completion script for fish, 3.0 and later.
 *
 * @module
 */

import type { Values } from "../flags.ts";
import type { CommandWords } from "./words.ts";

/** Writes the script. There is no newline at the end. */
export function fishScript(commands: readonly CommandWords[]): string {
  return `# fish completion for skein. Written by 'skein completion fish'.

# Whether the command is the given one; without an argument, whether there is none yet.
function __skein_command
    set -l words (commandline -opc)
    for word in $words[2..-1]
        string match -q -- '-*' $word; and continue
        test "$word" = "$argv[1]"
        return
    end
    test -z "$argv[1]"
end

function __skein_members
    set -l words (commandline -opc)
    set -l address
    for flag in rpc-addr rpc-auth
        set -l found (string match -r -- "-$flag(?:=| )([^ ]+)" "$words")
        and set -a address "-$flag=$found[2]"
    end
    $words[1] completion -members $address 2>/dev/null
end

complete -c skein -f
${commands.flatMap(commandLines).join("\n")}`;
}

function commandLines({ name, synopsis, flags, operands }: CommandWords): string[] {
  const using = `complete -c skein -n '__skein_command ${name}'`;
  return [
    `complete -c skein -n '__skein_command' -a ${name} -d ${quote(synopsis)}`,
    ...flags.map((flag) => {
      const value = flag.form === "switch" ? "" : ` -r${values(flag.values)}`;
      return `${using} -o ${flag.name}${value} -d ${quote(flag.summary)}`;
    }),
    ...operands === undefined ? [] : [`${using}${values(operands)}`],
  ];
}

function values(values: Values | undefined): string {
  if (values === "files") return " -F";
  if (values === undefined) return " -f";
  return values === "members" ? " -f -a '(__skein_members)'" : ` -f -a '${values.join(" ")}'`;
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
