/**
 * `skein join` (agent.md 7.6).
 *
 * @module
 */

import { type Command, defineCommand, explain, wrongArguments } from "./command.ts";
import { connect, connectionFlags } from "./connection.ts";
import { boolFlag } from "./flags.ts";

/**
 * How long the agent may take for one address, in milliseconds. It tries them one after the other, and in the WAN
 * profile has 30 s to connect and 30 s more to exchange states (memberlist.md 10).
 */
const WAIT_PER_ADDRESS_MS = 60_000;

/** Tells an agent to join a cluster. */
export const command: Command = defineCommand({
  usage: "join [options] address ...",
  description: [
    "Tells a running agent to join a cluster by naming at least one of its members as host, " +
    "host:port or node/host:port. All addresses are tried; one that answers is enough.",
  ],
  flags: {
    replay: boolFlag("Also receives user events from before the join."),
    ...connectionFlags,
  },
  async run(invocation) {
    const { values, args, terminal } = invocation;
    if (args.length === 0) {
      return await wrongArguments(invocation, "At least one address to join must be specified.");
    }
    await using client = await connect(values);
    const options = { replay: values.replay, timeoutMs: args.length * WAIT_PER_ADDRESS_MS };
    const joined = await explain("Error joining the cluster", client.join([...args], options));
    await terminal.out(`Successfully joined cluster by contacting ${joined} nodes.`);
    return 0;
  },
});
