/**
 * `skein topic`: creates topics, produces messages to them and consumes them.
 *
 * @module
 */

import { verifyCommand, verifyFlags } from "../raft/verify.ts";
import { defineActions, flagsOf } from "../shell/actions.ts";
import type { Command } from "../shell/command.ts";
import { alterFlags, command as alter } from "./alter.ts";
import { command as consume, consumeFlags } from "./consume/consume.ts";
import { command as create, createFlags } from "./create.ts";
import { command as deletion, deleteFlags } from "./delete.ts";
import { command as describe } from "./describe.ts";
import { command as groups } from "./groups.ts";
import { command as list } from "./list.ts";
import { command as offsets, offsetsFlags } from "./offsets.ts";
import { command as produce, produceFlags } from "./produce/produce.ts";
import { retentionFlags } from "./retention.ts";
import { command as seek } from "./seek.ts";
import { compressionFlag } from "./compression.ts";
import { topicFlags } from "./servers.ts";
import { command as trim, trimFlags } from "./trim.ts";

/** Topics, and their messages. */
export const command: Command = defineActions({
  usage: "topic ACTION [options] [TOPIC]",
  description: [
    "Creates topics, produces messages to them and consumes them, at servers: agents that were " +
    "started with -server or -dev.",
    "create, delete and list topics; describe TOPIC tells all about one, alter TOPIC changes how " +
    "long its messages are kept; produce TOPIC sends the lines of standard input, consume TOPIC " +
    "prints messages; offsets TOPIC tells where its partitions begin and end, and where a group " +
    "is; seek TOPIC OFFSET has a group go on elsewhere; groups lists the groups, groups GROUP tells " +
    "who reads what in one; trim TOPIC OFFSET deletes the messages before one; verify compares the " +
    "servers. " +
    "'skein topic ACTION -h' tells more.",
    "Failures are told on standard error, and by the exit code.",
  ],
  flags: {
    ...flagsOf("create", createFlags, { ...topicFlags, ...retentionFlags }),
    ...flagsOf("create, alter", alterFlags, topicFlags),
    ...flagsOf("delete", deleteFlags, topicFlags),
    ...flagsOf("produce", produceFlags, topicFlags),
    ...flagsOf("consume", consumeFlags, topicFlags),
    ...flagsOf("offsets", offsetsFlags, topicFlags),
    g: { ...offsetsFlags.g, help: "consume, offsets, seek: Name of a group." },
    partition: {
      ...trimFlags.partition,
      help: "produce, consume, seek, trim: Only this partition.",
    },
    compression: { ...compressionFlag, help: `produce, consume: ${compressionFlag.help}` },
    "key-separator": {
      ...produceFlags["key-separator"],
      help: "produce, consume: Each line is a key, this text and a value.",
    },
    ...flagsOf("verify", verifyFlags, topicFlags),
    ...topicFlags,
  },
  actions: {
    create,
    delete: deletion,
    list,
    describe,
    alter,
    produce,
    consume,
    offsets,
    seek,
    groups,
    trim,
    verify: verifyCommand("topic verify", [
      "Compares what the servers have of all topics, and of the rest of the state, right after one " +
      "entry of the log, and has each of them read its messages again, by their checksums. Writes go " +
      "on meanwhile. The exit code is 1 when a server differs, has damaged files, or did not answer " +
      "in time.",
      "It is 'skein raft verify', and asks at the RPC port.",
    ]),
  },
  // In Kafka, kcat, NATS and Redis.
  elsewhere: {
    publish: "produce",
    pub: "produce",
    add: "create",
    subscribe: "consume",
    sub: "consume",
    rm: "delete",
    del: "delete",
    ls: "list",
    info: "describe",
    show: "describe",
    config: "alter",
    edit: "alter",
    purge: "trim",
    lag: "offsets",
    reset: "seek",
    "reset-offsets": "seek",
  },
  onStderr: true,
});
