/**
 * `skein rtt` (docs/spec/agent.md 7.14).
 *
 * @module
 */

import { type Coordinate, rttBetween } from "../../client/mod.ts";
import { goQuote } from "../../protocol/quote.ts";
import {
  type Command,
  CommandError,
  defineCommand,
  explain,
  wrongArguments,
} from "../shell/command.ts";
import { connect, connectionFlags } from "../shell/connection.ts";
import { checkFormat, formatFlag, formatOutput } from "../shell/output.ts";

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
  async run(invocation) {
    const { values, args, terminal } = invocation;
    checkFormat(values.format);
    await using client = await connect(values);
    const [first, second] = args;
    if (first === undefined || args.length > 2) {
      return await wrongArguments(invocation, "One or two node names must be specified");
    }
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
    const text = () => `Estimated ${first} <-> ${other} rtt: ${milliseconds.toFixed(3)} ms`;
    await terminal.out(formatOutput(values.format, text, () => ({
      nodes: [first, other],
      rtt_ms: Number(milliseconds.toFixed(6)),
      coordinates: new Map([[first, fields(from)], [other, fields(to)]]),
    })));
    return 0;
  },
});

function fields({ vec, error, adjustment, height }: Coordinate) {
  return { vec, error, adjustment, height };
}
