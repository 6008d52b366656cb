import assert from "node:assert/strict";
import {
  MAX_KEPT_MEMBERS,
  MAX_LINE_BYTES,
  RejoinReplay,
  type Replayed,
} from "../../../../cluster/serf/rejoin/mod.ts";

function replay(text: string, rejoinAfterLeave = false, step = Infinity): Replayed {
  const bytes = new TextEncoder().encode(text);
  const replay = new RejoinReplay({ rejoinAfterLeave });
  for (let at = 0; at < bytes.length; at += step) {
    replay.push(bytes.slice(at, Math.min(bytes.length, at + step)));
  }
  return replay.end();
}

/** The file of docs/spec/serf.md 15.7 with which the Go agent was tried. */
const TRIED = [
  "# c",
  "alive: a 127.0.0.1:18946",
  "alive: b 127.0.0.1:18947",
  "alive: my node 127.0.0.1:18948",
  "alive: gone 127.0.0.1:18949",
  "not-alive: gone",
  "alive:",
  "clock: 40",
  "event-clock: 7",
  "query-clock: abc",
  "query-clock: 9",
  "coordinate: {}",
  "bogus line",
  "clock: 41",
  "event-clock: 99",
].join("\n");

const known = {
  a: "127.0.0.1:18946",
  b: "127.0.0.1:18947",
  "my node": "127.0.0.1:18948",
};

function summary({ restored, damaged, ignoredLeave }: Replayed) {
  const { memberTime, eventTime, queryTime } = restored;
  return {
    known: Object.fromEntries(restored.members),
    times: [memberTime, eventTime, queryTime],
    damaged,
    ignoredLeave,
  };
}

Deno.test("a file is understood as the Go agent does", () => {
  const replayed = replay(TRIED);
  assert.deepEqual(summary(replayed), {
    known,
    times: [41n, 7n, 9n],
    damaged: 3,
    ignoredLeave: false,
  });
  assert.equal(replayed.torn, true);
  assert.equal(replayed.wholeBytes, TRIED.length - "event-clock: 99".length);
});

Deno.test("a leave forgets members and clocks, and lines after it count again", () => {
  assert.deepEqual(summary(replay(`${TRIED}\nleave\n`)), {
    known: {},
    times: [0n, 0n, 0n],
    damaged: 3,
    ignoredLeave: false,
  });
  assert.deepEqual(summary(replay(`${TRIED}\nleave\nclock: 50\n`)).times, [50n, 0n, 0n]);
});

Deno.test("a leave of a node that is to join again is passed over", () => {
  assert.deepEqual(summary(replay(`${TRIED}\nleave\nclock: 50\n`, true)), {
    known,
    times: [50n, 99n, 9n],
    damaged: 3,
    ignoredLeave: true,
  });
});

Deno.test("the last clock counts, not the greatest", () => {
  assert.deepEqual(summary(replay("clock: 9\nclock: 3\n")).times, [3n, 0n, 0n]);
});

Deno.test("failed members are kept apart until they are back, or gone for good", () => {
  const lines = [
    "alive: a 10.0.0.1:1",
    "not-alive: a",
    "# failed: a 10.0.0.1:1",
    "# failed: b 10.0.0.2:1",
    "# failed: c 10.0.0.3:1",
    "alive: b 10.0.0.2:2",
    "not-alive: c",
  ];
  const { members, failed } = replay(`${lines.join("\n")}\n`).restored;
  assert.deepEqual([...members], [["b", "10.0.0.2:2"]]);
  assert.deepEqual([...failed], [["a", "10.0.0.1:1"]]);
});

Deno.test("the file may come in pieces of any size", () => {
  const text = `${TRIED}\nalive: größe 10.0.0.1:1\nleft over`;
  const whole = replay(text);
  for (const step of [1, 2, 3, 7, 64]) assert.deepEqual(replay(text, false, step), whole);
  assert.ok(whole.restored.members.has("größe"));
});

Deno.test("a line that is too long is damaged, however it comes, and costs no memory", () => {
  const long = `alive: ${"x".repeat(MAX_LINE_BYTES)} 10.0.0.1:1`;
  for (const step of [Infinity, 1_000, 1]) {
    const replayed = replay(`clock: 1\n${long}\nclock: 2\n`, false, step);
    assert.equal(replayed.damaged, 1);
    assert.equal(replayed.restored.memberTime, 2n);
    assert.equal(replayed.restored.members.size, 0);
  }
  const { torn, wholeBytes } = replay(`clock: 1\n${long}`, false, 100);
  assert.deepEqual({ torn, wholeBytes }, { torn: true, wholeBytes: 9 });
});

Deno.test("a file without line ends is not held in memory", () => {
  const replay = new RejoinReplay({ rejoinAfterLeave: false });
  const piece = new Uint8Array(1024 * 1024);
  const before = Deno.memoryUsage().external;
  for (let i = 0; i < 32; i++) replay.push(piece);
  assert.ok(Deno.memoryUsage().external - before < 8 * piece.length);
  assert.equal(replay.end().torn, true);
});

Deno.test("an empty file says nothing, and is whole", () => {
  const { torn, wholeBytes, damaged, records } = replay("");
  assert.deepEqual({ torn, wholeBytes, damaged, records }, {
    torn: false,
    wholeBytes: 0,
    damaged: 0,
    records: 0,
  });
});

Deno.test("a file of NUL bytes, as a power cut may leave it, is one torn line", () => {
  const { torn, wholeBytes, damaged } = replay("clock: 1\n" + "\0".repeat(100_000));
  assert.deepEqual({ torn, wholeBytes, damaged }, { torn: true, wholeBytes: 9, damaged: 0 });
});

Deno.test("of too many members those known longest are dropped", () => {
  const replay = new RejoinReplay({ rejoinAfterLeave: false });
  const encoder = new TextEncoder();
  for (let i = 0; i <= MAX_KEPT_MEMBERS; i++) {
    replay.push(encoder.encode(`alive: n${i} 10.0.0.1:1\n`));
  }
  const { members } = replay.end().restored;
  assert.equal(members.size, MAX_KEPT_MEMBERS);
  assert.ok(!members.has("n0") && members.has("n1"));
});
