import assert from "node:assert/strict";
import { lanProfile, wanProfile } from "../../../../cluster/memberlist/core/config.ts";
import { Suspicion, suspicionLimits } from "../../../../cluster/memberlist/core/suspicion.ts";
import { Timers } from "../../../../cluster/memberlist/core/timers.ts";
import { ManualClock } from "../../../support/manual_clock.ts";

Deno.test("suspicion limits follow the size of the cluster", () => {
  const lan = lanProfile();
  const at = (nodeCount: number) => suspicionLimits(lan, nodeCount);
  assert.deepEqual(at(6), { confirmations: 2, minMs: 4_000, maxMs: 24_000 });
  assert.deepEqual(at(1), { confirmations: 0, minMs: 4_000, maxMs: 24_000 });
  assert.equal(at(3).confirmations, 0, "one other node is too few for two confirmations");
  assert.equal(at(4).confirmations, 2);
  assert.equal(at(10).minMs, 4_000);
  // log10(50) = 1.69897, cut to 1.698.
  assert.equal(at(50).minMs, 4 * 1_698);
  assert.equal(at(1_000).minMs, 12_000);
  assert.deepEqual(suspicionLimits(wanProfile(), 100), {
    confirmations: 4,
    minMs: 60_000,
    maxMs: 360_000,
  });
});

/** Starts a suspicion among six LAN nodes; returns it and when it fires. */
function suspect(nodeCount = 6) {
  const clock = new ManualClock();
  clock.advanceSync(500);
  let firedAt: number | undefined;
  let agreed: number | undefined;
  const limits = suspicionLimits(lanProfile(), nodeCount);
  const suspicion = new Suspicion(new Timers(clock), limits, "first", (confirmations) => {
    firedAt = clock.now() - 500;
    agreed = confirmations;
  });
  return { clock, suspicion, result: () => ({ firedAt, agreed }) };
}

Deno.test("a suspicion that nobody confirms lasts the longest time", () => {
  const { clock, result } = suspect();
  clock.advanceSync(60_000);
  assert.deepEqual(result(), { firedAt: 24_000, agreed: 0 });
});

Deno.test("one confirmation of two shortens a suspicion to 11.38 s", () => {
  const { clock, suspicion, result } = suspect();
  clock.advanceSync(100);
  assert.equal(suspicion.confirm("second"), true);
  clock.advanceSync(60_000);
  assert.deepEqual(result(), { firedAt: 11_381, agreed: 1 });
});

Deno.test("two confirmations of two shorten a suspicion to the least time", () => {
  const { clock, suspicion, result } = suspect();
  assert.equal(suspicion.confirm("second"), true);
  assert.equal(suspicion.confirm("third"), true);
  assert.equal(suspicion.confirm("fourth"), false, "enough agree");
  clock.advanceSync(60_000);
  assert.deepEqual(result(), { firedAt: 4_000, agreed: 2 });
});

Deno.test("a confirmation counts once, and the first accuser never", () => {
  const { clock, suspicion, result } = suspect();
  assert.equal(suspicion.confirm("first"), false);
  assert.equal(suspicion.confirm("second"), true);
  assert.equal(suspicion.confirm("second"), false);
  clock.advanceSync(60_000);
  assert.deepEqual(result(), { firedAt: 11_381, agreed: 1 });
});

Deno.test("a confirmation after the shortened time has passed ends a suspicion at once", () => {
  const { clock, suspicion, result } = suspect();
  clock.advanceSync(15_000);
  assert.equal(result().firedAt, undefined);
  suspicion.confirm("second");
  clock.advanceSync(0);
  assert.deepEqual(result(), { firedAt: 15_000, agreed: 1 });
});

Deno.test("a suspicion in a tiny cluster lasts the least time and takes no confirmations", () => {
  const { clock, suspicion, result } = suspect(2);
  assert.equal(suspicion.confirm("second"), false);
  clock.advanceSync(60_000);
  assert.deepEqual(result(), { firedAt: 4_000, agreed: 0 });
});

Deno.test("a cancelled suspicion never fires", () => {
  const { clock, suspicion, result } = suspect();
  suspicion.confirm("second");
  suspicion.cancel();
  clock.advanceSync(60_000);
  assert.equal(result().firedAt, undefined);
  assert.equal(clock.pending, 0);
});
