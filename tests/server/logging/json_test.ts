/**
 * Log lines as JSON, and which lines are shown at all.
 *
 * @module
 */

import assert from "node:assert/strict";
import { jsonLine } from "../../../server/logging/json.ts";
import { LevelFilter } from "../../../server/logging/levels.ts";
import { AgentLog, type LogLine } from "../../../server/logging/log.ts";
import { facilityNumber } from "../../../server/logging/syslog_facility.ts";

const LINE = { time: 0, level: "INFO", node: "a", subsystem: "serf", message: "m" } as const;

/** The fields of a line as a reader of JSON sees them. */
function fieldsOf(fields: Record<string, unknown>): unknown {
  const text = jsonLine({ ...LINE, fields });
  assert.ok(!text.includes("\n"));
  return JSON.parse(text).fields;
}

Deno.test("jsonLine() has time, level, node, subsystem and message, and fields if there are any", () => {
  assert.equal(
    jsonLine({ ...LINE, message: `a "b"\n`, fields: {} }),
    String
      .raw`{"time":"1970-01-01T00:00:00.000Z","level":"INFO","node":"a","subsystem":"serf","message":"a \"b\"\n"}`,
  );
  assert.deepEqual(fieldsOf({ n: 1, text: "x", yes: true, none: null, list: ["a", { b: 2 }] }), {
    n: 1,
    text: "x",
    yes: true,
    none: null,
    list: ["a", { b: 2 }],
  });
});

Deno.test("jsonLine() shows what JSON cannot: errors, bytes, big numbers, maps, circles", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assert.deepEqual(
    fieldsOf({
      cause: new RangeError("why"),
      bytes: new Uint8Array(3),
      big: 2n ** 63n,
      infinite: Infinity,
      missing: undefined,
      map: new Map([["k", 1]]),
      circle,
    }),
    {
      cause: "RangeError: why",
      bytes: "3 bytes",
      big: "9223372036854775808",
      infinite: "Infinity",
      missing: "undefined",
      map: { k: 1 },
      circle: { self: { self: "..." } },
    },
  );
});

Deno.test("jsonLine() bounds what it shows", () => {
  const long = fieldsOf({ text: "y".repeat(5_000), list: Array(500).fill(1) }) as {
    text: string;
    list: number[];
  };
  assert.deepEqual([long.text.length, long.list.length], [1_027, 64]);
  const many = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [i, "y".repeat(1_000)]));
  assert.deepEqual(fieldsOf(many), { omitted: "too long" });
});

Deno.test("LevelFilter has a level for all and others for single subsystems and what is below them", () => {
  const filter = new LevelFilter("info", { memberlist: "ERR", "agent.mdns": "trace" });
  assert.ok(filter.admits("INFO", "serf") && !filter.admits("DEBUG", "serf"));
  assert.ok(filter.admits("ERR", "memberlist") && !filter.admits("WARN", "memberlist"));
  assert.ok(!filter.admits("WARN", "memberlist.x") && filter.admits("WARN", "memberlists"));
  assert.ok(filter.admits("TRACE", "agent.mdns") && !filter.admits("DEBUG", "agent"));
  assert.throws(() => new LevelFilter("loud"), RangeError);
  assert.throws(() => new LevelFilter("info", { serf: "" }), RangeError);
});

Deno.test("a sink sees every line and its fields until it is removed; the ring is not filtered", () => {
  const log = new AgentLog("a");
  const seen: [string, unknown][] = [];
  const remove = log.addSink((line: LogLine, fields) => seen.push([line.text(), fields]));
  log.write("TRACE", "x", "1");
  log.write("ERR", "x", "2", { fields: { n: 1 } });
  remove();
  log.write("ERR", "x", "3");
  assert.deepEqual(seen, [["1", {}], ["2", { n: 1 }]]);
  assert.equal(log.lines().length, 3);
});

Deno.test("facilityNumber() knows the names in any case", () => {
  assert.equal(facilityNumber("kern"), 0);
  assert.equal(facilityNumber("AuthPriv"), 10);
  assert.equal(facilityNumber("LOCAL7"), 23);
  assert.equal(facilityNumber("toString"), undefined);
  assert.equal(facilityNumber(""), undefined);
});

Deno.test("jsonLine() shows bytes that are no UTF-8 as escapes, and is valid Unicode to the last field", () => {
  const line = jsonLine({
    time: 0,
    level: "INFO",
    node: "caf\udce9",
    subsystem: "serf",
    message: "caf\udce9",
    fields: { "n\udcff": ["caf\udce9"] },
  });
  assert.doesNotMatch(line, /\\u/);
  assert.deepEqual(JSON.parse(line), {
    time: "1970-01-01T00:00:00.000Z",
    level: "INFO",
    node: "caf\\xe9",
    subsystem: "serf",
    message: "caf\\xe9",
    fields: { "n\\xff": ["caf\\xe9"] },
  });
});
