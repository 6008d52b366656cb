/**
 * `skein topic describe`.
 *
 * @module
 */

import type { TopicInfo } from "../../client/mod.ts";
import { type Command, defineCommand } from "../shell/command.ts";
import { columns } from "../shell/format/columns.ts";
import type { GoJson } from "../shell/format/gojson.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { retentionJson, retentionRows } from "./retention.ts";
import { ask, topicFlags } from "./servers.ts";

/** Tells all about a topic. */
export const command: Command = defineCommand({
  usage: "topic describe [options] TOPIC",
  description: [
    "Tells how long the messages of TOPIC are kept, and which each partition has: from the offset " +
    "Start on, as far as End, which is the offset of the next one.",
  ],
  flags: topicFlags,
  arguments: { least: 1, most: 1, few: "One topic must be specified" },
  async run({ values, args: [topic = ""], terminal }) {
    checkFormat(values.format);
    const info = await ask(values, (client) => client.describeTopic(topic));
    await printResult(terminal, values.format, () => textOf(info), () => jsonOf(info));
    return 0;
  },
});

async function textOf({ name, id, retention, partitions }: TopicInfo): Promise<string> {
  const head = await columns([
    ["Topic", name],
    ["Id", String(id)],
    ...retentionRows(retention),
  ]);
  const table = await columns([
    ["Partition", "Start", "End", "Messages", "Bytes"],
    ...partitions.map(({ start, end, bytes }, partition) =>
      [partition, start, end, end - start, bytes].map(String)
    ),
  ]);
  return `${head}\n\n${table}`;
}

function jsonOf({ name, id, retention, partitions }: TopicInfo): GoJson {
  return {
    topic: name,
    id,
    ...retentionJson(retention),
    partitions: partitions.map(({ start, end, bytes }, partition) => {
      return { partition, start, end, bytes };
    }),
  };
}
