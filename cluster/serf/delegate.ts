/**
 * The hooks that memberlist calls (docs/spec/serf.md 4.2): user messages are told apart by their first byte, and what
 * was news is queued to be gossiped on, in the bytes in which it came.
 *
 * @module
 */

import { type Codec, DecodeError } from "../../protocol/msgpack/mod.ts";
import type { Delegate } from "../memberlist/core/delegate.ts";
import { ackPayload, pingCompleted } from "./coordinates.ts";
import type { QueueName } from "./core/broadcasts.ts";
import type { Core } from "./core/core.ts";
import { handleUserEvent } from "./events/user_events.ts";
import { ConflictResolver } from "./members/conflict.ts";
import { handleJoinIntent, handleLeaveIntent } from "./members/intent_rules.ts";
import { nodeForgotten, nodeJoined, nodeLeft, nodeUpdated } from "./members/node_rules.ts";
import type { LamportClock } from "./model/lamport.ts";
import {
  decodeMessage,
  JoinIntent,
  LeaveIntent,
  MessageType,
  Query,
  QueryResponse,
  UserEvent,
} from "./model/messages.ts";
import { isRefused, localState, mergeRemoteState } from "./push_pull.ts";
import { handleQuery } from "./queries/receive.ts";
import { forward } from "./queries/relay.ts";

/**
 * The delegate of an instance.
 *
 * @param meta gives the node meta for the present tags
 */
export function serfDelegate(core: Core, meta: () => Uint8Array): Delegate {
  const conflicts = new ConflictResolver(core);
  return {
    nodeMeta: meta,
    notifyMessage: (message) => receive(core, message),
    getBroadcasts: (overhead, limit) => {
      const messages = core.broadcasts.take(overhead, limit);
      for (const { length } of messages) core.metrics?.sample("serf.msgs.sent", length);
      return messages;
    },
    localState: () => localState(core),
    mergeRemoteState: (state, _join, chosen) => mergeRemoteState(core, state, { chosen }),
    notifyJoin: (node) => nodeJoined(core, node),
    notifyLeave: (node) => nodeLeft(core, node),
    notifyForget: ({ name }) => nodeForgotten(core, name),
    notifyUpdate: (node) => nodeUpdated(core, node),
    notifyConflict: (existing, other) => conflicts.report(existing, other),
    ackPayload: () => ackPayload(core),
    notifyPingComplete: ({ name }, rttMs, payload) => pingCompleted(core, name, rttMs, payload),
  };
}

/** Takes a user message in. What cannot be read is dropped. */
function receive(core: Core, message: Uint8Array): void {
  if (message.length === 0) return;
  core.metrics?.sample("serf.msgs.received", message.length);
  try {
    dispatch(core, message);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    core.noise.write(
      "error",
      "decode",
      `Failed to decode message of type ${message[0]}: ${error.message}`,
    );
  }
}

function dispatch(core: Core, message: Uint8Array): void {
  switch (message[0]) {
    case MessageType.leave:
      return gossip(core, "intents", core.memberClock, message, LeaveIntent, (intent) => {
        core.log.debug(`messageLeaveType: ${intent.Node}`);
        return handleLeaveIntent(core, intent);
      });
    case MessageType.join:
      return gossip(core, "intents", core.memberClock, message, JoinIntent, (intent) => {
        core.log.debug(`messageJoinType: ${intent.Node}`);
        return handleJoinIntent(core, intent);
      });
    case MessageType.userEvent:
      return gossip(core, "events", core.eventClock, message, UserEvent, (event) => {
        core.log.debug(`messageUserEventType: ${event.Name}`);
        return handleUserEvent(core, event);
      });
    case MessageType.query:
      return gossip(core, "queries", core.queryClock, message, Query, (query) => {
        core.log.debug(`messageQueryType: ${query.Name}`);
        return handleQuery(core, query);
      });
    case MessageType.queryResponse: {
      const response = decodeMessage(QueryResponse, message);
      core.log.debug(`messageQueryResponseType: ${response.From}`);
      return core.running.handle(response);
    }
    case MessageType.relay:
      return forward(core, message);
    default:
      core.noise.write("warn", "type", `Received message of unknown type: ${message[0]}`);
  }
}

/** Takes in a message that is gossiped on, unchanged, when `handle` says that it is news. */
function gossip<T extends { LTime: bigint }>(
  core: Core,
  queue: QueueName,
  clock: LamportClock,
  message: Uint8Array,
  codec: Codec<T>,
  handle: (body: T) => boolean,
): void {
  const body = decodeMessage(codec, message);
  if (isRefused(core, clock, body.LTime)) return;
  if (handle(body)) core.broadcasts.enqueue(queue, message.slice());
}
