/**
 * The actions about channels.
 *
 * @module
 */

import { textOfValue, VALUE_TOO_LARGE } from "../../../cluster/machine/kv/mod.ts";
import type { Failure } from "../../../cluster/machine/mod.ts";
import { channelOf, type Interest, interestOf } from "../../../cluster/pubsub/mod.ts";
import {
  type ChannelsRequest,
  MAX_MESSAGE_BYTES,
  MAX_SUBSCRIPTIONS,
  MESSAGE_TOO_LARGE,
  type PublishRequest,
  TOO_MANY_SUBSCRIPTIONS,
} from "../../../protocol/kv/mod.ts";
import { type Doing, successOf } from "../action.ts";

/** SUBSCRIBE: all of its channels, or none when one is wrong or they are too many. */
export const subscribe: Doing = {
  kind: "channels",
  make: interestsOf,
  run(interests, _request, { pubsub }, { subscriber }) {
    const { interests: had } = subscriber;
    const added = new Set(interests.map(({ text }) => text).filter((text) => !had.has(text)));
    if (had.size + added.size > MAX_SUBSCRIPTIONS || !pubsub.hasRoom(added.size)) {
      return TOO_MANY_SUBSCRIPTIONS;
    }
    for (const interest of interests) pubsub.subscribe(subscriber, interest);
    return successOf([...had.keys()]);
  },
};

/** UNSUBSCRIBE: without channels from all. */
export const unsubscribe: Doing = {
  kind: "channels",
  make: (request) => isAboutAll(request) ? [] : interestsOf(request),
  run(interests, request, { pubsub }, { subscriber }) {
    if (isAboutAll(request)) pubsub.leave(subscriber);
    for (const { text } of interests) pubsub.unsubscribe(subscriber, text);
    return successOf([...subscriber.interests.keys()]);
  },
};

/** PUBLISH. */
export const publish: Doing = {
  kind: "channels",
  make(request) {
    const channel = channelOf((request as unknown as PublishRequest).channel);
    if (typeof channel !== "string") return channel;
    return [{ text: channel, kind: "channel", base: channel }];
  },
  run([channel], request, { pubsub }, { name }) {
    const text = textOfMessage((request as unknown as PublishRequest).message);
    if (!(text instanceof Uint8Array)) return text;
    return successOf(pubsub.publish((channel as Interest).text, text, name));
  },
};

/** The text of a message, or why it is none that can be published. */
export function textOfMessage(message: unknown): Uint8Array | Failure {
  const text = textOfValue(message);
  if (text instanceof Uint8Array) {
    return text.length > MAX_MESSAGE_BYTES ? MESSAGE_TOO_LARGE : text;
  }
  return text === VALUE_TOO_LARGE ? MESSAGE_TOO_LARGE : { ...text, field: "message" };
}

function isAboutAll(request: ChannelsRequest): boolean {
  return request.channel === undefined && request.channels === undefined;
}

function interestsOf(request: ChannelsRequest): readonly Interest[] | Failure {
  const { channel, channels = [channel as string] } = request;
  const interests: Interest[] = [];
  for (const one of channels) {
    const interest = interestOf(one);
    if ("ok" in interest) {
      return channel === undefined ? { ...interest, field: "channels" } : interest;
    }
    interests.push(interest);
  }
  return interests;
}
