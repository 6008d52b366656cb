/**
 * `skein reload`: the agent reads its configuration again.
 *
 * @module
 */

import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags, PATIENT } from "../shell/connection.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";
import { showProgress } from "../shell/progress.ts";

/** Makes an agent read its configuration again and tells what that changed. */
export const command: Command = defineCommand({
  usage: "reload [options]",
  description: [
    "Makes an agent read its configuration files again, as SIGHUP does, and tells which options " +
    "were taken over and which wait for a restart. When something is wrong with the " +
    "configuration, nothing is taken over, and the exit code is 1.",
    "A Serf agent knows no such command; send it SIGHUP.",
  ],
  flags: { format: formatFlag, ...connectionFlags },
  async run({ values, json, terminal }) {
    checkFormat(values.format);
    await using client = await connect(values);
    const { applied, restart } = await (async () => {
      using _progress = showProgress(terminal, "Reloading", json);
      return await explain("Error reloading", client.reload(PATIENT));
    })();
    const text = () =>
      [
        applied.length === 0
          ? "Configuration reloaded, nothing to apply"
          : `Configuration reloaded. Applied: ${applied.join(", ")}`,
        ...restart.length === 0 ? [] : [`Changed, but not before a restart: ${restart.join(", ")}`],
      ].join("\n");
    await printResult(terminal, values.format, text, () => ({ applied, restart }));
    return 0;
  },
});
