/**
 * `skein force-leave` (agent.md 7.4).
 *
 * @module
 */

import { type Command, defineCommand, explain, wrongArguments } from "./command.ts";
import { connect, connectionFlags } from "./connection.ts";
import { boolFlag } from "./flags.ts";

/** Moves a failed member to the state "left". Prints nothing when it succeeds. */
export const command: Command = defineCommand({
  usage: "force-leave [options] name",
  description: [
    'Forces a member of the cluster to enter the "left" state. A member that is still alive ' +
    "will come back. The command is for failed nodes that will never return: without it, agents " +
    "try to reconnect to them for some time before they are forgotten.",
  ],
  flags: {
    prune: boolFlag("Also removes the member from the list of members."),
    ...connectionFlags,
  },
  async run(invocation) {
    const { values, args: [node, ...others] } = invocation;
    if (node === undefined || others.length > 0) {
      return await wrongArguments(invocation, "A node name must be specified to force leave.");
    }
    await using client = await connect(values);
    const { prune } = values;
    await explain("Error force leaving", client.forceLeave(node, { prune }));
    return 0;
  },
});
