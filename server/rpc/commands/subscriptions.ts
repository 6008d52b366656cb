/**
 * The commands that start and end records: `stream`, `monitor` and `stop` (docs/spec/agent.md 3).
 *
 * @module
 */

import { parseEventFilter } from "../../../cluster/serf/model/event_filter.ts";
import { IpcError } from "../../../protocol/ipc/mod.ts";
import { parseLogLevel } from "../../logging/log.ts";
import { DONE, type Run } from "../handler.ts";
import { MAX_STREAMS } from "../limits.ts";

/** The filter is looked at before the Seq. */
export const stream: Run<"stream"> = ({ client, seq }, { Type }) => {
  const wants = parseEventFilter(Type);
  if (wants === undefined) return { error: IpcError.invalidFilter };
  if (client.hasStream(seq)) return { error: IpcError.streamExists };
  if (client.streams >= MAX_STREAMS) {
    return { error: `Connection has ${MAX_STREAMS} streams, the most that are allowed` };
  }
  return { after: () => client.startStream(seq, wants) };
};

/** The level is looked at first, then whether there is a monitor. */
export const monitor: Run<"monitor"> = ({ client, seq }, { LogLevel }) => {
  const level = parseLogLevel(LogLevel);
  if (level === undefined) return { error: `Unknown log level: ${LogLevel.toUpperCase()}` };
  if (client.monitoring) return { error: IpcError.monitorExists };
  return { after: () => client.startMonitor(seq, level) };
};

/** Always succeeds. A query cannot be stopped. */
export const stop: Run<"stop"> = ({ client }, { Stop }) => {
  client.stop(Stop);
  return DONE;
};
