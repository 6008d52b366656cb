/**
 * The completion script for zsh, for `source` and for a folder of `fpath`.
 *
 * @module
 */

import type { Values } from "../flags.ts";
import type { CommandWords, FlagWords } from "./words.ts";

/** Writes the script. There is no newline at the end. */
export function zshScript(commands: readonly CommandWords[]): string {
  return `#compdef skein
# zsh completion for skein. Written by 'skein completion zsh'.

_skein_members() {
  local -a address names
  local flag
  for flag in -rpc-addr -rpc-auth; do
    [[ -n \${opt_args[$flag]} ]] && address+=("$flag=\${(Q)opt_args[$flag]}")
  done
  names=(\${(f)"$("$program" completion -members $address 2>/dev/null)"})
  compadd -a names
}

_skein() {
  local program=$words[1]
  local -A opt_args
  if (( CURRENT == 2 )); then
    local -a commands=(
${commands.map(({ name, synopsis }) => `      ${quote(`${name}:${synopsis}`)}`).join("\n")}
    )
    _describe -t commands command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${commands.map(branch).join("\n")}
  esac
}

if [[ $funcstack[1] == _skein ]]; then
  _skein "$@"
else
  compdef _skein skein
fi`;
}

function branch({ name, flags, operands }: CommandWords): string {
  const specs = flags.map(flagSpec);
  if (operands !== undefined) specs.push(quote(`*:argument:${action(operands)}`));
  const lines = specs.map((spec) => ` \\\n        ${spec}`).join("");
  return `    ${name}) _arguments${lines} ;;`;
}

/** The flag and its value as \`_arguments\` takes them. */
function flagSpec({ name, summary, form, isList, values }: FlagWords): string {
  const repeat = isList ? "*" : "";
  const explanation = summary.replace(/[\\[\]:]/g, "\\$&");
  if (form === "switch") return quote(`-${name}[${explanation}]`);
  const sign = form === "inline" ? "=-" : "=";
  const value = values === undefined ? " " : action(values);
  return quote(`${repeat}-${name}${sign}[${explanation}]:value:${value}`);
}

function action(values: Values): string {
  if (values === "members") return "_skein_members";
  return values === "files" ? "_files" : `(${values.join(" ")})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
