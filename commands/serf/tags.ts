/**
 * `skein tags` (docs/spec/agent.md 7.15).
 *
 * @module
 */

import { type Command, defineCommand, explain, wrongArguments } from "../shell/command.ts";
import { connect, connectionFlags, PATIENT } from "../shell/connection.ts";
import { listFlag } from "../shell/flags.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";
import { showProgress } from "../shell/progress.ts";
import { tagsFromFlags } from "../shell/tag_values.ts";

const USAGE = "tags [options] ...";

/** Changes the tags of a running agent. */
export const command: Command = defineCommand({
  usage: USAGE,
  description: ["Modifies the tags of a running agent. Tags are deleted first, then set."],
  flags: {
    set: listFlag("KEY=VALUE", "Creates or modifies a tag. May be given many times."),
    delete: listFlag("KEY", "Removes a tag, if present. May be given many times."),
    format: formatFlag,
    ...connectionFlags,
  },
  async run({ values, json, terminal }) {
    if (values.set.length === 0 && values.delete.length === 0) {
      throw wrongArguments(USAGE, "Neither -set nor -delete was given");
    }
    checkFormat(values.format);
    await using client = await connect(values);
    const changes = { set: tagsFromFlags(values.set), delete: values.delete };
    {
      using _progress = showProgress(terminal, "Telling the members", json);
      await explain("Error setting tags", client.updateTags(changes, PATIENT));
    }
    const text = () => "Successfully updated agent tags";
    const done = () => ({ set: new Map(Object.entries(changes.set)), deleted: changes.delete });
    await printResult(terminal, values.format, text, done);
    return 0;
  },
});
