/**
 * The completion script for bash, 3.2 and later.
 *
 * @module
 */

import type { Values } from "../flags.ts";
import type { CommandWords, FlagWords } from "./words.ts";

/** Writes the script. There is no newline at the end. */
export function bashScript(commands: readonly CommandWords[]): string {
  return `# bash completion for skein. Written by 'skein completion bash'.

# The flags of a command. Those that take a value end in =.
_skein_flags() {
  case $1 in
${commands.map(flagsLine).join("\n")}
  esac
}

# What can stand after a command's flag: words, or @members, or @files. After no flag: its arguments.
_skein_values() {
  case "$1 $2" in
${commands.flatMap(valueLines).join("\n")}
  esac
}

# Whether a flag takes the word after it.
_skein_takes_word() {
  case "$1 $2" in
${commands.flatMap(wordLines).join("\n")}
    *) return 1 ;;
  esac
}

_skein() {
  local program=$1 current=\${COMP_WORDS[COMP_CWORD]} prefix= command= flag= word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word != -* ]]; then command=$word; break; fi
  done
  COMPREPLY=()
  if [[ -z $command ]]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")}" -- "$current"))
    return
  fi

  # -flag=value is one word or three, depending on COMP_WORDBREAKS.
  local before=\${COMP_WORDS[COMP_CWORD - 1]}
  if [[ $current == = ]]; then
    flag=$before
  elif [[ $before == = && COMP_CWORD -ge 3 ]]; then
    flag=\${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ $current == -*=* ]]; then
    flag=\${current%%=*} prefix=\${current%%=*}= current=\${current#*=}
  elif [[ $before == -* ]]; then
    flag=$before
  fi
  flag=\${flag#-}
  flag=\${flag#-}
  if [[ -n $flag && -z $prefix && $current != = && $before != = ]]; then
    _skein_takes_word "$command" "$flag" || flag=
  fi
  [[ $current == = ]] && current=
  if [[ -z $flag && $current == -* ]]; then
    local dashes=-
    [[ $current == --* ]] && dashes=--
    COMPREPLY=($(compgen -W "$(_skein_flags "$command")" -P "$dashes" -- "\${current#"$dashes"}"))
    [[ \${COMPREPLY[0]-} == *= && \${#COMPREPLY[@]} == 1 ]] && compopt -o nospace 2>/dev/null
    return
  fi

  local values=$(_skein_values "$command" "$flag")
  case $values in
    @members)
      local address=() found
      for word in rpc-addr rpc-auth; do
        found="-$word[= ]+([^ ]+)"
        [[ $COMP_LINE =~ $found ]] && address+=("-$word=\${BASH_REMATCH[1]}")
      done
      # Names come from other machines: they are quoted, and never given to compgen, which would run $(...) in them.
      while IFS= read -r word; do
        if [[ $word == "$current"* ]]; then COMPREPLY+=("$prefix$(printf %q "$word")"); fi
      done < <("$program" completion -members \${address[@]+"\${address[@]}"} 2>/dev/null)
      ;;
    @files)
      compopt -o filenames 2>/dev/null
      local IFS=$'\\n'
      COMPREPLY=($(compgen -f -P "$prefix" -- "$current"))
      ;;
    *) COMPREPLY=($(compgen -W "$values" -P "$prefix" -- "$current")) ;;
  esac
}

complete -F _skein skein`;
}

function flagsLine({ name, flags }: CommandWords): string {
  const words = flags.map((flag) => flag.form === "switch" ? flag.name : `${flag.name}=`);
  return `    ${name}) echo "${words.join(" ")}" ;;`;
}

function valueLines({ name, flags, operands }: CommandWords): string[] {
  const lines = flags.map((flag) => [flag.name, flag.values] as const);
  return [...lines, ["", operands] as const].flatMap(([flag, values]) =>
    values === undefined ? [] : [`    "${name} ${flag}") echo "${words(values)}" ;;`]
  );
}

function wordLines({ name, flags }: CommandWords): string[] {
  return flags.filter(({ form }: FlagWords) => form === "value")
    .map((flag) => `    "${name} ${flag.name}") ;;`);
}

function words(values: Values): string {
  return typeof values === "string" ? `@${values}` : values.join(" ");
}
