/**
 * What becomes of batches that failed, when nothing of their partition is under way: a function of how each ended.
 *
 * @module
 */

import { CODE } from "../../../protocol/topics/codes.ts";
import { TopicError } from "../../../protocol/topics/errors.ts";
import type { TimeoutError } from "../../net/errors.ts";
import { closed, lost } from "../wire/cluster.ts";
import type { Tries } from "../wire/retry.ts";

/** What is looked at of a batch. */
export interface Sent {
  readonly tries: Tries;
  /** Its error, or that it is there; `undefined` of none that was sent. */
  readonly outcome: object | { readonly error: unknown } | undefined;
}

/** What is known besides. */
export interface Circumstances {
  /** Whether the server knows what it has had, and takes no batch before its turn. */
  readonly idempotent: boolean;
  /** Whether nothing more can be sent. */
  readonly isOver: boolean;
  /** Whether it is known who leads. */
  readonly leads: boolean;
}

/** What becomes of them. */
export interface Fate<B> {
  /** These are sent again, in this order. */
  readonly again: B[];
  /** These have failed, each with its error. */
  readonly failed: (readonly [batch: B, error: unknown])[];
  /** It is waited for so many milliseconds before. */
  delayMs: number;
  /** Whether the server is to know those that follow by another identity. */
  renew: boolean;
}

/** Decides about batches of one partition that were sent, in their order. */
export function fateOf<B extends Sent>(sent: readonly B[], circumstances: Circumstances): Fate<B> {
  const fate: Fate<B> = { again: [], failed: [], delayMs: 0, renew: false };
  const { idempotent } = circumstances;
  /** Whether one has failed of which nobody knows whether it is there. */
  let isOpen = false;
  sent.forEach((batch, i) => {
    const error = errorOf(batch);
    if (error === undefined) return;
    const isOvertaken = !idempotent && sent.slice(i + 1).some((later) => !errorOf(later));
    const [delay, reason] = judged(batch, error, circumstances, fate.again.length > 0);
    const { wasOpen } = batch.tries;
    // It may be there already, and would come twice under another identity.
    const isUnsafe = wasOpen && (isOpen || isLostTrack(error) && fate.again.length === 0);
    if (delay === undefined || isOvertaken || isUnsafe) {
      fate.failed.push([batch, wasOpen ? lost(reason) : reason]);
      isOpen ||= wasOpen;
      // Another identity would be one for those before it as well, and what is there of them would come twice.
      fate.renew ||= idempotent && !fate.again.some(({ tries }) => tries.wasOpen);
      return;
    }
    fate.renew ||= isLostTrack(error) && fate.again.length === 0;
    fate.delayMs = Math.max(fate.delayMs, delay);
    fate.again.push(batch);
  });
  return fate;
}

/** How long to wait before it is sent again, if it is to be; and what it fails with otherwise. */
function judged(
  { tries }: Sent,
  error: unknown,
  { idempotent, isOver, leads }: Circumstances,
  isBehind: boolean,
): [delayMs: number | undefined, reason: unknown] {
  // It is refused for want of the one before, and has its turn after that.
  if (isLostTrack(error) && idempotent && isBehind && !isOver) return [0, error];
  const delay = isLostTrack(error) && idempotent
    ? tries.next(error)
    : tries.after(error, idempotent, leads);
  if (isOver) return [undefined, closed()];
  if (delay === undefined || delay < tries.left()) return [delay, error];
  return [undefined, notInTime(tries)];
}

/** A batch has had its time. */
export function notInTime(tries: Tries): TimeoutError {
  return tries.late("Messages were not sent in time");
}

/** Whether the server does not know the producer any more, or expects another batch. */
function isLostTrack(error: unknown): boolean {
  return error instanceof TopicError &&
    (error.code === CODE.OUT_OF_ORDER_SEQUENCE || error.code === CODE.UNKNOWN_PRODUCER);
}

function errorOf({ outcome }: Sent): unknown {
  return outcome !== undefined && "error" in outcome ? outcome.error : undefined;
}
