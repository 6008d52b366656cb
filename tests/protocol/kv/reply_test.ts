/**
 * Answers as lines.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  BAD_JSON,
  beginSuccess,
  endSuccess,
  IDLE_TIMEOUT,
  invalid,
  LineWriter,
  type Problem,
  type RequestId,
  writeClosing,
  writeFailure,
} from "../../../protocol/kv/mod.ts";

/** The text of what is written, into a writer that is too small and not empty. */
function written(write: (writer: LineWriter) => void): string {
  const writer = new LineWriter(16);
  writer.text("before");
  write(writer);
  const text = new TextDecoder("utf-8", { fatal: true }).decode(writer.finish());
  assert.ok(text.startsWith("before"));
  assert.ok(text.endsWith("\n") && text.indexOf("\n") === text.length - 1, "one line");
  return text.slice("before".length, -1);
}

Deno.test("a success has its id, its result and what goes with it", () => {
  const success = (id: RequestId | undefined, rev?: number, lagMs?: number) =>
    written((writer) => {
      beginSuccess(writer, id);
      writer.raw(new TextEncoder().encode('{"a":1}'));
      endSuccess(writer, rev, lagMs);
    });
  assert.equal(success(undefined), '{"status":"ok","result":{"a":1}}');
  assert.equal(success(-7, 0), '{"id":-7,"status":"ok","result":{"a":1},"rev":0}');
  assert.equal(
    success("a b", 5, 3),
    '{"id":"a b","status":"ok","result":{"a":1},"rev":5,"lag_ms":3}',
  );
  for (
    const id of [
      '"',
      "\\",
      "\n",
      "\0",
      "é",
      "日",
      "😀",
      "\ud800",
      "\u2028",
      "x".repeat(64),
      "€".repeat(64),
    ]
  ) {
    assert.equal(JSON.parse(success(id)).id, id);
  }
});

Deno.test("a failure says what, why and where", () => {
  const failure = (problem: Problem, notes?: Parameters<typeof writeFailure>[3]) =>
    JSON.parse(written((writer) => writeFailure(writer, 1, problem, notes)));
  assert.deepEqual(failure(BAD_JSON), {
    id: 1,
    status: "error",
    code: 400,
    error: 'the line is not JSON, as {"action":"PING"} is',
    reason: "BAD_JSON",
  });
  assert.deepEqual(failure(invalid('odd "é" \n')), {
    id: 1,
    status: "error",
    code: 422,
    error: `'odd "é" \n': missing or wrong`,
    reason: "INVALID",
    field: 'odd "é" \n',
  });
  const notes = { leader: "name\twith", incident: "x", lagMs: 4 };
  assert.deepEqual(failure({ ok: false, code: 503, reason: "NEW_REASON", rev: 0 }, notes), {
    id: 1,
    status: "error",
    code: 503,
    error: "new reason",
    reason: "NEW_REASON",
    leader: "name\twith",
    incident: "x",
    rev: 0,
    lag_ms: 4,
  });
});

Deno.test("the push before the end is no answer", () => {
  assert.equal(
    written((writer) => writeClosing(writer, IDLE_TIMEOUT)),
    '{"push":"closing","code":408,"reason":"IDLE_TIMEOUT"}',
  );
});
