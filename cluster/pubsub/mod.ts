/**
 * Channels: who hears of what is published, at one agent and at the others. Nothing is kept: who does not listen misses it.
 *
 * @module
 */

export { BAD_CHANNEL, channelOf, type Interest, interestOf } from "./channel.ts";
export {
  type Listener,
  MAX_AGENT_SUBSCRIPTIONS,
  PubSub,
  type PubSubFigures,
  type PubSubNet,
  type Subscriber,
} from "./hub.ts";
export { NewsError } from "./wire.ts";
