/**
 * What the actions of `skein topic` share: how the servers are found, and how a failure is told.
 *
 * @module
 */

import { TopicClient, type TopicConnectOptions, type TopicStart } from "../../client/mod.ts";
import { DEFAULT_PORT, MAX_PARTITIONS } from "../../protocol/topics/limits.ts";
import { accessFlags, accessOf } from "../kv/access/flags.ts";
import { explain } from "../shell/command.ts";
import { variable } from "../shell/environment.ts";
import {
  ExpectedError,
  type Flag,
  type FlagValues,
  parsedFlag,
  stringFlag,
} from "../shell/flags.ts";
import { formatFlag } from "../shell/output.ts";

const DEFAULT_ADDRESS = `127.0.0.1:${DEFAULT_PORT}`;

// The topics port knows tokens, and no users.
const { "kv-user": _, ...tokenFlags } = accessFlags;

/** The flags of every action that asks at the topics port. */
export const topicFlags = {
  format: formatFlag,
  "topics-addr": stringFlag(
    "ADDRESS",
    "Topics addresses of servers, with commas between. Default: the variable SKEIN_TOPICS_ADDR, " +
      `or ${DEFAULT_ADDRESS}.`,
  ),
  ...tokenFlags,
  "kv-auth-file": stringFlag(
    "PATH",
    "File of the token that servers are shown. Default: the variable SKEIN_KV_TOKEN holds it, or " +
      "there is none.",
    "files",
  ),
} as const;

/** What the flags of every action say. */
export type TopicFlagValues = FlagValues<typeof topicFlags>;

/** A flag that names one partition. */
export function partitionFlag(help: string): Flag<number | undefined> {
  return parsedFlag<number | undefined>("NUMBER", help, undefined, partitionOf);
}

/** The number of a partition that a text is. */
export function partitionOf(text: string): number {
  const partition = Number(text);
  if (/^\d+$/.test(text) && partition < MAX_PARTITIONS) return partition;
  throw new ExpectedError(`the number of a partition: 0 to ${MAX_PARTITIONS - 1}`);
}

/** Where to read from on, but for a time. */
export type Place = Exclude<TopicStart, object>;

/** Where to read from on, as a text says it; `undefined` when it says nothing of that. */
export function startOf(text: string): Place | undefined {
  if (text === "earliest" || text === "latest") return text;
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * Connects to one of the servers that the flags or the environment name.
 *
 * @throws {CommandError} When none is there, or it refuses. It is for standard error: standard output is for messages.
 */
export async function connectToTopics(values: TopicFlagValues): Promise<TopicClient> {
  const address = values["topics-addr"] ?? (variable("SKEIN_TOPICS_ADDR") || DEFAULT_ADDRESS);
  const { token, tls } = await accessOf({ ...values, "kv-user": "" });
  const options: TopicConnectOptions = {
    address,
    name: "skein topic",
    ...token !== undefined && { token },
    ...tls !== undefined && { tls },
  };
  return await told("Error connecting to the servers", TopicClient.connect(options));
}

/**
 * Connects, asks, and closes the connection.
 *
 * @throws {CommandError} As {@linkcode connectToTopics}, or when what is asked for fails.
 */
export async function ask<T>(
  values: TopicFlagValues,
  action: (client: TopicClient) => Promise<T>,
): Promise<T> {
  await using client = await connectToTopics(values);
  return await told("Error", action(client));
}

/**
 * What a step comes to.
 *
 * @throws {CommandError} When it fails: `what` and the reason.
 */
export function told<T>(what: string, step: Promise<T>): Promise<T> {
  return explain(what, step, { hintOf: hintFor, onStderr: true });
}

/** What can be done about what a server says. */
const HINTS: readonly (readonly [text: RegExp, hint: string])[] = [
  [
    /connection refused$/,
    "Does a server keep topics there? 'skein agent -dev' starts one that does; -topics-addr or " +
    "SKEIN_TOPICS_ADDR names the topics addresses of others",
  ],
  [
    /No server is known to lead$/,
    "A majority of the servers has to run, and to reach each other: 'skein raft peers' lists them",
  ],
  [
    /^hello /,
    "Is that the topics address of a server, which 'skein raft status' tells? One with a " +
    "certificate speaks TLS: -kv-tls or -kv-ca-file",
  ],
  [
    /missing (?:address|port in address)$/,
    `A topics address is host:port; the port is ${DEFAULT_PORT} unless it was changed`,
  ],
  [
    /^Say who you are, with a token$/,
    "The server has a kv.tokens_file: give a token with SKEIN_KV_TOKEN or -kv-auth-file",
  ],
  [
    /^The token is wrong$/,
    "The token of SKEIN_KV_TOKEN or -kv-auth-file is in no kv.tokens_file of that server, which " +
    "may have none at all",
  ],
  [
    /^The token does not allow that$/,
    "The entry of the token in the kv.tokens_file of the server says what it may: publish is " +
    "to produce, subscribe to consume, write to create and change",
  ],
  [
    /^There is no such topic$/,
    "'skein topic list' lists those that there are",
  ],
  [
    /is no name of a topic$/,
    "A name is 1 to 249 letters, digits, '.', '_' and '-'",
  ],
  [
    /^The topic has no such partition$/,
    "'skein topic describe TOPIC' lists those that it has, from 0 on",
  ],
  [
    /^The partition has no such offset$/,
    "'skein topic offsets TOPIC' tells where partitions begin and end",
  ],
  [
    /^The topic is there with another number/,
    "'skein topic describe TOPIC' tells how many: they stay as long as the topic",
  ],
  [
    /InvalidContentType|tls: unexpected end of file/,
    "The server speaks no TLS: it is asked without -kv-tls and -kv-ca-file",
  ],
  [/: tls: /, "-kv-ca-file names certificates to trust, -kv-server-name whose the server's is"],
];

function hintFor(reason: string): string | undefined {
  return HINTS.find(([text]) => text.test(reason))?.[1];
}
