/**
 * The agent's log: classic lines, the ring, monitors, and what LogTape gets.
 *
 * @module
 */

import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import {
  AgentLog,
  escapeControls,
  forwardLogs,
  parseLogLevel,
  RETAINED_LINES,
} from "../../../server/logging/log.ts";
import { toLogTape } from "../../../server/logging/logtape.ts";

const LINE = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(\w+)\] (.*)$/s;

/** A line without its time. */
function rest(line: string): string {
  const [, level, text] = LINE.exec(line) ?? assert.fail(line);
  return `${level} ${text}`;
}

Deno.test("a line has local time, level, subsystem and text", () => {
  const log = new AgentLog("a");
  const before = Math.floor(Date.now() / 1_000);
  log.logger("serf").info("EventMemberJoin: b 127.0.0.1");
  const [line = ""] = log.lines();
  assert.equal(rest(line), "INFO serf: EventMemberJoin: b 127.0.0.1");
  const [year, month, day, hour, minute, second] = line.slice(0, 19).split(/[/ :]/).map(Number);
  const told = new Date(year ?? 0, (month ?? 0) - 1, day, hour, minute, second).getTime() / 1_000;
  assert.ok(told >= before && told <= Date.now() / 1_000);
});

Deno.test("the four methods of a logger have the classic level names", () => {
  const log = new AgentLog("a");
  const logger = log.logger("x");
  logger.debug("1");
  logger.info("2");
  logger.warn("3");
  logger.error("4", { cause: new Error("why") });
  assert.deepEqual(log.lines().map(rest), [
    "DEBUG x: 1",
    "INFO x: 2",
    "WARN x: 3",
    "ERR x: 4: why",
  ]);
});

Deno.test("the ring keeps the newest 512 lines of every level, oldest first", () => {
  const log = new AgentLog("a");
  for (let i = 0; i < 700; i++) log.write(i % 2 === 0 ? "DEBUG" : "WARN", "x", `line ${i}`);
  const all = log.lines();
  assert.equal(all.length, RETAINED_LINES);
  assert.equal(rest(all[0] ?? ""), "DEBUG x: line 188");
  assert.equal(rest(all.at(-1) ?? ""), "WARN x: line 699");
  assert.equal(log.lines("INFO").length, 256);
});

Deno.test("a monitor sees lines from its level on until it stops, also after its level changed", () => {
  const log = new AgentLog("a");
  const seen: string[] = [];
  const monitor = log.monitor("WARN", (line) => seen.push(rest(line)));
  log.write("INFO", "x", "1");
  log.write("WARN", "x", "2");
  monitor.level = "TRACE";
  log.write("TRACE", "x", "3");
  log.write("ERR", "x", "4", { except: monitor });
  monitor.stop();
  log.write("ERR", "x", "5");
  assert.deepEqual(seen, ["WARN x: 2", "TRACE x: 3"]);
  assert.equal(log.monitors, 0);
});

Deno.test("a message given as a function is made only when someone looks, and once", () => {
  const log = new AgentLog("a");
  let made = 0;
  log.write("DEBUG", "x", () => `made ${++made}`);
  assert.equal(made, 0);
  assert.equal(log.lines().length, 1);
  assert.equal(rest(log.lines()[0] ?? ""), "DEBUG x: made 1");
});

Deno.test("control characters cannot forge or hide lines", () => {
  const log = new AgentLog("a");
  log.write("INFO", "x", "evil\n2026/01/01 00:00:00 [INFO] serf: forged\r\x1b[2J\x00\u202e\u2028");
  const [line = ""] = log.lines();
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\x00-\x1f\u202e\u2028]/.test(line));
  assert.ok(line.includes("evil\\n2026"));
  assert.ok(line.endsWith("forged\\r\\x1b[2J\\x00\\u202e\\u2028"));
  assert.equal(escapeControls("tab\tand Ünïcödé stay"), "tab\tand Ünïcödé stay");
});

Deno.test("a multi-line message of our own keeps its breaks but the last", () => {
  const log = new AgentLog("a");
  log.write("WARN", "agent", "error joining: 1 error occurred:\n\t* x\n\n", { multiline: true });
  assert.equal(rest(log.lines()[0] ?? ""), "WARN agent: error joining: 1 error occurred:\n\t* x\n");
});

Deno.test("a very long message is cut", () => {
  const log = new AgentLog("a");
  log.write("INFO", "x", "y".repeat(1_000_000));
  log.write("INFO", "x", () => "y".repeat(1_000_000));
  for (const line of log.lines()) assert.ok(line.length < 10_000);
});

Deno.test("two logs in one process stay apart, and LogTape gets both with the node's name", async () => {
  const records: LogRecord[] = [];
  await configure({
    sinks: { all: (record) => records.push(record) },
    loggers: [
      { category: "skein", sinks: ["all"], lowestLevel: "info" },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "error" },
    ],
  });
  forwardLogs(toLogTape);
  try {
    const [a, b] = [new AgentLog("a"), new AgentLog("b")];
    a.logger("serf").info("from {a}", { n: 1 });
    b.logger("agent").warn("from b");
    b.logger("agent").debug("hidden by the configuration");
    assert.equal(a.lines().length, 1);
    assert.equal(b.lines().length, 2);
    assert.deepEqual(
      records.map(({ category, level, message, properties }) => ({
        category,
        level,
        message,
        properties,
      })),
      [
        {
          category: ["skein", "serf"],
          level: "info",
          message: ["from {a}"],
          properties: { node: "a", n: 1 },
        },
        {
          category: ["skein", "agent"],
          level: "warning",
          message: ["from b"],
          properties: { node: "b" },
        },
      ],
    );
  } finally {
    await reset();
  }
});

Deno.test("parseLogLevel() takes the five levels in any case", () => {
  assert.equal(parseLogLevel("warn"), "WARN");
  assert.equal(parseLogLevel("Err"), "ERR");
  for (const text of ["", "ERROR", "WARNING", "info "]) {
    assert.equal(parseLogLevel(text), undefined);
  }
});

Deno.test("a byte that is no UTF-8 is an escape in every line, and a whole character is none", () => {
  const log = new AgentLog("a");
  log.write("INFO", "serf", "caf\udce9 café 😀\udc80");
  log.write("INFO", "serf", "caf\udce9\nline two\n", { multiline: true });
  const texts = log.lines().map((line) => line.slice(line.indexOf("serf: ")));
  assert.deepEqual(texts, ["serf: caf\\xe9 café 😀\\x80", "serf: caf\\xe9\nline two"]);
});
