/**
 * `skein leave` (docs/spec/agent.md 7.9).
 *
 * @module
 */

import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags, PATIENT } from "../shell/connection.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";
import { showProgress } from "../shell/progress.ts";

/** Makes an agent leave its cluster and exit. */
export const command: Command = defineCommand({
  usage: "leave",
  description: ["Causes the agent to leave the cluster gracefully and to shut down."],
  flags: { format: formatFlag, ...connectionFlags },
  async run({ values, json, terminal }) {
    checkFormat(values.format);
    await using client = await connect(values);
    {
      using _progress = showProgress(terminal, "Leaving", json);
      await explain("Error leaving", client.leave(PATIENT));
    }
    const text = () => "Graceful leave complete";
    await printResult(terminal, values.format, text, () => ({ left: true }));
    return 0;
  },
});
