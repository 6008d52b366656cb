/**
 * `skein leave` (agent.md 7.9).
 *
 * @module
 */

import { type Command, defineCommand, explain } from "./command.ts";
import { connect, connectionFlags } from "./connection.ts";

/** Makes an agent leave its cluster and exit. */
export const command: Command = defineCommand({
  usage: "leave",
  description: ["Causes the agent to leave the cluster gracefully and to shut down."],
  flags: connectionFlags,
  async run({ values, terminal }) {
    await using client = await connect(values);
    await explain("Error leaving", client.leave());
    await terminal.out("Graceful leave complete");
    return 0;
  },
});
