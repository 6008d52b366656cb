/**
 * `skein event` (docs/spec/agent.md 7.3).
 *
 * @module
 */

import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags } from "../shell/connection.ts";
import { boolFlag } from "../shell/flags.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";

/** Sends a user event through the cluster. */
export const command: Command = defineCommand({
  usage: "event [options] name payload",
  description: ["Sends a custom event through the cluster. The payload may be left out."],
  flags: {
    coalesce: boolFlag(
      "Whether agents may drop all but the last of several events of this name that arrive in " +
        "a short time. Default: true.",
      true,
    ),
    format: formatFlag,
    ...connectionFlags,
  },
  arguments: {
    least: 1,
    most: 2,
    few: "An event name must be specified.",
    many: "Too many command line arguments. Only a name and payload must be specified.",
  },
  async run({ values, args: [name = "", payload], terminal }) {
    checkFormat(values.format);
    await using client = await connect(values);
    const { coalesce } = values;
    await explain("Error sending event", client.event(name, payload, { coalesce }));
    const text = () => `Event '${name}' dispatched! Coalescing enabled: ${coalesce}`;
    await printResult(terminal, values.format, text, () => ({ event: name, coalesce }));
    return 0;
  },
});
