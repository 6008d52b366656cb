/**
 * `skein monitor` (docs/spec/agent.md 7.11).
 *
 * @module
 */

import { styleText } from "node:util";
import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags } from "../shell/connection.ts";
import { jsonError } from "../shell/failure.ts";
import { stringFlag } from "../shell/flags.ts";
import { foreignOn } from "../shell/format/foreign.ts";
import { goJsonLine } from "../shell/format/gojson.ts";
import { checkFormat, formatFlag } from "../shell/output.ts";
import { consume, interruption, stopQuietly } from "../shell/streaming.ts";
import { eventInfo, eventText } from "./show/event_info.ts";
import { eventJson, logJson } from "./show/event_json.ts";

/** Prints the log lines and events of an agent until Ctrl-C, or until the agent goes away. */
export const command: Command = defineCommand({
  usage: "monitor [options]",
  description: [
    "Shows recent log messages of an agent, then log messages and events as they occur. The log " +
    "level is independent of the one that the agent itself prints: an agent that shows INFO can " +
    "be watched at DEBUG.",
    "With -format=json each message and each event is an object on a line of its own. A payload " +
    "that is not UTF-8 text stands in 'payload_base64' instead of 'payload'.",
  ],
  flags: {
    "log-level": stringFlag(
      "LEVEL",
      "Lowest level of messages: TRACE, DEBUG, INFO, WARN or ERR. Default: INFO.",
    ),
    format: formatFlag,
    ...connectionFlags,
  },
  jsonLines: true,
  async run({ values, json, terminal }) {
    checkFormat(values.format);
    await using client = await connect(values);
    const events = await explain("Error starting stream", client.stream("*"));
    const level = values["log-level"] ?? "INFO";
    const logs = await explain("Error starting monitor", client.monitor(level));
    using interrupted = interruption();
    const foreign = foreignOn(terminal);
    const logText = terminal.color ? paintLevel : (line: string) => line;
    const printing = [
      consume(logs, (line) => {
        return terminal.out(json ? goJsonLine(logJson(line)) : logText(foreign.block(line)));
      }, terminal),
      consume(events, (event) => {
        if (json) return terminal.out(goJsonLine(eventJson(event, new Date())));
        return terminal.out(foreign.onScreen ? eventText(event) : eventInfo(event));
      }, terminal),
    ];
    const end = await Promise.race([...printing, interrupted.promise]);
    if (end === "lost") {
      await Promise.all(printing);
      await terminal.out(
        json ? jsonError(LOST.replace("\n", " "), { oneLine: true }) : `\n${LOST}`,
      );
      return 1;
    }
    await stopQuietly(logs);
    await stopQuietly(events);
    const dropped = logs.dropped + events.dropped;
    if (dropped > 0) await terminal.err(`${dropped} log messages and events were not shown`);
    return 0;
  },
});

const LOST = "Remote side ended the monitor! This usually means that the\n" +
  "remote side has exited or crashed.";

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
