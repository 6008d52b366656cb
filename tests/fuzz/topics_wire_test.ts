/**
 * Random and bent frames of topics, cut anywhere, as a server and as a client reads them: what is none is one of the two errors,
 * and memory stays bounded.
 *
 * SKEIN_SEED repeats the bytes of a run, SKEIN_FUZZ_MS makes it longer (3,000 by default).
 *
 * @module
 */

import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { concatBytes, putU32 } from "../../protocol/bytes.ts";
import {
  checkMessages,
  CODEC,
  FLAG,
  FrameError,
  FrameWriter,
  inflateShort,
  MAX_FRAME_BYTES,
  PayloadError,
  readError,
  readMessages,
  readReply,
  readReplyHead,
  readRequest,
  replySplitter,
  type RequestKind,
  requestSplitter,
  writeReply,
  writeRequest,
} from "../../protocol/topics/mod.ts";
import { heldMiB } from "../support/held_memory.ts";
import { mutated } from "../support/mutate.ts";
import { SeededRandom } from "../support/simulation/random.ts";
import { RandomFrames } from "../support/topics/random_frames.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const DURATION_MS = Number(Deno.env.get("SKEIN_FUZZ_MS") ?? 3_000);
/** What memory may grow by, however long a run is. */
const MAX_GROWTH_MIB = 32;

/** What a stream of bytes was taken for. */
interface Counts {
  frames: number;
  read: number;
  refused: number;
  streams: number;
}

Deno.test("a server that reads any bytes takes them for requests, or says what is wrong", () => {
  const counts = fuzz((random, writer) => {
    const { kind, version, flags: own } = random.kind();
    const flags = random.below(0x1_0000) & ~FLAG.compressed | own;
    const body = random.request(kind, version, flags);
    writeRequest(writer, random.near(0, 2 ** 53 - 1), kind, body, { version, flags });
  }, (onFrame) =>
    requestSplitter((bytes) =>
      onFrame(() => {
        const request = readRequest(bytes);
        if (request.kind !== "produce") return;
        const { codec, messages } = request.body;
        if (codec !== CODEC.none) {
          return void inflateShort(codec, messages.bytes, MAX_FRAME_BYTES);
        }
        const found = checkMessages(messages.bytes, messages.count, request.version === 2);
        if (typeof found === "string") throw new PayloadError(found);
      })
    ));
  assert.ok(counts.read > 1_000 && counts.refused > 1_000, JSON.stringify(counts));
});

Deno.test("a client that reads any bytes takes them for replies, or says what is wrong", () => {
  let asked: readonly [RequestKind, number, number] = ["healthCheck", 1, 0];
  const counts = fuzz((random, writer) => {
    const { kind, version, flags } = random.kind();
    asked = [kind, version, flags];
    const reply = random.reply(kind, version, flags);
    writeReply(writer, random.near(0, 2 ** 53 - 1), kind, version, reply, flags);
  }, (onFrame) =>
    replySplitter((bytes) =>
      onFrame(() => {
        const { payload, status } = readReplyHead(bytes);
        if (status !== 0) return void readError(payload);
        const reply = readReply(payload, ...asked);
        if (!("messages" in reply)) return;
        const { codec, messages } = reply;
        if (codec === CODEC.none) readMessages(messages, asked[1] === 2);
        else inflateShort(codec, messages.bytes, MAX_FRAME_BYTES);
      })
    ));
  assert.ok(counts.read > 1_000 && counts.refused > 1_000, JSON.stringify(counts));
});

/** Reads one stream of frames, some of them bent, after the other, as long as there is time. */
function fuzz(
  write: (random: RandomFrames, writer: FrameWriter) => void,
  open: (onFrame: (read: () => void) => void) => { push(bytes: Uint8Array): void },
): Counts {
  const source = new SeededRandom(SEED);
  const random = new RandomFrames(source);
  const writer = new FrameWriter();
  const counts: Counts = { frames: 0, read: 0, refused: 0, streams: 0 };
  const before = heldMiB();
  const end = performance.now() + DURATION_MS / 2;
  for (; performance.now() < end; counts.streams++) {
    const frames = Array.from({ length: 1 + random.below(8) }, () => {
      writer.reset();
      write(random, writer);
      return bent(random, source, writer.finish());
    });
    const parser = open((read) => {
      counts.frames++;
      try {
        read();
        counts.read++;
      } catch (error) {
        if (!(error instanceof FrameError || error instanceof PayloadError)) throw error;
        counts.refused++;
      }
    });
    try {
      for (const piece of pieces(random, concatBytes(frames))) parser.push(piece);
    } catch (error) {
      // The length is none, and the stream is over.
      if (!(error instanceof FrameError) || !error.ends) throw error;
    }
  }
  const growth = heldMiB() - before;
  console.log(`topics: seed ${SEED}, ${JSON.stringify(counts)}, ${growth.toFixed(1)} MiB more`);
  assert.ok(growth < MAX_GROWTH_MIB, `Memory grew by ${growth} MiB`);
  return counts;
}

/** A frame as it is, bent within its bounds, or bent anywhere. */
function bent(random: RandomFrames, source: SeededRandom, frame: Uint8Array): Uint8Array {
  const way = random.below(8);
  if (way < 3) return frame;
  if (way === 3) return mutated(source, frame);
  const inner = mutated(source, frame.subarray(4, -4));
  const whole = new Uint8Array(inner.length + 8);
  whole.set(inner, 4);
  putU32(whole, 0, inner.length + 4);
  putU32(whole, inner.length + 4, crc32(inner));
  return whole;
}

function* pieces(random: RandomFrames, bytes: Uint8Array): Generator<Uint8Array> {
  const most = random.below(3) === 0 ? 5 : bytes.length;
  for (let at = 0; at < bytes.length;) {
    const next = at + 1 + random.below(most);
    yield bytes.subarray(at, next);
    at = next;
  }
}
