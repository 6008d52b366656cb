/**
 * `skein kv sub`.
 *
 * @module
 */

import { KvClient, type KvMessage, type RecordStream } from "../../../client/mod.ts";
import { type Command, CommandError, defineCommand } from "../../shell/command.ts";
import { boolFlag } from "../../shell/flags.ts";
import { checkFormat } from "../../shell/output.ts";
import { consume, interruption, stopQuietly } from "../../shell/streaming.ts";
import type { Terminal } from "../../shell/terminal.ts";
import { countFlag } from "../listing.ts";
import { connectionOf, storeFlags, told } from "../store.ts";

const { namespace: _, ...channelFlags } = storeFlags;

/** The flags. */
export const subFlags = {
  count: countFlag("End after so many messages. Default: never."),
  once: boolFlag("End when the agent goes away. Without it, it is waited for."),
  ...channelFlags,
} as const;

/** Prints the messages of channels until Ctrl-C. */
export const command: Command = defineCommand({
  usage: "kv sub [options] CHANNEL...",
  description: [
    "Prints what is published to any CHANNEL, from now on: the channel, a tab and the message as " +
    "JSON, a line each. With -format=json each line is an object that also tells who published it.",
    "'a^*' stands for all channels one level below a, 'a^**' for all below it, '**' for all.",
    "When the agent goes away it is waited for. What was published meanwhile is missing; that, and " +
    "how many messages were dropped otherwise, is told on standard error.",
  ],
  flags: subFlags,
  arguments: { least: 1, few: "At least one channel must be specified" },
  jsonLines: true,
  async run({ values, args: channels, terminal }) {
    const { format, count = Infinity, once } = values;
    checkFormat(format);
    const options = await connectionOf(values);
    await using client = await told(
      "Error connecting to the agent",
      KvClient.connect({ ...options, reconnect: !once }),
    );
    const messages = await told("Error", client.subscribe(channels));
    using interrupted = interruption();
    const losses = new Losses(messages, terminal);
    const lineOf = format === "json" ? JSON.stringify : textLine;
    let printed = 0;
    const { promise: enough, resolve } = Promise.withResolvers<"enough">();
    const printing = consume(messages, async (message) => {
      if (printed >= count) return;
      await losses.tell();
      await terminal.out(lineOf(message));
      if (++printed >= count) resolve("enough");
    }, terminal);
    const end = await Promise.race([printing, enough, interrupted.promise]);
    await stopQuietly(messages);
    await losses.tell();
    if (end !== "lost") return 0;
    throw new CommandError("The agent went away", { onStderr: true });
  },
});

/** Tells what is missing, each thing once. */
class Losses {
  readonly #messages: RecordStream<KvMessage>;
  readonly #terminal: Terminal;
  #reopened = 0;
  #dropped = 0;

  constructor(messages: RecordStream<KvMessage>, terminal: Terminal) {
    this.#messages = messages;
    this.#terminal = terminal;
  }

  async tell(): Promise<void> {
    const { reopened, dropped } = this.#messages;
    if (reopened > this.#reopened) {
      await this.#terminal.err("Subscribed again: messages of meanwhile are missing");
    }
    if (dropped > this.#dropped) {
      await this.#terminal.err(`${dropped - this.#dropped} messages were dropped`);
    }
    this.#reopened = reopened;
    this.#dropped = dropped;
  }
}

function textLine({ channel, message }: KvMessage): string {
  return `${channel}\t${JSON.stringify(message)}`;
}
