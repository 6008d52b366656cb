/**
 * `skein rtt` (docs/spec/agent.md 7.14).
 *
 * @module
 */

import { type Coordinate, rttBetween } from "../../client/mod.ts";
import { goQuote } from "../../protocol/quote.ts";
import { type Command, CommandError, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags } from "../shell/connection.ts";
import { foreignOn } from "../shell/format/foreign.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";

/** Estimates the time that a packet takes from one member to another and back. */
export const command: Command = defineCommand({
  usage: "rtt [options] node1 [node2]",
  description: [
    "Estimates the network round trip time between two members from their network coordinates, " +
    "without sending anything between them. The second one, if it is not named, is the agent " +
    "itself.",
  ],
  flags: { format: formatFlag, ...connectionFlags },
  operands: "members",
  arguments: { least: 1, most: 2, few: "One or two node names must be specified" },
  async run({ values, args: [first = "", second], terminal }) {
    checkFormat(values.format);
    await using client = await connect(values);
    const other = second ??
      (await explain("Error querying agent", client.stats()))["agent"]?.["name"] ?? "";
    const coordinate = async (node: string): Promise<Coordinate> => {
      const found = await explain("Error getting coordinates", client.coordinate(node));
      if (found !== undefined) return found;
      throw new CommandError(`Could not find a coordinate for node ${goQuote(node)}`);
    };
    const from = await coordinate(first);
    const to = await coordinate(other);
    const milliseconds = rttBetween(from, to);
    const { word } = foreignOn(terminal);
    const text = () =>
      `Estimated ${word(first)} <-> ${word(other)} rtt: ${milliseconds.toFixed(3)} ms`;
    await printResult(terminal, values.format, text, () => ({
      nodes: [first, other],
      rtt_ms: Number(milliseconds.toFixed(6)),
      coordinates: new Map([[first, fields(from)], [other, fields(to)]]),
    }));
    return 0;
  },
});

function fields({ vec, error, adjustment, height }: Coordinate) {
  return { vec, error, adjustment, height };
}
