/**
 * Scripts of a {@linkcode Laboratory}: commands, a line `----`, and what came of them.
 *
 * ```text
 * # Why this script is there.
 * options electionTimeoutMs=1000
 *
 * campaign a
 * deliver
 * ----
 * a is pre-candidate in term 1
 * ```
 *
 * Blocks are separated by empty lines; lines that begin with `#` are comments.
 *
 * @module
 */

import type { RaftOptions, Rule } from "../../../cluster/raft/mod.ts";
import { Laboratory } from "./laboratory.ts";

const SEPARATOR = "----";

/**
 * The script with what comes of its commands now in place of what stood there.
 *
 * @param without rules that it does without, besides those that the script names
 */
export function replay(script: string, without: readonly Rule[] = []): string {
  let laboratory: Laboratory | undefined;
  const blocks = script.trimEnd().split(/\n\n+/).map((block) => {
    const lines = block.split("\n");
    const end = lines.indexOf(SEPARATOR);
    const commands = end < 0 ? lines : lines.slice(0, end);
    const actions = commands.filter((line) => line !== "" && !line.startsWith("#"));
    if (actions[0]?.startsWith("options")) {
      const options = optionsOf(actions[0]);
      laboratory = new Laboratory({
        ...options,
        without: [...options.without ?? [], ...without],
      });
      return block;
    }
    if (actions.length === 0) return block;
    const lab = laboratory ??= new Laboratory({ without });
    const output = actions.flatMap((line) => lab.run(line));
    return [...commands, SEPARATOR, ...output].join("\n");
  });
  return blocks.join("\n\n") + "\n";
}

function optionsOf(line: string): Partial<RaftOptions> {
  const pairs = line.split(/\s+/).slice(1).map((word) => word.split("="));
  return Object.fromEntries(
    pairs.map((
      [name, value = ""],
    ) => [name, name === "without" ? value.split(",") : Number(value)]),
  );
}
