/**
 * `skein query` (agent.md 7.12).
 *
 * @module
 */

import { parseDuration } from "../server/config/duration.ts";
import { type Command, CommandError, defineCommand, explain, wrongArguments } from "./command.ts";
import { connect, connectionFlags } from "./connection.ts";
import { boolFlag, intFlag, listFlag, parsedFlag } from "./flags.ts";
import { goJson } from "./gojson.ts";
import { formatFlag } from "./output.ts";
import { aliveMembers, showProgress } from "./progress.ts";
import { consume, interruption } from "./streaming.ts";
import { tagsFromFlags } from "./tag_values.ts";

/** The relay factor travels in one byte (agent.md 2). */
const MAX_RELAY_FACTOR = 255;

/** Sends a query through the cluster and prints acks and answers as they come, until the agent says that it is over. */
export const command: Command = defineCommand({
  usage: "query [options] name payload",
  description: [
    "Sends a query through the cluster and prints acknowledgements and answers as they come. The " +
    "payload may be left out. A skein agent ends the query as soon as every member that it goes " +
    "to has answered; a Serf agent waits for the whole timeout.",
  ],
  flags: {
    format: formatFlag,
    node: listFlag("NAME", "Asks only this member. May be given many times.", "members"),
    tag: listFlag(
      "KEY=REGEXP",
      "Asks only members whose tag KEY matches, anywhere in the value. May be given many times; " +
        "all must match.",
    ),
    timeout: parsedFlag(
      "DURATION",
      "How long to wait for answers, such as 15s. Default: the agent's, which grows with the " +
        "cluster.",
      0,
      parseDuration,
    ),
    "no-ack": boolFlag("Asks the members not to acknowledge the query."),
    "relay-factor": intFlag(
      "N",
      "Each member also sends its answer through this many others, for networks that lose " +
        "packets. Default: 0.",
    ),
    ...connectionFlags,
  },
  async run(invocation) {
    const { values, args, json, terminal } = invocation;
    const filterTags = tagsFromFlags(values.tag);
    const [name, payload] = args;
    if (name === undefined) {
      return await wrongArguments(invocation, "A query name must be specified.");
    }
    if (args.length > 2) {
      return await wrongArguments(
        invocation,
        "Too many command line arguments. Only a name and payload must be specified.",
      );
    }
    const { node: filterNodes, "relay-factor": relayFactor, timeout: timeoutMs } = values;
    if (relayFactor < 0 || relayFactor > MAX_RELAY_FACTOR) {
      throw new CommandError("Relay factor must be between 0 and 255");
    }
    await using client = await connect(values);
    if (!["text", "json"].includes(values.format ?? "text")) {
      throw new CommandError(`Invalid format: ${values.format}`);
    }
    const requestAck = !values["no-ack"];
    const alive = await aliveMembers(client, terminal, json);
    const query = await explain(
      "Error sending query",
      client.query(name, payload ?? null, {
        filterNodes,
        filterTags,
        requestAck,
        relayFactor,
        timeoutMs,
      }),
    );
    const acks: string[] = [];
    const responses = new Map<string, Uint8Array>();
    let answers = 0;
    using interrupted = interruption();
    using progress = showProgress(terminal, "Waiting for answers", json);
    const total = values.tag.length > 0 ? undefined : expected(alive, filterNodes);
    const report = () => {
      const of = total === undefined ? "" : ` of ${total}`;
      const acked = requestAck ? `${acks.length}${of} acks, ` : "";
      progress.update(`${acked}${answers}${of} answers`);
    };
    if (!json) await terminal.out(`Query '${name}' dispatched`);
    report();
    const end = await Promise.race([
      interrupted.promise,
      consume(query, async (record) => {
        if (record.type === "ack") {
          acks.push(record.from);
          if (!json) await terminal.out(`Ack from '${record.from}'`);
        } else {
          answers++;
          const bytes = record.payload ?? new Uint8Array();
          responses.set(record.from, bytes);
          if (!json) await terminal.out(answerLine(record.from, bytes));
        }
        report();
      }, terminal),
    ]);
    if (end === "interrupted") {
      if (json) throw new CommandError("Interrupted");
      return 1;
    }
    if (json) {
      await terminal.out(result(acks, responses));
      return 0;
    }
    if (requestAck) await terminal.out(`Total Acks: ${acks.length}`);
    await terminal.out(`Total Responses: ${answers}`);
    return 0;
  },
});

/** How many members the query goes to. */
function expected(
  alive: ReadonlySet<string> | undefined,
  nodes: readonly string[],
): number | undefined {
  if (alive === undefined || nodes.length === 0) return alive?.size;
  return new Set(nodes.filter((node) => alive.has(node))).size;
}

const NEWLINE = 0x0a;

/** The answer as it came, whatever bytes it has, but without one newline at its end. */
function answerLine(from: string, payload: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode(`Response from '${from}': `);
  const end = payload.at(-1) === NEWLINE ? payload.length - 1 : payload.length;
  const line = new Uint8Array(head.length + end);
  line.set(head);
  line.set(payload.subarray(0, end), head.length);
  return line;
}

function result(acks: readonly string[], responses: ReadonlyMap<string, Uint8Array>): string {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return goJson({
    Acks: acks.length === 0 ? null : acks,
    Responses: new Map([...responses].map(([from, payload]) => [from, decoder.decode(payload)])),
  });
}
