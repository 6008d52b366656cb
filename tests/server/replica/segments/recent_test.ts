import assert from "node:assert/strict";
import { RecentBatches } from "../../../../server/replica/segments/recent.ts";
import { putU64 } from "../../../../protocol/bytes.ts";

function batch(partition: number, base: number, position: number, offset: number) {
  const bytes = new Uint8Array(37);
  putU64(bytes, 8, offset);
  return { kind: "append", segment: { topic: 1, partition, base }, position, bytes } as const;
}

Deno.test("batches that were appended last are found by their first offset, older ones are forgotten", () => {
  const recent = new RecentBatches();
  recent.take([batch(0, 0, 0, 0), batch(1, 5, 40, 7), {
    kind: "drop",
    segment: { topic: 1, partition: 0, base: 0 },
  }]);
  assert.deepEqual(recent.find(1, 1, 7), { base: 5, position: 40 });
  assert.deepEqual(recent.find(1, 0, 0), { base: 0, position: 0 });
  for (const [topic, partition, offset] of [[1, 1, 8], [1, 0, 7], [2, 1, 7]] as const) {
    assert.equal(recent.find(topic, partition, offset), undefined);
  }
  for (let i = 1; i <= 4_094; i++) recent.take([batch(0, 0, 37 * i, i)]);
  assert.deepEqual(recent.find(1, 0, 0), { base: 0, position: 0 });
  recent.take([batch(0, 0, 37 * 4_095, 4_095)]);
  assert.equal(recent.find(1, 0, 0), undefined);
  assert.deepEqual(recent.find(1, 0, 4_095), { base: 0, position: 37 * 4_095 });
});
