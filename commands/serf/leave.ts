/**
 * `skein leave` (agent.md 7.9).
 *
 * @module
 */

import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags } from "../shell/connection.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";

/** Makes an agent leave its cluster and exit. */
export const command: Command = defineCommand({
  usage: "leave",
  description: ["Causes the agent to leave the cluster gracefully and to shut down."],
  flags: { format: formatFlag, ...connectionFlags },
  async run({ values, terminal }) {
    checkFormat(values.format);
    await using client = await connect(values);
    await explain("Error leaving", client.leave());
    const text = () => "Graceful leave complete";
    await printResult(terminal, values.format, text, () => ({ left: true }));
    return 0;
  },
});
