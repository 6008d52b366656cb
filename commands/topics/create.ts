/**
 * `skein topic create`.
 *
 * @module
 */

import { MAX_PARTITIONS } from "../../protocol/topics/limits.ts";
import { countFlag } from "../kv/listing.ts";
import { type Command, defineCommand } from "../shell/command.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { retentionFlags, retentionOf } from "./retention.ts";
import { ask, topicFlags } from "./servers.ts";

/** The flags. */
export const createFlags = {
  partitions: countFlag("How many partitions it has, for ever. Default: 1.", MAX_PARTITIONS),
  ...retentionFlags,
  ...topicFlags,
} as const;

/** Creates a topic. */
export const command: Command = defineCommand({
  usage: "topic create [options] TOPIC",
  description: [
    "Creates TOPIC: 1 to 249 letters, digits, '.', '_' and '-'. One that is there already with as " +
    "many partitions stays, and is given the retention that is asked for; with another number it is " +
    "a failure.",
  ],
  flags: createFlags,
  arguments: { least: 1, most: 1, few: "One topic must be specified" },
  async run({ values, args: [topic = ""], terminal }) {
    checkFormat(values.format);
    const { partitions = 1 } = values;
    const options = { partitions, ...retentionOf(values) };
    const created = await ask(values, (client) => client.createTopic(topic, options));
    const text = (): string => created ? "Created" : "Was there already";
    await printResult(terminal, values.format, text, () => ({ topic, partitions, created }));
    return 0;
  },
});
