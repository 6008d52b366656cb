import assert from "node:assert/strict";
import {
  formatRecord,
  MAX_LINE_BYTES,
  parseRecord,
  type RejoinRecord,
  RejoinReplay,
} from "../../../../cluster/serf/rejoin/mod.ts";
import { decodeUtf8, encodeUtf8 } from "../../../../protocol/text.ts";
import { randomByteStrings } from "../../../support/byte_strings.ts";

const LINES: [line: string, record: RejoinRecord][] = [
  ["alive: a 127.0.0.1:7946", { type: "alive", name: "a", address: "127.0.0.1:7946" }],
  ["alive: my node 10.0.0.1:1", { type: "alive", name: "my node", address: "10.0.0.1:1" }],
  ["alive: v6 [fd00::1]:7946", { type: "alive", name: "v6", address: "[fd00::1]:7946" }],
  ["# failed: b 10.0.0.2:7946", { type: "failed", name: "b", address: "10.0.0.2:7946" }],
  ["not-alive: my node", { type: "not-alive", name: "my node" }],
  ["clock: 0", { type: "clock", time: 0n }],
  ["event-clock: 7", { type: "event-clock", time: 7n }],
  ["query-clock: 9223372036854775808", { type: "query-clock", time: 2n ** 63n }],
  ["leave", { type: "leave" }],
];

for (const [line, record] of LINES) {
  Deno.test(`'${line}' is read, and written again`, () => {
    assert.deepEqual(parseRecord(line), record);
    assert.equal(formatRecord(record), `${line}\n`);
  });
}

Deno.test("comments and old coordinates say nothing", () => {
  for (const line of ["# c", "#", 'coordinate: {"Vec":[0]}', "# failed: nonsense"]) {
    assert.deepEqual(parseRecord(line), { type: "comment" }, line);
  }
});

Deno.test("a line that makes no sense is no record", () => {
  const lines = [
    "",
    // A forged time: 2^64 - 2 would end the clock for good.
    "event-clock: 18446744073709551614",
    "alive:",
    "alive: a",
    "alive: a b",
    "alive: a 127.0.0.1:",
    "alive: a :7946",
    "alive: a 127.0.0.1:0",
    "alive: a fd00::1:7946",
    "clock: abc",
    "clock: -1",
    "clock: +1",
    "clock: 1_0",
    "clock: 41\r",
    "clock: 18446744073709551615",
    `clock: ${"9".repeat(1_000)}`,
    "leave ",
    "bogus line",
    "\0\0\0\0",
    ": x",
  ];
  for (const line of lines) assert.equal(parseRecord(line), undefined, JSON.stringify(line));
});

Deno.test("a name with a line break or of great length is not written", () => {
  const alive = (name: string): RejoinRecord => ({ type: "alive", name, address: "10.0.0.1:1" });
  assert.equal(formatRecord(alive("x\nleave")), undefined);
  assert.equal(formatRecord({ type: "not-alive", name: "x\n" }), undefined);
  assert.equal(formatRecord(alive("x".repeat(MAX_LINE_BYTES))), undefined);
  const longest = formatRecord(alive("\u{ffff}".repeat(768)));
  assert.ok(longest !== undefined && new TextEncoder().encode(longest).length <= MAX_LINE_BYTES);
});

Deno.test("names of any bytes are read back as they were written", () => {
  const address = "10.0.0.1:7946";
  for (const bytes of randomByteStrings(500)) {
    const name = decodeUtf8(bytes.filter((byte) => byte !== 0x0a));
    const line = formatRecord({ type: "alive", name, address }) ?? assert.fail(name);
    const replay = new RejoinReplay({ rejoinAfterLeave: false });
    replay.push(encodeUtf8(line));
    assert.deepEqual([...replay.end().restored.members], [[name, address]]);
  }
});
