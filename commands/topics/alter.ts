/**
 * `skein topic alter`.
 *
 * @module
 */

import { type Command, defineCommand, wrongArguments } from "../shell/command.ts";
import { columns } from "../shell/format/columns.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { retentionFlags, retentionJson, retentionOf, retentionRows } from "./retention.ts";
import { ask, topicFlags } from "./servers.ts";

/** The flags. */
export const alterFlags = { ...retentionFlags, ...topicFlags } as const;

const USAGE = "topic alter [options] TOPIC";

/** Changes how long the messages of a topic are kept. */
export const command: Command = defineCommand({
  usage: USAGE,
  description: [
    "Changes how long, and in which pieces, the messages of TOPIC are kept: what a flag says; the " +
    "rest stays as it is. Prints what holds then.",
  ],
  flags: alterFlags,
  arguments: { least: 1, most: 1, few: "One topic must be specified" },
  async run({ values, args: [topic = ""], terminal }) {
    checkFormat(values.format);
    const changes = retentionOf(values);
    if (Object.keys(changes).length === 0) {
      const flags = Object.keys(retentionFlags).map((name) => `-${name}`).join(", ");
      throw wrongArguments(USAGE, `Nothing to change: expected one of ${flags}`);
    }
    const retention = await ask(values, (client) => client.alterTopic(topic, changes));
    await printResult(
      terminal,
      values.format,
      () => columns(retentionRows(retention)),
      () => ({ topic, ...retentionJson(retention) }),
    );
    return 0;
  },
});
