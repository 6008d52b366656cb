/**
 * The lines of agents in LogTape, under the category `["skein", subsystem]` with the node's name as the property `node`.
 *
 * This module never configures LogTape: the program that uses it decides what becomes of the lines.
 *
 * @module
 */

import { getLogger, type Logger } from "@logtape/logtape";
import type { LogLine } from "./line.ts";
import type { LineFields } from "./log.ts";

/** What each level is called in LogTape. */
const LEVELS = {
  TRACE: "trace",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warning",
  ERR: "error",
} as const;

const loggers = new Map<string, Logger>();

/** Offers a line of the log of `node` to LogTape. Its text is made only when LogTape wants it. */
export function toLogTape(node: string, line: LogLine, fields: LineFields): void {
  let logger = loggers.get(line.subsystem);
  if (logger === undefined) {
    logger = getLogger(["skein", line.subsystem]);
    loggers.set(line.subsystem, logger);
  }
  const level = LEVELS[line.level];
  if (!logger.isEnabledFor(level)) return;
  const text = line.text();
  const properties = { node, ...fields };
  logger.emit({ timestamp: line.time, level, message: [text], rawMessage: text, properties });
}
