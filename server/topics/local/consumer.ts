/**
 * Consumers of the program around an agent: they read what this server has, and ask the one that leads for the rest.
 *
 * @module
 */

import { CODE, type Replies, type Requests, TopicError } from "../../../protocol/topics/mod.ts";
import { Consumer } from "../../../protocol/topics/program/consumer/consumer.ts";
import { consumerSettings } from "../../../protocol/topics/program/consumer/settings.ts";
import type {
  ConsumerKind,
  ConsumerWorld,
} from "../../../protocol/topics/program/consumer/world.ts";
import type { TopicConsumer } from "../../../protocol/topics/program/types.ts";
import type { CallOptions } from "../../../protocol/call_options.ts";
import { pause } from "../../net/deadline.ts";
import type { AgentConsumerOptions } from "./options.ts";
import { isOpen, type LocalRequests, TIMEOUT_MS } from "./requests.ts";
import { limited } from "./waiting.ts";

/** How long a consumer that is closed waits for whoever leads, in milliseconds: less than an agent that ends gives it. */
const CLOSE_LIMIT_MS = 2_000;

/** One try may take so long, in milliseconds ... */
const TRY_MS = 5_000;
/** ... and it is waited so long before the next one. */
const PAUSE_MS = 100;

/**
 * A consumer of a topic; `onClose` is called once.
 *
 * @throws {TypeError} when an option is unknown or of a wrong type
 * @throws {RangeError} when one is out of its bounds
 */
export function localConsumer(
  requests: LocalRequests,
  topic: string,
  options: AgentConsumerOptions,
  onClose: () => void,
): TopicConsumer {
  const settings = consumerSettings(topic, options, TIMEOUT_MS);
  const world: ConsumerWorld = {
    client: requests.name,
    closeLimitMs: CLOSE_LIMIT_MS,
    now: () => performance.now(),
    setTimer(ms, fn) {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
    ask: (kind, request, call) => ask(requests, kind, request, call),
    async fetch(request, { timeoutMs = TIMEOUT_MS, signal }) {
      const fetched = await requests.ask("fetch", request, { timeoutMs, signal, fromHere: true });
      return { ...fetched, wireBytes: fetched.messages.bytes.length };
    },
    closed: () => new TopicError(CODE.OVERLOADED, "The consumer is closed"),
    late: (ms) => new TopicError(CODE.REQUEST_TIMEOUT, `Not done within ${ms} ms`),
  };
  return new Consumer(world, settings, onClose);
}

/** Has a request done that does no harm when it is done twice, with as many tries as the time allows. */
async function ask<K extends ConsumerKind>(
  requests: LocalRequests,
  kind: K,
  request: Requests[K],
  { timeoutMs = TIMEOUT_MS, signal = NEVER }: CallOptions,
): Promise<Replies[K]> {
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    const leftMs = endsAt - performance.now();
    try {
      const limitMs = Math.max(1, Math.min(TRY_MS, leftMs));
      const asked = requests.ask(kind, request, { timeoutMs: limitMs });
      return await limited(asked, Math.max(1, leftMs), signal);
    } catch (error) {
      const passes = isOpen(error) || error instanceof TopicError && PASSES.includes(error.code);
      if (signal.aborted || !passes || PAUSE_MS >= endsAt - performance.now()) throw error;
    }
    await pause(PAUSE_MS, signal);
    signal.throwIfAborted();
  }
}

/** Nothing was done, and may be done later. */
const PASSES: readonly number[] = [CODE.NOT_LEADER, CODE.OVERLOADED, CODE.REQUEST_TIMEOUT];

const NEVER = new AbortController().signal;
