import assert from "node:assert/strict";
import { LogIndex } from "../../../../server/replica/log/index.ts";
import type { Entry } from "../../../../cluster/raft/mod.ts";

const NO_DATA = new Uint8Array(0);

function entry(index: number): Entry {
  return { index, term: 1, type: "command", time: 0, data: NO_DATA };
}

Deno.test("a log of a million groups takes a few thousand marks", () => {
  const index = new LogIndex(0, 0);
  const bytes = 193;
  for (let i = 0; i < 1_000_000; i++) index.apply({ entries: [entry(i + 1)] }, 1, i * bytes);
  assert.ok(index.marks <= 1_000_000 * bytes / 65_536, `${index.marks} marks`);
  const { mark, next } = index.find(500_000) ?? {};
  assert.ok(mark !== undefined && next !== undefined);
  assert.ok(mark.first <= 500_000 && 500_000 < next.first);
  assert.ok(next.at - mark.at < 65_536 + bytes);
  index.trim(999_999);
  assert.equal(index.marks, 1);
  assert.equal(index.find(999_999), undefined);
  assert.equal(index.find(1_000_000)?.next, undefined);
});
