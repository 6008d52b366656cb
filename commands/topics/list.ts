/**
 * `skein topic list`.
 *
 * @module
 */

import { type Command, defineCommand } from "../shell/command.ts";
import { columns } from "../shell/format/columns.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { ask, topicFlags } from "./servers.ts";

/** Lists the topics. */
export const command: Command = defineCommand({
  usage: "topic list [options]",
  description: ["Lists the topics by name, with how many partitions each has."],
  flags: topicFlags,
  async run({ values, terminal }) {
    checkFormat(values.format);
    const topics = await ask(values, (client) => client.listTopics());
    const text = (): string | Promise<string> =>
      topics.length === 0 ? "There are no topics" : columns([
        ["Topic", "Partitions"],
        ...topics.map(({ name, partitions }) => [name, String(partitions)]),
      ]);
    await printResult(
      terminal,
      values.format,
      text,
      () => topics.map(({ name, partitions }) => ({ topic: name, partitions })),
    );
    return 0;
  },
});
