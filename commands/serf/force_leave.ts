/**
 * `skein force-leave` (docs/spec/agent.md 7.4).
 *
 * @module
 */

import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags, PATIENT } from "../shell/connection.ts";
import { boolFlag } from "../shell/flags.ts";
import { goJson } from "../shell/format/gojson.ts";
import { checkFormat, formatFlag } from "../shell/output.ts";
import { showProgress } from "../shell/progress.ts";
import { tellUnknown } from "./show/unknown_members.ts";

/** Moves a failed member to the state "left". As text, success prints nothing. */
export const command: Command = defineCommand({
  usage: "force-leave [options] name",
  description: [
    'Forces a member of the cluster to enter the "left" state. A member that is still alive ' +
    "will come back. The command is for failed nodes that will never return: without it, agents " +
    "try to reconnect to them for some time before they are forgotten.",
  ],
  flags: {
    prune: boolFlag("Also removes the member from the list of members."),
    format: formatFlag,
    ...connectionFlags,
  },
  operands: "members",
  arguments: { least: 1, most: 1, few: "A node name must be specified to force leave." },
  async run({ values, json, terminal, args: [node = ""] }) {
    checkFormat(values.format);
    await using client = await connect(values);
    const { prune } = values;
    await tellUnknown([node], client, terminal);
    {
      using _progress = showProgress(terminal, "Telling the members", json);
      await explain("Error force leaving", client.forceLeave(node, { prune, ...PATIENT }));
    }
    if (json) await terminal.out(goJson({ node, prune }));
    return 0;
  },
});
