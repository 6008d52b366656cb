/**
 * Requests that are asked for again as long as their time allows.
 *
 * @module
 */

import type { CallOptions } from "../../../protocol/call_options.ts";
import { CODE, type Replies, type Requests, TopicError } from "../../../protocol/topics/mod.ts";
import type { ConsumerKind } from "../../../protocol/topics/program/consumer/world.ts";
import { pause } from "../../net/deadline.ts";
import { isOpen, type LocalRequests, lost, TIMEOUT_MS } from "./requests.ts";
import { limited } from "./waiting.ts";

/** One try may take so long, in milliseconds ... */
const TRY_MS = 5_000;
/** ... and it is waited so long before the next one. */
const PAUSE_MS = 100;

/** What is asked again: it does no harm when it is done twice. */
export type RepeatableKind = ConsumerKind | "transact" | "initProducer";

/**
 * Has a request done, with as many tries as the time allows. A transaction that may have been done is not known to be none, whatever
 * is said to a later try.
 */
export async function askAgain<K extends RepeatableKind>(
  requests: LocalRequests,
  kind: K,
  request: Requests[K],
  { timeoutMs = TIMEOUT_MS, signal = NEVER }: CallOptions,
): Promise<Replies[K]> {
  signal.throwIfAborted();
  const endsAt = performance.now() + timeoutMs;
  let wasOpen = false;
  for (;;) {
    const leftMs = endsAt - performance.now();
    try {
      const limitMs = Math.max(1, Math.min(TRY_MS, leftMs));
      const asked = requests.ask(kind, request, { timeoutMs: limitMs });
      return await limited(asked, Math.max(1, leftMs), signal);
    } catch (error) {
      const code = error instanceof TopicError ? error.code : undefined;
      // The time may be over before who was asked says that it is not known.
      wasOpen ||= isOpen(error) || code === CODE.REQUEST_TIMEOUT;
      const passes = isOpen(error) || code !== undefined && PASSES.includes(code);
      if (signal.aborted || !passes || PAUSE_MS >= endsAt - performance.now()) {
        throw kind === "transact" && wasOpen && !isOpen(error) ? lost(error) : error;
      }
    }
    await pause(PAUSE_MS, signal);
    signal.throwIfAborted();
  }
}

/** Nothing was done, and may be done later. */
const PASSES: readonly number[] = [CODE.NOT_LEADER, CODE.OVERLOADED, CODE.REQUEST_TIMEOUT];

const NEVER = new AbortController().signal;
