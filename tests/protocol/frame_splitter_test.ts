/**
 * Frames out of bytes that were cut anywhere.
 *
 * @module
 */

import assert from "node:assert/strict";
import { frameSplitter, MAX_FRAME_BYTES, MessageError } from "../../protocol/sessions/mod.ts";
import { below } from "../support/random_value.ts";
import { SeededRandom } from "../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));

function frame(body: string): number[] {
  const bytes = new TextEncoder().encode(body);
  return [bytes.length >> 24, bytes.length >> 16 & 255, bytes.length >> 8 & 255, bytes.length & 255]
    .concat(...bytes);
}

/** What comes out of pieces. */
function split(pieces: readonly Uint8Array[], maxBytes = 100): string[] {
  const frames: string[] = [];
  const splitter = frameSplitter(
    (body) => frames.push(new TextDecoder().decode(body)),
    maxBytes,
  );
  for (const piece of pieces) splitter.push(piece);
  assert.ok(splitter.pending <= maxBytes + 4);
  return frames;
}

Deno.test("frames are the same however the bytes are cut", () => {
  const random = new SeededRandom(SEED);
  const bodies = ["", "a", "", "bcd", "x".repeat(100), "é", "y".repeat(99), ""];
  const bytes = Uint8Array.from(bodies.flatMap(frame));
  assert.deepEqual(split([bytes]), bodies);
  assert.deepEqual(split([...bytes].map((byte) => Uint8Array.of(byte))), bodies);
  for (let round = 0; round < 500; round++) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const next = at + 1 + below(random, round % 2 === 0 ? 8 : bytes.length - at);
      pieces.push(bytes.subarray(at, next));
      at = next;
    }
    assert.deepEqual(split(pieces), bodies, `seed ${SEED}`);
  }
});

Deno.test("a frame that is not whole waits, and is in nobody else's bytes", () => {
  const frames: Uint8Array[] = [];
  const splitter = frameSplitter((body) => frames.push(body));
  const chunk = Uint8Array.of(0, 0, 0, 3, 1, 2);
  splitter.push(chunk);
  assert.equal(splitter.pending, 6);
  chunk.fill(9);
  splitter.push(Uint8Array.of(3, 0));
  assert.deepEqual(frames, [Uint8Array.of(1, 2, 3)]);
  assert.equal(splitter.pending, 1);
});

Deno.test("a frame that is too long is refused by its length, and nothing follows it", () => {
  for (const cut of [1, 2, 3, 4, 10]) {
    const splitter = frameSplitter(() => assert.fail("No frame was expected"));
    const bytes = Uint8Array.of(1, 0, 0, 1, 0, 0, 0, 0, 0, 0);
    splitter.push(bytes.subarray(0, Math.min(cut, 3)));
    assert.throws(() => splitter.push(bytes.subarray(Math.min(cut, 3))), {
      name: "MessageError",
      message: `Frame takes ${MAX_FRAME_BYTES + 1} of ${MAX_FRAME_BYTES} bytes`,
    });
    assert.throws(() => splitter.push(Uint8Array.of(0, 0, 0, 0)), MessageError);
  }
  assert.throws(() => split([Uint8Array.of(0xff, 0xff, 0xff, 0xff)]), MessageError);
});

Deno.test("no memory is taken for a length before its bytes are there", () => {
  const before = Deno.memoryUsage().external;
  const splitters = Array.from({ length: 200 }, () => frameSplitter(() => {}));
  for (const splitter of splitters) splitter.push(Uint8Array.of(1, 0, 0, 0, 7));
  const grown = Deno.memoryUsage().external - before;
  assert.ok(grown < 1024 * 1024, `${grown} bytes for 200 frames of 16 MiB each`);
  assert.equal(splitters.every(({ pending }) => pending === 5), true);
});
