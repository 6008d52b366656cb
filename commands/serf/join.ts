/**
 * `skein join` (docs/spec/agent.md 7.6).
 *
 * @module
 */

import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags, PATIENT } from "../shell/connection.ts";
import { boolFlag } from "../shell/flags.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";
import { showProgress } from "../shell/progress.ts";

/** Tells an agent to join a cluster. */
export const command: Command = defineCommand({
  usage: "join [options] address ...",
  description: [
    "Tells a running agent to join a cluster by naming at least one of its members as host, " +
    "host:port or node/host:port. All addresses are tried; one that answers is enough.",
  ],
  flags: {
    replay: boolFlag("Also receives user events from before the join."),
    format: formatFlag,
    ...connectionFlags,
  },
  arguments: { least: 1, few: "At least one address to join must be specified." },
  async run({ values, args, json, terminal }) {
    checkFormat(values.format);
    await using client = await connect(values);
    const { replay } = values;
    const joined = await (async () => {
      const count = args.length === 1 ? args[0] : `${args.length} addresses`;
      using _progress = showProgress(terminal, `Joining through ${count}`, json);
      const join = client.join(args, { replay, ...PATIENT });
      return await explain("Error joining the cluster", join);
    })();
    // A name may stand for many addresses, so that the number alone tells nothing when it is large.
    if (joined < args.length && terminal.interactive) {
      await terminal.err(
        `Not all of ${args.length} addresses could be joined; the agent's log says why`,
      );
    }
    const text = () => `Successfully joined cluster by contacting ${joined} nodes.`;
    await printResult(terminal, values.format, text, () => ({ joined }));
    return 0;
  },
});
