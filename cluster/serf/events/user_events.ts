/**
 * User events: sending one, and taking one in (docs/spec/serf.md 9).
 *
 * @module
 */

import { ownPayload } from "../../../protocol/payload.ts";
import { asRead, utf8Length } from "../../../protocol/text.ts";
import { isCongested } from "../core/congestion.ts";
import type { Core } from "../core/core.ts";
import { MAX_USER_EVENT_BYTES } from "../model/config.ts";
import { EventQueueFullError, EventTooLargeError } from "../model/errors.ts";
import { encodeMessage, MessageType, UserEvent } from "../model/messages.ts";

/**
 * Fires a user event: the own application gets it at once, the others by gossip.
 *
 * @throws {EventTooLargeError} when name and payload, or the whole message, exceed the configured limit
 * @throws {EventQueueFullError} when one more event would be lost
 */
export function sendUserEvent(
  core: Core,
  given: string,
  payload: Uint8Array | null,
  coalesce: boolean,
): void {
  const name = asRead(given);
  const limit = core.config.userEventSizeLimit;
  const rawSize = utf8Length(name) + (payload?.length ?? 0);
  if (rawSize > limit) {
    throw new EventTooLargeError(
      `user event exceeds configured limit of ${limit} bytes before encoding`,
    );
  }
  if (rawSize > MAX_USER_EVENT_BYTES) {
    throw new EventTooLargeError(
      `user event exceeds sane limit of ${MAX_USER_EVENT_BYTES} bytes before encoding`,
    );
  }
  const event: UserEvent = {
    LTime: core.eventClock.time(),
    Name: name,
    Payload: payload,
    CC: coalesce,
  };
  const message = encodeMessage(MessageType.userEvent, UserEvent, event);
  if (message.length > limit) {
    throw new EventTooLargeError(
      `encoded user event exceeds configured limit of ${limit} bytes after encoding`,
    );
  }
  if (isCongested(core, "events", core.config.eventBuffer)) {
    throw new EventQueueFullError(core.broadcasts.depth("events"));
  }
  core.eventClock.increment();
  handleUserEvent(core, event);
  core.broadcasts.enqueue("events", message);
}

/** Takes a user event in and tells the application when it is news. Returns whether it is to be gossiped on. */
export function handleUserEvent(core: Core, event: UserEvent): boolean {
  const { LTime: ltime, Name: name, Payload: payload } = event;
  core.eventClock.witness(ltime);
  const clock = core.eventClock.time();
  switch (core.events.add(ltime, name, payload, clock)) {
    case "too-early":
    case "duplicate":
      return false;
    case "old":
      core.tally.count("eventsDropped");
      core.noise.write(
        "warn",
        "old event",
        `received old event ${name} from time ${ltime} (current: ${clock})`,
      );
      return false;
    case "full":
      core.tally.count("eventsDropped");
      core.noise.write("warn", "full events", `No room for event ${name} of time ${ltime}`);
      return false;
    case "new":
      core.tally.count("events", name);
      core.emit({
        type: "user",
        ltime,
        name,
        payload: ownPayload(payload),
        coalesce: event.CC,
      });
      return true;
  }
}
