/**
 * Consumers that ask servers over a client's connections.
 *
 * @module
 */

import { Consumer } from "../../protocol/topics/program/consumer/consumer.ts";
import { consumerSettings } from "../../protocol/topics/program/consumer/settings.ts";
import type { ConsumerWorld } from "../../protocol/topics/program/consumer/world.ts";
import type { TopicConsumer } from "../../protocol/topics/program/types.ts";
import { CODEC } from "../../protocol/topics/codes.ts";
import { TimeoutError } from "../net/errors.ts";
import { CLOSE_LIMIT_MS } from "./defaults.ts";
import { checkedCodec, CONSUMER, type TopicConsumerOptions } from "./options.ts";
import { unpackMessages } from "./packing.ts";
import type { ClientSettings } from "./settings.ts";
import { closed, type Cluster } from "./wire/cluster.ts";

/**
 * A consumer of a topic; `onClose` is called once.
 *
 * @throws {TypeError} when an option is unknown or of a wrong type
 * @throws {RangeError} when one is out of its bounds
 */
export function clientConsumer(
  cluster: Cluster,
  topic: string,
  options: TopicConsumerOptions,
  client: ClientSettings,
  onClose: () => void,
): TopicConsumer {
  const settings = consumerSettings(topic, options, client.timeoutMs, CONSUMER);
  const { anyServer = false } = options;
  const codec = checkedCodec("consumer", options.compression);
  const world: ConsumerWorld = {
    client: client.name,
    closeLimitMs: CLOSE_LIMIT_MS,
    now: () => performance.now(),
    setTimer(ms, fn) {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
    ask: (kind, request, call) => cluster.ask(kind, request, call),
    async fetch(plain, call) {
      const request = codec === CODEC.none ? plain : { plain, packed: { ...plain, codec } };
      const fetched = await cluster.ask("fetch", request, { ...call, anywhere: anyServer });
      const messages = await unpackMessages(fetched);
      const wireBytes = fetched.messages.bytes.length;
      return { ...fetched, codec: CODEC.none, messages, wireBytes };
    },
    closed,
    late: (timeoutMs) => new TimeoutError(`Servers did not answer within ${timeoutMs} ms`),
  };
  return new Consumer(world, settings, onClose);
}
