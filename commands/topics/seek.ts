/**
 * `skein topic seek`.
 *
 * @module
 */

import { type TopicClient, TopicError } from "../../client/mod.ts";
import { type Command, CommandError, defineCommand, wrongArguments } from "../shell/command.ts";
import { stringFlag } from "../shell/flags.ts";
import { columns } from "../shell/format/columns.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { ask, partitionFlag, type Place, startOf, topicFlags } from "./servers.ts";

const seekFlags = {
  g: stringFlag("GROUP", "The group that goes on there."),
  partition: partitionFlag("In this partition. Default: in all, for which OFFSET is no number."),
  ...topicFlags,
} as const;

const USAGE = "topic seek [options] TOPIC OFFSET";

/** Has a group go on elsewhere. */
export const command: Command = defineCommand({
  usage: USAGE,
  description: [
    "Has a group go on with the message of TOPIC that has this OFFSET, with 'earliest' or 'latest' for " +
    "OFFSET with the first one that there is, or with the next one to come. Prints where the group is " +
    "then, in each partition. End the programs of the group before: while it has members nothing is " +
    "done, and those that read partitions of their own choice commit where they are.",
  ],
  flags: seekFlags,
  arguments: { least: 2, most: 2, few: "A topic and an offset must be specified" },
  async run({ values, args: [topic = "", text = ""], terminal }) {
    checkFormat(values.format);
    const { g: group, partition } = values;
    if (group === undefined) throw wrongArguments(USAGE, "A group must be specified: -g");
    const where = whereOf(text);
    const places = await ask(values, (client) => seek(client, topic, { group, partition, where }));
    await printResult(
      terminal,
      values.format,
      () =>
        columns([
          ["Partition", "Committed"],
          ...places.map((place) => [String(place.partition), String(place.committed)]),
        ]),
      () => places.map((place) => ({ topic, ...place })),
    );
    return 0;
  },
});

/** Who goes on where. */
interface Target {
  readonly group: string;
  readonly partition: number | undefined;
  readonly where: Place;
}

async function seek(
  client: TopicClient,
  topic: string,
  { group, partition, where }: Target,
): Promise<{ readonly partition: number; readonly committed: number }[]> {
  const { partitions: all } = await client.describeTopic(topic);
  const partitions = partition === undefined ? all.map((_, i) => i) : [partition];
  if (partitions.length > 1 && typeof where === "number") {
    throw new Error(`'${topic}' has ${all.length} partitions: -partition says which`);
  }
  const places = partitions.map((partition) => {
    const range = all[partition];
    if (range === undefined) {
      throw new Error(`'${topic}' has the partitions 0 to ${all.length - 1}, not ${partition}`);
    }
    const { start, end } = range;
    const committed = where === "earliest" ? start : where === "latest" ? end : where;
    if (committed >= start && committed <= end) return { partition, committed };
    throw new Error(
      `Offset ${committed} is not within ${start} to ${end}, as partition ${partition} has`,
    );
  });
  await using consumer = client.consumer(topic, { group, partitions, autoCommitMs: 0 });
  for (const { partition, committed } of places) await consumer.seek(partition, committed);
  await consumer.commit().catch((error) => {
    const hasMembers = error instanceof TopicError && error.reason === "UNKNOWN_MEMBER";
    throw hasMembers ? new Error(`Group '${group}' has members: end their programs before`) : error;
  });
  return places;
}

function whereOf(text: string): Place {
  const where = startOf(text);
  if (where !== undefined) return where;
  const expected = "Expected an offset, 'earliest' or 'latest'";
  throw new CommandError(`${expected}, got '${text}'`, { onStderr: true });
}
