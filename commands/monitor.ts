/**
 * `skein monitor` (agent.md 7.11).
 *
 * @module
 */

import { styleText } from "node:util";
import { ConnectionClosedError, type RecordStream } from "../client/mod.ts";
import { type Command, defineCommand, explain } from "./command.ts";
import { connect, connectionFlags } from "./connection.ts";
import { eventInfo } from "./event_info.ts";
import { stringFlag } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** Prints the log lines and events of an agent until Ctrl-C, or until the agent goes away. */
export const command: Command = defineCommand({
  usage: "monitor [options]",
  description: [
    "Shows recent log messages of an agent, then log messages and events as they occur. The log " +
    "level is independent of the one that the agent itself prints: an agent that shows INFO can " +
    "be watched at DEBUG.",
  ],
  flags: {
    "log-level": stringFlag(
      "LEVEL",
      "Lowest level of messages: TRACE, DEBUG, INFO, WARN or ERR. Default: INFO.",
    ),
    ...connectionFlags,
  },
  async run({ values, terminal }) {
    await using client = await connect(values);
    const events = await explain("Error starting stream", client.stream("*"));
    const level = values["log-level"] ?? "INFO";
    const logs = await explain("Error starting monitor", client.monitor(level));
    using interrupted = interruption();
    const printing = [
      print(logs, terminal.color ? paintLevel : (line) => line, terminal),
      print(events, eventInfo, terminal),
    ];
    const end = await Promise.race([...printing, interrupted.promise]);
    if (end === "lost") {
      await Promise.all(printing);
      await terminal.out(
        "\nRemote side ended the monitor! This usually means that the\n" +
          "remote side has exited or crashed.",
      );
      return 1;
    }
    await stop(logs);
    await stop(events);
    const dropped = logs.dropped + events.dropped;
    if (dropped > 0) await terminal.err(`${dropped} log messages and events were not shown`);
    return 0;
  },
});

/** How long Ctrl-C waits for an agent that does not answer, for each of the two streams. */
const STOP_TIMEOUT_MS = 1000;

/** Resolves at the first SIGINT; from then on, and when it is disposed of, SIGINT ends the process as usual. */
function interruption(): { readonly promise: Promise<"interrupted"> } & Disposable {
  const { promise, resolve } = Promise.withResolvers<"interrupted">();
  const dispose = () => Deno.removeSignalListener("SIGINT", onSignal);
  const onSignal = () => {
    dispose();
    resolve("interrupted");
  };
  Deno.addSignalListener("SIGINT", onSignal);
  return { promise, [Symbol.dispose]: dispose };
}

/** Prints records until the stream ends ("lost" or "stopped") or nobody reads the output ("unread"). */
async function print<T>(
  records: RecordStream<T>,
  text: (record: T) => string,
  terminal: Terminal,
): Promise<"lost" | "stopped" | "unread"> {
  try {
    for await (const record of records) {
      await terminal.out(text(record));
      if (terminal.broken) return "unread";
    }
    return "stopped";
  } catch (error) {
    if (error instanceof ConnectionClosedError) return "lost";
    throw error;
  }
}

async function stop(records: RecordStream<unknown>): Promise<void> {
  try {
    await records.stop({ timeoutMs: STOP_TIMEOUT_MS });
  } catch {
    // The process ends anyway, and the connection with it.
  }
}

const LEVEL_COLORS: Readonly<Record<string, "red" | "yellow" | "gray">> = {
  "[ERR]": "red",
  "[WARN]": "yellow",
  "[DEBUG]": "gray",
  "[TRACE]": "gray",
};

/** Colours the level of a log message. */
function paintLevel(line: string): string {
  return line.replace(/\[(?:ERR|WARN|DEBUG|TRACE)\]/, (level) => {
    return styleText(LEVEL_COLORS[level] ?? "gray", level, { validateStream: false });
  });
}
