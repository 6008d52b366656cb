/**
 * `skein query` (docs/spec/agent.md 7.12).
 *
 * @module
 */

import type { QueryRecord, QueryStream } from "../../client/mod.ts";
import { parseDuration } from "../../protocol/duration.ts";
import { printable } from "../../protocol/quote.ts";
import { type Command, CommandError, defineCommand, explain } from "../shell/command.ts";
import { decodeUtf8, encodeUtf8 } from "../../protocol/text.ts";
import { connect, connectionFlags } from "../shell/connection.ts";
import { boolFlag, intFlag, listFlag, parsedFlag } from "../shell/flags.ts";
import { type Foreign, foreignOn } from "../shell/format/foreign.ts";
import { goJson } from "../shell/format/gojson.ts";
import { formatFlag } from "../shell/output.ts";
import { aliveMembers, showProgress } from "../shell/progress.ts";
import { consume, GONE, interruption, type StreamEnd } from "../shell/streaming.ts";
import { tagsFromFlags } from "../shell/tag_values.ts";
import type { Terminal } from "../shell/terminal.ts";
import { tellUnknown } from "./show/unknown_members.ts";
import { requirePatterns } from "./patterns.ts";

/** The relay factor travels in one byte (docs/spec/agent.md 2). */
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
  arguments: {
    least: 1,
    most: 2,
    few: "A query name must be specified.",
    many: "Too many command line arguments. Only a name and payload must be specified.",
  },
  async run({ values, args: [name = "", payload], json, terminal }) {
    const tags = tagsFromFlags(values.tag);
    const { node: nodes, "relay-factor": relayFactor, timeout: timeoutMs } = values;
    if (relayFactor < 0 || relayFactor > MAX_RELAY_FACTOR) {
      throw new CommandError("Relay factor must be between 0 and 255");
    }
    await requirePatterns(tags);
    await using client = await connect(values);
    if (!["text", "json"].includes(values.format ?? "text")) {
      throw new CommandError(`Invalid format: ${values.format}`);
    }
    const requestAck = !values["no-ack"];
    const alive = await aliveMembers(client, terminal, json);
    const query = await explain(
      "Error sending query",
      client.query(name, payload ?? null, {
        nodes,
        tags,
        requestAck,
        relayFactor,
        timeoutMs,
      }),
    );
    if (!json) await terminal.out(`Query '${name}' dispatched`);
    const total = values.tag.length > 0 ? undefined : expected(alive, nodes);
    const gathered: Gathered = { acks: [], responses: new Map(), answers: 0 };
    const end = await gather(query, gathered, { requestAck, total: total?.size, json, terminal });
    if (end === "interrupted") {
      if (json) throw new CommandError("Interrupted");
      return 1;
    }
    const { acks, responses, answers } = gathered;
    const silent = nodes.filter((node) => !acks.includes(node) && !responses.has(node));
    if (end === "lost") await terminal.err(GONE);
    else if (silent.length > 0) await tellUnknown(silent, client, terminal);
    if (json) {
      await terminal.out(result(acks, responses));
      return 0;
    }
    if (requestAck) {
      await terminal.out(`Total Acks: ${acks.length}`);
      for (const node of total?.difference(new Set(acks)) ?? []) {
        await terminal.err(`No ack from '${printable(node)}'`);
      }
    }
    await terminal.out(`Total Responses: ${answers}`);
    return 0;
  },
});

/** What has come back. */
interface Gathered {
  /** Who acknowledged. */
  readonly acks: string[];
  /** The last answer of each member. */
  readonly responses: Map<string, Uint8Array>;
  /** How many answers there were. */
  answers: number;
}

/** How {@linkcode gather} shows what comes. */
interface View {
  /** Whether acks were asked for. */
  readonly requestAck: boolean;
  /** How many members were asked; `undefined` when that is not known. */
  readonly total: number | undefined;
  /** Whether nothing is printed before the end. */
  readonly json: boolean;
  /** Where to print. */
  readonly terminal: Terminal;
}

/** Prints acks and answers as they come, until the query is over or Ctrl-C. */
async function gather(
  query: QueryStream,
  gathered: Gathered,
  { requestAck, total, json, terminal }: View,
): Promise<StreamEnd | "interrupted"> {
  const foreign = foreignOn(terminal);
  using interrupted = interruption();
  using progress = showProgress(terminal, "Waiting for answers", json);
  const of = total === undefined ? "" : ` of ${total}`;
  const report = () => {
    const acked = requestAck ? `${gathered.acks.length}${of} acks, ` : "";
    progress.update(`${acked}${gathered.answers}${of} answers`);
  };
  const handle = async (record: QueryRecord) => {
    const { type, from } = record;
    if (type === "ack") {
      gathered.acks.push(from);
      if (!json) await terminal.out(`Ack from '${foreign.word(from)}'`);
    } else {
      const payload = record.payload ?? new Uint8Array();
      gathered.answers++;
      gathered.responses.set(from, payload);
      if (!json) await terminal.out(answerLine(from, payload, foreign));
    }
    report();
  };
  report();
  return await Promise.race([interrupted.promise, consume(query, handle, terminal)]);
}

/** The members that the query goes to. */
function expected(
  alive: ReadonlySet<string> | undefined,
  nodes: readonly string[],
): ReadonlySet<string> | undefined {
  if (alive === undefined || nodes.length === 0) return alive;
  return new Set(nodes.filter((node) => alive.has(node)));
}

const NEWLINE = 0x0a;

/** The answer without one newline at its end; as it came, whatever bytes it has, unless a screen shows it. */
function answerLine(from: string, payload: Uint8Array, foreign: Foreign): string | Uint8Array {
  const start = `Response from '${foreign.word(from)}': `;
  const end = payload.at(-1) === NEWLINE ? payload.length - 1 : payload.length;
  if (foreign.onScreen) return start + foreign.block(decodeUtf8(payload.subarray(0, end)));
  const head = encodeUtf8(start);
  const line = new Uint8Array(head.length + end);
  line.set(head);
  line.set(payload.subarray(0, end), head.length);
  return line;
}

function result(acks: readonly string[], responses: ReadonlyMap<string, Uint8Array>): string {
  return goJson({
    Acks: acks.length === 0 ? null : acks,
    Responses: new Map([...responses].map(([from, payload]) => [from, decodeUtf8(payload)])),
  });
}
