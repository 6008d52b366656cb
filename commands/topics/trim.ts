/**
 * `skein topic trim`.
 *
 * @module
 */

import { type Command, CommandError, defineCommand } from "../shell/command.ts";
import { columns } from "../shell/format/columns.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { ask, partitionFlag, topicFlags } from "./servers.ts";

/** The flags. */
export const trimFlags = {
  partition: partitionFlag("Of this partition. Default: of all, which 'latest' alone can mean."),
  ...topicFlags,
} as const;

/** Deletes the first messages of partitions. */
export const command: Command = defineCommand({
  usage: "topic trim [options] TOPIC OFFSET",
  description: [
    "Deletes the messages of TOPIC before OFFSET; with 'latest' for OFFSET all that are there. Nobody " +
    "gets them from then on; their room on disk comes back segment by segment. Prints where each " +
    "partition begins then.",
  ],
  flags: trimFlags,
  arguments: { least: 2, most: 2, few: "A topic and an offset must be specified" },
  async run({ values, args: [topic = "", text = ""], terminal }) {
    checkFormat(values.format);
    const before = offsetOf(text);
    const starts = await ask(values, async (client) => {
      const { partition } = values;
      const partitions = partition === undefined
        ? (await client.describeTopic(topic)).partitions.map((_, i) => i)
        : [partition];
      if (partitions.length > 1 && before !== "latest") {
        throw new Error(`'${topic}' has ${partitions.length} partitions: -partition says which`);
      }
      const starts: { partition: number; start: number }[] = [];
      for (const partition of partitions) {
        starts.push({ partition, start: await client.deleteRecords(topic, partition, before) });
      }
      return starts;
    });
    await printResult(
      terminal,
      values.format,
      () =>
        columns([
          ["Partition", "Start"],
          ...starts.map(({ partition, start }) => [String(partition), String(start)]),
        ]),
      () => starts.map((one) => ({ topic, ...one })),
    );
    return 0;
  },
});

function offsetOf(text: string): number | "latest" {
  if (text === "latest") return text;
  const offset = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(offset)) return offset;
  throw new CommandError(`Expected an offset or 'latest', got '${text}'`, { onStderr: true });
}
