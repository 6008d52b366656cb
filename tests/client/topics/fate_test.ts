/**
 * What becomes of batches that failed, case by case.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ConnectionClosedError, OutcomeUnknownError, TimeoutError } from "../../../client/mod.ts";
import { fateOf, type Sent } from "../../../client/topics/producer/fate.ts";
import { Tries } from "../../../client/topics/wire/retry.ts";
import { CODE, TopicError } from "../../../protocol/topics/mod.ts";

const OPTIONS = { minDelayMs: 100, maxDelayMs: 1_000, retries: 2 };

/** How one ended: `ok`, `lost`, or a code. */
type End = "ok" | "lost" | keyof typeof CODE;

interface Case {
  readonly idempotent: boolean;
  readonly isOver?: boolean;
  readonly leads?: boolean;
  /** Milliseconds that each may take. */
  readonly timeoutMs?: number;
  /** Those that may have been done when they were sent before. */
  readonly open?: readonly number[];
}

/** What becomes of batches that ended so: `again`, or the name of the error. */
function fates(
  ends: readonly End[],
  { idempotent, isOver = false, leads = false, timeoutMs = 60_000, open = [] }: Case,
): { each: string[]; delayMs: number; renew: boolean } {
  const batches = ends.map((end, i): Sent => {
    const tries = new Tries(OPTIONS, timeoutMs);
    tries.wasOpen = open.includes(i);
    return { tries, outcome: end === "ok" ? { baseOffset: 0 } : { error: errorOf(end) } };
  });
  const { again, failed, delayMs, renew } = fateOf(batches, { idempotent, isOver, leads });
  const each = batches.map((batch) => {
    if (again.includes(batch)) return "again";
    const error = failed.find(([one]) => one === batch)?.[1];
    return error instanceof TopicError ? error.reason : (error as Error | undefined)?.name ?? "ok";
  });
  assert.deepEqual(again, batches.filter((batch) => again.includes(batch)), "in their order");
  return { each, delayMs, renew };
}

function errorOf(end: Exclude<End, "ok">): Error {
  return end === "lost" ? new ConnectionClosedError() : new TopicError(CODE[end], "");
}

Deno.test("with an identity what may pass is sent again, whether it may have been done or not", () => {
  const fate = fates(["lost", "OVERLOADED", "ok", "REQUEST_TIMEOUT"], { idempotent: true });
  assert.deepEqual(fate.each, ["again", "again", "ok", "again"]);
  assert.equal(fate.renew, false);
  assert.ok(fate.delayMs >= 75 && fate.delayMs <= 125);
});

Deno.test("a batch that was refused for want of the one before is sent after that, and costs no try", () => {
  const sent = ["lost", "OUT_OF_ORDER_SEQUENCE", "OUT_OF_ORDER_SEQUENCE"] as const;
  assert.deepEqual(fates(sent, { idempotent: true, open: [1] }).each, ["again", "again", "again"]);
  const behind = new Tries(OPTIONS, 60_000);
  const batches = [
    { tries: new Tries(OPTIONS, 60_000), outcome: { error: errorOf("NOT_LEADER") } },
    { tries: behind, outcome: { error: errorOf("OUT_OF_ORDER_SEQUENCE") } },
  ];
  for (let i = 0; i < 2; i++) fateOf(batches, { idempotent: true, isOver: false, leads: false });
  assert.equal(behind.next(errorOf("NOT_LEADER")) !== undefined, true);
});

Deno.test("a server that lost track gets what it certainly has not under another identity, and nothing else", () => {
  for (const end of ["OUT_OF_ORDER_SEQUENCE", "UNKNOWN_PRODUCER"] as const) {
    const fate = fates([end, "OUT_OF_ORDER_SEQUENCE"], { idempotent: true });
    assert.deepEqual([fate.each, fate.renew], [["again", "again"], true]);
    const open = fates([end, "OUT_OF_ORDER_SEQUENCE"], { idempotent: true, open: [0] });
    assert.deepEqual([open.each, open.renew], [["OutcomeUnknownError", "again"], true]);
    assert.deepEqual(fates([end], { idempotent: false }).each, [end]);
  }
});

Deno.test("after one that failed for good the others have another identity, unless they may be there", () => {
  const refused = fates(["MESSAGE_TOO_LARGE", "OUT_OF_ORDER_SEQUENCE", "lost"], {
    idempotent: true,
  });
  assert.deepEqual(refused.each, ["MESSAGE_TOO_LARGE", "again", "again"]);
  assert.equal(refused.renew, true);
  // The first may be there, and then the second may be.
  const open = fates(["STORAGE_FULL", "lost", "OVERLOADED"], { idempotent: true, open: [0] });
  assert.deepEqual(open.each, ["OutcomeUnknownError", "OutcomeUnknownError", "again"]);
  assert.equal(open.renew, true);
});

Deno.test("what may be there comes again under the identity that it had, whatever those behind it came to", () => {
  for (const end of ["STORAGE_FULL", "QUOTA_EXCEEDED", "AUTHORIZATION_FAILED"] as const) {
    const fate = fates(["lost", end, "OUT_OF_ORDER_SEQUENCE"], { idempotent: true });
    assert.deepEqual([fate.each, fate.renew], [["again", end, "again"], false]);
    const before = fates(["OVERLOADED", end], { idempotent: true, open: [0] });
    assert.deepEqual([before.each, before.renew], [["again", end], false]);
    assert.equal(fates(["OVERLOADED", end], { idempotent: true }).renew, true);
  }
});

Deno.test("without an identity what may have been done is not sent again, nor what another one has overtaken", () => {
  const lost = fates(["lost", "OVERLOADED", "REQUEST_TIMEOUT", "NOT_LEADER"], {
    idempotent: false,
  });
  assert.deepEqual(lost.each, ["OutcomeUnknownError", "again", "OutcomeUnknownError", "again"]);
  assert.equal(lost.renew, false);
  const overtaken = fates(["OVERLOADED", "ok", "OVERLOADED"], { idempotent: false });
  assert.deepEqual(overtaken.each, ["OVERLOADED", "ok", "again"]);
});

Deno.test("it is asked at once where it is known who leads, and fails when its time or its tries are over", () => {
  const moved = fates(["NOT_LEADER", "NOT_LEADER"], { idempotent: false, leads: true });
  assert.deepEqual([moved.each, moved.delayMs], [["again", "again"], 0]);
  const late = fates(["OVERLOADED", "lost"], { idempotent: true, timeoutMs: 10 });
  assert.deepEqual(late.each, ["TimeoutError", "OutcomeUnknownError"]);
  const batch = { tries: new Tries(OPTIONS, 60_000), outcome: { error: errorOf("OVERLOADED") } };
  const circumstances = { idempotent: false, isOver: false, leads: false };
  const turns = Array.from({ length: 3 }, () => fateOf([batch], circumstances).again.length);
  assert.deepEqual(turns, [1, 1, 0]);
  const [, error] = fateOf([batch], circumstances).failed[0]!;
  assert.ok(error instanceof TopicError && !(error instanceof TimeoutError));
});

Deno.test("when the client is closed all fail, each by what is known of it", () => {
  for (const idempotent of [true, false]) {
    const sent = ["lost", "OVERLOADED", "ok", "OUT_OF_ORDER_SEQUENCE"] as const;
    const { each } = fates(sent, { idempotent, isOver: true, open: [3] });
    const unknown = OutcomeUnknownError.name;
    assert.deepEqual(each, [unknown, ConnectionClosedError.name, "ok", unknown]);
  }
});
