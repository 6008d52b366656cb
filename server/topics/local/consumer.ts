/**
 * Consumers of the program around an agent: they read what this server has, and ask the one that leads for the rest.
 *
 * @module
 */

import { CODE, TopicError } from "../../../protocol/topics/mod.ts";
import { Consumer } from "../../../protocol/topics/program/consumer/consumer.ts";
import { consumerSettings } from "../../../protocol/topics/program/consumer/settings.ts";
import type { ConsumerWorld } from "../../../protocol/topics/program/consumer/world.ts";
import type { TopicConsumer } from "../../../protocol/topics/program/types.ts";
import type { AgentConsumerOptions } from "./options.ts";
import { askAgain } from "./again.ts";
import { type LocalRequests, TIMEOUT_MS } from "./requests.ts";
import { late, TIMING } from "./waiting.ts";

/** How long a consumer that is closed waits for whoever leads, in milliseconds: less than an agent that ends gives it. */
const CLOSE_LIMIT_MS = 2_000;

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
    ...TIMING,
    ask: (kind, request, call) => askAgain(requests, kind, request, call),
    async fetch(request, { timeoutMs = TIMEOUT_MS, signal }) {
      const fetched = await requests.ask("fetch", request, { timeoutMs, signal, fromHere: true });
      return { ...fetched, wireBytes: fetched.messages.bytes.length };
    },
    closed: () => new TopicError(CODE.OVERLOADED, "The consumer is closed"),
    late,
  };
  return new Consumer(world, settings, onClose);
}
