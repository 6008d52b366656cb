/**
 * From lines to requests.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isRequestId, isUnreadable, readLine } from "../../../protocol/kv/request.ts";

/** The reason for which a line cannot be read, or what was read. */
function read(line: string): unknown {
  const result = readLine(new TextEncoder().encode(line));
  return isUnreadable(result) ? result.reason : result;
}

Deno.test("depth is counted outside of texts only, and 64 is allowed", () => {
  const nested = (depth: number) => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
  assert.equal(typeof read(nested(64)), "object");
  assert.equal(read(nested(65)), "TOO_DEEP");
  assert.equal(typeof read(`{"a":"${"[{".repeat(100)}"}`), "object");
  assert.equal(typeof read(`{"a":"\\\\","b":"${"[".repeat(100)}\\""}`), "object");
  assert.equal(read(`{"a":"\\\\","b":${"[".repeat(100)}`), "TOO_DEEP");
  assert.equal(typeof read(`{"a":[${"[],".repeat(500)}[]]}`), "object");
});

Deno.test("a deep, long or unfinished line takes no more time than its length", () => {
  const start = performance.now();
  const size = 1_000_000;
  for (const text of ["[", '{"a":', '"', "\\", '"\\', '\\"', "[]", '""']) {
    read(text.repeat(size / text.length));
  }
  assert.ok(performance.now() - start < 5_000);
});

Deno.test("bytes that are no UTF-8 are refused, and the character that others make of them is one like any", () => {
  const line = (...bytes: number[]): Uint8Array =>
    new Uint8Array([...new TextEncoder().encode('{"a":"'), ...bytes, 0x22, 0x7d]);
  assert.deepEqual(read('{"a":"\ufffd"}'), { a: "\ufffd" });
  for (
    const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xef, 0xbf, 0xbd, 0x80]]
  ) {
    assert.equal((readLine(line(...bytes)) as { reason?: string }).reason, "BAD_UTF8");
  }
  // A mark at the beginning is no part of JSON, and not passed over.
  assert.equal(read('\ufeff{"a":1}'), "BAD_JSON");
});

Deno.test("a request that looks like a problem is none", () => {
  const looks = read('{"ok":false,"code":400,"reason":"BAD_JSON"}');
  assert.deepEqual(looks, { ok: false, code: 400, reason: "BAD_JSON" });
});

Deno.test("members with names of the language are plain members", () => {
  const { __proto__: _, ...rest } = read('{"__proto__":{"a":1},"constructor":2}') as object & {
    __proto__: unknown;
  };
  assert.deepEqual(rest, { constructor: 2 });
  assert.equal(({} as { a?: number }).a, undefined);
});

Deno.test("an id is a short text or a safe integer", () => {
  for (const id of ["", "x".repeat(64), 0, -1, Number.MAX_SAFE_INTEGER]) assert.ok(isRequestId(id));
  for (const id of ["x".repeat(65), 1.5, 2 ** 53, NaN, null, undefined, {}, [], true]) {
    assert.ok(!isRequestId(id));
  }
});
