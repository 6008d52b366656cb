/**
 * Fetching: messages from an offset on, waited for if need be.
 *
 * What the leader answers shows all that was acknowledged before it was asked. Any other server tells what it has, when the client
 * wants that. Who waits is woken when messages arrive here, and then this server's state is new enough.
 *
 * @module
 */

import {
  decodeLocation,
  locateQuestion,
  type Location,
  type Span,
  type Where,
} from "../../../cluster/machine/topics/mod.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import {
  CODE,
  CODEC,
  type Fetch,
  FLAG,
  MAX_FRAME_BYTES,
  VERSION,
} from "../../../protocol/topics/mod.ts";
import { DamagedSegmentError, SegmentGoneError } from "../../replica/segments/errors.ts";
import { FAIR_FETCH_BYTES, MAX_FETCH_WAIT_MS } from "../limits.ts";
import type { Buffers } from "../buffers.ts";
import type { PackedMessages } from "../packing.ts";
import { compact, NO_MESSAGES, type ReadMessages, readMessages } from "../reading.ts";
import { type Refusal, refusal, refusalOf } from "../refusals.ts";
import type { RequestServices } from "../services.ts";
import { ask, type Client, done, type Handler, type Outcome } from "../handler.ts";

/** What an answer takes besides its messages, in bytes; more than that. */
const OVERHEAD_BYTES = 64;

/** Fetches messages. */
export const fetch: Handler<"fetch"> = async (services, { body, version, flags }, client) => {
  const knowsNulls = version === VERSION.second;
  const reading = { services, client, knowsNulls, codec: body.codec };
  let end = performance.now() + Math.min(body.maxWaitMs, MAX_FETCH_WAIT_MS);
  const anyServer = (flags & FLAG.anyServer) !== 0;
  let wanted = body;
  let place = await locate(services, body, anyServer);
  while (true) {
    const looked = await look(reading, wanted, place, end);
    if ("ok" in looked) return looked;
    const { location, lacking } = looked;
    const grown = await more(reading, body, location, lacking, end - performance.now());
    if (grown === undefined) end = 0;
    place = grown ?? location;
    wanted = { ...body, offset: location.offset };
  }
};

/** What a fetch is done with. */
interface Reading {
  readonly services: RequestServices;
  readonly client: Client;
  /** Whether the client knows what null is. */
  readonly knowsNulls: boolean;
  /** How messages may be compressed. */
  readonly codec: number;
}

/** Messages, and where they are. */
interface Found {
  readonly location: Location;
  /** How the messages are compressed. */
  readonly codec: number;
  readonly messages: ReadMessages;
  /** Bytes of the messages as they are, not compressed. */
  readonly bytes: number;
}

/** Where to wait for how many bytes. */
interface Lacking {
  readonly location: Location;
  readonly lacking: number;
}

/**
 * What is answered; or what is waited for, until a time. Who waits keeps no messages, and has them read again then: those of all
 * fetches of a connection would be more than it may cost.
 */
async function look(
  reading: Reading,
  fetch: Fetch,
  place: Location | Refusal,
  end: number,
): Promise<Outcome<"fetch"> | Lacking> {
  const { buffers } = reading.services;
  const found = await read(reading, fetch, place);
  if ("ok" in found) return found;
  const { location, messages: { count, buffer }, bytes } = found;
  const lacking = Math.min(fetch.minBytes, fetch.maxBytes) - bytes;
  // What is there and not told has no room.
  const isAll = location.offset + count >= location.next;
  if (lacking <= 0 || !isAll || performance.now() >= end) return fetched(buffers, found);
  if (buffer !== undefined) buffers.give(buffer);
  return { location, lacking };
}

/**
 * An answer whose messages stand in no buffer with room for its head gets one; and another one when they take little of theirs, as
 * what waits to be sent counts by its own length.
 */
function fetched(buffers: Buffers, { location, codec, messages: found }: Found): Outcome<"fetch"> {
  const isLoose = found.buffer !== undefined && found.buffer.length > 2 * found.bytes.length;
  const messages = isLoose ? compact(found, buffers) : found;
  const reply = { highWaterMark: location.next, codec, messages };
  const { bytes, buffer } = messages;
  if (buffer !== undefined) return { ...done(reply), buffer };
  return bytes.length === 0
    ? done(reply)
    : { ...done(reply), buffer: buffers.take(bytes.length + OVERHEAD_BYTES) };
}

/** The messages of a place. Those that are gone before they are read are looked for once more. */
async function read(
  reading: Reading,
  fetch: Fetch,
  place: Location | Refusal,
): Promise<Found | Refusal> {
  for (let location = place, isFirst = true;; isFirst = false) {
    if ("ok" in location) return location;
    const { offset, start, next } = location;
    if (offset < start || offset > next) {
      const text = `Offset ${offset} is not within ${start} to ${next}`;
      return refusal(CODE.OFFSET_OUT_OF_RANGE, text);
    }
    try {
      return { location, ...await messagesOf(reading, fetch, location) };
    } catch (error) {
      if (error instanceof DamagedSegmentError) return refusal(CODE.STORAGE_ERROR, error.message);
      if (!(error instanceof SegmentGoneError)) throw error;
      if (!isFirst) return refusal(CODE.STORAGE_ERROR, error.message);
    }
    location = await locate(reading.services, fetch, true);
  }
}

/** Where the messages are, by the leader's state or, of `anyServer`, by that of this one. */
async function locate(
  services: RequestServices,
  fetch: Fetch,
  anyServer: boolean,
): Promise<Location | Refusal> {
  const { offset, maxBytes } = fetch;
  const bytes = Math.max(1, Math.min(maxBytes, MAX_FRAME_BYTES));
  const question = locateQuestion({ ...whereOf(fetch), offset, bytes });
  const result = anyServer
    ? services.state.peek(question)
    : await ask(services, "question", question);
  if (result.ok) return decodeLocation(result.body);
  return "message" in result ? result : refusalOf(result, services.cluster);
}

/** Reads as much as there is room for. What it takes meanwhile are all bytes of the place: whole batches, however little is wanted. */
async function messagesOf(
  { services: { messages, waiting, buffers, scarce, packing }, client, knowsNulls, codec }: Reading,
  { partition, maxBytes }: Fetch,
  location: Location,
): Promise<Omit<Found, "location">> {
  if (location.spans.length === 0) return NOTHING;
  const taken = bytesOf(location.spans);
  const most = Math.min(maxBytes, MAX_FRAME_BYTES - OVERHEAD_BYTES);
  const reading = async (room: number): Promise<Omit<Found, "location">> => {
    if (client.isGone) return NOTHING;
    waiting.bytes += taken;
    try {
      const wanted = { room, knowsNulls };
      const found = await readMessages(messages, buffers, location, partition, wanted);
      const bytes = found.bytes.length;
      if (codec === CODEC.none) return { codec, messages: found, bytes };
      // When too much waits there is too much to do as well.
      const packed = bytes === 0 || waiting.isFull
        ? { codec: CODEC.none, messages: found }
        : await packing.compress(codec, found);
      return { codec: packed.codec, messages: apart(found, packed, buffers), bytes };
    } finally {
      waiting.bytes -= taken;
    }
  };
  return await client.inTurn(() =>
    waiting.isFull
      ? scarce.run(["read"], () => reading(Math.min(most, FAIR_FETCH_BYTES)))
      : reading(most)
  );
}

/** Waits for about so many bytes more, but no longer than this time; where they are then, `undefined` when none have come. */
async function more(
  { services, client }: Reading,
  fetch: Fetch,
  { topic, offset, next, spans }: Location,
  lacking: number,
  waitMs: number,
): Promise<Location | undefined> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), waitMs);
  const stopWaiting = client.whenOver(() => over.abort());
  let found = bytesOf(spans);
  const enough = found + lacking;
  let grown: Location | undefined;
  try {
    while (!over.signal.aborted) {
      const last = grown?.next ?? next;
      await services.messages.waitFor(topic, fetch.partition, last, over.signal);
      const now = await locate(services, { ...fetch, offset }, true);
      if ("ok" in now || now.topic !== topic || now.next === last) break;
      grown = now;
      const bytes = bytesOf(now.spans);
      // More than may be told is not told of.
      if (bytes >= enough || bytes === found) break;
      found = bytes;
    }
  } finally {
    clearTimeout(timer);
    stopWaiting();
  }
  return grown;
}

/** What is to be told in an answer with a longer head than the buffer has room for, which is given back. */
function apart(
  { count, bytes, buffer }: ReadMessages,
  { codec, messages }: PackedMessages,
  buffers: Buffers,
): ReadMessages {
  const own = codec === CODEC.none ? bytes.slice() : messages.bytes;
  if (buffer !== undefined) buffers.give(buffer);
  return { count, bytes: own, buffer: undefined };
}

const NOTHING: Omit<Found, "location"> = { codec: CODEC.none, messages: NO_MESSAGES, bytes: 0 };

function bytesOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { position, end }) => sum + end - position, 0);
}

function whereOf({ topic, partition }: Fetch): Pick<Where, "topic" | "partition"> {
  return { topic: encodeUtf8(topic), partition };
}
