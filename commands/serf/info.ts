/**
 * `skein info` (docs/spec/agent.md 7.5).
 *
 * @module
 */

import { byteOrder } from "../../protocol/byte_order.ts";
import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags } from "../shell/connection.ts";
import { type Foreign, foreignOn } from "../shell/format/foreign.ts";
import { formatFlag, printResult } from "../shell/output.ts";

/** Groups of named figures about an agent. */
type Stats = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Shows the figures by which an agent describes itself. */
export const command: Command = defineCommand({
  usage: "info [options]",
  description: ["Provides debugging information for operators."],
  flags: { format: formatFlag, ...connectionFlags },
  async run({ values, terminal }) {
    await using client = await connect(values);
    const stats = await explain("Error querying agent", client.stats());
    await printResult(
      terminal,
      values.format,
      () => text(stats, foreignOn(terminal)),
      () => json(stats),
    );
    return 0;
  },
});

function text(stats: Stats, { block }: Foreign): string {
  return sorted(stats).map(([group, figures]) =>
    [`${group}:`, ...sorted(figures).map(([key, value]) => `\t${block(key)} = ${block(value)}`)]
      .join("\n")
  ).join("\n");
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => byteOrder(a, b));
}

function json(stats: Stats): ReadonlyMap<string, ReadonlyMap<string, string>> {
  return new Map(
    Object.entries(stats).map(([group, figures]) => [group, new Map(Object.entries(figures))]),
  );
}
