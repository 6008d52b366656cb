/**
 * `skein topic consume`.
 *
 * @module
 */

import {
  ConnectError,
  ConnectionClosedError,
  TimeoutError,
  type TopicClient,
  type TopicConsumer,
  type TopicMessage,
  type TopicStart,
} from "../../../client/mod.ts";
import { isTakenOver } from "../../../protocol/topics/errors.ts";
import { MEMBER_TIMEOUT_MS } from "../../../protocol/topics/limits.ts";
import { countFlag } from "../../kv/listing.ts";
import { type Command, CommandError, defineCommand } from "../../shell/command.ts";
import {
  durationFlag,
  ExpectedError,
  type FlagValues,
  parsedFlag,
  stringFlag,
  switchFlag,
} from "../../shell/flags.ts";
import { checkFormat } from "../../shell/output.ts";
import { ENDING, interruption } from "../../shell/streaming.ts";
import type { Terminal } from "../../shell/terminal.ts";
import { compressionFlag } from "../compression.ts";
import { connectToTopics, partitionFlag, startOf, told, topicFlags } from "../servers.ts";
import { timeFlag } from "../time.ts";
import { Places } from "./places.ts";
import { jsonPrinter, type Print, textPrinter } from "./print.ts";

/** A wait for messages after which it is looked whether there are any to wait for, in milliseconds. */
const LOOK_MS = 1_000;

/** Servers that have not answered for so long are told of, where they are waited for, in milliseconds. */
const NOTICE_MS = 3_000;

/** The flags. */
export const consumeFlags = {
  o: parsedFlag<TopicStart | undefined>(
    "OFFSET|earliest|latest",
    "Where it begins, unless its group has committed an offset. Default: earliest.",
    undefined,
    (text) => {
      const start = startOf(text);
      if (start !== undefined) return start;
      throw new ExpectedError("an offset, earliest or latest");
    },
  ),
  from: timeFlag(
    "It begins with the first message of that time or later, such as 2026-11-27T10:00:00Z, or 10m " +
      "for ten minutes ago, in each partition. Excludes -o.",
  ),
  n: countFlag("End after so many messages. Default: at the end, or with -follow never."),
  g: stringFlag(
    "GROUP",
    "Shares the partitions with all who read for this group, goes on where it has ended, and commits " +
      "for it what was printed. With -partition it shares nothing.",
  ),
  "session-timeout": durationFlag(
    "With -g: others have its partitions when servers have heard nothing of it for so long, from 1s to " +
      "1h. Default: 30s.",
    MEMBER_TIMEOUT_MS.least,
    MEMBER_TIMEOUT_MS.most,
  ),
  follow: switchFlag("At the end, wait for more."),
  partition: partitionFlag("Only this partition. Default: all."),
  "key-separator": stringFlag(
    "TEXT",
    "Each line is the key, this text and the value. Default: the value.",
  ),
  compression: compressionFlag,
  ...topicFlags,
} as const;

/** Prints messages. */
export const command: Command = defineCommand({
  usage: "topic consume [options] TOPIC",
  description: [
    "Prints the messages of TOPIC that are there, a line each, those of each partition in their " +
    "order: the value as it is. With -format=json each line is an object with the offset, the " +
    "timestamp, the key and the headers too; what is no UTF-8 is in base64 there, as key_base64 " +
    "and value_base64.",
    "With -follow it goes on as messages come, until Ctrl-C or SIGTERM, and when servers go away it " +
    "asks the others, or waits. With -g offsets are committed every 5s and at the end, that by " +
    "Ctrl-C and SIGTERM included: what was printed and not committed is printed again, nothing is " +
    "left out. Who reads for the same group at the same time shares the partitions with it; without " +
    "-follow it ends when the group has read all that was there.",
    "Messages that are kept no longer when it comes to them are told on standard error.",
  ],
  flags: consumeFlags,
  arguments: { least: 1, most: 1, few: "One topic must be specified" },
  jsonLines: true,
  async run({ values, args: [topic = ""], json, terminal }) {
    checkFormat(values.format);
    const start = beginOf(values);
    await using client = await connectToTopics(values);
    using interrupted = interruption(ENDING);
    const { signal } = interrupted;
    const print = json ? jsonPrinter(terminal) : textPrinter(terminal, values["key-separator"]);
    await told("Error", read(client, topic, { ...values, start }, { print, terminal, signal }));
    return 0;
  },
});

/** What the flags say. */
type Wanted = FlagValues<typeof consumeFlags> & { readonly start: TopicStart };

function beginOf({ o: start, from: time }: FlagValues<typeof consumeFlags>): TopicStart {
  if (time === undefined) return start ?? "earliest";
  if (start === undefined) return { time };
  throw new CommandError("-o and -from exclude each other", { onStderr: true });
}

/** Where messages go, and what ends that. */
interface Sink {
  readonly print: Print;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

async function read(
  client: TopicClient,
  topic: string,
  values: Wanted,
  { print, terminal, signal }: Sink,
): Promise<void> {
  const { start, n: count = Infinity, g: group, follow, compression } = values;
  const patience = new Patience(follow, terminal);
  const ends = await patience.with(() => endsOf(client, topic, values, signal), signal);
  if (ends === undefined) return;
  const isMember = group !== undefined && values.partition === undefined;
  const sessionTimeoutMs = values["session-timeout"];
  await using consumer: TopicConsumer = client.consumer(topic, {
    start,
    ...group !== undefined && { group },
    ...sessionTimeoutMs !== undefined && { sessionTimeoutMs },
    ...compression !== undefined && { compression },
    ...!isMember && { partitions: [...ends.keys()] },
    ...isMember && {
      onAssigned: (partitions) => places.begin(partitions),
      onRevoked: (partitions) => places.end(partitions),
    },
  });
  const places = new Places(consumer, ends, async () => {
    if (!isMember) return new Map();
    const committed = await client.committedOffsets(group);
    const here = committed.filter((one) => one.topic === topic);
    return new Map(here.map(({ partition, offset }) => [partition, offset]));
  });
  await patience.with(() => places.look(signal), signal);
  for (let left = count; left > 0 && (follow || !places.isEnd) && !signal.aborted;) {
    const messages = await patience.with(() => next(consumer, left, signal), signal);
    if (signal.aborted || messages === undefined) continue;
    for (const { partition, from, to } of places.pass(messages)) {
      await terminal.err(`Messages ${from} to ${to - 1} of partition ${partition} are gone`);
    }
    await print(messages);
    // What nobody has read is not done with.
    if (terminal.broken) return;
    left -= messages.length;
    if (messages.length === 0) await patience.with(() => places.look(signal), signal);
  }
  if (group === undefined) return;
  await consumer.commit().catch(async (error) => {
    if (!isMember || !isTakenOver(error)) throw error;
    await terminal.err(
      "Others of the group have taken over, and may print the last messages again",
    );
  });
}

/** Where each partition ends that is to be read. Rejects when there is none, or none with the offset that it is to begin with. */
async function endsOf(
  client: TopicClient,
  topic: string,
  { start, g: group, partition, follow }: Wanted,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, number>> {
  const { partitions } = await client.describeTopic(topic, {
    signal,
    ...follow && { timeoutMs: NOTICE_MS },
  });
  const all = partitions.map((range, number) => ({ ...range, number }));
  const wanted = all.filter(({ number }) => partition === undefined || number === partition);
  if (wanted.length === 0) {
    throw new Error(`'${topic}' has the partitions 0 to ${all.length - 1}, not ${partition}`);
  }
  for (const { number, start: least, end } of wanted) {
    if (typeof start !== "number" || group !== undefined) continue;
    if (start >= least && start <= end) continue;
    throw new Error(`Offset ${start} is not within ${least} to ${end}, as partition ${number} has`);
  }
  return new Map(wanted.map(({ number, end }) => [number, end]));
}

/** The next messages, at most so many; none when none have come for a while, `undefined` when it is enough. */
async function next(
  consumer: TopicConsumer,
  most: number,
  signal: AbortSignal,
): Promise<TopicMessage[]> {
  const options = { signal, timeoutMs: LOOK_MS };
  if (most === Infinity) return await consumer.fetch(options);
  const message = await consumer.fetchOne(options);
  return message === undefined ? [] : [message];
}

/** Waits for servers that do not answer, where that is wanted. */
class Patience {
  readonly #isEndless: boolean;
  readonly #terminal: Terminal;
  #isTold = false;

  constructor(isEndless: boolean, terminal: Terminal) {
    this.#isEndless = isEndless;
    this.#terminal = terminal;
  }

  /** What a step comes to; `undefined` when the signal fired. Rejects as the step does, unless that passes. */
  async with<T>(step: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    for (;;) {
      try {
        const result = await step();
        if (this.#isTold) await this.#terminal.err("Goes on");
        this.#isTold = false;
        return result;
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!this.#isEndless || !passes(error)) throw error;
        if (!this.#isTold) {
          await this.#terminal.err(`Waiting for the servers: ${(error as Error).message}`);
        }
        this.#isTold = true;
      }
    }
  }
}

function passes(error: unknown): boolean {
  return error instanceof TimeoutError || error instanceof ConnectError ||
    error instanceof ConnectionClosedError;
}
