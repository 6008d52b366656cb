/**
 * `skein kv pub`.
 *
 * @module
 */

import { type Command, defineCommand } from "../../shell/command.ts";
import { boolFlag } from "../../shell/flags.ts";
import { checkFormat, printResult } from "../../shell/output.ts";
import { input, parsed } from "../input.ts";
import { ask, storeFlags } from "../store.ts";

const { namespace: _, ...channelFlags } = storeFlags;

/** The flags. */
export const pubFlags = {
  json: boolFlag("MESSAGE is JSON. Without it, MESSAGE is a text."),
  ...channelFlags,
} as const;

/** Publishes a message. */
export const command: Command = defineCommand({
  usage: "kv pub [options] CHANNEL [MESSAGE]",
  description: [
    "Publishes MESSAGE to CHANNEL, a path like a key, but in no namespace unless it names one. " +
    "Without MESSAGE, or with '-', it is what comes from standard input, all of it.",
    "Prints how many it went to: subscribers of the agent, and other agents with subscribers, " +
    "however many those have. Who does not listen now misses it.",
  ],
  flags: pubFlags,
  arguments: {
    least: 1,
    most: 2,
    few: "A channel must be specified",
    many: "At most a channel and a message can be specified",
  },
  async run({ values, args: [channel = "", given = "-"], terminal }) {
    checkFormat(values.format);
    const text = given === "-" ? await input("message") : given;
    const message = values.json ? parsed("message", text) : text;
    const reached = await ask(values, (client) => client.publish(channel, message));
    await printResult(
      terminal,
      values.format,
      () => `Went to ${reached}`,
      () => ({ channel, reached }),
    );
    return 0;
  },
});
