/**
 * `skein topic produce`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { NewTopicMessage, TopicProducer } from "../../../client/mod.ts";
import { MAX_MESSAGE_BYTES } from "../../../protocol/topics/limits.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { type Command, CommandError, defineCommand } from "../../shell/command.ts";
import {
  ExpectedError,
  type FlagValues,
  listFlag,
  parsedFlag,
  stringFlag,
  switchFlag,
} from "../../shell/flags.ts";
import { checkFormat, printResult } from "../../shell/output.ts";
import { type Progress, showProgress } from "../../shell/progress.ts";
import { ENDING, interruption } from "../../shell/streaming.ts";
import { compressionFlag } from "../compression.ts";
import { connectToTopics, partitionFlag, told, topicFlags } from "../servers.ts";
import { linesOf } from "./lines.ts";
import { Tally } from "./tally.ts";

/** The flags. */
export const produceFlags = {
  k: stringFlag("KEY", "Key of all messages. Default: none."),
  "key-separator": stringFlag(
    "TEXT",
    "Each line is a key, this text and a value. Default: all of a line is a value.",
  ),
  partition: partitionFlag(
    "Partition of all messages. Default: where the key belongs; what has no key goes to one after " +
      "the other, up to 1,000 messages at a time.",
  ),
  header: listFlag("NAME=VALUE", "Header of all messages. May be given many times."),
  "id-from": parsedFlag<"key" | "line" | undefined>(
    "PART",
    'Each message has an id, and is not taken when one with it came not long ago: its "key", or the ' +
      'SHA-256 of its "line". Default: none.',
    undefined,
    (text) => {
      if (text === "key" || text === "line") return text;
      throw new ExpectedError("key or line");
    },
  ),
  file: stringFlag("PATH", "Reads this file. Default: standard input.", "files"),
  idempotent: switchFlag(
    "Servers know what comes again: after a lost answer it is sent again, and is there once.",
  ),
  compression: compressionFlag,
  ...topicFlags,
} as const;

/** Messages of a batch: lines are short, and whoever sends many does not wait for each. */
const BATCH_MESSAGES = 1_000;

/** Bytes of messages that are under way: as few as keep servers busy, since they go on when one of them fails. */
const BUFFER_BYTES = 1024 * 1024;

/** Produces messages. */
export const command: Command = defineCommand({
  usage: "topic produce [options] TOPIC",
  description: [
    "Sends each line of standard input as a message to TOPIC, and says how many are acknowledged: " +
    "they are on disk at a majority of the servers then. A line is taken as it is, without its end. " +
    "Where servers are set so, a topic that is missing is created with one partition.",
    "When a message fails, no more are read, but those under way, up to 1 MiB, go on. How many of those that were sent are acknowledged is " +
    "told, and of how many it is not known; the exit code is 1. Ctrl-C and SIGTERM end it as the " +
    "end of the input does.",
  ],
  flags: produceFlags,
  arguments: { least: 1, most: 1, few: "One topic must be specified" },
  async run({ values, args: [topic = ""], json, terminal }) {
    checkFormat(values.format);
    const messageOf = makerOf(values);
    const input = await opened(values.file);
    await using client = await connectToTopics(values);
    using interrupted = interruption(ENDING);
    const tally = new Tally();
    const stop = AbortSignal.any([interrupted.signal, tally.failed]);
    await using producer = client.producer({
      idempotent: values.idempotent,
      ...values.compression !== undefined && { compression: values.compression },
      maxMessages: BATCH_MESSAGES,
      bufferBytes: BUFFER_BYTES,
    });
    const isTyped = values.file === undefined && Deno.stdin.isTerminal();
    if (isTyped && terminal.interactive) await terminal.err("Each line is a message, Ctrl-D ends");
    using progress = showProgress(terminal, "Producing", json || isTyped);
    let broken: unknown;
    try {
      const lines = linesOf(input, MAX_MESSAGE_BYTES, stop);
      await send(producer, topic, lines, messageOf, tally, progress, stop);
    } catch (error) {
      broken = error;
    }
    await producer.flush();
    const { error = broken } = tally.failure ?? {};
    const { sent, acknowledged, unknown } = tally;
    if (error === undefined) {
      const { duplicates } = tally;
      const before = duplicates === 0 ? "" : `, of which ${duplicates} had been there before`;
      const messages = acknowledged === 1 ? "message" : "messages";
      const text = () => `Produced ${acknowledged} ${messages}${before}`;
      const found = values["id-from"] === undefined ? {} : { duplicates };
      await printResult(terminal, values.format, text, () => ({ topic, acknowledged, ...found }));
      return 0;
    }
    const failed = told("Error", Promise.reject(error)).catch((failure: CommandError) => failure);
    const { message, hint, cause } = await failed;
    throw new CommandError(`${message}: ${tally.text}`, {
      cause,
      hint,
      details: { topic, sent, acknowledged, unknown },
      onStderr: true,
    });
  },
});

/** Sends lines as they come, as long as there is room for more. */
async function send(
  producer: TopicProducer,
  topic: string,
  groups: AsyncIterable<readonly Uint8Array[]>,
  messageOf: (line: Uint8Array, number: number) => NewTopicMessage,
  tally: Tally,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  for await (const lines of groups) {
    for (const line of lines) {
      if (signal.aborted) return;
      const message = messageOf(line, tally.sent + 1);
      await producer.ready();
      tally.count(producer.send(topic, message));
    }
    progress.update(`Producing, ${tally.acknowledged} messages are acknowledged`);
  }
}

/** Makes messages of lines; the first line has the number 1. */
function makerOf(
  values: FlagValues<typeof produceFlags>,
): (line: Uint8Array, number: number) => NewTopicMessage {
  const { k: key, partition } = values;
  const separator = values["key-separator"];
  if (key !== undefined && separator !== undefined) {
    throw new CommandError("-k and -key-separator exclude each other", { onStderr: true });
  }
  if (separator === "") throw new CommandError("-key-separator is empty", { onStderr: true });
  const headers = values.header.map(headerOf);
  const rest = { ...partition !== undefined && { partition }, headers };
  const idOf = ID_OF[values["id-from"] ?? "none"];
  if (separator === undefined) {
    return (value) => ({ ...key !== undefined && { key }, value, ...rest, ...idOf(value, key) });
  }
  const bytes = encodeUtf8(separator);
  return (line, number) => {
    const at = Buffer.from(line.buffer, line.byteOffset, line.length).indexOf(bytes);
    if (at < 0) throw new Error(`Line ${number} has no '${separator}' after its key`);
    const key = line.subarray(0, at);
    return { key, value: line.subarray(at + bytes.length), ...rest, ...idOf(line, key) };
  };
}

/** The id of a line with a key, by what it is made from. */
const ID_OF = {
  none: () => ({}),
  key: (_: Uint8Array, key: Uint8Array | string = "") => ({ id: key }),
  line: (line: Uint8Array) => ({ id: createHash("sha256").update(line).digest("hex") }),
} as const;

function headerOf(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at >= 1) return [text.slice(0, at), text.slice(at + 1)];
  const hint = "A header is NAME=VALUE, such as trace=ab12";
  throw new CommandError(`Error: Invalid header: '${text}'`, { hint, onStderr: true });
}

/** A file, or standard input. */
async function opened(path: string | undefined): Promise<ReadableStream<Uint8Array>> {
  if (path === undefined) return Deno.stdin.readable;
  try {
    return (await Deno.open(path)).readable;
  } catch (cause) {
    const { fileProblem } = await import("../../../server/files/problem.ts");
    const message = `Error reading -file '${path}': ${fileProblem(cause)}`;
    throw new CommandError(message, { cause, onStderr: true });
  }
}
