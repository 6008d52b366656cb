import assert from "node:assert/strict";
import { Acks } from "../../../../cluster/memberlist/core/acks.ts";
import { seededRandom } from "../../../support/memberlist/fakes.ts";

Deno.test("an ack reaches the waiter of its sequence number, once", () => {
  const acks = new Acks(seededRandom(1));
  const got: (Uint8Array | null)[] = [];
  const seqNo = acks.expect({ ack: (payload) => got.push(payload) });
  const other = acks.expect({ ack: () => assert.fail("not asked") });
  assert.notEqual(seqNo, other);
  acks.ack(seqNo, Uint8Array.of(1));
  acks.ack(seqNo, null);
  acks.ack(12345, null);
  assert.deepEqual(got, [Uint8Array.of(1)]);
  acks.forget(other);
  acks.ack(other, null);
  assert.equal(acks.size, 0);
});

Deno.test("a nack is counted and the waiter goes on to wait", () => {
  const acks = new Acks(seededRandom(1));
  let nacks = 0;
  let acked = 0;
  const seqNo = acks.expect({ ack: () => acked++, nack: () => nacks++ });
  const deaf = acks.expect({ ack: () => acked++ });
  acks.nack(seqNo);
  acks.nack(seqNo);
  acks.nack(deaf);
  acks.nack(99);
  acks.ack(seqNo, null);
  acks.nack(seqNo);
  assert.deepEqual([nacks, acked], [2, 1]);
});

Deno.test("sequence numbers start anywhere, wrap at 32 bits and skip those in use", () => {
  const nearEnd = { float: () => 0, bytes: () => Uint8Array.of(255, 255, 255, 254) };
  const acks = new Acks(nearEnd);
  const waiter = { ack: () => {} };
  assert.equal(acks.expect(waiter), 0xffff_ffff);
  assert.equal(acks.expect(waiter), 0);
  const again = new Acks(nearEnd);
  assert.equal(again.expect(waiter), 0xffff_ffff);
  assert.notEqual(
    new Acks(seededRandom(1)).expect(waiter),
    new Acks(seededRandom(2)).expect(waiter),
  );
});

Deno.test("pings that wait are bounded", () => {
  const acks = new Acks(seededRandom(1));
  for (let i = 0; i < 4_096; i++) {
    assert.equal(acks.full, false);
    acks.expect({ ack: () => {} });
  }
  assert.equal(acks.full, true);
});
