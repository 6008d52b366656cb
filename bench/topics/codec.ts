/**
 * Frames of topics in this process: a fetch, a message, a hundred of them.
 *
 * @module
 */

import {
  checkMessages,
  FrameWriter,
  type Message,
  readMessages,
  readReply,
  readReplyHead,
  readRequest,
  writeMessage,
  writeReply,
  writeRequest,
} from "../../protocol/topics/mod.ts";
import { quantile } from "../measure.ts";
import type { Sample } from "../state/figures.ts";

/** What is done between two looks at the clock takes about so many microseconds. */
const TURN_US = 200;

const partition = { topic: "orders", partition: 3 };
const wanted = {
  ...partition,
  offset: 123_456,
  maxBytes: 1_048_576,
  minBytes: 1,
  maxWaitMs: 500,
  codec: 0,
};

/** `Encode`, in `ms` milliseconds for each figure: requests into the buffer of a connection, with messages as programs have them. */
export function measureEncode(ms: number): Sample[] {
  const writer = new FrameWriter(64 * 1024);
  const batch = new FrameWriter(64 * 1024);
  const produce = (messages: readonly Message[]) => () => {
    writer.reset();
    writeProduce(writer, batch, messages);
  };
  return [
    sample(ms, "Encode a fetch", 1, () => {
      writer.reset();
      writeRequest(writer, 77, "fetch", wanted);
    }),
    sample(ms, "Encode a produce of 1 message of 100 bytes", 1, produce(messagesOf(1))),
    sample(ms, "Encode a produce of 100 messages of 100 bytes", 30, produce(messagesOf(100))),
  ];
}

/** `Decode`, in `ms` milliseconds for each figure: requests as servers take them, messages checked and not taken apart, and messages as programs get them. */
export function measureDecode(ms: number): Sample[] {
  const fetch = framed((writer) => writeRequest(writer, 77, "fetch", wanted));
  const decodeProduce = (messages: readonly Message[]) => {
    const frame = framed((writer) => writeProduce(writer, new FrameWriter(), messages));
    return () => {
      const request = readRequest(frame);
      if (request.kind !== "produce") throw new Error("Expected a produce");
      const { bytes, count } = request.body.messages;
      if (typeof checkMessages(bytes, count, true) === "string") throw new Error("No messages");
    };
  };
  const decodeFetched = (messages: readonly Message[]) => {
    const set = { count: messages.length, bytes: encoded(new FrameWriter(), messages) };
    const frame = framed((writer) =>
      writeReply(writer, 77, "fetch", 2, { highWaterMark: 9, codec: 0, messages: set })
    );
    return () => readMessages(readReply(readReplyHead(frame).payload, "fetch").messages, true);
  };
  return [
    sample(ms, "Decode a fetch", 1, () => readRequest(fetch)),
    sample(ms, "Decode a produce of 1 message of 100 bytes", 1, decodeProduce(messagesOf(1))),
    sample(ms, "Decode a produce of 100 messages of 100 bytes", 30, decodeProduce(messagesOf(100))),
    sample(ms, "Decode 1 fetched message of 100 bytes", 1, decodeFetched(messagesOf(1))),
    sample(ms, "Decode 100 fetched messages of 100 bytes", 30, decodeFetched(messagesOf(100))),
  ];
}

function messagesOf(count: number): Message[] {
  return Array.from({ length: count }, (_, i) => ({
    offset: 0,
    timestamp: 0n,
    key: new TextEncoder().encode(`key-${i}`),
    value: new Uint8Array(100).fill(i),
    headers: [],
  }));
}

function encoded(writer: FrameWriter, messages: readonly Message[]): Uint8Array {
  for (const message of messages) writeMessage(writer, message, true);
  return writer.view();
}

function writeProduce(
  writer: FrameWriter,
  batch: FrameWriter,
  messages: readonly Message[],
): void {
  batch.reset();
  const set = { count: messages.length, bytes: encoded(batch, messages) };
  const producer = { id: 5, epoch: 0, baseSequence: 1_000 };
  const rest = { acks: -1, timeoutMs: 30_000, producer, codec: 0 };
  writeRequest(writer, 77, "produce", { ...partition, ...rest, messages: set });
}

/** What a frame holds after its length. */
function framed(write: (writer: FrameWriter) => void): Uint8Array {
  const writer = new FrameWriter();
  write(writer);
  return writer.finish().subarray(4);
}

function sample(ms: number, name: string, bound: number, work: () => unknown): Sample {
  const row = { name, unit: "us", more: false, goals: [{ bound }] };
  return { who: "skein", value: microsecondsOf(ms, work), row };
}

/** Microseconds that `work` takes each time, once it is warm; half of the turns take longer, some because others use the machine. */
function microsecondsOf(ms: number, work: () => unknown): number {
  let times = 1;
  const turn = (): number => {
    const started = performance.now();
    for (let i = 0; i < times; i++) work();
    return (performance.now() - started) * 1_000;
  };
  while (turn() < TURN_US) times *= 2;
  const turnsFor = (ms: number): number[] => {
    const turns: number[] = [];
    for (const end = performance.now() + ms; performance.now() < end;) turns.push(turn());
    return turns;
  };
  turnsFor(ms);
  return quantile(turnsFor(ms).sort((a, b) => a - b), 0.5) / times;
}
