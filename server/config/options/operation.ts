/**
 * The options for those who run an agent: scripts, log, metrics, signals (docs/spec/agent.md 6.2, 6.6, 6.7, 6.9, 6.11).
 *
 * @module
 */

import type { OptionTable } from "./option.ts";

/** Event handlers, log, metrics and signals. */
export const OPERATION_OPTIONS = {
  event_handlers: {
    kind: "list",
    setting: "eventHandlers",
    default: [],
    flag: "event-handler",
    placeholder: "[FILTERS=]SCRIPT",
    doc: "Scripts to run when events occur. FILTERS is a list of events with commas between " +
      "them, such as member-join,user:deploy; without it, all events.",
    reloads: true,
  },
  event_handler_timeout: {
    kind: "duration",
    isOurs: true,
    setting: "eventHandlerTimeoutMs",
    default: 3_600_000,
    flag: "event-handler-timeout",
    placeholder: "DURATION",
    doc: "How long one run of a script may take before it is killed; 0s for no limit.",
    unlimited: true,
    least: 0,
  },
  event_handler_concurrency: {
    kind: "number",
    isOurs: true,
    setting: "eventHandlerConcurrency",
    default: 1,
    least: 1,
    flag: "event-handler-concurrency",
    placeholder: "N",
    doc: "Runs of one script at the same time. With 1, a script sees events in their order.",
  },
  log_level: {
    kind: "text",
    setting: "logLevel",
    default: "INFO",
    flag: "log-level",
    placeholder: "LEVEL",
    doc: "The least urgent lines to show: TRACE, DEBUG, INFO, WARN or ERR.",
    examples: ["TRACE", "DEBUG", "INFO", "WARN", "ERR"],
    reloads: true,
  },
  log_levels: {
    kind: "map",
    isOurs: true,
    setting: "logLevels",
    default: {},
    flag: "log-levels",
    placeholder: "SUBSYSTEM=LEVEL",
    doc: "Levels of single subsystems (agent, serf, memberlist, ...) that differ from log_level.",
    reloads: true,
  },
  log_format: {
    kind: "text",
    isOurs: true,
    setting: "logFormat",
    default: "text",
    flag: "log-format",
    placeholder: "text|json",
    doc:
      "Form of the output: lines for people, or one JSON object a line with time, level, node, " +
      "subsystem, message and fields.",
    examples: ["text", "json"],
    reloads: true,
  },
  enable_syslog: {
    kind: "switch",
    setting: "syslog",
    default: false,
    flag: "syslog",
    doc: "Also logs to syslog, by the program logger of util-linux.",
  },
  syslog_facility: {
    kind: "text",
    setting: "syslogFacility",
    default: "LOCAL0",
    doc: "Facility of the lines in syslog.",
    examples: ["DAEMON", "USER", "LOCAL0"],
  },
  statsd_addr: {
    kind: "text",
    setting: "statsdAddr",
    default: "",
    doc: "host:port of a statsd server that gets metrics over UDP.",
  },
  statsite_addr: {
    kind: "text",
    setting: "statsiteAddr",
    default: "",
    doc: "host:port of a statsite server that gets metrics over TCP.",
  },
  leave_on_terminate: {
    kind: "switch",
    setting: "leaveOnTerminate",
    default: false,
    doc: "Leaves the cluster on SIGTERM, too.",
    reloads: true,
  },
  skip_leave_on_interrupt: {
    kind: "switch",
    setting: "skipLeaveOnInterrupt",
    default: false,
    doc: "Does not leave the cluster on SIGINT.",
    reloads: true,
  },
  "$schema": {
    kind: "text",
    isOurs: true,
    doc: "Address of docs/config.schema.json, for editors. Has no effect.",
  },
} as const satisfies OptionTable;
