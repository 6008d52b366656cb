/**
 * `skein topic delete`.
 *
 * @module
 */

import { TopicError } from "../../client/mod.ts";
import { type Command, defineCommand } from "../shell/command.ts";
import { switchFlag } from "../shell/flags.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { ask, topicFlags } from "./servers.ts";

/** The flags. */
export const deleteFlags = {
  "if-exists": switchFlag("It is no failure when there is nothing to delete."),
  ...topicFlags,
} as const;

/** Deletes a topic. */
export const command: Command = defineCommand({
  usage: "topic delete [options] TOPIC",
  description: [
    "Deletes TOPIC with all its messages and the offsets that groups have committed in it. One that " +
    "is created with the same name begins anew.",
  ],
  flags: deleteFlags,
  arguments: { least: 1, most: 1, few: "One topic must be specified" },
  async run({ values, args: [topic = ""], terminal }) {
    checkFormat(values.format);
    const deleted = await ask(values, async (client) => {
      try {
        await client.deleteTopic(topic);
        return true;
      } catch (error) {
        const isMissing = error instanceof TopicError && error.reason === "TOPIC_NOT_FOUND";
        if (!isMissing || !values["if-exists"]) throw error;
        return false;
      }
    });
    const text = (): string => deleted ? "Deleted" : "Was not there";
    await printResult(terminal, values.format, text, () => ({ topic, deleted }));
    return 0;
  },
});
